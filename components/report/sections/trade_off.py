"""Precision against recall, at every threshold that the model could decide from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from markupsafe import Markup

from fullbake.components.report.plot import Plot, Point, SmallPlot
from fullbake.components.report.section import Section
from fullbake.contract.results.evaluation import Bound, Evaluation
from fullbake.contract.results.report import Report

FEW_PANELS = 3
"""Up to so many classes have large pictures."""

MOST_PANELS = 12
"""Of more classes only some are drawn: two rows of six on a screen, six rows of two on a phone."""


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


class Panel(NamedTuple):
    """The curve of one class, and what stands above it."""

    label: str
    area: float
    threshold: float | None  # the probability from which it is decided, where each label has one
    missed: bool  # whether it misses a bound
    svg: Markup


def recall_and_precision_bounds(evaluation: Evaluation) -> list[Bound]:
    """Returns the bounds that are places on a precision–recall curve."""
    return [bound for bound in evaluation.bounds if bound.metric in ("recall", "precision")]


def chosen_labels(areas: Mapping[str, float], bounds: Sequence[Bound]) -> list[str]:
    """Returns which classes are drawn: all of a few; else those that miss a bound, those with one, those of least area.

    Args:
        areas: By label, the area under its curve.
        bounds: Those on recall and precision.
    """
    if len(areas) <= MOST_PANELS:
        return list(areas)
    bounded = {bound.label for bound in bounds}
    missed = {bound.label for bound in bounds if not bound.passed}
    rank = {label: (label not in missed, label not in bounded, area) for label, area in areas.items()}
    return sorted(areas, key=rank.__getitem__)[:MOST_PANELS]


def panel_plot(large: bool) -> Plot:
    """Returns the empty picture of one class; a large one names its axes."""
    if large:
        return Plot((0, 1), (0, 1), "recall: share of the class that is found", "precision", width=320, height=240)
    return SmallPlot((0, 1), (0, 1), "", "", (0, 0.5, 1), (0, 0.5, 1), width=160, height=140)


def curve_panels(evaluation: Evaluation) -> tuple[list[Panel], float] | None:
    """Draws precision–recall curves, each in a picture of its own, for those of good classes lie on each other.

    Dashed lines are the class's bounds; of more than a few classes, the pale curve is the mean of all.

    Returns:
        The pictures, and the mean of all areas; None where nothing can be drawn.
    """
    scores = {label: precision_recall(bins.positive, bins.negative) for label, bins in evaluation.scores.items()}
    curves = {label: points for label, points in scores.items() if points}
    if not curves:
        return None
    areas = {
        label: evaluation.average_precision.get(label) or average_precision(points) for label, points in curves.items()
    }
    large = len(curves) <= FEW_PANELS
    mean = () if large else mean_curve(list(curves.values()), 50)
    bounds = recall_and_precision_bounds(evaluation)
    panels = []
    for label in chosen_labels(areas, bounds):
        plot = panel_plot(large)
        if mean:
            plot.steps(mean, "others")
        of_label = [bound for bound in bounds if bound.label == label]
        for bound in of_label:
            (plot.upright if bound.metric == "recall" else plot.level)(bound.bound)
        plot.steps(curves[label], "s0")
        said, recall, precision = f"{label}: area {areas[label]:.3f}", *_decided(evaluation, label)
        if recall is not None and precision is not None:
            tip = f"recall {recall:.2f}, precision {precision:.2f}"
            plot.dot(recall, precision, "s0", f"{label}: {tip}")
            said += f"; decided at {tip}"
        missed = any(not bound.passed for bound in of_label)
        threshold = evaluation.decision_thresholds.get(label)
        panels.append(Panel(label, areas[label], threshold, missed, plot.svg(f"Precision–recall curve of {said}")))
    return panels, sum(areas.values()) / len(areas)


def _decided(evaluation: Evaluation, label: str) -> tuple[float | None, float | None]:
    return evaluation.recall.get(label), evaluation.precision.get(label)


def _context(report: Report) -> Mapping[str, Any] | None:
    drawn = curve_panels(report.evaluation)
    if drawn is None:
        return None
    panels, mean = drawn
    classes = len(report.evaluation.labels)
    bounded = bool(recall_and_precision_bounds(report.evaluation))
    return {"panels": panels, "mean": mean, "classes": classes, "large": classes <= FEW_PANELS, "bounded": bounded}


SECTION = Section(_context, "Trade-off", "trade")
