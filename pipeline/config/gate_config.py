"""The config's section `gate`: what a model must reach to be pushed."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from fullbake.components.data.row_slices import RowSlices
from fullbake.pipeline.config.config_section import Fraction, Label, Positive, Section

BiasMeasure = Literal["subgroup", "bpsn", "bnsp", "mean_subgroup", "mean_bpsn", "mean_bnsp"]


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
    calibrate: bool = False
    decision_threshold: Annotated[float | str | None, BeforeValidator(_threshold)] = None
    slices: tuple[Label, ...] = ()
    identity_columns: tuple[Label, ...] = ()
    length_slices: tuple[Positive, ...] = ()
    min_slice_recall: dict[Label, Fraction] = {}
    min_bias_auc: dict[BiasMeasure, Fraction] = {}

    @model_validator(mode="after")
    def _slices_fit(self) -> GateConfig:
        if list(self.length_slices) != sorted(set(self.length_slices)):
            raise ValueError(
                f"length_slices: {', '.join(map(str, self.length_slices))} do not rise; write each length once, the "
                "shortest first"
            )
        if self.min_slice_recall and not self.row_slices:
            raise ValueError(
                "min_slice_recall: there are no slices to hold it against; name columns in gate.slices or "
                "gate.identity_columns, or lengths in gate.length_slices"
            )
        if self.min_bias_auc and not self.identity_columns:
            raise ValueError(
                "min_bias_auc: bias is measured of identities, and there are none; name their columns in "
                "gate.identity_columns"
            )
        return self

    @property
    def row_slices(self) -> RowSlices:
        """What makes the slices of rows."""
        return RowSlices(self.slices, self.identity_columns, self.length_slices)
