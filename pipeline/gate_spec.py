"""The gate that a config asks for, as the components take it."""

from __future__ import annotations

from fullbake.components.evaluation.gate import GateSpec
from fullbake.pipeline.config.config import Config

# Keys of the section `gate` that are no bounds: they decide of other things.
_NO_BOUNDS = {"calibrate", "decision_threshold", "allow_no_bounds", "slices", "identity_columns", "length_slices"}


def gate_spec(config: Config) -> GateSpec:
    """Returns the bounds that a model of this config must meet."""
    slices = config.row_format.slices
    return GateSpec(
        labels=config.data.labels,
        multi_label=config.data.multi_label,
        sliced=bool(slices),
        identities=slices.identity_names,
        **config.gate.model_dump(exclude=_NO_BOUNDS),
    )
