"""Recall and precision of each class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from fullbake.components.evaluation.wilson import wilson
from fullbake.components.report.section import Section
from fullbake.contract.results.evaluation import Evaluation
from fullbake.contract.results.report import Report
from fullbake.contract.results.result import Interval

MANY_CLASSES = 12
"""Beyond this, tables show the worst first and fold the rest, and the confusion matrix is a heat map."""


class ClassLine(NamedTuple):
    """A class in the table of recall and precision; intervals are 95%."""

    label: str
    texts: int  # of this class in the test set
    decided: int  # texts the model gave this label
    found: int  # both
    recall: float | None
    precision: float | None
    f1: float | None
    recall_interval: Interval | None
    precision_interval: Interval | None
    baseline: float | None  # recall of the model in production


def class_lines(evaluation: Evaluation) -> list[ClassLine]:
    """Returns recall and precision of each class with counts and intervals; of many classes the worst come first."""
    before = {} if evaluation.baseline is None else evaluation.baseline.recall
    lines = []
    for label, (texts, decided, found) in evaluation.tallies.items():
        measured = (evaluation.recall.get(label), evaluation.precision.get(label), evaluation.f1.get(label))
        intervals = (wilson(found, texts), wilson(found, decided))
        lines.append(ClassLine(label, texts, decided, found, *measured, *intervals, before.get(label)))
    if len(lines) > MANY_CLASSES:
        lines.sort(key=lambda line: 2.0 if line.recall is None else line.recall)
    return lines


def _context(report: Report) -> Mapping[str, Any]:
    return {"classes": class_lines(report.evaluation), "many": MANY_CLASSES}


SECTION = Section(_context, "Recall and precision", "classes")
