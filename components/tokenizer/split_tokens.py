"""Counts the tokens of a split's texts, before anything is cut, with the graph that tokenizes them for the model."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from fullbake.components.tokenizer.row_tokenizer import RowTokenizer
from fullbake.components.tokenizer.script_finder import ScriptFinder
from fullbake.components.tokenizer.tokenizer_spec import TokenizerSpec
from fullbake.contract import names
from fullbake.contract.results.report import Lengths
from fullbake.contract.results.tokens import TokenCount, merge_scripts
from fullbake.trainer.encoder.base_model import open_base

_COUNT_ROWS = 4096


class SplitCounter:
    """Counts the texts of splits by their length in tokens, and their tokens by the texts' script.

    One is for all splits: its graph is traced once.

    Args:
        tokenizer: How texts are tokenized, and how long they may be.
    """

    def __init__(self, tokenizer: TokenizerSpec):
        self._longest = tokenizer.row_length
        self._windows = tokenizer.windows
        base = open_base(tokenizer.base, tokenizer.revision, tokenizer.base_hash)
        self._count_rows = _row_counter(RowTokenizer.from_folder(base, max_length=self._longest), self._longest)

    def count(self, folder: str, *, step: int = 1) -> tuple[Lengths, dict[str, TokenCount]]:
        """Counts a split.

        Args:
            folder: gzip-compressed TFRecords of `tf.Example` with `text` and maybe `text_pair`.
            step: Of so many rows one is counted.

        Returns:
            The lengths, special tokens included; and by script, the one of the most texts first, the tokens without
            these.
        """
        longest = self._longest
        by_length = np.zeros(longest + 2, np.int64)
        scripts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        finder = ScriptFinder()
        records = tf.data.TFRecordDataset(tf.io.gfile.glob(os.path.join(folder, "*")), compression_type="GZIP")
        for serialized in records.shard(step, 0).batch(_COUNT_ROWS):
            lengths, counts, texts = (part.numpy() for part in self._count_rows(serialized))
            by_length += np.bincount(np.minimum(lengths, longest + 1), minlength=len(by_length))
            found = np.array(finder.scripts_of([text.decode(errors="replace") for text in texts]))
            for script in dict.fromkeys(found.tolist()):
                rows = found == script
                tokens, unknowns, words = counts[rows].sum(axis=0).tolist()
                scripts[script].update(
                    texts=int(rows.sum()), cut=int((lengths[rows] > longest).sum()),
                    tokens=tokens, unknown=unknowns, words=words,
                )  # fmt: skip
        counted = Lengths(
            max_length=longest,
            window_length=self._windows.length if self._windows else None,
            most_windows=self._windows.most if self._windows else None,
            counts=tuple(by_length.tolist()),
            truncated=int(by_length[-1]),
            rows=int(by_length.sum()),
        )
        return counted, merge_scripts([{script: TokenCount(**count) for script, count in scripts.items()}])


def _row_counter(
    tokenizer: RowTokenizer, max_length: int
) -> Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor, tf.Tensor]]:
    """Returns what makes of serialized rows their lengths, their tokens, unknown ones and words, and their texts."""
    pieces = tokenizer.pieces
    spec = {
        names.TEXT: tf.io.FixedLenFeature([], tf.string),
        names.TEXT_PAIR: tf.io.RaggedFeature(tf.string, row_splits_dtype=tf.int64),
    }

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    def count_rows(serialized: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        rows = tf.io.parse_example(serialized, spec)
        pairs, pair = rows[names.TEXT_PAIR], tf.strings.reduce_join(rows[names.TEXT_PAIR], axis=1)
        texts = [pieces.tokenize(text, first=max_length) for text in (rows[names.TEXT], pair)]
        tokens = tf.concat(texts, axis=1)
        lengths = tokens.row_lengths()
        is_unknown = tokens.with_values(tf.cast(tf.equal(tokens.values, pieces.unknown_id), tf.int64))
        words = sum(_words(text, pieces.begins_word) for text in texts)
        counts = tf.stack([lengths, tf.reduce_sum(is_unknown, axis=1), words], axis=1)
        # The special tokens around a text, and those between two, even if one has no tokens.
        special = 2 + len(pieces.layout.between) * pairs.row_lengths()
        return lengths + special, counts, tf.strings.join([rows[names.TEXT], pair])

    return count_rows


def _words(tokens: tf.RaggedTensor, begins_word: np.ndarray) -> tf.Tensor:
    """Counts the tokens of each text, int64 [N, (tokens)], that begin a word; its first one does, whatever it is."""
    later = tokens[:, 1:]
    begins = later.with_values(tf.cast(tf.gather(begins_word, later.values), tf.int64))
    return tf.reduce_sum(begins, axis=1) + tf.cast(tokens.row_lengths() > 0, tf.int64)
