"""Tokenized examples on disk, as Transform writes them."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from fullbake.trainer.data.input_pipeline import TokenizedSplit

MAX_LENGTH = 24
FEATURES = {
    "input_ids": tf.io.FixedLenFeature([MAX_LENGTH], tf.int64),
    "attention_mask": tf.io.FixedLenFeature([MAX_LENGTH], tf.int64),
    "label": tf.io.FixedLenFeature([], tf.int64),
}


def random_rows(rows: int, seed: int = 0) -> list[tuple[list[int], int]]:
    """Rows of random tokens between [CLS] and [SEP]; those with token 8 have label 1, all others 0."""
    rng = np.random.default_rng(seed)
    made = []
    for row in range(rows):
        words = rng.integers(9, 40, rng.integers(1, MAX_LENGTH - 2)).tolist()
        if row % 3 == 0:
            words[int(rng.integers(len(words)))] = 8
        made.append(([2, *words, 3], int(row % 3 == 0)))
    return made


def write_rows(rows: list[tuple[list[int], int]], file: Path, extra: dict[str, list[list[int]]] | None = None) -> str:
    """Writes rows as gzip-compressed TFRecords and gives a pattern that matches the file."""
    with tf.io.TFRecordWriter(str(file), "GZIP") as writer:
        for number, (ids, label) in enumerate(rows):
            padding = [0] * (MAX_LENGTH - len(ids))
            features = {
                "input_ids": ids + padding,
                "attention_mask": [1] * len(ids) + padding,
                "label": [label],
                **{name: values[number] + padding for name, values in (extra or {}).items()},
            }
            example = tf.train.Example()
            for name, values in features.items():
                example.features.feature[name].int64_list.value.extend(values)
            writer.write(example.SerializeToString())
    return f"{file}*"


def read_split(rows: list[tuple[list[int], int]], folder: Path) -> TokenizedSplit:
    """Writes rows and reads them as the Trainer does."""
    folder.mkdir(parents=True, exist_ok=True)
    return TokenizedSplit.read([write_rows(rows, folder / "rows.gz")], FEATURES, folder / "packed")
