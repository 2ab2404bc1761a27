"""Which classes the model takes for which others; of several labels, which it misses and which it gives wrongly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fullbake.components.report.confusion import MOST_CONFUSIONS, heat_map_svg, most_confused, whole_matrix, worst_part
from fullbake.components.report.section import Section
from fullbake.components.report.sections.classes import MANY_CLASSES
from fullbake.contract.results.evaluation import Evaluation, LabelCounts
from fullbake.contract.results.report import Report

LONGEST_NAME = 60
"""Of a label within a sentence, in characters; the tables have all of it."""


def label_mistakes(evaluation: Evaluation) -> list[tuple[str, LabelCounts]]:
    """Returns each label of a multi-label model with its counts, the one with the most mistakes first."""
    return sorted(evaluation.counts.items(), key=lambda found: -(found[1].false_negative + found[1].false_positive))


def _quoted(label: str) -> str:
    return f"'{label}'" if len(label) <= LONGEST_NAME else f"'{label[: LONGEST_NAME - 1]}…'"


def main_mistake(evaluation: Evaluation) -> str | None:
    """Returns in words the mistake made in most texts; None where none was made."""
    if not evaluation.multi_label:
        texts_of = {label: tally.texts for label, tally in evaluation.tallies.items()}
        if not (confused := most_confused(evaluation)):
            return None
        truth, decided, texts, _ = confused[0]
        return (
            f"{texts:,} of {texts_of[truth]:,} texts that are truly {_quoted(truth)} were labelled {_quoted(decided)}"
        )
    label, counts = max(
        evaluation.counts.items(), key=lambda found: max(found[1].false_negative, found[1].false_positive)
    )
    if not (counts.false_negative or counts.false_positive):
        return None
    if counts.false_negative > counts.false_positive:
        has = counts.false_negative + counts.true_positive
        return f"{counts.false_negative:,} of {has:,} texts that have {_quoted(label)} were not given it"
    without = counts.false_positive + counts.true_negative
    return f"{counts.false_positive:,} of {without:,} texts without {_quoted(label)} were given it"


def _context(report: Report) -> Mapping[str, Any] | None:
    evaluation = report.evaluation
    if evaluation.multi_label:
        return {"lines": label_mistakes(evaluation), "first": MANY_CLASSES}
    if len(evaluation.labels) <= MANY_CLASSES:
        return {"matrix": whole_matrix(evaluation), "heat_map": None, "many": MANY_CLASSES}
    return {
        "matrix": worst_part(evaluation),
        "heat_map": heat_map_svg(evaluation.confusion),
        "confusions": (confused := most_confused(evaluation))[:MOST_CONFUSIONS],
        "other_confusions": confused[MOST_CONFUSIONS:],
        "many": MANY_CLASSES,
    }


SECTION = Section(_context, "Mistakes", "mistakes")
