"""What a model card is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from fullbake.contract.results.about import About
from fullbake.contract.results.evaluation import Evaluation
from fullbake.contract.results.ingest import Ingest
from fullbake.contract.results.training import Training
from fullbake.trainer.windows import Windows


@dataclass(frozen=True)
class CardSettings:
    """What the config says that no stage leaves behind; plain values, so that it survives as JSON.

    Attributes:
        name: What the model is called.
        max_length: Tokens that it reads at once, special tokens included.
        truncation: Which part of a longer text it reads.
        windows: Into which a longer text is cut; None: it is read at once.
        training: The settings of the training, by name.
    """

    name: str
    max_length: int
    truncation: str
    windows: Windows | None = None
    training: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> CardSettings:
        """Restores what `to_dict` returned."""
        return cls(**{**values, "windows": Windows.from_dict(values.get("windows"))})


@dataclass(frozen=True)
class Facts:
    """What is known of a model.

    Attributes:
        settings: How it was asked for.
        about: What it says of itself.
        evaluation: How it was judged.
        ingest: What it was made of.
        training: How it was made; None where nobody wrote that down.
    """

    settings: CardSettings
    about: About
    evaluation: Evaluation
    ingest: Ingest
    training: Training | None = None
