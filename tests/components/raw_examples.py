"""Raw examples as `CsvExampleGen` writes them, for tests of what reads them."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import tensorflow as tf


def write_examples(folder: Path, rows, shards: int = 2) -> None:
    """Writes rows of label, text and maybe a second text as CsvExampleGen does."""
    folder.mkdir(parents=True)
    for shard in range(shards):
        with tf.io.TFRecordWriter(str(folder / f"data-{shard:05d}-of-{shards:05d}.gz"), "GZIP") as writer:
            for label, *texts in rows[shard::shards]:
                feature = {
                    name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value.encode()]))
                    for name, value in zip(("label", "text", "text_pair"), (label, *texts), strict=False)
                }
                example = tf.train.Example(features=tf.train.Features(feature=feature))
                writer.write(example.SerializeToString())


def write_listed_examples(folder: Path, rows: Iterable[Mapping[str, Sequence[str]]], shards: int = 2) -> None:
    """Writes rows with any number of values of each feature; one that has none is missing in every other row."""
    folder.mkdir(parents=True)
    rows = list(rows)
    for shard in range(shards):
        with tf.io.TFRecordWriter(str(folder / f"data-{shard:05d}-of-{shards:05d}.gz"), "GZIP") as writer:
            for number, row in enumerate(rows[shard::shards]):
                feature = {
                    name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value.encode() for value in values]))
                    for name, values in row.items()
                    if values or number % 2
                }
                example = tf.train.Example(features=tf.train.Features(feature=feature))
                writer.write(example.SerializeToString())
