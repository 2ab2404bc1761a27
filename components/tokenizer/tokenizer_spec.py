"""Which tokenizer a component uses, and how long its texts may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class TokenizerSpec:
    """The settings of a tokenizer, as components find them in their execution properties.

    Attributes:
        base: The base model whose vocabulary is used, as `trainer.encoder.base_model.open_base` takes it.
        revision: The commit of a base model of the hub; None for one that is found already.
        max_length: Tokens of a text, special tokens included.
        truncation: Which part of a longer text is kept, as in `BertTokenizer`.
        base_hash: The content of the base model; None where it is not looked at.
    """

    base: str
    revision: str | None
    max_length: int
    truncation: str
    base_hash: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The settings as JSON can hold them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TokenizerSpec:
        """The settings that `to_dict` returned."""
        return cls(**values)
