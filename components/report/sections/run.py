"""The model, where the time went, and how to make it again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fullbake.components.report.section import Section
from fullbake.contract.results.report import Report


def _context(report: Report) -> Mapping[str, Any]:
    return {"training": report.training}


SECTION = Section(_context, "Model and run", "run")
