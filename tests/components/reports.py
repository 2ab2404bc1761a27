"""Reports of made-up runs, for the tests of the page."""
# ruff: noqa: S311 - made-up predictions need no cryptography

import random
import re
from html import unescape

from fullbake.contract.results.report import Report

# Seventy-seven classes, as many as banks' customers ask about in Banking77.
NOUNS = ["card", "transfer", "top_up", "cash", "atm", "fee", "pin"]
VERBS = ["lost", "late", "new", "wrong", "stolen", "pending", "cancel", "refused", "limit", "refund", "verify"]
BANK = [f"{verb}_{noun}" for noun in NOUNS for verb in VERBS]


def evaluation_of(rows_of, skill, bounds=(), bins=1000, baseline=None, seed=0):
    """An evaluation.json as the evaluator would write it for a model that is right with chance `skill[label]`."""
    rng, labels, size = random.Random(seed), list(rows_of), len(rows_of)
    confusion = [[0] * size for _ in labels]
    scores = {label: {"positive": [0] * bins, "negative": [0] * bins} for label in labels}
    confidence = {"count": [0] * bins, "correct": [0] * bins, "probability_sum": [0.0] * bins}
    for truth in (index for index, label in enumerate(labels) for _ in range(rows_of[label])):
        winner = truth if rng.random() < skill[labels[truth]] else min(size - 1, int(rng.random() ** 0.5 * size))
        top = 1 / size + (1 - 1 / size) * rng.betavariate(6 if winner == truth else 2.2, 1.5)
        rest = [0.0 if index == winner else rng.random() ** 3 for index in range(size)]
        chances = [share * (1 - top) / (sum(rest) or 1) for share in rest]
        chances[winner] = top
        decided = max(range(size), key=chances.__getitem__)
        confusion[truth][decided] += 1
        for index, label in enumerate(labels):
            scores[label]["positive" if index == truth else "negative"][min(bins - 1, int(chances[index] * bins))] += 1
        place = min(bins - 1, int(chances[decided] * bins))
        confidence["count"][place] += 1
        confidence["correct"][place] += decided == truth
        confidence["probability_sum"][place] += chances[decided]
    hits = {label: confusion[index][index] for index, label in enumerate(labels)}
    chosen = {label: sum(row[index] for row in confusion) for index, label in enumerate(labels)}
    recall = {label: hits[label] / rows_of[label] for label in labels}
    precision = {label: hits[label] / chosen[label] if chosen[label] else None for label in labels}
    f1 = {label: 2 * hits[label] / (rows_of[label] + chosen[label]) for label in labels}
    judged = []
    for metric, label, limit in bounds:
        if metric == "recall_drop":
            value = baseline["recall"][label] - recall[label]
            judged.append(bound(metric, label, limit, value, value <= limit))
        else:
            value = {"recall": recall, "precision": precision}[metric][label]
            judged.append(bound(metric, label, limit, value, value >= limit))
    return {
        "examples": sum(rows_of.values()),
        "labels": labels,
        "accuracy": sum(hits.values()) / sum(rows_of.values()),
        "macro_f1": sum(f1.values()) / size,
        **{"recall": recall, "precision": precision, "f1": f1},
        **{"confusion": confusion, "scores": scores, "confidence": confidence, "baseline": baseline},
        **{"bounds": judged, "blessed": all(one["passed"] for one in judged), "decision_threshold": None},
    }


def bound(metric="recall", label="b", limit=0.6, value=0.75, passed=True):
    return {"metric": metric, "label": label, "bound": limit, "value": value, "passed": passed}


