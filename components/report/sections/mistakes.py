"""Which classes the model takes for which others; of several labels, which it misses and which it gives wrongly."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from markupsafe import Markup

from fullbake.components.report.section import Section
from fullbake.components.report.sections.classes import MANY_CLASSES
from fullbake.contract.results.evaluation import Evaluation, LabelCounts
from fullbake.contract.results.report import Report

MOST_CONFUSIONS = 15
HEAT_LEVELS = 6  # shades of the heat map


def most_confused(evaluation: Evaluation) -> list[tuple[str, str, int, float]]:
    """Returns the pairs confused most often.

    Returns:
        Of each: true label, decided label, texts, and their share of the true label's texts.
    """
    pairs = [
        (evaluation.labels[row], evaluation.labels[column], texts, texts / sum(counts))
        for row, counts in enumerate(evaluation.confusion)
        for column, texts in enumerate(counts)
        if texts and row != column
    ]
    return sorted(pairs, key=lambda pair: (-pair[2], -pair[3]))[:MOST_CONFUSIONS]


def label_mistakes(evaluation: Evaluation) -> list[tuple[str, LabelCounts]]:
    """Returns each label of a multi-label model with its counts, the one with the most mistakes first."""
    return sorted(evaluation.counts.items(), key=lambda found: -(found[1].false_negative + found[1].false_positive))


def heat_map_svg(confusion: Sequence[Sequence[int]], labels: Sequence[str]) -> Markup:
    """Draws the confusion matrix of many classes: one cell a pair, shaded by its share of the true class's texts.

    Cells of a shade are one path, so that 77 classes take kilobytes. The square root makes rare confusions visible.
    """
    cell, left, top = 10, 220, 24
    shades: dict[str, list[str]] = {}
    for row, decided in enumerate(confusion):
        for column, texts in enumerate(decided):
            if texts:
                level = max(1, math.ceil(HEAT_LEVELS * math.sqrt(texts / sum(decided)) - 1e-9))
                look = f"{'right' if row == column else 'wrong'} l{level}"
                shades.setdefault(look, []).append(f"M{left + column * cell} {top + row * cell}h9v9h-9z")
    size = len(labels) * cell
    alt = f"Heat map of the confusion matrix of {len(labels)} classes; a table of the most frequent mistakes follows."
    parts = [
        f'<svg class="heat" viewBox="0 0 {left + size + 4} {top + size + 4}" role="img" aria-label="{alt}">',
        f'<rect class="field" x="{left}" y="{top}" width="{size}" height="{size}"/>',
    ]
    for index, label in enumerate(labels):
        name = label if len(label) <= 38 else label[:37] + "…"
        y = top + index * cell + 8
        parts.append(f'<text x="{left - 24}" y="{y}" text-anchor="end">{escape(name)}</text>')
        parts.append(f'<text class="index" x="{left - 5}" y="{y}" text-anchor="end">{index}</text>')
        if index % 2 == 0:
            x = left + index * cell + 5
            parts.append(f'<text class="index" x="{x}" y="{top - 5}" text-anchor="middle">{index}</text>')
    parts += [f'<path class="{look}" d="{"".join(cells)}"/>' for look, cells in sorted(shades.items())]
    return Markup("".join([*parts, "</svg>"]))  # noqa: S704 - every text above is escaped


def _context(report: Report) -> Mapping[str, Any] | None:
    evaluation = report.evaluation
    if evaluation.multi_label:
        return {"lines": label_mistakes(evaluation), "first": MANY_CLASSES}
    many = len(evaluation.labels) > MANY_CLASSES
    return {
        "heat_map": heat_map_svg(evaluation.confusion, evaluation.labels) if many else None,
        "confusions": most_confused(evaluation),
    }


SECTION = Section(_context, "Mistakes", "mistakes")
