"""All comparisons of one kind of tokenizer with Hugging Face's."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import tensorflow as tf

from tests.components.parity import texts
from tests.components.parity.comparison import Parity
from tests.components.parity.kinds import KINDS

_RANDOM = 100_000


def take_one_thread() -> None:
    """Has TensorFlow use one thread: processes share the cores by kinds."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def compare_kind(name: str) -> tuple[list[str], int]:
    """Compares a kind.

    Returns:
        What there is to say, line by line, with seconds of processor time; and how many differences there are.
    """
    kind = KINDS[name]
    with tempfile.TemporaryDirectory() as scratch:
        parity = Parity(kind.make(Path(scratch) / "tokenizer"))
    drawn = texts.random_texts(_RANDOM // 2) + texts.split_texts(_RANDOM // 4) + texts.spaced_texts(_RANDOM // 4)
    real = texts.real_texts()
    telling = list(texts.telling_values())
    runs: list[tuple[str, Callable, Iterable[str | bytes]]] = [
        ("words of 10,000 letters", parity.differences, texts.long_texts()),
        ("bytes that are not UTF-8", parity.differences, texts.damaged_texts()),
        ("special tokens typed", parity.differences_where_special_tokens_are_typed, texts.TYPED),
        (f"{len(drawn):,} random strings", parity.differences, drawn),
    ]
    if not kind.is_spelt:
        runs.append((f"{len(real):,} texts of the real data sets", parity.differences, real))
    for context, place in texts.CONTEXTS.items():
        if kind.every_value:
            compare = parity.word_differences if kind.has_words else parity.differences
            what = "words of every" if kind.has_words else "every"
            runs.append((f"{what} scalar value as {context}", compare, map(place, texts.scalar_values())))
        if kind.has_words or not kind.every_value:
            runs.append((f"{len(telling):,} scalar values as {context}", parity.differences, map(place, telling)))
    lines, differences = [], 0
    for what, compare, compared in runs:
        begin = time.process_time()
        found = compare(compared)
        differences += len(found)
        lines.append(f"{name}, {what}: {len(found)} differences ({time.process_time() - begin:.1f} s)")
        lines += [f"    {example!r}"[:500] for example in found[:5]]
    return lines, differences
