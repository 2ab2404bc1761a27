"""Outcomes of approaches that nobody trained."""

import dataclasses

import numpy as np

from fullbake.pipeline.comparison.comparison import Comparison
from fullbake.pipeline.comparison.outcome import Outcome

TRUTH = np.array([0, 0, 0, 0, 1, 1])


def compared(labels, truth, outcomes):
    """A comparison of outcomes whose decisions, as the truth, are class indices, or already a column for each class."""
    classes = np.eye(len(labels), dtype=np.int8)
    in_columns = [
        each if each.decided.ndim == 2 else dataclasses.replace(each, decided=classes[each.decided] == 1)
        for each in outcomes
    ]
    return Comparison(labels, classes[truth], in_columns)


def outcome(approach, decided, seed=0, seconds=10.0, trainable=50, learning_rate=5e-5):
    return Outcome(approach, seed, np.array(decided), {"Trainer": seconds}, trainable, 100, learning_rate)


def by_hand():
    """Three classes, the third without a test row; `frozen` never decides for the second with seed 1."""
    return compared(
        ("ham", "spam", "unused"),
        TRUTH,
        [
            outcome("fine_tune", [0, 0, 0, 1, 1, 1], seed=0, seconds=100.0),
            outcome("frozen", [0, 0, 1, 1, 0, 1], seed=0, seconds=8.0, trainable=5, learning_rate=1e-2),
            outcome("fine_tune", [0, 0, 0, 0, 1, 0], seed=1, seconds=160.0, learning_rate=3e-5),
            outcome("frozen", [0, 0, 0, 0, 0, 2], seed=1, seconds=9.0, trainable=5, learning_rate=1e-2),
        ],
    )


def drawn(skills, rows=600, classes=3, seeds=2, labels=None, seed=0):
    """Approaches that are each right with their own chance, independently."""
    generator = np.random.default_rng(seed)
    truth = np.arange(rows) % classes
    outcomes = []
    for approach, skill in skills.items():
        for each in range(seeds):
            wrong = (truth + generator.integers(1, classes, rows)) % classes
            outcomes.append(outcome(approach, np.where(generator.random(rows) < skill, truth, wrong), seed=each))
    return compared(labels or tuple(f"class_{index}" for index in range(classes)), truth, outcomes)


def trained(skills, seeds, noise, rows=2500, seed=0):
    """Approaches whose trainings come out better or worse by luck, on texts that are hard or easy for all of them."""
    generator = np.random.default_rng(seed)
    truth = np.arange(rows) % 2
    hardness = generator.random(rows)
    outcomes = []
    for approach, skill in skills.items():
        for each in range(seeds):
            right = hardness + generator.normal(scale=0.05, size=rows) < skill + generator.normal(scale=noise)
            outcomes.append(outcome(approach, np.where(right, truth, 1 - truth), seed=each))
    return compared(("ham", "spam"), truth, outcomes)
