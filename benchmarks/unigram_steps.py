"""Where a unigram tokenizer's time goes: its steps on a chunk of tweets, each as a graph of its own, on one core.

`python -m benchmarks.unigram_steps`. Not among `python -m benchmarks`, whose figures are of what users see.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf

from benchmarks import texts
from benchmarks.tokenizer_folders import KINDS
from fullbake.components.tokenizer import unigram
from fullbake.components.tokenizer.tokenizer_kinds import pieces_of
from fullbake.components.tokenizer.unigram_model import _best_lengths, _match

_REPEATS = 5
_KIND = "unigram as XLM-R's"


def main() -> None:
    """Prints the milliseconds of processor time of each step."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    name, found = texts.tweets(20_000)
    with tempfile.TemporaryDirectory() as scratch:
        tokenizer: Any = pieces_of(KINDS[_KIND](Path(scratch) / "unigram", found))
    chunk, size = [], 0
    for text in found:
        size += len(text.encode()) + 1
        if size > tokenizer.chunk_bytes:
            break
        chunk.append(text)
    print(f"{_KIND}, a chunk of {len(chunk):,} {name}")
    rows, trie = tf.constant(chunk), tokenizer._tables
    _time("all, from text to ids", lambda text: tokenizer.tokenize_chunk(text, None), rows)
    codes, row_of = _time("decoding", _decode, rows)
    codes, row_of = _time("normalising", lambda *those: tokenizer._normalize(*those, len(chunk)), codes, row_of)
    codes, _, begins = _time("marking words", tokenizer._words, codes, row_of)
    codes, splits = _time("each word once", _each_once, codes, begins)
    print(f"  {int(tf.reduce_sum(tf.cast(begins, tf.int32))):,} words, {len(splits) - 1:,} different ones")

    def match(codes: tf.Tensor, splits: tf.Tensor) -> tf.Tensor:
        words = tf.RaggedTensor.from_row_splits(codes, splits, validate=False)
        return tf.reshape(_match(trie, codes, tf.cast(tf.gather(splits, words.value_rowids() + 1), tf.int32)), [-1])

    def best(splits: tf.Tensor, pieces: tf.Tensor) -> tf.Tensor:
        splits = tf.cast(splits, tf.int32)
        return _best_lengths(trie, tf.reshape(pieces, [-1, trie.longest]), splits[:-1], splits[1:] - splits[:-1])

    pieces = _time("finding pieces in the trie", match, codes, splits)
    _time("the best sum, character by character of the longest word", best, splits, pieces)


def _decode(text: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    decoded = tf.strings.unicode_decode(text, "UTF-8", errors="replace")
    return decoded.values, decoded.value_rowids()


def _each_once(codes: tf.Tensor, begins: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    splits = tf.concat([tf.where(begins)[:, 0], [tf.size(codes, tf.int64)]], 0)
    words, _ = unigram._different(tf.RaggedTensor.from_row_splits(codes, splits, validate=False))
    return words.values, words.row_splits


def _time(step: str, function: Callable[..., Any], *tensors: tf.Tensor) -> Any:
    specs = [tf.TensorSpec([None], tensor.dtype) for tensor in tensors]
    graph = tf.function(function, autograph=False).get_concrete_function(*specs)
    graph(*tensors)
    before = time.process_time()
    for _ in range(_REPEATS):
        result = graph(*tensors)
    print(f"  {step}: {(time.process_time() - before) / _REPEATS * 1000:.0f} ms", flush=True)
    return result


if __name__ == "__main__":
    main()
