"""Long rows in windows, as tests need them: what is told from a row is in its last window alone."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from fullbake.trainer.data.input_pipeline import TokenizedSplit
from fullbake.trainer.data.windowed_split import TokenizedWindows
from fullbake.trainer.windows import Windows

WINDOWS = Windows(length=10, overlap=2, most=4, pooling="max")
ROW_LENGTH = WINDOWS.row_length  # 28


def long_rows(rows: int, seed: int = 0) -> list[tuple[list[int], int]]:
    """Rows of four windows, those of label 1 with three tokens 8 in the last one, where no other window has them."""
    rng = np.random.default_rng(seed)
    made = []
    for row in range(rows):
        words = rng.integers(9, 40, ROW_LENGTH - 2 - int(rng.integers(3)))
        if row % 2 == 0:
            words[-3:] = 8
        made.append(([2, *words.tolist(), 3], int(row % 2 == 0)))
    return made


def mixed_rows(rows: int, seed: int = 0) -> list[tuple[list[int], int]]:
    """Rows of one to four windows."""
    rng = np.random.default_rng(seed)
    return [
        ([2, *rng.integers(8, 40, int(rng.integers(0, ROW_LENGTH - 1))).tolist(), 3], int(rng.integers(2)))
        for _ in range(rows)
    ]


def packed(rows: list[tuple[list[int], int]], max_length: int) -> TokenizedSplit:
    """Rows as a split of tokens; those that are longer are cut as truncation `head` cuts them."""
    kept = [[*ids[: max_length - 1], 3] if len(ids) > max_length else ids for ids, _ in rows]
    offsets = np.cumsum([0, *map(len, kept)])
    labels = np.array([label for _, label in rows], np.int32)
    return TokenizedSplit({"input_ids": np.concatenate(kept).astype(np.int32)}, offsets, labels, max_length)


def in_windows(rows: list[tuple[list[int], int]], folder: Path, windows: Windows = WINDOWS) -> TokenizedWindows:
    """Rows in windows."""
    return TokenizedWindows.cut(packed(rows, windows.row_length), windows, folder)


def expected_windows(ids: list[int], windows: Windows = WINDOWS) -> list[list[int]]:
    """The windows of a row by plain Python."""
    content, room = ids[1:-1], windows.length - 2
    found = []
    for number in range(windows.most):
        start = number * windows.step
        found.append([ids[0], *content[start : start + room], ids[-1]])
        if start + room >= len(content):
            break
    return found


def tensors(batch: object) -> object:
    """A batch as a network takes it."""
    return tf.nest.map_structure(tf.constant, batch)
