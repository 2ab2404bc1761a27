"""Whether the model is as often right as it claims."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from fullbake.components.evaluation.wilson import wilson
from fullbake.components.report.plot import Figure, Legend, Plot
from fullbake.components.report.section import Section
from fullbake.contract.results.evaluation import ConfidenceCounts, ScoreCounts
from fullbake.contract.results.report import Report
from fullbake.contract.setting_names import setting_names

LARGE_ERROR = 0.05
"""An expected calibration error from which on the remedy is named: of probabilities that are used, 5 points off."""

_AXES_OF_LABELS = ("the label's probability", "share that has the label")


class ReliabilityBin(NamedTuple):
    """Texts whose winning probability lay between `low` and `high`."""

    low: float
    high: float
    texts: int
    correct: int  # how many of them were labelled correctly
    confidence: float  # their mean winning probability


def reliability_bins(
    count: Sequence[int], correct: Sequence[int], probability_sum: Sequence[float], most: int = 20
) -> list[ReliabilityBin]:
    """Joins neighbouring bins of the winning probability into at most `most`, and leaves out the empty ones."""
    width = max(1, math.ceil(len(count) / most))
    bins = []
    for start in range(0, len(count), width):
        part = slice(start, min(start + width, len(count)))
        texts = sum(count[part])
        if texts:
            mean = sum(probability_sum[part]) / texts
            bins.append(ReliabilityBin(start / len(count), part.stop / len(count), texts, sum(correct[part]), mean))
    return bins


def expected_calibration_error(bins: Sequence[ReliabilityBin]) -> float:
    """Returns how far confidence and accuracy lie apart, on average over the texts (Naeini et al. 2015)."""
    texts = sum(bin_.texts for bin_ in bins)
    return sum(abs(bin_.correct - bin_.confidence * bin_.texts) for bin_ in bins) / texts if texts else 0.0


def reliability_figure(
    bins: Sequence[ReliabilityBin], x_label: str = "the model's confidence", y_label: str = "share that is right"
) -> Figure:
    """Draws how often the model is right at each confidence, beside how often it claims to be."""
    start = math.floor(bins[0].low * 10 + 1e-9) / 10
    texts, most = sum(bin_.texts for bin_ in bins), max(bin_.texts for bin_ in bins)
    plot = Plot((start, 1), (0, 1), x_label, y_label)
    for bin_ in bins:
        share = f"{bin_.low:.2f}–{bin_.high:.2f}: {bin_.texts:,} of {texts:,} texts"
        plot.bar(bin_.low, bin_.high, 0.25 * bin_.texts / most, "pale", share)
    plot.line([(start, start), (1, 1)], "ideal")
    for bin_ in bins:
        right = bin_.correct / bin_.texts
        tip = f"confidence {bin_.confidence:.2f}: {bin_.correct:,} of {bin_.texts:,} right ({right:.2f})"
        plot.dot(bin_.confidence, right, "s0", tip, wilson(bin_.correct, bin_.texts))
    alt = "Calibration. " + "; ".join(f"confidence {b.confidence:.2f}, right {b.correct / b.texts:.2f}" for b in bins)
    return Figure(
        plot.svg(alt),
        [
            Legend("ideal", "ideal: as often right as it claims"),
            Legend("s0 dotted", "measured, with 95% interval"),
            Legend("pale", "how many texts"),
        ],
    )


def label_confidence(scores: Mapping[str, ScoreCounts]) -> ConfidenceCounts:
    """Returns texts and labels together by the probability of the label; right are those that have it.

    A probability counts as the middle of its bin: of a thousand, that is off by 0.0005 at most.

    Args:
        scores: By label, its texts and those without it by the probability that they were given for it.
    """
    positive, negative = (
        [sum(column) for column in zip(*(getattr(counts, side) for counts in scores.values()), strict=True)]
        for side in ("positive", "negative")
    )
    count = tuple(has + has_not for has, has_not in zip(positive, negative, strict=True))
    return ConfidenceCounts(
        count=count,
        correct=tuple(positive),
        probability_sum=tuple(texts * (place + 0.5) / len(count) for place, texts in enumerate(count)),
    )


def _context(report: Report) -> Mapping[str, Any] | None:
    evaluation = report.evaluation
    sure = label_confidence(evaluation.scores) if evaluation.multi_label else evaluation.confidence
    bins = reliability_bins(sure.count, sure.correct, sure.probability_sum) if sure else []
    if sure is None or not bins:
        return None
    texts = sum(bin_.texts for bin_ in bins)
    error = expected_calibration_error(bins)
    fitted = report.training and report.training.calibration
    return {
        "claimed": sum(sure.probability_sum) / texts,
        "right": sum(sure.correct) / texts,
        "error": error,
        "temperature": evaluation.temperature,
        "fitted": fitted if evaluation.temperature is not None else None,
        "remedy": f"{setting_names()['calibrate']}: true"
        if evaluation.temperature is None and error >= LARGE_ERROR
        else None,
        "picture": reliability_figure(bins, *_AXES_OF_LABELS) if evaluation.multi_label else reliability_figure(bins),
    }


SECTION = Section(_context, "Calibration", "calibration")
