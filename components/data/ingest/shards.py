"""Writes rows as examples into the shards of their splits, and the others aside."""

import contextlib
import csv
import json
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import tensorflow as tf

from fullbake.components.data.data_file import DataFile
from fullbake.components.data.ingest.refusal import NOT_USED, TOO_RARE, Refusal
from fullbake.components.data.ingest.tally import Tally
from fullbake.components.data.row_format import OTHER
from fullbake.components.data.rows import UNLISTED, BadRow, Row
from fullbake.components.data.slicing import too_many_slices
from fullbake.contract.errors import InputError
from fullbake.contract.names import LABEL, MASKED_LABEL, SLICE, TEXT, TEXT_PAIR

ROWS_PER_SHARD = 50_000
"""Rows of a file and split after which a new shard begins: some megabytes, small enough for later steps to share."""


class _ShardWriter:
    """Writes the examples of one file that fall into one split, a new shard every `ROWS_PER_SHARD`."""

    def __init__(self, split_uri: str, file_number: int):
        self._prefix = os.path.join(split_uri, f"data_tfrecord-{file_number:05d}")
        self._rows = 0
        self._shard: Any = None

    def __enter__(self) -> "_ShardWriter":
        return self

    def __exit__(self, *_: object) -> None:
        if self._shard:
            self._shard.close()

    def write(self, record: bytes) -> None:
        if self._rows % ROWS_PER_SHARD == 0:
            self.__exit__()
            path = f"{self._prefix}-{self._rows // ROWS_PER_SHARD:05d}.gz"
            self._shard = tf.io.TFRecordWriter(path, tf.io.TFRecordOptions(compression_type="GZIP"))
        self._shard.write(record)
        self._rows += 1


def write_rows(
    rows: Iterator[Row | BadRow],
    fate: Callable[[Row], str | Refusal],
    tally: Tally,
    *,
    file: DataFile,
    split_uris: Mapping[str, str],
    rejected_path: str,
    stop_at_bad_row: bool,
    pairs: bool,
    merged: Collection[str] = (),
) -> None:
    """Writes each row of a file to its split or, with the reason, to the rejected ones, and counts it.

    Args:
        rows: The rows.
        fate: Returns the split of a row that can be used, or why it is not used. An InputError that it raises ends
            the reading and goes into the tally.
        tally: Where they are counted.
        file: The file; of its number the names of the shards are made.
        split_uris: Name of a split -> the folder of its shards.
        rejected_path: Where rejected rows go.
        stop_at_bad_row: Whether the first bad row ends the reading.
        pairs: Whether a text without a second one gets an empty one.
        merged: The labels whose rows are of the class `OTHER`.
    """
    with contextlib.ExitStack() as stack:
        shards = {split: stack.enter_context(_ShardWriter(uri, file.number)) for split, uri in split_uris.items()}
        rejected = stack.enter_context(tf.io.gfile.GFile(rejected_path, "w"))
        rejected.write("")  # a GFile exists only once it has been written to
        write_rejected = csv.writer(rejected, lineterminator="\n").writerow

        def reject(row: Row | BadRow, kind: str, reason: str, fields: list[str]) -> None:
            write_rejected([*file.file_of(row.line), reason, json.dumps(fields)])
            tally.reasons[kind] += 1
            tally.rejected_lines += row.lines

        for row in rows:
            tally.read += 1
            if isinstance(row, BadRow):
                reject(row, row.kind, row.reason, row.fields)
                if row.kind == UNLISTED:
                    tally.count_rare(row.unlisted)
                if row.kind in NOT_USED:
                    continue
                tally.first.setdefault(row.kind, f"{file.place_of(row.line)}: {row.reason}")
                if stop_at_bad_row:
                    break
                continue
            tally.profile.count(row)
            try:
                split = fate(row)
            except InputError as error:
                tally.error = error
                break
            if isinstance(split, Refusal):
                fields = [value for value in (row.text, row.text_pair, row.label) if value]
                reject(row, split.kind, split.reason, fields)
                if split.kind == TOO_RARE:
                    tally.count_rare(row.label)
            else:
                label = OTHER if row.label in merged else row.label
                if row.unlisted or label != row.label:
                    tally.count_rare(row.unlisted or row.label)
                labels, masked = ((label,), ()) if row.label_set is None else row.label_set
                shards[split].write(_as_example(row, labels, masked, pairs))
                tally.count_example(split, labels, masked)
                tally.used_lines += row.lines
                tally.slices.update(row.slices)
                tally.error = too_many_slices(tally.slices)
                if tally.error:
                    break


def _as_example(row: Row, labels: tuple[str, ...], masked: tuple[str, ...], pairs: bool) -> bytes:
    values: dict[str, tuple[str, ...]] = {TEXT: (row.text,), LABEL: labels}
    if masked:
        values[MASKED_LABEL] = masked
    if pairs or row.text_pair is not None:
        values[TEXT_PAIR] = (row.text_pair or "",)
    if row.slices:
        values[SLICE] = row.slices
    features = {
        name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value.encode() for value in found]))
        for name, found in values.items()
    }
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString(deterministic=True)
