"""Reads Parquet, batch by batch."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

from fullbake.components.data.columns import find_columns
from fullbake.components.data.compression import check_uncompressed
from fullbake.components.data.file_kinds import WrongKindError, check_kind, named
from fullbake.components.data.quoting import Quoting
from fullbake.components.data.row_format import RowFormat
from fullbake.components.data.rows import EXCERPT_CHARACTERS, MAX_TEXT_CHARACTERS, BadRow, LineCount, Record
from fullbake.components.data.text_encoding import KEEP_UNDECODABLE, UNDECODABLE, undecodable
from fullbake.contract.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_BATCH_ROWS = 1000
_BUFFER_BYTES = 2**20  # of each column; without it, a column of a row group is read whole
_MAGIC = b"PAR1"


def open_parquet(stream: BinaryIO, name: str) -> pq.ParquetFile:
    """Opens a file.

    Args:
        stream: The file's bytes; it is read from its end and here and there, and not closed.
        name: The file's name.

    Raises:
        WrongKindError: The file is no Parquet, or damaged, or compressed as a whole.
    """
    import pyarrow as pa  # here, for it takes half a second to import
    import pyarrow.parquet as pq

    check_uncompressed(name, "Parquet")
    start = stream.read(2**16)
    if not start:
        raise WrongKindError("is empty; take it away")
    if not start.startswith(_MAGIC):
        check_kind(start, "Parquet")
        raise WrongKindError("is not Parquet; let its name say what it is")
    stream.seek(0)
    with damage_told("Parquet"):
        return pq.ParquetFile(pa.PythonFile(stream, mode="r"), buffer_size=_BUFFER_BYTES, pre_buffer=False)


def read_batches(file: pq.ParquetFile, rows: int, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
    """Yields all rows of a file, so many at once at most: memory does not grow with the file.

    Args:
        file: The file.
        rows: How many.
        columns: The names of the columns that are wanted. Default: all.

    Raises:
        WrongKindError: The file is damaged.
    """
    found = 0
    with damage_told("Parquet"):
        for batch in file.iter_batches(rows, columns=columns):
            found += batch.num_rows
            yield batch
    promised = file.metadata.num_rows
    if found != promised:
        raise WrongKindError(f"has {found:,} rows, and says that it has {promised:,}; copy it here again")


@contextmanager
def damage_told(kind: str) -> Iterator[None]:
    """Says that a file is damaged where pyarrow says why.

    Args:
        kind: What the file should be.

    Raises:
        WrongKindError: What was an error of pyarrow.
    """
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError) as error:
        reason = " ".join(str(error).split())
        raise WrongKindError(f"is not a whole {kind} file ({reason}); copy it here again") from error


def type_fault(field: pa.Field, *, lists: bool = False) -> str | None:
    """Says why the values of a column are no texts; None if they are, or numbers or truth values, which have one.

    Args:
        field: The column.
        lists: Whether its values may be lists of such.
    """
    import pyarrow as pa

    kind = field.type.value_type if lists and is_list(field.type) else field.type
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    fits = (
        *(pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary),
        *(pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_decimal, pa.types.is_null),
    )
    if any(fit(kind) for fit in fits):
        return None
    return f"is of type {field.type}, which is no text; make it a column of text"


def is_list(kind: pa.DataType) -> bool:
    """Says whether the values of a type are lists."""
    import pyarrow as pa

    return any(fit(kind) for fit in (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list))


def texts_of(column: pa.Array) -> list[str | None]:
    """Returns the texts of a column: numbers, truth values and lists as JSON has them, None for null and NaN.

    A byte that does not decode stands as `KEEP_UNDECODABLE` makes it.
    """
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_string(column.type):
        column = column.cast(pa.binary())
    elif pa.types.is_large_string(column.type):
        column = column.cast(pa.large_binary())
    return [_text(value) for value in column.to_pylist()]


def _text(value: Any) -> str | None:
    if isinstance(value, bytes):
        return value.decode("utf-8", KEEP_UNDECODABLE)
    if isinstance(value, list):
        return json.dumps([_text(part) for part in value], ensure_ascii=False)
    if value is None or value != value:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def read_parquet(
    stream: BinaryIO, name: str, fmt: RowFormat, source: str, quoting: Quoting, count: LineCount
) -> Iterator[Record | BadRow]:
    """Reads the records of a file, of which the wanted columns alone; a row counts as a line.

    Args: As of `formats.ReadRecords`.

    Raises:
        InputError: The file is no Parquet or damaged, has no rows, lacks a wanted column, or one is no text.
    """
    with named(name, source):
        file = open_parquet(stream, name)
        yield from records_of_columns(
            file.schema_arrow, lambda rows, titles: read_batches(file, rows, titles), name, fmt, source, count
        )


def records_of_columns(
    schema: pa.Schema,
    batches: Callable[[int, list[str]], Iterator[pa.RecordBatch]],
    name: str,
    fmt: RowFormat,
    source: str,
    count: LineCount,
    class_names: Mapping[str, list[str]] | None = None,
) -> Iterator[Record | BadRow]:
    """Yields the records of a file that has columns, of which the wanted ones alone.

    Args:
        schema: The file's schema.
        batches: Reads all rows, so many at once at most, of these columns.
        name: As of `formats.ReadRecords`.
        fmt: Likewise.
        source: Likewise.
        count: Likewise; a row counts as a line.
        class_names: By the name of a column of numbers that stand for classes, the names of these.

    Raises:
        InputError: The file has no rows, lacks a wanted column, or one is no text.
    """
    places = find_columns([title.strip() for title in schema.names], fmt, name, source)
    several = fmt.label_column if fmt.label_separator is not None else None
    for key, column in fmt.wanted:
        if fault := type_fault(schema.field(places[column]), lists=column == several):
            raise InputError("column {column!r} of {file} {fault}", field=key, column=column, file=name, fault=fault)
    titles = [schema.names[place] for place in places.values()]
    for batch in batches(_BATCH_ROWS, titles):
        columns = []
        for title in titles:
            texts = texts_of(batch.column(batch.schema.get_field_index(title)))
            columns.append(as_names(texts, class_names[title]) if class_names and title in class_names else texts)
        for row in zip(*columns, strict=True):
            count.total += 1
            yield _record(count.total, tuple(places), row)
    if not count.total:
        raise InputError("{file} has no rows; add rows, or take it away", field=source, file=name)


def as_names(texts: list[str | None], names: list[str]) -> list[str | None]:
    """Returns the names of the classes for which these numbers stand; None for -1, which is no label to datasets.

    In a list each number has its name. A number that no class has stays.
    """
    known: dict[str, str | None] = {"-1": None, **{str(number): name for number, name in enumerate(names)}}

    def named(text: str | None) -> str | None:
        if text and text.startswith("["):
            return json.dumps([known.get(number, number) for number in json.loads(text)], ensure_ascii=False)
        return text and known.get(text, text)

    return [named(text) for text in texts]


def _record(row: int, columns: tuple[str, ...], texts: tuple[str | None, ...]) -> Record | BadRow:
    values = {column: text or "" for column, text in zip(columns, texts, strict=True)}
    for column, text in values.items():
        if len(text) > MAX_TEXT_CHARACTERS:
            reason = f"column {column!r} is longer than {MAX_TEXT_CHARACTERS:,} characters"
            return BadRow(row, reason, [text[:EXCERPT_CHARACTERS] for text in values.values()], "too long")
        if not text.isascii() and (problem := undecodable(text, f"column {column!r}", "utf-8", "")):
            return BadRow(row, problem, list(values.values()), UNDECODABLE)
    return Record(row, values, list(values.values()))
