"""Tokenizing in the graph against Hugging Face's fast tokenizer, both in one process."""

from __future__ import annotations

import tensorflow as tf

from benchmarks import texts
from benchmarks.results import Result, seconds, side_by_side
from fullbake.components.tokenizer.row_tokenizer import RowTokenizer
from fullbake.trainer.encoder.base_model import resolve_base

LENGTH = 128


def main() -> None:
    """Measures tweets."""
    name, found = texts.tweets(20_000)
    raw = tf.constant(found)
    graph = RowTokenizer.from_folder(resolve_base(texts.BASE), max_length=LENGTH)
    tokenize = tf.function(lambda: graph(raw))
    fast = texts.tokenizer()
    options = {"padding": "max_length", "truncation": True, "max_length": LENGTH, "return_tensors": "np"}
    ours, theirs = side_by_side(
        lambda: len(found) / seconds(lambda: tokenize()["input_ids"].numpy()),
        lambda: len(found) / seconds(lambda: fast(found, **options)),
        repeats=5,
    )
    figures = f"{ours:,.0f} and {theirs:,.0f} rows/s"
    Result(f"tokenizing v. BertTokenizerFast, {name}", ours / theirs, "x", 5, figures).print()


if __name__ == "__main__":
    main()
