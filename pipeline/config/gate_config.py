"""The config's section `gate`: what a model must reach to be pushed."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from fullbake.pipeline.config.config_section import Fraction, Label, Section


def _threshold(value: Any) -> Any:
    if value is None or value == "auto":
        return value
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = -1.0
    if not 0.0 < number < 1.0:
        raise ValueError("is neither auto nor a probability between 0 and 1")
    return number


class GateConfig(Section):
    """What a model must reach on the test split to be pushed."""

    min_recall: dict[Label, Fraction] = {}
    min_precision: dict[Label, Fraction] = {}
    confidence: Annotated[float, Field(gt=0.0, lt=1.0)] | None = None
    allow_no_bounds: bool = False
    allow_never_predicted: tuple[Label, ...] = ()
    max_recall_drop: Fraction | None = 0.02
    accept_baseline_loss: bool = False
    decision_threshold: Annotated[float | str | None, BeforeValidator(_threshold)] = None
