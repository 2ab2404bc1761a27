"""This model and another on the same rows, where a pushed model was judged on a file beside another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fullbake.components.report.section import Section
from fullbake.contract.results.paired import PairedShare
from fullbake.contract.results.report import Report


def _context(report: Report) -> Mapping[str, Any] | None:
    if report.paired is None:
        return None
    paired = report.paired
    shares: list[tuple[str | None, PairedShare]] = [(None, paired.accuracy), *paired.recall.items()]
    return {"paired": paired, "shares": shares}


SECTION = Section(_context, "Two models, row by row", "paired")
