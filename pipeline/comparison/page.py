"""The comparison as one HTML page without scripts, fonts or anything from a network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

from markupsafe import Markup

from fullbake.components.report.axes import ticks
from fullbake.components.report.html_page import page_templates
from fullbake.contract.durations import duration_in_words
from fullbake.pipeline.comparison.comparison import Comparison
from fullbake.pipeline.comparison.measures import MANY_LABELS
from fullbake.pipeline.comparison.notes import notes_on
from fullbake.pipeline.comparison.paired_test import PairedTest
from fullbake.pipeline.comparison.spread import Spread
from fullbake.pipeline.comparison.table import table_rows
from fullbake.pipeline.comparison.words import p_words, signed
from fullbake.trainer.approaches import APPROACHES

_WIDTH = 320  # of a picture: a phone shows it at its own size, a desktop three in a row
_EDGE = 14  # left and right of the axis, so that dots and numbers at its ends are whole
_ROW = 44  # height of one approach: its name, then its dots
_LOOKS = 6  # colours in the style sheet
_COMPONENTS = {
    "Pretrainer": "has the base read the task's own texts",
    "Tuner": "tries learning rates",
    "Trainer": "makes the model",
}


class Picture(NamedTuple):
    """A picture and what it is of."""

    title: str
    svg: Markup


def render_page(comparison: Comparison, title: str, config_yaml: str) -> str:
    """Makes the page.

    Args:
        comparison: What it shows.
        title: The pipeline's name.
        config_yaml: The config that was run, as YAML.

    Returns:
        HTML that needs no other file; the text is the same for the same comparison.
    """
    pages = page_templates(Path(__file__).parent)
    pages.filters.update(duration=duration_in_words, p=p_words, signed=lambda value: signed(value).replace("-", "−"))
    averages, recalls = _rate_pictures(comparison)
    components = list(dict.fromkeys(name for result in comparison.results for name in result.seconds_by_component))
    return pages.get_template("page.html").render(
        comparison=comparison,
        title=title,
        config=config_yaml,
        headline=headline(comparison),
        approaches=[(result.approach, description(result.approach)) for result in comparison.results],
        averages=averages,
        recalls=recalls,
        few=len(comparison.labels) <= MANY_LABELS,
        times=_times_picture(comparison, components),
        table=table_rows(comparison),
        notes=notes_on(comparison),
        components=[(name, _COMPONENTS.get(name, "")) for name in components],
        pairs=[(pair, pair_sentence(tests), tests) for pair, tests in comparison.tests_by_pair().items()],
        # Half of the bars' width stands for this difference, the same in all of them.
        reach=max(
            (max(-test.low, test.high, abs(test.difference) + (test.margin or 0.0)) for test in comparison.tests),
            default=0.0,
        )
        or 1.0,
    )


def headline(comparison: Comparison) -> str:
    """Says which approach recalls the classes best, and which ones are too close to tell."""
    results = comparison.results
    best = max(results, key=lambda result: result.macro_recall.mean or 0.0)
    score = f"{best.macro_recall.mean or 0.0:.3f}"
    if len(results) == 1:
        return f"{best.approach} alone: mean recall {score}"
    about_best = [t for t in comparison.tests if t.metric == "macro_recall" and best.approach in (t.first, t.second)]
    if any(test.margin is None for test in about_best):
        return f"{best.approach} comes first (mean recall {score}), but only more seeds can tell whether by luck"
    close = [t.second if t.first == best.approach else t.first for t in about_best if not t.more_than_luck]
    if not close:
        return f"{best.approach} recognises the classes best (mean recall {score}), by more than luck"
    verb = "is" if len(close) == 1 else "are"
    return f"{best.approach} comes first (mean recall {score}), but {_and(close)} {verb} too close to tell"


def description(approach: str) -> str:
    """Describes an approach by its row in the table of approaches; empty for one that is not in it."""
    row = APPROACHES.get(approach)
    if row is None:
        return ""
    steps = ["first has the base read the task's own texts (masked-LM pre-training)"] if row.pretrains else []
    return ", then ".join([*steps, *(phase.trains.words for phase in row.phases)])


def pair_sentence(tests: Sequence[PairedTest]) -> str:
    """Sums up the tests of one pair of approaches."""
    first, second = tests[0].first, tests[0].second
    if tests[0].margin is None:
        apart = [test.measure for test in tests if test.models_differ]
        models = f"These models differ in {_and(apart)} by" if apart else "No difference between these models is"
        return f"{models} more than the luck of the test rows; only more seeds can tell of the approaches."
    parts = []
    for approach, sign in ((first, 1), (second, -1)):
        ahead = [test.measure for test in tests if test.more_than_luck and test.difference * sign > 0]
        if ahead:
            parts.append(f"{approach} is better in {_and(ahead)}")
    if not parts:
        return "No difference is more than luck."
    rest = sum(not test.more_than_luck for test in tests)
    return "By more than luck " + "; ".join(parts) + (". The rest may be luck." if rest else ".")


def _and(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _rate_pictures(comparison: Comparison) -> tuple[list[Picture], list[Picture]]:
    """Draws the averages and the classes' recall, on one axis."""
    results = comparison.results
    averages = {
        "accuracy": [result.accuracy for result in results],
        "macro F1": [result.macro_f1 for result in results],
        "macro recall": [result.macro_recall for result in results],
    }
    recalls = {f"recall of {label}": [r.recall[label] for r in results] for label in comparison.shown_labels}
    names = [result.approach for result in results]
    every = [value for row in [*averages.values(), *recalls.values()] for each in row for value in _extent(each)]
    low, high = max(0, math.floor(min(every) * 10 + 1e-9)) / 10, min(10, math.ceil(max(every) * 10 - 1e-9)) / 10
    axis = (low, high) if low < high else (max(0.0, low - 0.1), min(1.0, high + 0.1))
    first, second = (
        [Picture(title, _strips(title, names, row, axis)) for title, row in group.items()]
        for group in (averages, recalls)
    )
    return first, second


