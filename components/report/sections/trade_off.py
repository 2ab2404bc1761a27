"""Precision against recall, at every threshold that the model could decide from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from fullbake.components.report.plot import Figure, Legend, Plot, Point
from fullbake.components.report.section import Section
from fullbake.contract.results.evaluation import ScoreCounts
from fullbake.contract.results.report import Report

# With more classes than this only the worst few are drawn, and the mean; the style sheet has as many dash patterns.
FEW_CURVES = 6
WORST_CURVES = 4


def precision_recall(positive: Sequence[int], negative: Sequence[int]) -> list[Point]:
    """Returns the precision at every recall that a threshold between two bins can have.

    Args:
        positive: Texts of the class, by equal bins of the probability they were given for it.
        negative: The same for texts of every other class.

    Returns:
        (recall, precision) with falling threshold, so with rising recall; empty where no text is of the class.
    """
    total, found, wrong = sum(positive), 0, 0
    points: list[Point] = []
    for hit, miss in zip(reversed(positive), reversed(negative), strict=True):
        found, wrong = found + hit, wrong + miss
        if total and (hit or miss):
            points.append((found / total, found / (found + wrong)))
    return points


def average_precision(points: Iterable[Point]) -> float:
    """Returns the area under the step curve: precision weighted by the recall it adds."""
    area = reached = 0.0
    for recall, precision in points:
        area += (recall - reached) * precision
        reached = recall
    return area


def mean_curve(curves: Sequence[Sequence[Point]], steps: int = 100) -> list[Point]:
    """Returns the mean over classes of the best precision at each recall or beyond."""
    mean = []
    for step in range(1, steps + 1):
        recall = step / steps
        best = (max((p for r, p in points if r >= recall - 1e-12), default=0.0) for points in curves)
        mean.append((recall, sum(best) / len(curves)))
    return mean


def precision_recall_figure(
    scores: Mapping[str, ScoreCounts],
    decided: Mapping[str, tuple[float | None, float | None]],
    exact: Mapping[str, float | None] = MappingProxyType({}),
    thresholds: Mapping[str, float] = MappingProxyType({}),
) -> Figure | None:
    """Draws precision–recall curves, one per class, or of many classes the worst few and the mean.

    Args:
        scores: By label, its texts and all others by the probability that they were given for it.
        decided: For each label the recall and the precision of what the model decides: a dot on the picture.
        exact: By label, its average precision where that is known; that of the bins is said of others.
        thresholds: By label, the probability from which it is decided, where each has one.
    """
    curves = {label: precision_recall(bins.positive, bins.negative) for label, bins in scores.items()}
    curves = {label: points for label, points in curves.items() if points}
    if not curves:
        return None
    areas = {label: exact.get(label) or average_precision(points) for label, points in curves.items()}
    shown = list(curves) if len(curves) <= FEW_CURVES else sorted(curves, key=lambda label: areas[label])[:WORST_CURVES]
    plot = Plot((0, 1), (0, 1), "recall: share of the class that is found", "precision")
    legend = []
    if len(shown) < len(curves):
        plot.steps(mean_curve(list(curves.values())), "mean")
        legend.append(Legend("mean", f"mean of all {len(curves)} classes: area {sum(areas.values()) / len(areas):.3f}"))
    for index, label in enumerate(shown):
        plot.steps(curves[label], f"s{index}")
        recall, precision = decided.get(label, (None, None))
        if recall is not None and precision is not None:
            plot.dot(recall, precision, f"s{index}", f"{label}: recall {recall:.2f}, precision {precision:.2f}")
        least = f", decided from {thresholds[label]:.2f}" if label in thresholds else ""
        legend.append(Legend(f"s{index}", f"{label}: area {areas[label]:.3f}{least}"))
    return Figure(plot.svg("Precision–recall curves. " + "; ".join(entry.text for entry in legend)), legend)


def _context(report: Report) -> Mapping[str, Any] | None:
    evaluation = report.evaluation
    decided = {name: (evaluation.recall.get(name), evaluation.precision.get(name)) for name in evaluation.labels}
    curves = precision_recall_figure(
        evaluation.scores, decided, evaluation.average_precision, evaluation.decision_thresholds
    )
    return None if curves is None else {"curves": curves, "few": FEW_CURVES, "worst": WORST_CURVES}


SECTION = Section(_context, "Trade-off", "trade")
