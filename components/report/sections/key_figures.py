"""The few numbers that sum a model up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fullbake.components.evaluation.wilson import wilson
from fullbake.components.report.section import Section
from fullbake.components.report.sections.classes import class_lines
from fullbake.contract.results.report import Report


def _context(report: Report) -> Mapping[str, Any]:
    evaluation = report.evaluation
    return {
        "correct": evaluation.correct,
        "interval": wilson(evaluation.correct, evaluation.measured),
        "measurable": [line for line in class_lines(evaluation) if line.recall is not None],
    }


SECTION = Section(_context)
