"""From Transform's fixed-length examples to batches of similar length, cut to their longest row."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from fullbake.contract.errors import InputError
from fullbake.contract.names import ATTENTION_MASK, INPUT_IDS, TOKEN_TYPE_IDS
from fullbake.trainer.tasks.table import SINGLE_LABEL, Task

# Batches are sorted by length within pools of this many: near enough in length that little padding is left (see
# benchmarks/), while the order of rows stays random.
POOL_BATCHES = 64
# Widths are multiples of this, so that few shapes occur: oneDNN and XLA prepare their kernels once for each shape.
WIDTH_STEP = 8
_READ_ROWS = 1024


class Split(Protocol):
    """Rows that can be dealt into batches.

    Attributes:
        labels: The targets, a row each.
    """

    labels: np.ndarray

    @property
    def lengths(self) -> np.ndarray:
        """What batches are sorted by: int64 `(rows,)`."""

    @property
    def window_counts(self) -> np.ndarray:
        """In how many windows each row is read, which bounds what is computed at once: int64 `(rows,)`."""

    def take(self, rows: np.ndarray, *, full_width: bool = False) -> Any:
        """The features of these rows as one batch; with `full_width` every batch has the same width."""

    def signature(self, batch_size: int | None, *, full_width: bool) -> Any:
        """The `tf.TensorSpec` of what `take` returns."""


class TokenizedSplit:
    """The token ids of one split, packed without padding into memory-mapped files.

    Attributes:
        streams: By name (`input_ids` and, for sentence pairs, `token_type_ids`) int32 `(total_tokens,)`.
        offsets: int64 `(rows + 1,)`: row `i` is `stream[offsets[i]:offsets[i + 1]]`.
        labels: The targets, a row each (see `trainer.tasks`): of single-label rows class indices, int32 `(rows,)`.
        max_length: The fixed length of Transform's examples.
    """

    def __init__(self, streams: dict[str, np.ndarray], offsets: np.ndarray, labels: np.ndarray, max_length: int):
        self.streams = streams
        self.offsets = offsets
        self.labels = labels
        self.max_length = max_length

    @classmethod
    def read(
        cls,
        patterns: list[str],
        feature_spec: dict[str, tf.io.FixedLenFeature],
        folder: Path,
        task: Task = SINGLE_LABEL,
    ) -> TokenizedSplit:
        """Packs the examples of a split.

        Args:
            patterns: Glob patterns of gzip-compressed TFRecords of `tf.Example`.
            feature_spec: What Transform wrote: `input_ids` and `attention_mask`, int64 `(max_length,)`, `label`,
                int64 scalar, and maybe `token_type_ids`.
            folder: Where the packed ids are kept; made if missing.
            task: What `label` says of a row.

        Raises:
            InputError: The split has no rows.
        """
        folder.mkdir(parents=True, exist_ok=True)
        names: list[str] = [name for name in (INPUT_IDS, TOKEN_TYPE_IDS) if name in feature_spec]
        files = sorted(file for pattern in patterns for file in tf.io.gfile.glob(pattern))
        parsed = (
            tf.data.TFRecordDataset(files, compression_type="GZIP")
            .batch(_READ_ROWS)
            .map(lambda serialized: tf.io.parse_example(serialized, feature_spec), num_parallel_calls=tf.data.AUTOTUNE)
        )
        lengths: list[np.ndarray] = [np.zeros(1, np.int64)]
        labels: list[np.ndarray] = []
        with contextlib.ExitStack() as stack:
            sinks = {name: stack.enter_context((folder / f"{name}.int32").open("wb")) for name in names}
            for rows in parsed.prefetch(2).as_numpy_iterator():
                real = rows[ATTENTION_MASK].astype(bool)
                lengths.append(real.sum(axis=1))
                labels.append(task.targets(rows["label"]))
                for name, sink in sinks.items():
                    # Not by tofile, whose error does not say that the disk is full.
                    sink.write(rows[name][real].astype(np.int32).data)
        if not labels:
            raise InputError("no examples in {files}; add rows or change {split}", files=", ".join(patterns))
        streams: dict[str, np.ndarray] = {name: np.memmap(folder / f"{name}.int32", np.int32, "r") for name in names}
        offsets = np.cumsum(np.concatenate(lengths))
        return cls(streams, offsets, np.concatenate(labels), feature_spec[INPUT_IDS].shape[0])

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each row, special tokens counted: int64 `(rows,)`."""
        return np.diff(self.offsets)

    @property
    def window_counts(self) -> np.ndarray:
        """One of each row."""
        return np.ones(len(self), np.int64)

    def digest(self) -> str:
        """The content: SHA-256 in hexadecimal digits, over every row's tokens and label, in their order."""
        whole = hashlib.sha256()
        for name, array in {
            **dict(sorted(self.streams.items())),
            "offsets": self.offsets,
            "label": self.labels,
        }.items():
            whole.update(f"{name} {array.dtype} {array.shape} {self.max_length} ".encode())
            whole.update(np.ascontiguousarray(array).data)
        return whole.hexdigest()

    def take(self, rows: np.ndarray, *, full_width: bool = False) -> dict[str, np.ndarray]:
        """Pads some rows to one width.

        Args:
            rows: Row numbers, `(batch_size,)`.
            full_width: Pad to `max_length` instead of the longest row, rounded up to a multiple of `WIDTH_STEP`.

        Returns:
            `input_ids`, `attention_mask` and, for pairs, `token_type_ids`: int32 `(batch_size, width)`.
        """
        starts = self.offsets[rows]
        lengths = self.offsets[rows + 1] - starts
        width = self.width(int(lengths.max()), full_width=full_width)
        mask = np.arange(width) < lengths[:, None]
        positions = (starts[:, None] + np.arange(width))[mask]
        batch = {ATTENTION_MASK: mask.astype(np.int32)}
        for name, stream in self.streams.items():
            batch[name] = np.zeros(mask.shape, np.int32)
            batch[name][mask] = stream[positions]
        return batch

    def width(self, longest: int, *, full_width: bool) -> int:
        """The width of a batch whose longest row has so many tokens."""
        return self.max_length if full_width else min(-(-longest // WIDTH_STEP) * WIDTH_STEP, self.max_length)

    def signature(self, batch_size: int | None, *, full_width: bool) -> dict[str, tf.TensorSpec]:
        """The shapes and dtypes of what `take` returns."""
        shape = (batch_size, self.max_length if full_width else None)
        return {name: tf.TensorSpec(shape, tf.int32) for name in (ATTENTION_MASK, *self.streams)}


def epoch_batches(lengths: np.ndarray, batch_size: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Deals all rows into batches of similar length, in random order.

    Rows are shuffled, taken in pools of `POOL_BATCHES` batches, sorted by length within a pool and dealt; then the
    batches are shuffled. Each row comes exactly once; at most one batch is smaller than the others.

    Args:
        lengths: `(rows,)`.
        batch_size: Rows to a batch.
        rng: Decides the order.

    Returns:
        Row numbers, `(batch_size,)` to a batch.
    """
    order = rng.permutation(len(lengths))
    pool = POOL_BATCHES * batch_size
    batches: list[np.ndarray] = []
    for start in range(0, len(order), pool):
        rows = order[start : start + pool]
        rows = rows[np.argsort(lengths[rows], kind="stable")]
        batches += [rows[i : i + batch_size] for i in range(0, len(rows), batch_size)]
    return [batches[i] for i in rng.permutation(len(batches))]


def training_dataset(
    split: Split, batch_size: int, seed: int, *, static_shapes: bool, dealt: int = 0
) -> tf.data.Dataset:
    """An endless stream of training batches, newly shuffled every epoch.

    Args:
        split: The rows.
        batch_size: Rows to a batch, over all replicas, in however many windows they are read.
        seed: With the same seed the same batches come in the same order.
        static_shapes: All batches of one shape, as TPUs need; the last one of an epoch is filled up with rows drawn
            again.
        dealt: How many batches were dealt by the training that was interrupted; the stream goes on after them.

    Returns:
        Pairs of what `split.take` returns and targets, a row each; `ceil(rows / batch_size)` of them are an epoch.
    """

    def rows_of_epochs() -> Iterator[np.ndarray]:
        rng = np.random.default_rng(seed)
        while True:
            for rows in epoch_batches(split.lengths, batch_size, rng):
                if static_shapes and len(rows) < batch_size:
                    rows = np.concatenate([rows, rng.integers(0, len(split.labels), batch_size - len(rows))])
                yield rows

    def rows_left() -> Iterator[np.ndarray]:
        return itertools.islice(rows_of_epochs(), dealt, None)

    return _dataset(split, rows_left, batch_size if static_shapes else None, full_width=static_shapes)


def evaluation_dataset(split: Split, most_windows: int) -> tf.data.Dataset:
    """Every row once, in the batches of `batches_by_length`; elements as in `training_dataset`."""
    batches = batches_by_length(split, most_windows)
    return _dataset(split, lambda: iter(batches), None, full_width=False).apply(
        tf.data.experimental.assert_cardinality(len(batches))
    )


def batches_by_length(split: Split, most_windows: int) -> list[np.ndarray]:
    """Deals all rows, longest first, into batches of similar length.

    Args:
        split: The rows.
        most_windows: Of a batch; of rows that are one window each that is rows. A row of more is a batch of its own.

    Returns:
        Row numbers, `(batch_size,)` to a batch.
    """
    order = np.argsort(-split.lengths, kind="stable")
    before = np.concatenate([[0], np.cumsum(split.window_counts[order])])
    batches: list[np.ndarray] = []
    start = 0
    while start < len(order):
        stop = max(start + 1, int(np.searchsorted(before, before[start] + most_windows, side="right")) - 1)
        batches.append(order[start:stop])
        start = stop
    return batches


def _dataset(
    split: Split, deal: Callable[[], Iterator[np.ndarray]], batch_size: int | None, *, full_width: bool
) -> tf.data.Dataset:
    def batches() -> Iterator[tuple[Any, np.ndarray]]:
        for rows in deal():
            yield split.take(rows, full_width=full_width), split.labels[rows]

    targets = tf.TensorSpec((batch_size, *split.labels.shape[1:]), split.labels.dtype)
    signature = (split.signature(batch_size, full_width=full_width), targets)
    return tf.data.Dataset.from_generator(batches, output_signature=signature).prefetch(tf.data.AUTOTUNE)
