"""What became of the rows of the data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fullbake.components.report.section import Section
from fullbake.components.report.sections.classes import MANY_CLASSES
from fullbake.contract.results.report import Report


def _context(report: Report) -> Mapping[str, Any] | None:
    return None if report.ingest is None else {"ingest": report.ingest, "many": MANY_CLASSES}


SECTION = Section(_context, "Data", "data")
