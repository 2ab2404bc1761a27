"""A split whose rows are read in several windows each."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from fullbake.contract.names import ATTENTION_MASK, INPUT_IDS
from fullbake.trainer.data.input_pipeline import Split, TokenizedSplit
from fullbake.trainer.data.window_cutting import cut_windows
from fullbake.trainer.windows import Windows

# Windows that are cut at once: at length 512 their ids take 2 MB.
_CUT_WINDOWS = 1024


class WindowedSplit:
    """Rows of several windows.

    Batches are dealt by the row, so that what shares rows out (devices, parts of a batch) leaves the windows of a row
    together. A batch has room for as many windows to a row as its row of the most has, and says how many each has.

    Attributes:
        windows: The windows of all rows, row by row, as a split of their own: of tokens, or of a frozen base's vectors.
        bounds: int64 `(rows + 1,)`: row `i` has the windows `bounds[i]` to `bounds[i + 1] - 1`.
        labels: The targets, a row each.
    """

    def __init__(self, windows: Split, bounds: np.ndarray, labels: np.ndarray):
        self.windows = windows
        self.bounds = bounds
        self.labels = labels

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each row, those of all its windows: int64 `(rows,)`."""
        return np.add.reduceat(self.windows.lengths, self.bounds[:-1])

    @property
    def window_counts(self) -> np.ndarray:
        """Windows of each row: int64 `(rows,)`."""
        return np.diff(self.bounds)

    def take(self, rows: np.ndarray, *, full_width: bool = False) -> tuple[Any, np.ndarray]:
        """Lays out the windows of some rows.

        Args:
            rows: Row numbers, `(batch_size,)`.
            full_width: As `windows.take` takes it.

        Returns:
            What `windows.take` returns, `(batch_size, windows, ...)`, zero where a row has fewer windows; and how many
            each has, int32 `(batch_size,)`.
        """
        counts = self.window_counts[rows]
        number = np.arange(counts.max())
        exists = number < counts[:, None]
        found = self.windows.take((self.bounds[rows][:, None] + number)[exists], full_width=full_width)

        def lay_out(values: np.ndarray) -> np.ndarray:
            laid = np.zeros((*exists.shape, *values.shape[1:]), values.dtype)
            laid[exists] = values
            return laid

        return tf.nest.map_structure(lay_out, found), counts.astype(np.int32)

    def signature(self, batch_size: int | None, *, full_width: bool) -> Any:
        """The shapes and dtypes of what `take` returns."""
        of_windows = self.windows.signature(None, full_width=full_width)
        laid = tf.nest.map_structure(
            lambda spec: tf.TensorSpec((batch_size, None, *spec.shape[1:]), spec.dtype), of_windows
        )
        return laid, tf.TensorSpec((batch_size,), tf.int32)


class TokenizedWindows(WindowedSplit):
    """A split whose windows are tokens.

    Attributes:
        windows: Each window a row, which has the target of the row that it is of.
    """

    windows: TokenizedSplit

    @classmethod
    def cut(cls, split: TokenizedSplit, windows: Windows, folder: Path) -> TokenizedWindows:
        """Cuts the rows of a split into windows.

        Args:
            split: Rows of one text.
            windows: How to cut.
            folder: Where the packed ids of the windows are kept; made if missing.
        """
        folder.mkdir(parents=True, exist_ok=True)
        cut = tf.function(
            lambda features: cut_windows(features, windows),
            input_signature=[split.signature(None, full_width=False)],
            autograph=False,
        ).get_concrete_function()
        file = folder / f"{INPUT_IDS}.int32"
        lengths, row_of = [np.zeros(1, np.int64)], []
        step = max(1, _CUT_WINDOWS // windows.most)
        with contextlib.closing(file.open("wb")) as sink:
            for start in range(0, len(split), step):
                rows = split.take(np.arange(start, min(start + step, len(split))))
                features, row = cut({name: tf.constant(value) for name, value in rows.items()})
                real = features[ATTENTION_MASK].numpy().astype(bool)
                lengths.append(real.sum(axis=1))
                row_of.append(start + row.numpy())
                # Not by tofile, whose error does not say that the disk is full.
                sink.write(features[INPUT_IDS].numpy()[real].data)
        rows = np.concatenate(row_of)
        packed = TokenizedSplit(
            {INPUT_IDS: np.memmap(file, np.int32, "r")},
            np.cumsum(np.concatenate(lengths)),
            split.labels[rows],
            windows.length,
        )
        return cls(packed, np.searchsorted(rows, np.arange(len(split) + 1)), split.labels)

    def over(self, windows: Split) -> WindowedSplit:
        """The same rows of other windows, such as the vectors of these."""
        return WindowedSplit(windows, self.bounds, self.labels)

    def digest(self) -> str:
        """The content: SHA-256 in hexadecimal digits, over every window's tokens, and which row each is of."""
        return hashlib.sha256(self.windows.digest().encode() + np.ascontiguousarray(self.bounds).data).hexdigest()
