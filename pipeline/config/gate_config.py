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
    """By label, the least share of its test rows that must be found."""
    min_precision: dict[Label, Fraction] = {}
    """By label, the least share of the rows given this label that must have it."""
    confidence: Annotated[float, Field(gt=0.0, lt=1.0)] | None = None
    """Such as 0.95: the lower end of the interval with this confidence must meet the bound, not what was measured."""
    allow_no_bounds: bool = False
    """Lets a config without any `min_recall` push."""
    allow_never_predicted: tuple[Label, ...] = ()
    """Labels that need not be given to any row of the test split."""
    max_recall_drop: Fraction | None = 0.02
    """How far a recall may be below that of the model in production; null: no comparison."""
    accept_baseline_loss: bool = False
    """Goes on where production cannot be read or compared with; meant for one run, with `--set`."""
    calibrate: bool = False
    """Whether probabilities are scaled by a temperature that the eval split shows to fit (Guo et al. 2017)."""
    decision_threshold: Annotated[float | str | None, BeforeValidator(_threshold)] = None
    """From which probability the second of two labels is decided; `auto`: by the eval split; null: the likelier."""
    slices: tuple[Label, ...] = ()
    """Columns of which each value is a slice of the test rows, such as `channel=forum`."""
    identity_columns: tuple[Label, ...] = ()
    """Columns of numbers from 0 to 1: from 0.5 on, a text mentions the identity of that name."""
    length_slices: tuple[Positive, ...] = ()
    """Such as `[50, 100]`: slices by the text's length in characters, parted there."""
    min_slice_recall: dict[Label, Fraction] = {}
    """By label, the least recall in each slice; one with too few rows is told, not judged."""
    min_bias_auc: dict[BiasMeasure, Fraction] = {}
    """Of each identity `subgroup`, `bpsn` and `bnsp`; over all `mean_subgroup`, `mean_bpsn`, `mean_bnsp`."""

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
