"""The verdict on a model as a few lines of Markdown, for a page that renders it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from fullbake.components.report.sections.classes import ClassLine, class_lines
from fullbake.components.report.sections.verdict import bound_lines, headline, worst_slice
from fullbake.contract.results.evaluation import BaselineRecall
from fullbake.contract.results.report import Report

MOST_LINES = 30
"""Of missed bounds and of classes; the report has all."""

# What CommonMark takes for markup within a line or a table.
_MARKUP = re.compile(r"[\\`*_{}\[\]<>#|~&]")


def summarize_report(report: Report) -> str:
    """Returns the verdict, the missed bounds, what is in production, and recall and precision of each class.

    Args:
        report: What the report's page shows.
    """
    evaluation = report.evaluation
    missed = [line.sentence for line in bound_lines(evaluation) if not line.passed]
    paragraphs = [
        f"## {escape_markdown(report.title)}: {escape_markdown(headline(report))}",
        "\n".join(f"- missed: {escape_markdown(line)}" for line in _first(missed, "bounds")),
        f"{evaluation.examples:,} test texts, accuracy {_share(evaluation.accuracy)}, "
        f"macro F1 {_share(evaluation.macro_f1)}.",
        escape_markdown(f"Worst slice: {worst}." if (worst := worst_slice(evaluation)) else ""),
        escape_markdown(_compared(evaluation.baseline, evaluation.baseline_note)),
        _table(report),
    ]
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph) + "\n"


def escape_markdown(text: str) -> str:
    """Returns a text that Markdown shows as it is, in one line."""
    return _MARKUP.sub(lambda match: f"\\{match[0]}", " ".join(text.split()))


def _compared(baseline: BaselineRecall | None, note: str | None) -> str:
    compared = "Compared with no model in production" if baseline is None else f"In production: {baseline.model}"
    return f"{compared}{f'; {note}' if note else ''}."


def _table(report: Report) -> str:
    must_be = {bound.label: bound.bound for bound in report.evaluation.bounds if bound.metric == "recall"}
    lines = class_lines(report.evaluation)
    rows = [_row(line, must_be.get(line.label)) for line in lines[:MOST_LINES]]
    more = len(lines) - len(rows)
    return "\n".join(
        [
            "| label | test texts | recall | must be | in production | precision | F1 |",
            "|---|---:|---:|---:|---:|---:|---:|",
            *rows,
            *([f"\nThese are the hardest to find; the report has the {more} others."] if more else []),
        ]
    )


def _row(line: ClassLine, must_be: float | None) -> str:
    least = "" if must_be is None else f"≥ {must_be:g}"
    before = "" if line.baseline is None else _share(line.baseline)
    cells = [escape_markdown(line.label), f"{line.texts:,}", _share(line.recall), least, before]
    return f"| {' | '.join([*cells, _share(line.precision), _share(line.f1)])} |"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _first(lines: list[str], what: str) -> Iterable[str]:
    more = len(lines) - MOST_LINES
    return lines[:MOST_LINES] + ([f"{more} more {what}"] if more > 0 else [])
