"""What finds the tokens of texts, whatever their kind, and how rows are made of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import tensorflow as tf


@dataclass(frozen=True)
class RowLayout:
    """The ids of the special tokens, and where they stand in a row.

    Attributes:
        start: Before the text.
        end: After the text, or after both.
        between: Between two texts.
        pad: In what is left of the row.
        has_types: Whether a second text, and the `end` after it, is told from the first by `token_type_ids`.
    """

    start: int
    end: int
    between: tuple[int, ...]
    pad: int
    has_types: bool


class Pieces(Protocol):
    """Finds the tokens of texts in the graph; what of them goes into a row, `row_tokenizer.RowTokenizer` says.

    Attributes:
        layout: How rows are made.
        unknown_id: The id of what the vocabulary cannot spell.
        begins_word: Of each id, whether its token begins a word, bool `(greatest id + 1,)`.
    """

    layout: RowLayout
    unknown_id: int
    begins_word: np.ndarray

    def tokenize(self, text: tf.Tensor, *, first: int | None = None, last: int = 0) -> tf.RaggedTensor:
        """Tokenizes alone: no special tokens, no truncation but that of very long texts, where it is asked for.

        Args:
            text: String `(rows,)`, UTF-8.
            first: How many tokens from the start of a text are needed. Default: all of them.
            last: How many from its end are needed all the same.

        Returns:
            int64 `(rows, (tokens))`.
        """
