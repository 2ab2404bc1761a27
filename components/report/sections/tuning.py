"""The learning rates that were tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fullbake.components.report.section import Section
from fullbake.contract.results.report import Report
from fullbake.contract.results.tuning import Candidate


def best_candidate(tuning: Sequence[Candidate]) -> Candidate | None:
    """Returns the winner, as the tuner chooses it: of equal scores the lower rate."""
    return min(tuning, key=lambda one: (-one.score, one.learning_rate), default=None)


def _context(report: Report) -> Mapping[str, Any] | None:
    if not report.tuning:
        return None
    return {
        "candidates": sorted(report.tuning, key=lambda one: one.learning_rate),
        "best": best_candidate(report.tuning),
    }


SECTION = Section(_context, "Learning rates", "tuning")
