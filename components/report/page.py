"""The report of a run as one HTML page that needs nothing else: no network, no scripts, no fonts of its own.

Plain Python over the results that stages left. What a section says, and how, stands in its own two files in `sections`;
here is their order.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from jinja2 import Environment
from markupsafe import Markup

from fullbake.components.report import numbers
from fullbake.components.report.html_page import page_templates
from fullbake.components.report.section import Section
from fullbake.components.report.sections.verdict import headline
from fullbake.contract.durations import duration_in_words
from fullbake.contract.results.report import Report

_FOLDER = Path(__file__).parent

# Top down; those of one row stand side by side where there is room. A name is that of a module of `sections`, which has
# the `SECTION`, and of the template beside it.
ROWS: tuple[tuple[str, ...], ...] = (
    ("verdict",),
    ("key_figures",),
    ("training_warnings",),
    ("classes",),
    ("paired",),
    ("slices",),
    ("hardest",),
    ("mistakes",),
    ("trade_off",),
    ("threshold",),
    ("calibration",),
    ("pretraining", "tuning"),
    ("training",),
    ("lengths", "data"),
    ("run",),
)


def render(report: Report) -> str:
    """Makes the page.

    Args:
        report: What it shows.

    Returns:
        HTML that needs no other file; the same report always makes the same text.
    """
    templates = page_templates(_FOLDER, _FOLDER / "sections")
    templates.filters.update(
        number=numbers.number,
        percent=numbers.percent,
        change=numbers.change,
        count=numbers.count,
        day=numbers.day,
        duration=duration_in_words,
        rate=numbers.rate,
        perplexity=numbers.perplexity,
    )
    sections = {name: section_of(name) for row in ROWS for name in row}
    shown = {name: _shown(templates, name, section, report) for name, section in sections.items()}
    titled = [name for name, section in sections.items() if section.title is not None]
    return templates.get_template("page.html").render(
        title=report.title,
        headline=headline(report),
        rows=[[shown[name] for name in row] for row in ROWS],
        navigation=[sections[name] for name in titled if shown[name]],
        navigation_before=next(number for number, row in enumerate(ROWS) if titled[0] in row),
    )


def section_of(name: str) -> Section:
    """Returns the section of this name."""
    section: Section = import_module(f"fullbake.components.report.sections.{name}").SECTION
    return section


def _shown(templates: Environment, name: str, section: Section, report: Report) -> Markup | None:
    """Returns the section's HTML; None where it has nothing to show."""
    context = section.context(report)
    if context is None:
        return None
    template = templates.get_template(f"{name}.html")
    return Markup(template.render(report=report, evaluation=report.evaluation, **context))  # noqa: S704 - templates escape
