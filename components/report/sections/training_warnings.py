"""What people should know of the training before they trust the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fullbake.components.report.encoder_shift import shift_of
from fullbake.components.report.section import Section
from fullbake.contract.results.report import Report
from fullbake.contract.setting_names import setting_names


def warnings(report: Report) -> list[str]:
    """Returns the trainer's warnings, and a sentence for an encoder that training destroyed."""
    said = list(report.training.warnings) if report.training else []
    for part, rate in ((report.pretraining, "pretraining_learning_rate"), (report.training, "learning_rate")):
        shift = shift_of(part.encoder_shift, setting_names()[rate]) if part else None
        if shift is not None and shift.lost:
            said.append(shift.sentence)
    return said


def _context(report: Report) -> Mapping[str, Any] | None:
    said = warnings(report)
    return {"warnings": said} if said else None


SECTION = Section(_context)
