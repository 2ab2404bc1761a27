"""Counts the tokens of texts for byte-level BPE outside a graph, without TensorFlow: as `tokenizers` does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel

from fullbake.components.tokenizer.byte_level_files import ByteLevelFiles, word_beginnings


class ByteLevelCounter:
    """Counts what `RowTokenizer` makes of texts: special tokens that a user types are ordinary text.

    Attributes:
        exact: Whether tokens are counted, not estimated.
        between: How many special tokens stand between two texts.
    """

    exact = True

    def __init__(self, files: ByteLevelFiles):
        """Makes the tokenizer.

        Args:
            files: Vocabulary, merges and settings.
        """
        self._tokenizer = Tokenizer(BPE(dict(files.vocabulary), list(files.merges)))
        self._tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=files.add_prefix_space)
        self._begins = np.array(word_beginnings(files))
        self.between = files.separators

    def count(self, texts: Sequence[str]) -> np.ndarray:
        """Counts the tokens of each text, without special tokens and without a cut.

        Args:
            texts: As many as fit well into memory.

        Returns:
            int64 [N, 3]: tokens; 0, for none is unknown; and those that begin a word.
        """
        counts = np.zeros((len(texts), 3), np.int64)
        for row, encoding in enumerate(self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)):
            if ids := encoding.ids:
                counts[row] = len(ids), 0, 1 + self._begins[ids[1:]].sum()
        return counts
