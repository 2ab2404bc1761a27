"""Which tokenizer a component uses, and how long its texts may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from fullbake.trainer.windows import Windows


@dataclass(frozen=True)
class TokenizerSpec:
    """The settings of a tokenizer, as components find them in their execution properties.

    Attributes:
        base: The base model whose vocabulary is used, as `trainer.encoder.base_model.open_base` takes it.
        revision: The commit of a base model of the hub; None for one that is found already.
        max_length: Tokens that the model reads at once, special tokens included.
        truncation: Which part of a longer text is kept, as in `RowTokenizer`.
        base_hash: The content of the base model; None where it is not looked at.
        windows: Into which a longer text is cut; None: it is read at once, as far as it is kept.
    """

    base: str
    revision: str | None
    max_length: int
    truncation: str
    base_hash: str | None = None
    windows: Windows | None = None

    @property
    def row_length(self) -> int:
        """Tokens of the longest text that is read whole, special tokens included."""
        return self.max_length if self.windows is None else self.windows.row_length

    def to_dict(self) -> dict[str, Any]:
        """The settings as JSON can hold them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TokenizerSpec:
        """The settings that `to_dict` returned."""
        return cls(**{**values, "windows": Windows.from_dict(values.get("windows"))})
