"""The comparison as Markdown."""

from __future__ import annotations

import re

from fullbake.pipeline.comparison.comparison import Comparison
from fullbake.pipeline.comparison.notes import notes_on
from fullbake.pipeline.comparison.table import table_rows
from fullbake.pipeline.comparison.words import one_line


def to_markdown(comparison: Comparison) -> str:
    """Returns a GitHub table with approaches as columns, then the tests and the notes in words."""
    names = [_escaped(result.approach) for result in comparison.results]
    lines = [f"| | {' | '.join(names)} |", f"|---|{'---:|' * len(names)}"]
    lines += [f"| {_escaped(name)} | {' | '.join(cells)} |" for name, cells in table_rows(comparison)]
    if comparison.tests:
        lines += ["", *(f"- {_escaped(str(test))}" for test in comparison.tests)]
    return "\n".join([*lines, "", "\n\n".join(notes_on(comparison))]) + "\n"


def _escaped(text: str) -> str:
    """Returns text on one line that GitHub shows as it is."""
    return re.sub(r"([\\|*`\[\]~]|<(?=\S))", r"\\\1", one_line(text))
