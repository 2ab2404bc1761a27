"""How a text that is longer than a model reads at once is read: in windows that overlap. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Windows:
    """The windows of a text, as Hugging Face's tokenizers cut them with `return_overflowing_tokens` and `stride`.

    Attributes:
        length: Tokens of a window, its own special tokens included.
        overlap: How many tokens a window has in common with the one before it; less than `length` - 2.
        most: Windows of a text at most; what is beyond the last one is cut.
        pooling: What makes the logits of a text of those of its windows: `max` or `mean`, label by label.
    """

    length: int
    overlap: int
    most: int
    pooling: str

    @property
    def step(self) -> int:
        """How many tokens after the one before it a window begins."""
        return self.length - 2 - self.overlap

    @property
    def row_length(self) -> int:
        """Tokens of the longest text that is read whole, with one `[CLS]` and one `[SEP]`."""
        return self.length + (self.most - 1) * self.step

    @classmethod
    def from_dict(cls, values: Mapping[str, Any] | None) -> Windows | None:
        """The windows that `dataclasses.asdict` made a dictionary of, or None."""
        return None if values is None else cls(**values)