def _extent(spread: Spread) -> list[float]:
    """Returns all values that are drawn of it."""
    if spread.mean is None:
        return []
    known = [value for value in spread.values if value is not None]
    return [*known, spread.mean - (spread.deviation or 0.0), spread.mean + (spread.deviation or 0.0)]


def _strips(title: str, names: Sequence[str], spreads: Sequence[Spread], axis: tuple[float, float]) -> Markup:
    """Draws a line for each approach: its seeds as dots, the mean, and a whisker of one deviation each way."""

    def at(value: float) -> str:
        share = (value - axis[0]) / (axis[1] - axis[0])
        return f"{_EDGE + min(max(share, 0.0), 1.0) * (_WIDTH - 2 * _EDGE):.1f}"

    base = _ROW * len(names) + 4
    marks = []
    for tick in ticks(*axis):
        marks.append(
            f'<path class="grid" d="M{at(tick)} 0V{base}"/>'
            f'<text class="tick" x="{at(tick)}" y="{base + 16}" text-anchor="middle">{tick:.10g}</text>'
        )
    said = []
    for index, (name, spread) in enumerate(zip(names, spreads, strict=True)):
        top, look = index * _ROW, f"s{index % _LOOKS}"
        mean = "–" if spread.mean is None else f"{spread.mean:.3f}"
        marks.append(
            f'<text class="note" x="0" y="{top + 14}">{escape(name)}</text>'
            f'<text class="note" x="{_WIDTH}" y="{top + 14}" text-anchor="end">{mean}</text>'
        )
        said.append(f"{name} {mean}")
        if spread.mean is None:
            continue
        if spread.deviation is not None:
            low, high = spread.mean - spread.deviation, spread.mean + spread.deviation
            marks.append(f'<path class="whisker" d="M{at(low)} {top + 35}H{at(high)}"/>')
            said[-1] += f" ± {spread.deviation:.3f}"
        marks.append(f'<path class="tock" d="M{at(spread.mean)} {top + 30}v10"/>')
        for value in spread.values:
            if value is not None:
                tip = f"<title>{escape(name)}: {value:.3f}</title>"
                marks.append(f'<circle class="dot {look}" cx="{at(value)}" cy="{top + 25}" r="4.5">{tip}</circle>')
    alt = escape(f"{title}: {'; '.join(said)}")
    svg = f'<svg class="plot" viewBox="0 0 {_WIDTH} {base + 20}" role="img" aria-label="{alt}">{"".join(marks)}</svg>'
    return Markup(svg)  # noqa: S704 - every text above is escaped


def _times_picture(comparison: Comparison, components: Sequence[str]) -> Markup:
    """Draws a bar for each approach, made of its components' mean times."""
    results = comparison.results
    longest = max(result.seconds.mean or 0.0 for result in results) or 1.0
    marks, said = [], []
    for index, result in enumerate(results):
        top, left, total = index * _ROW, 0.0, duration_in_words(result.seconds.mean or 0.0)
        said.append(f"{result.approach} {total}")
        marks.append(
            f'<text class="note" x="0" y="{top + 14}">{escape(result.approach)}</text>'
            f'<text class="note" x="{_WIDTH}" y="{top + 14}" text-anchor="end">{total}</text>'
        )
        for name, seconds in result.seconds_by_component.items():
            look, width = f"f{components.index(name) % _LOOKS}", _WIDTH * seconds / longest
            tip = f"<title>{escape(name)}: {duration_in_words(seconds)}</title>"
            place = f'x="{left:.1f}" y="{top + 20}" width="{width:.1f}" height="12"'
            marks.append(f'<rect class="{look}" {place}>{tip}</rect>')
            left += width
    alt = escape(f"time to train: {'; '.join(said)}")
    height = _ROW * len(results)
    svg = f'<svg class="plot" viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{alt}">{"".join(marks)}</svg>'
    return Markup(svg)  # noqa: S704 - every text above is escaped
