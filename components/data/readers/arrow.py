"""Reads Arrow files, batch by batch: streams, as Hugging Face's datasets keep them, and Feather."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

from fullbake.components.data.compression import check_uncompressed
from fullbake.components.data.file_kinds import WrongKindError, check_kind, named
from fullbake.components.data.quoting import Quoting
from fullbake.components.data.readers.parquet import damage_told, records_of_columns
from fullbake.components.data.row_format import RowFormat
from fullbake.components.data.rows import BadRow, LineCount, Record

if TYPE_CHECKING:
    import pyarrow as pa

HUGGING_FACE = b"huggingface"
"""The key of a schema's metadata under which datasets keeps what its columns mean."""

FORMAT = "an Arrow file"
_LISTS = ("Sequence", "List", "LargeList")  # of datasets' types; an older way to write one is [feature]
_FILE_MAGIC = b"ARROW1"
_CONTINUATION = b"\xff\xff\xff\xff"  # before each message of a stream, and with a length of 0 at its end
_STREAM_END = _CONTINUATION + bytes(4)


class ArrowFile:
    """An Arrow file, opened.

    Args:
        stream: The file's bytes; it is read here and there, and not closed.
        name: The file's name.

    Attributes:
        schema: Its schema.
        class_names: By the name of a column of numbers that stand for classes, the names of these, in their order.

    Raises:
        WrongKindError: The file is no Arrow, or damaged, or compressed as a whole.
    """

    def __init__(self, stream: BinaryIO, name: str):
        import pyarrow as pa  # here, for it takes half a second to import

        check_uncompressed(name, "Arrow")
        start = stream.read(2**16)
        if not start:
            raise WrongKindError("is empty; take it away")
        self._is_stream = not start.startswith(_FILE_MAGIC)
        if self._is_stream:
            if not start.startswith(_CONTINUATION):
                check_kind(start, FORMAT)
                raise WrongKindError("is no Arrow; let its name say what it is")
            stream.seek(-len(_STREAM_END), os.SEEK_END)
            if stream.read() != _STREAM_END:
                raise WrongKindError("is not a whole Arrow file (it has no end); copy it here again")
        stream.seek(0)
        with damage_told("Arrow"):
            source = pa.PythonFile(stream, mode="r")
            self._reader = pa.ipc.open_stream(source) if self._is_stream else pa.ipc.open_file(source)
            self.schema: pa.Schema = self._reader.schema
        self.class_names = class_names(self.schema)

    def batches(self, rows: int, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Yields all rows, so many at once at most; of these columns, or all. What is held is a batch of the file.

        Raises:
            WrongKindError: The file is damaged.
        """
        import pyarrow as pa

        places = None if columns is None else [self.schema.get_field_index(column) for column in columns]
        numbers = iter(range(0 if self._is_stream else self._reader.num_record_batches))
        while True:
            with damage_told("Arrow"):
                try:
                    batch = self._reader.read_next_batch() if self._is_stream else self._reader.get_batch(next(numbers))
                except StopIteration:
                    return
                if places is not None:
                    fields = [self.schema.field(place) for place in places]
                    batch = pa.RecordBatch.from_arrays(
                        [batch.column(place) for place in places], schema=pa.schema(fields)
                    )
                for column in batch.columns:
                    _as_bytes(column).validate(full=True)  # offsets that lead outside would end the process
            for start in range(0, batch.num_rows, rows):
                yield batch.slice(start, rows)


def _as_bytes(column: pa.Array) -> pa.Array:
    """Returns a column of texts as one of bytes: what does not decode is a matter of its row."""
    import pyarrow as pa

    if pa.types.is_string(column.type):
        return column.cast(pa.binary())
    return column.cast(pa.large_binary()) if pa.types.is_large_string(column.type) else column


def class_names(schema: pa.Schema) -> dict[str, list[str]]:
    """Returns, by the name of a column of datasets' type ClassLabel, or of lists of it, the names of its classes."""
    found = {}
    for column, feature in features_of(schema).items():
        if isinstance(feature, list) and len(feature) == 1:
            feature = feature[0]
        elif isinstance(feature, dict) and feature.get("_type") in _LISTS:
            feature = feature.get("feature")
        if isinstance(feature, dict) and feature.get("_type") == "ClassLabel" and feature.get("names"):
            found[column] = list(map(str, feature["names"]))
    return found


def features_of(schema: pa.Schema) -> dict[str, Any]:
    """Returns what datasets keeps of the columns; nothing if the file is not of it."""
    try:
        features = json.loads((schema.metadata or {})[HUGGING_FACE])["info"]["features"]
    except (KeyError, ValueError, TypeError):
        return {}
    return features if isinstance(features, dict) else {}


def read_arrow(
    stream: BinaryIO, name: str, fmt: RowFormat, source: str, quoting: Quoting, count: LineCount
) -> Iterator[Record | BadRow]:
    """Reads the records of a file, of which the wanted columns alone; a row counts as a line.

    Args: As of `formats.ReadRecords`.

    Raises:
        InputError: The file is no Arrow or damaged, has no rows, lacks a wanted column, or one is no text.
    """
    with named(name, source):
        file = ArrowFile(stream, name)
        yield from records_of_columns(file.schema, file.batches, name, fmt, source, count, file.class_names)
