"""What `fullbake.run` returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fullbake.contract.results.evaluation import Bound


@dataclass(frozen=True)
class RunResult:
    """What a run came to.

    Attributes:
        pushed: Whether a model of this data and config serves.
        model: The folder of the pushed version, which `fullbake.load` opens; None if none was pushed.
        blessed: Whether every bound of the gate is met.
        missed_bounds: The bounds that are not.
        metrics: Of the test split: `accuracy`, `macro_f1`, and by label `recall`, `precision`, `f1`.
        report: The report page.
        warnings: What is allowed and yet unwise, and what components warned of, a sentence each.
        summary: All of it as plain values, as `fullbake run --summary` writes it.
    """

    pushed: bool
    model: str | None
    blessed: bool
    missed_bounds: tuple[Bound, ...]
    metrics: dict[str, Any] = field(repr=False)
    report: Path
    warnings: tuple[str, ...]
    summary: dict[str, Any] = field(repr=False)
