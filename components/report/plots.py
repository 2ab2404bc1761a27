"""The report's pictures, as SVG text, and the arithmetic behind them.

The SVG is made by hand rather than with matplotlib: colours come from the page's own style sheet, so one picture serves
light, dark and print, its text stays text, and the same numbers always give the same bytes.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import accumulate
from typing import NamedTuple

from markupsafe import Markup

from fullbake.components.evaluation.wilson import Interval, wilson

Point = tuple[float, float]

HEAT_LEVELS = 6  # shades of the heat map
# With more classes than this only the worst few are drawn, and the mean; the style sheet has as many dash patterns.
FEW_CURVES = 6
WORST_CURVES = 4


def precision_recall(positive: Sequence[int], negative: Sequence[int]) -> list[Point]:
    """Precision at every recall that a threshold between two bins can give.

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
    """The area under the step curve: precision weighted by the recall it adds."""
    area = reached = 0.0
    for recall, precision in points:
        area += (recall - reached) * precision
        reached = recall
    return area


def mean_curve(curves: Sequence[Sequence[Point]], steps: int = 100) -> list[Point]:
    """The mean over classes of the best precision at each recall or beyond."""
    mean = []
    for step in range(1, steps + 1):
        recall = step / steps
        best = (max((p for r, p in points if r >= recall - 1e-12), default=0.0) for points in curves)
        mean.append((recall, sum(best) / len(curves)))
    return mean


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
    """How far confidence and accuracy lie apart, on average over the texts (Naeini et al. 2015)."""
    texts = sum(bin_.texts for bin_ in bins)
    return sum(abs(bin_.correct - bin_.confidence * bin_.texts) for bin_ in bins) / texts if texts else 0.0


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers (1, 2, 5 times a power of ten apart) from `low` to `high`, roughly `about` of them."""
    if high <= low:
        return [low]
    raw = (high - low) / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(index * step, 12) for index in range(first, last + 1)]


def log_ticks(low: float, high: float, most: int = 7) -> list[float]:
    """Round numbers for a logarithmic axis: 1, 2 and 5 times powers of ten, or of a wide range the powers alone.

    Args:
        low: The axis's start, above 0.
        high: Its end. Where so short a range holds fewer than two such numbers, it gets those of a linear axis.
        most: How many numbers are too close together.
    """
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1, 2, 5), (1,)):
        values = [round(factor * 10.0**power, 12) for power in powers for factor in factors]
        values = [value for value in values if low <= value <= high]
        if len(values) <= most:
            break
    return values if len(values) > 1 else ticks(low, high)


def _finite(points: Iterable[tuple[float, float | None]]) -> list[Point]:
    return [(x, y) for x, y in points if y is not None and math.isfinite(y)]


def _px(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


@dataclass
class Plot:
    """A frame with axes, onto which curves, dots and bars are put; the page scales its units."""

    x: Interval
    y: Interval
    x_label: str
    y_label: str  # written above the axis, so that nobody need tilt their head
    x_ticks: Sequence[float] | None = None  # where the x axis carries numbers; None chooses
    width: int = 440
    height: int = 290
    log_y: bool = False  # equal factors are equally far apart on the y axis
    _marks: list[str] = field(default_factory=list)

    LEFT, RIGHT, TOP, BOTTOM = 46, 14, 26, 44

    def at(self, x: float, y: float) -> Point:
        """Data to picture units, kept inside the frame."""
        across = (x - self.x[0]) / ((self.x[1] - self.x[0]) or 1)
        low, high = self.y
        if self.log_y:
            y, low, high = math.log(y), math.log(low), math.log(high)
        up = (y - low) / ((high - low) or 1)
        across, up = min(max(across, 0.0), 1.0), min(max(up, 0.0), 1.0)
        return (
            self.LEFT + across * (self.width - self.LEFT - self.RIGHT),
            self.height - self.BOTTOM - up * (self.height - self.TOP - self.BOTTOM),
        )

    def line(self, points: Sequence[Point], look: str, dots: bool = False) -> None:
        """A curve through the points; `look` names its style."""
        placed = [self.at(*point) for point in points]
        path = "L".join(f"{_px(x)} {_px(y)}" for x, y in placed)
        self._marks.append(f'<path class="curve {look}" d="M{path}"/>')
        if dots:
            self._marks += [f'<circle class="dot {look}" cx="{_px(x)}" cy="{_px(y)}" r="4"/>' for x, y in placed]

    def steps(self, points: Sequence[Point], look: str) -> None:
        """A staircase: each height holds from the point before up to its own."""
        start = self.at(self.x[0], points[0][1])
        path, drawn = [f"M{_px(start[0])} {_px(start[1])}"], start
        for index, point in enumerate(points):
            x, y = self.at(*point)
            if abs(x - drawn[0]) + abs(y - drawn[1]) >= 0.4 or index == len(points) - 1:
                path.append(f"V{_px(y)}H{_px(x)}")
                drawn = (x, y)
        self._marks.append(f'<path class="curve {look}" d="{"".join(path)}"/>')

    def dot(self, x: float, y: float, look: str, tip: str, reach: Interval | None = None) -> None:
        """A dot with a tooltip and, given `reach`, a whisker from its first to its second height."""
        across, up = self.at(x, y)
        if reach:
            (_, low), (_, high) = self.at(x, reach[0]), self.at(x, reach[1])
            self._marks.append(f'<path class="whisker" d="M{_px(across)} {_px(low)}V{_px(high)}"/>')
        place = f'cx="{_px(across)}" cy="{_px(up)}" r="4.5"'
        self._marks.append(f'<circle class="dot {look}" {place}><title>{escape(tip)}</title></circle>')

    def bar(self, x0: float, x1: float, height: float, look: str, tip: str) -> None:
        """A bar from the x axis up, with a tooltip."""
        (left, top), (right, bottom) = self.at(x0, self.y[0] + height), self.at(x1, self.y[0])
        gap = min(1.0, (right - left) * 0.12)
        self._marks.append(
            f'<rect class="{look}" x="{_px(left + gap)}" y="{_px(top)}" width="{max(right - left - 2 * gap, 0.5):.2f}" '
            f'height="{_px(bottom - top)}"><title>{escape(tip)}</title></rect>'
        )

    def upright(self, x: float, text: str) -> None:
        """A dashed upright line with a note at its top, on the side where there is room."""
        across, _ = self.at(x, self.y[0])
        before = across > self.width * 0.6
        side = f'x="{_px(across - 5)}" text-anchor="end"' if before else f'x="{_px(across + 5)}"'
        self._marks.append(
            f'<path class="limit" d="M{_px(across)} {self.TOP}V{self.height - self.BOTTOM}"/>'
            f'<text class="note" {side} y="{self.TOP + 12}">{escape(text)}</text>'
        )

    def svg(self, alt: str) -> Markup:
        """The finished picture; `alt` says in words what it shows."""
        right, base = self.width - self.RIGHT, self.height - self.BOTTOM
        parts = [
            f'<svg class="plot" viewBox="0 0 {self.width} {self.height}" role="img" aria-label="{escape(alt)}">',
            f'<text class="axis" x="0" y="13">{escape(self.y_label)}</text>',
            f'<text class="axis" x="{right}" y="{self.height - 6}" text-anchor="end">{escape(self.x_label)}</text>',
        ]
        for value in log_ticks(*self.y) if self.log_y else ticks(*self.y):
            _, up = self.at(self.x[0], value)
            parts.append(
                f'<path class="grid" d="M{self.LEFT} {_px(up)}H{right}"/>'
                f'<text class="tick" x="{self.LEFT - 8}" y="{_px(up + 4)}" text-anchor="end">{_number(value)}</text>'
            )
        for value in self.x_ticks if self.x_ticks is not None else ticks(*self.x):
            across, _ = self.at(value, self.y[0])
            label = _number(value)
            parts.append(f'<text class="tick" x="{_px(across)}" y="{base + 18}" text-anchor="middle">{label}</text>')
        parts.append(f'<path class="base" d="M{self.LEFT} {base}H{right}"/>')
        return Markup("".join([*parts, *self._marks, "</svg>"]))  # noqa: S704 - every text above is escaped


def _number(value: float) -> str:
    if value and abs(value) < 1e-3:
        return f"{value:.0e}".replace("e-0", "e-")
    for size, unit in ((1e6, "M"), (1e3, "k")):
        if value >= size:  # in full it would not fit beside the axis
            return f"{value / size:,.10g}{unit}"
    return f"{value:,.10g}"


class Legend(NamedTuple):
    """One line of a picture's legend: the style's name, and the words beside it."""

    look: str
    text: str


class Figure(NamedTuple):
    """A picture and its legend."""

    svg: Markup
    legend: list[Legend]


def precision_recall_figure(
    scores: Mapping[str, Mapping[str, Sequence[int]]], decided: Mapping[str, tuple[float | None, float | None]]
) -> Figure | None:
    """Precision–recall curves, one per class, or of many classes the worst few and the mean.

    Args:
        scores: For each label its "positive" and "negative" counts by probability.
        decided: For each label the recall and the precision of what the model decides: a dot on the picture.
    """
    curves = {label: precision_recall(bins["positive"], bins["negative"]) for label, bins in scores.items()}
    curves = {label: points for label, points in curves.items() if points}
    if not curves:
        return None
    areas = {label: average_precision(points) for label, points in curves.items()}
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
        legend.append(Legend(f"s{index}", f"{label}: area {areas[label]:.3f}"))
    return Figure(plot.svg("Precision–recall curves. " + "; ".join(entry.text for entry in legend)), legend)


def reliability_figure(bins: Sequence[ReliabilityBin]) -> Figure:
    """How often the model is right at each confidence, beside how often it claims to be."""
    start = math.floor(bins[0].low * 10 + 1e-9) / 10
    texts, most = sum(bin_.texts for bin_ in bins), max(bin_.texts for bin_ in bins)
    plot = Plot((start, 1), (0, 1), "the model's confidence", "share that is right")
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


def training_figures(epochs: Sequence[Mapping[str, float | None]], kept: int | None) -> list[Figure]:
    """Loss, quality and learning rate by epoch, each where it was measured, with a line at the epoch that was kept."""
    wanted: list[tuple[str, dict[str, str]]] = [
        ("loss", {"on training texts": "loss", "on texts kept aside": "eval_loss"}),
        ("on texts kept aside", {"accuracy": "eval_accuracy", "mean recall": "eval_macro_recall"}),
        ("learning rate", {"learning rate": "learning_rate"}),
    ]
    figures = []
    for label, keys in wanted:
        series = {name: [(epoch["epoch"] or 0, epoch.get(key)) for epoch in epochs] for name, key in keys.items()}
        curves = {name: _finite(points) for name, points in series.items()}
        curves = {name: points for name, points in curves.items() if points}
        if curves:
            top = 1.0 if "accuracy" in keys else 1.12 * max(y for points in curves.values() for _, y in points)
            figures.append(_epochs_figure(curves, label, top or 1.0, kept))
    return figures


def _epochs_figure(curves: Mapping[str, Sequence[Point]], y_label: str, top: float, kept: int | None) -> Figure:
    epochs = sorted({x for points in curves.values() for x, _ in points})
    margin, skip = (0.25 if len(epochs) > 1 else 0.5), math.ceil(len(epochs) / 10)
    plot = Plot(
        (epochs[0] - margin, epochs[-1] + margin), (0, top), "epoch", y_label, epochs[::skip], width=320, height=230
    )
    if kept is not None and len(epochs) > 1:
        plot.upright(kept, "kept")
    for index, points in enumerate(curves.values()):
        plot.line(points, f"s{index}", dots=True)
    said = "; ".join(f"{name}: " + ", ".join(f"{y:.4g}" for _, y in points) for name, points in curves.items())
    legend = [Legend(f"s{index} dotted", name) for index, name in enumerate(curves)]
    return Figure(plot.svg(f"{y_label} by epoch. {said}"), legend if len(legend) > 1 else [])


def perplexity_svg(evaluations: Sequence[Mapping[str, float]]) -> Markup | None:
    """Perplexity by epoch of further pre-training, on a logarithmic axis; None where fewer than two were measured."""
    points = [(x, y) for x, y in _finite((one["epoch"], one["perplexity"]) for one in evaluations) if y > 0]
    if len(points) < 2:
        return None
    values, end = [y for _, y in points], points[-1][0]
    room = 1.15  # above and below the curve
    epochs = range(0, math.floor(end) + 1, max(1, math.ceil(end / 10)))
    plot = Plot(
        (0, end * 1.02),
        (min(values) / room, max(values) * room),
        "epoch",
        "perplexity on texts kept aside",
        epochs if len(epochs) > 1 else None,
        height=230,
        log_y=True,
    )
    plot.line(points, "s0", dots=True)
    return plot.svg("Perplexity by epoch: " + ", ".join(f"{y:.4g} after {x:g}" for x, y in points))


def quantile(counts: Sequence[int], share: float) -> int:
    """The least length that at least this share of the counted texts does not exceed."""
    return bisect_left(list(accumulate(counts)), share * sum(counts) - 1e-9)


def lengths_svg(counts: Sequence[int], max_length: int, alt: str) -> Markup | None:
    """How many training texts have how many tokens, with the limit beyond which text is cut."""
    filled = [length for length, rows in enumerate(counts) if rows]
    if not filled:
        return None
    end = filled[-1] + 1
    if filled[-1] >= max_length / 2:
        end = max(end, min(max_length + 1, len(counts)))
    width = next((w for w in (1, 2, 4, 5, 8, 10, 16, 20, 25, 32, 50, 64, 100) if end / w <= 52), math.ceil(end / 52))
    bars = [(start, sum(counts[start : min(start + width, end)])) for start in range(0, end, width)]
    plot = Plot((0, bars[-1][0] + width), (0, max(n for _, n in bars) * 1.08), "tokens in a text", "texts")
    for start, rows in bars:
        last = min(start + width, end) - 1
        name = f"{start}" if width == 1 else f"{start}–{last}"
        if last == len(counts) - 1:
            name = f"{start} or more"
        plot.bar(
            start, start + width, rows, "cut" if last > max_length else "plain-bar", f"{name} tokens: {rows:,} texts"
        )
    if max_length < bars[-1][0] + width:
        plot.upright(max_length + 1, f"limit {max_length}")
    return plot.svg(alt)


def heat_map_svg(confusion: Sequence[Sequence[int]], labels: Sequence[str]) -> Markup:
    """The confusion matrix of many classes: one cell a pair, shaded by its share of the true class's texts.

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
