"""The texts that the model gets wrong, those of which it was surest first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fullbake.components.report.section import Section
from fullbake.contract.results.report import Report

OPEN_TEXTS = 5
"""Of the first label; all others are in what can be opened."""


def _context(report: Report) -> Mapping[str, Any] | None:
    mistakes = report.mistakes
    if mistakes is None or (mistakes.fixed is None and not mistakes.shows_texts):
        return None
    return {
        "mistakes": mistakes,
        "texts_of": {label: tally.texts for label, tally in report.evaluation.tallies.items()},
        "given_to": {label: tally.decided for label, tally in report.evaluation.tallies.items()},
        "open": OPEN_TEXTS,
        "multi_label": report.evaluation.multi_label,
    }


SECTION = Section(_context, "Texts it gets wrong", "hardest")
