"""Tokenizing in the graph against Hugging Face's fast tokenizers, kind by kind, both in one process."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from pathlib import Path

import tensorflow as tf
from transformers import AutoTokenizer

from benchmarks import texts
from benchmarks.results import Result, seconds, side_by_side
from benchmarks.tokenizer_folders import KINDS
from fullbake.components.tokenizer.row_tokenizer import RowTokenizer
from fullbake.trainer.encoder.base_model import resolve_base

LENGTH = 128
_REPEATS = 5
# What each kind should reach against the library itself, without the class of transformers around it.
_BOUND = 3.0


def main() -> None:
    """Measures tweets, with all cores and with one."""
    name, found = texts.tweets(20_000)
    _measure_class(name, found)
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as scratch:
        folders = {kind: make(Path(scratch) / str(place), found) for place, (kind, make) in enumerate(KINDS.items())}
        for threads in (None, 1):
            # A process of its own: TensorFlow's threads are chosen once in a process.
            process = context.Process(target=_measure_kinds, args=(name, found, folders, threads))
            process.start()
            process.join()
            if process.exitcode:
                raise SystemExit(process.exitcode)


def _measure_class(name: str, found: list[str]) -> None:
    """What people run today: the class of transformers, which makes the arrays of a batch."""
    raw = tf.constant(found)
    graph = RowTokenizer.from_folder(resolve_base(texts.BASE), max_length=LENGTH)
    tokenize = tf.function(lambda: graph(raw))
    fast = texts.tokenizer()
    options = {"padding": "max_length", "truncation": True, "max_length": LENGTH, "return_tensors": "np"}
    ours, theirs = side_by_side(
        lambda: len(found) / seconds(lambda: tokenize()["input_ids"].numpy()),
        lambda: len(found) / seconds(lambda: fast(found, **options)),
        repeats=_REPEATS,
    )
    figures = f"{ours:,.0f} and {theirs:,.0f} rows/s"
    Result(f"tokenizing v. BertTokenizerFast, {name}", ours / theirs, "x", 5, figures).print()


def _measure_kinds(name: str, found: list[str], folders: dict[str, Path], threads: int | None) -> None:
    """The library's `encode_batch_fast`, which only makes ids, cut and padded alike.

    Args:
        name: What the texts are.
        found: The texts.
        folders: By kind, its files.
        threads: How many each side may use; None: as many as there are cores.
    """
    if threads:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
    os.environ["TOKENIZERS_PARALLELISM"] = "false" if threads == 1 else "true"
    raw = tf.constant(found)
    for kind, folder in folders.items():
        graph = RowTokenizer.from_folder(folder, max_length=LENGTH)
        tokenize = tf.function(lambda graph=graph: graph(raw))
        fast = AutoTokenizer.from_pretrained(folder)
        library = fast.backend_tokenizer
        library.enable_truncation(LENGTH)
        library.enable_padding(length=LENGTH, pad_id=fast.pad_token_id, pad_token=fast.pad_token)
        ours, theirs = side_by_side(
            lambda tokenize=tokenize: len(found) / seconds(lambda: tokenize()["input_ids"].numpy()),
            lambda library=library: len(found) / seconds(lambda: library.encode_batch_fast(found)),
            repeats=_REPEATS,
        )
        what = f"tokenizing, {kind}, v. tokenizers, {name}{', one thread' if threads else ''}"
        figures = f"{ours:,.0f} and {theirs:,.0f} rows/s, {len(fast):,} ids"
        Result(what, ours / theirs, "x", _BOUND, figures).print()


if __name__ == "__main__":
    main()