def other_parts(rows_of):
    rng = random.Random(1)
    counts = [0] * 130
    for _ in range(4_000):
        counts[min(129, int(rng.lognormvariate(3.2, 0.6)))] += 1
    measured = ("epoch", "loss", "eval_loss", "eval_accuracy", "eval_macro_recall", "learning_rate", "seconds")
    values = [
        (1, 0.482, 0.351, 0.86, 0.79, 5e-5, 41.5),
        (2, 0.271, 0.298, 0.9, 0.84, 2.5e-5, 41.2),
        (3, 0.164, 0.322, 0.89, 0.83, 1e-6, 41.3),
    ]
    spent = {"ExampleGen": 6.2, "Transform": 21.4, "Trainer": 131.8, "Evaluator": 22.4, "Pusher": 0.4}
    times = {"train": 8, "eval": 1, "test": 1}
    training = {"parameters": {"total": 66_955_010, "trainable": 66_955_010}, "learning_rate": 5e-5, "best_epoch": 2}
    training |= {"approach": "fine_tune", "head": "hf", "distribution": "one device: CPU", "precision": "float32"}
    training |= {"epochs": [dict(zip(measured, row, strict=True)) for row in values], "warnings": []}
    training["probe_epochs"] = [{"epoch": 1, "loss": 1.2, "eval_macro_recall": 0.61, "seconds": 4.0}]
    training["encoder_shift"] = {"embeddings": 0.012, "layer 1": 0.031, "layer 2": 0.052}
    perplexities = [(0, 0.0, 28_412.3), (200, 0.3, 212.5), (667, 1.0, 64.1), (1334, 2.0, 41.9)]
    pretraining = {"new_head": True, "rows": 21_340, "learning_rate": 5e-5, "seconds": 1843.0}
    pretraining |= {
        "evaluations": [dict(zip(("step", "epoch", "perplexity"), row, strict=True)) for row in perplexities]
    }
    pretraining["encoder_shift"] = {"embeddings": 0.02, "layer 1": 0.04, "layer 2": 0.08}
    scores = {"2": (5e-5, 0.871), "1": (3e-5, 0.869), "0": (2e-5, 0.84), "3": (1.0, 0.0)}
    tuning = [{"trial_id": key, "learning_rate": rate, "score": score} for key, (rate, score) in scores.items()]
    reasons = {"the text is empty": 7, "label 'maybe' is not in data.labels": 3}
    ingest = {"read": 5_010, "used": 5_000, "rejected": 10, "reasons": reasons}
    ingest["examples"] = {split: n * sum(rows_of.values()) for split, n in times.items()}
    ingest["labels"] = {split: {label: rows * n for label, rows in rows_of.items()} for split, n in times.items()}
    ingest |= {"corpus": 12_000, "corpus_rejected": 810, "corpus_reasons": {"also in the eval or test split": 810}}
    ingest["drift"] = {"before": 3, "rows_before": 4_000, "label_distance": 0.021, "label": "toxic"}
    ingest["drift"] |= {"share_before": 0.139, "share": 0.16, "length_distance": 0.052}
    ingest["drift"] |= {"median_length_before": 51, "median_length": 54}
    return {
        **{"pretraining": pretraining, "tuning": tuning},
        **{"training": training, "ingest": ingest, "seconds": spent, "base": "distilbert-base-uncased"},
        "lengths": {"max_length": 128, "counts": counts, "truncated": counts[129], "rows": 4_000},
        "config": 'name: quickstart\ndata:\n  labels: [non_toxic, toxic]\n  delimiter: ","\n',
        "versions": {"tensorflow": "2.16.2", "tfx": "1.16.0", "transformers": "4.54.1"},
    }


def report_of(evaluation, rows_of, **changes):
    parts = {"title": "quickstart", "run": "2024-05-04T101500", "created": "2024-05-04T10:15:00+00:00"}
    return Report.from_dict({"evaluation": evaluation, **parts, **other_parts(rows_of), **changes})


def passing_report():
    """The report of a model that meets its bounds."""
    rows_of = {"non_toxic": 420, "toxic": 80}
    bounds = [("recall", "non_toxic", 0.8), ("recall", "toxic", 0.6), ("recall_drop", "toxic", 0.02)]
    baseline = {"model": "serving/1714700000", "recall": {"non_toxic": 0.93, "toxic": 0.7}}
    skill = {"non_toxic": 0.97, "toxic": 0.6}
    evaluation = evaluation_of(rows_of, skill, bounds, baseline=baseline)
    return report_of(evaluation, rows_of, pushed=True)


def refused_report():
    """The report of a model that misses bounds, with a warning from its training."""
    rows_of = {"hate": 120, "offensive": 760, "neither": 200}
    bounds = [("recall", "hate", 0.6), ("recall", "offensive", 0.8), ("precision", "neither", 0.7)]
    evaluation = evaluation_of(rows_of, {"hate": 0.2, "offensive": 0.9, "neither": 0.85}, bounds, seed=3)
    training = other_parts(rows_of)["training"]
    training["warnings"] = ["training.learning_rate: 0.0004 destroys what pre-training learned"]
    return report_of(evaluation, rows_of, training=training)


def report_of_many_classes():
    """The report of a model of 77 classes."""
    rng = random.Random(5)
    rows_of = dict.fromkeys(BANK, 40)
    skill = {label: rng.betavariate(20, 1.5) for label in BANK}
    evaluation = evaluation_of(rows_of, skill, [("recall", label, 0.75) for label in BANK], bins=100, seed=5)
    return report_of(evaluation, rows_of)


def text_of(page):
    return " ".join(unescape(re.sub("<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL)).split())


def tags_of(page):
    return set(re.findall("<([a-z0-9]+)", page))


def minimal(**changes):
    """Ten texts of two classes: of six a's five are found, of four b's three."""
    evaluation = {
        "labels": ["a", "b"],
        "examples": 10,
        "accuracy": 0.8,
        "macro_f1": 0.79,
        "bounds": [],
        "blessed": True,
    }
    evaluation |= {metric: {"a": 5 / 6, "b": 0.75} for metric in ("recall", "precision", "f1")}
    evaluation |= {"confusion": [[5, 1], [1, 3]], **changes}
    return Report.from_dict({"title": "t", "run": "r", "created": "now", "evaluation": evaluation})


def minimal_with(**parts):
    """The same with files beside the evaluation."""
    return Report.from_dict(
        {"title": "t", "run": "r", "created": "", "evaluation": minimal().evaluation.to_dict()} | parts
    )
