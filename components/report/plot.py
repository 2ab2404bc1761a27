"""A picture with axes, as SVG text.

The SVG is made by hand rather than with matplotlib: colours come from the page's own style sheet, so one picture serves
light, dark and print, its text stays text, and the same numbers always make the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import NamedTuple

from markupsafe import Markup

from fullbake.components.report.axes import log_ticks, tick_label, ticks
from fullbake.contract.results.result import Interval

Point = tuple[float, float]


def finite(points: Iterable[tuple[float, float | None]]) -> list[Point]:
    """Returns the points that can be drawn."""
    return [(x, y) for x, y in points if y is not None and math.isfinite(y)]


def px(value: float) -> str:
    """Returns a length in a picture's units."""
    return f"{value:.1f}".removesuffix(".0")


@dataclass
class Plot:
    """A frame with axes, onto which curves, dots and bars are put; the page scales its units."""

    x: Interval
    y: Interval
    x_label: str
    y_label: str  # written above the axis, so that nobody has to tilt their head
    x_ticks: Sequence[float] | None = None  # where the x axis carries numbers; None chooses
    y_ticks: Sequence[float] | None = None  # likewise
    width: int = 440
    height: int = 290
    log_y: bool = False  # equal factors are equally far apart on the y axis
    _marks: list[str] = field(default_factory=list)

    LEFT, RIGHT, TOP, BOTTOM = 46, 14, 26, 44

    def at(self, x: float, y: float) -> Point:
        """Returns the place of data in picture units, kept inside the frame."""
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
        """Draws a curve through the points; `look` names its style."""
        placed = [self.at(*point) for point in points]
        path = "L".join(f"{px(x)} {px(y)}" for x, y in placed)
        self._marks.append(f'<path class="curve {look}" d="M{path}"/>')
        if dots:
            self._marks += [f'<circle class="dot {look}" cx="{px(x)}" cy="{px(y)}" r="4"/>' for x, y in placed]

    def steps(self, points: Sequence[Point], look: str) -> None:
        """Draws a staircase: each height holds from the point before up to its own."""
        start = self.at(self.x[0], points[0][1])
        path, drawn = [f"M{px(start[0])} {px(start[1])}"], start
        for index, point in enumerate(points):
            x, y = self.at(*point)
            if abs(x - drawn[0]) + abs(y - drawn[1]) >= 0.4 or index == len(points) - 1:
                path.append(f"V{px(y)}H{px(x)}")
                drawn = (x, y)
        self._marks.append(f'<path class="curve {look}" d="{"".join(path)}"/>')

    def dot(self, x: float, y: float, look: str, tip: str, reach: Interval | None = None) -> None:
        """Draws a dot with a tooltip and, with `reach`, a whisker from its first to its second height."""
        across, up = self.at(x, y)
        if reach:
            (_, low), (_, high) = self.at(x, reach[0]), self.at(x, reach[1])
            self._marks.append(f'<path class="whisker" d="M{px(across)} {px(low)}V{px(high)}"/>')
        place = f'cx="{px(across)}" cy="{px(up)}" r="4.5"'
        self._marks.append(f'<circle class="dot {look}" {place}><title>{escape(tip)}</title></circle>')

    def bar(self, x0: float, x1: float, height: float, look: str, tip: str) -> None:
        """Draws a bar from the x axis up, with a tooltip."""
        (left, top), (right, bottom) = self.at(x0, self.y[0] + height), self.at(x1, self.y[0])
        gap = min(1.0, (right - left) * 0.12)
        self._marks.append(
            f'<rect class="{look}" x="{px(left + gap)}" y="{px(top)}" width="{max(right - left - 2 * gap, 0.5):.2f}" '
            f'height="{px(bottom - top)}"><title>{escape(tip)}</title></rect>'
        )

    def upright(self, x: float, text: str = "") -> None:
        """Draws a dashed upright line with a note, if any, at its top, on the side where there is room."""
        across, _ = self.at(x, self.y[0])
        self._marks.append(f'<path class="limit" d="M{px(across)} {self.TOP}V{self.height - self.BOTTOM}"/>')
        if not text:
            return
        before = across > self.width * 0.6
        side = f'x="{px(across - 5)}" text-anchor="end"' if before else f'x="{px(across + 5)}"'
        self._marks.append(f'<text class="note" {side} y="{self.TOP + 12}">{escape(text)}</text>')

    def level(self, y: float) -> None:
        """Draws a dashed line across."""
        _, up = self.at(self.x[0], y)
        self._marks.append(f'<path class="limit" d="M{self.LEFT} {px(up)}H{self.width - self.RIGHT}"/>')

    def svg(self, alt: str) -> Markup:
        """Returns the finished picture; `alt` says in words what it shows."""
        right, base = self.width - self.RIGHT, self.height - self.BOTTOM
        parts = [
            f'<svg class="plot" viewBox="0 0 {self.width} {self.height}" role="img" aria-label="{escape(alt)}">',
            f'<text class="axis" x="0" y="13">{escape(self.y_label)}</text>',
            f'<text class="axis" x="{right}" y="{self.height - 6}" text-anchor="end">{escape(self.x_label)}</text>',
        ]
        chosen = log_ticks(*self.y) if self.log_y else ticks(*self.y)
        for value in chosen if self.y_ticks is None else self.y_ticks:
            _, up = self.at(self.x[0], value)
            parts.append(
                f'<path class="grid" d="M{self.LEFT} {px(up)}H{right}"/>'
                f'<text class="tick" x="{self.LEFT - 8}" y="{px(up + 4)}" text-anchor="end">{tick_label(value)}</text>'
            )
        for value in self.x_ticks if self.x_ticks is not None else ticks(*self.x):
            across, _ = self.at(value, self.y[0])
            label = tick_label(value)
            parts.append(f'<text class="tick" x="{px(across)}" y="{base + 18}" text-anchor="middle">{label}</text>')
        parts.append(f'<path class="base" d="M{self.LEFT} {base}H{right}"/>')
        return Markup("".join([*parts, *self._marks, "</svg>"]))  # noqa: S704 - every text above is escaped


class SmallPlot(Plot):
    """One of many pictures side by side: its axes have the same numbers as those beside it, and the page names them."""

    LEFT, RIGHT, TOP, BOTTOM = 26, 8, 8, 24


class Legend(NamedTuple):
    """One line of a picture's legend: the style's name, and the words beside it."""

    look: str
    text: str


class Figure(NamedTuple):
    """A picture and its legend."""

    svg: Markup
    legend: list[Legend]
