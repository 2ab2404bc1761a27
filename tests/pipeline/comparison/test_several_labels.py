"""Approaches whose rows have any number of labels, of some of which nobody knows: against scikit-learn's measures."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score

from fullbake.pipeline.comparison.comparison import Comparison
from fullbake.pipeline.comparison.outcome import Outcome
from fullbake.pipeline.comparison.page import render_page

LABELS = ("toxic", "threat", "insult")


def compared(skills: dict[str, float], rows: int = 900) -> Comparison:
    """Approaches that are right about each label with their own chance, independently."""
    rng = np.random.default_rng(0)
    truth = (rng.random((rows, 3)) < (0.3, 0.1, 0.5)).astype(np.int8)
    masked = rng.random((rows, 3)) < 0.2
    outcomes = [
        Outcome(approach, seed, (rng.random((rows, 3)) < skill) == (truth == 1), {"Trainer": 1.0}, 1, 1, 5e-5)
        for approach, skill in skills.items()
        for seed in range(3)
    ]
    truth[masked] = -1
    return Comparison(LABELS, truth, outcomes)


def test_each_measure_is_that_of_scikit_learn_over_what_is_known():
    comparison = compared({"fine_tune": 0.9})
    truth, decided = comparison.truth, comparison.outcomes[1].decided
    (result,) = comparison.results
    taken = np.where(truth < 0, decided, truth == 1)  # where nobody knows, any decision is taken for right
    assert result.accuracy.values[1] == pytest.approx(accuracy_score(taken, decided))
    by_label = {"recall": recall_score, "precision": precision_score}
    for index, label in enumerate(LABELS):
        known = truth[:, index] >= 0
        for metric, score in by_label.items():
            expected = score(truth[known, index], decided[known, index])
            assert getattr(result, metric)[label].values[1] == pytest.approx(expected)
    known = [(truth[:, index] >= 0, index) for index in range(3)]
    assert result.macro_f1.values[1] == pytest.approx(
        np.mean([f1_score(truth[rows, index], decided[rows, index]) for rows, index in known])
    )
    assert result.macro_recall.values[1] == pytest.approx(
        np.mean([recall_score(truth[rows, index], decided[rows, index]) for rows, index in known])
    )


def test_approaches_are_told_apart_label_by_label():
    comparison = compared({"fine_tune": 0.95, "frozen": 0.8})
    tests = {test.measure: test for test in comparison.tests}
    assert list(tests)[3:] == ["recall of toxic", "recall of threat", "recall of insult"]
    for index, label in enumerate(LABELS):
        test = tests[f"recall of {label}"]
        assert test.more_than_luck
        assert test.difference == pytest.approx(0.15, abs=0.08)
        # Only the rows that have the label tell of its recall.
        assert 0 < test.telling_rows <= np.count_nonzero(comparison.truth[:, index] == 1)
    page = render_page(comparison, "x", "name: x")
    assert "recall of threat" in page
