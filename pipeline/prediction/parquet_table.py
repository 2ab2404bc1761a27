"""Parquet files whose rows are labelled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fullbake.components.data.data_files import is_gzipped, opened
from fullbake.components.data.readers.parquet import open_parquet, read_batches, texts_of, type_fault
from fullbake.components.data.rows import BadRow
from fullbake.components.data.text_encoding import KEEP_UNDECODABLE
from fullbake.contract.errors import InputError
from fullbake.pipeline.output_file import writing_bytes
from fullbake.pipeline.prediction.plain_values import as_text
from fullbake.pipeline.prediction.table import Answer, Batch, CsvOptions, Table, Write

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_ROW_GROUP_BYTES = 64 * 2**20  # in memory; readers take a row group at once


class ParquetTable:
    """A Parquet file, opened.

    Args:
        file: The file.
        source: Where it is, for errors.
    """

    ordinary_quotes = False

    def __init__(self, file: pq.ParquetFile, source: Path):
        self.schema = file.schema_arrow
        self.columns: list[str] = list(self.schema.names)
        self.types: list[type] = [_python_type(field.type) for field in self.schema]
        self._file = file
        self._source = source

    def batches(self, places: Mapping[str, int], size: int) -> Iterator[Batch]:
        """Yields all rows, as `Table.batches`; null is no text to label."""
        for place in places.values():
            if fault := type_fault(self.schema.field(place)):
                raise InputError(f"--input: column {self.columns[place]!r} of {self._source} {fault}")
        row = 0
        for batch in read_batches(self._file, size):
            found = {feature: texts_of(batch.column(place)) for feature, place in places.items()}
            bad: list[BadRow | None] = []
            for texts in zip(*found.values(), strict=True):
                row += 1
                missing = [place for place, text in zip(places.values(), texts, strict=True) if text is None]
                reason = f"no text in column {self.columns[missing[0]]!r}" if missing else ""
                bad.append(BadRow(row, reason, [], "missing text") if missing else None)
            encoded = {
                feature: [
                    text.encode("utf-8", KEEP_UNDECODABLE)
                    for text, fault in zip(texts, bad, strict=True)
                    if fault is None and text is not None
                ]
                for feature, texts in found.items()
            }
            yield Batch(bad, encoded, batch, partial(_values, batch))


def _values(batch: pa.RecordBatch) -> list[list[Any]]:
    return [list(row) for row in zip(*(column.to_pylist() for column in batch.columns), strict=True)]


def _python_type(kind: pa.DataType) -> type:
    import pyarrow as pa

    for fits, found in ((pa.types.is_boolean, bool), (pa.types.is_integer, int), (pa.types.is_floating, float)):
        if fits(kind):
            return found
    return str


@contextmanager
def open_parquet_table(source: Path, options: CsvOptions) -> Iterator[ParquetTable]:
    """Opens a file whose rows are to be labelled.

    Args:
        source: The file.
        options: Of no matter.

    Raises:
        WrongKindError: It is no Parquet, or damaged.
    """
    with opened(str(source)) as stream:
        yield ParquetTable(open_parquet(stream, source.name), source)


def check_parquet(source: Path, options: CsvOptions) -> None:
    """Looks whether a file has the start and the end of a Parquet file.

    Raises:
        WrongKindError: It has not.
    """
    with open_parquet_table(source, options):
        pass


@contextmanager
def write_parquet(target: Path, table: Table, columns: list[str], options: CsvOptions) -> Iterator[Write]:
    """Opens a file for labelled rows; it appears when all is written.

    A source of this format keeps its schema; of another, columns of truth values, whole numbers or numbers alone are
    that, and all others text. Probabilities are float32.

    Args:
        target: The file.
        table: Where the rows come from.
        columns: The names of all columns: those of the table, then those that are added.
        options: Of no matter.

    Raises:
        InputError: It cannot be written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if is_gzipped(target.name):
        raise InputError(f"--output: {target} would be compressed twice; let its name end in .parquet")
    width = len(table.columns)
    if isinstance(table, ParquetTable):
        kept = [field.with_name(name) for field, name in zip(table.schema, columns, strict=False)]
        metadata = table.schema.metadata
    else:
        arrow = {bool: pa.bool_(), int: pa.int64(), float: pa.float64(), str: pa.string()}
        kept = [pa.field(name, arrow[kind]) for name, kind in zip(columns, table.types, strict=False)]
        metadata = None
    added = [pa.field(columns[width], pa.string()), *(pa.field(name, pa.float32()) for name in columns[width + 1 :])]
    schema = pa.schema([*kept, *added], metadata)

    with writing_bytes(target, "--output") as sink, pq.ParquetWriter(sink, schema) as writer:
        waiting: list[pa.RecordBatch] = []

        def flush() -> None:
            if waiting:
                writer.write_table(pa.Table.from_batches(waiting, schema))
                waiting.clear()

        def write(batch: Batch, answers: list[Answer | None]) -> None:
            if isinstance(table, ParquetTable):
                arrays = list(batch.rows.columns)
            else:
                rows = [map(_fitting, row, table.types) for row in batch.values()]
                columns_of_rows = zip(*rows, strict=True)
                arrays = [pa.array(list(c), field.type) for c, field in zip(columns_of_rows, kept, strict=True)]
            arrays.append(pa.array([answer and answer.label for answer in answers], pa.string()))
            for number in range(len(added) - 1):
                values = [None if answer is None else answer.probabilities[number] for answer in answers]
                arrays.append(pa.array(values, pa.float32()))
            waiting.append(pa.RecordBatch.from_arrays(arrays, schema=schema))
            if sum(batch.nbytes for batch in waiting) > _ROW_GROUP_BYTES:
                flush()

        yield write
        flush()


def _fitting(value: Any, kind: type) -> Any:
    if value is None or kind is str:
        return None if value is None else as_text(value)
    # A text here is a line that could not be read, where the texts are numbers; it is named among the unlabelled rows.
    return None if isinstance(value, str) else kind(value)
