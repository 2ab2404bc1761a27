"""Files with columns whose rows are labelled: Parquet, and what is read as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from fullbake.components.data.compression import compression_of, without_compression
from fullbake.components.data.data_files import opened
from fullbake.components.data.readers.parquet import as_names, open_parquet, read_batches, texts_of, type_fault
from fullbake.contract.errors import InputError
from fullbake.pipeline.output_file import writing_bytes
from fullbake.pipeline.prediction.column_names import EXPLANATION
from fullbake.pipeline.prediction.plain_values import as_text
from fullbake.pipeline.prediction.table import Answer, Batch, Table, TextOptions, Write

if TYPE_CHECKING:
    import pyarrow as pa

_ROW_GROUP_BYTES = 64 * 2**20  # in memory; readers take a row group at once


class ColumnsTable:
    """A file that has columns, opened.

    Args:
        schema: Its schema.
        read: Reads all rows, so many at once at most.
        source: Where it is, for errors.
        class_names: By the name of a column of numbers that stand for classes, the names of these.
        part_read: As of `Table`.
    """

    encoding: str | None = None
    notes: Sequence[str] = ()

    def __init__(
        self,
        schema: pa.Schema,
        read: Callable[[int], Iterator[pa.RecordBatch]],
        source: Path,
        class_names: Mapping[str, list[str]],
        part_read: Callable[[int], float],
    ):
        self.schema = schema
        self.columns: list[str] = list(schema.names)
        self.types: list[type] = [str if field.name in class_names else _python_type(field.type) for field in schema]
        self.part_read = part_read
        self._read = read
        self._source = source
        self._class_names = class_names

    def batches(self, places: Mapping[str, int], size: int) -> Iterator[Batch]:
        """Yields all rows, as `Table.batches`; null is an empty text."""
        for place in places.values():
            if fault := type_fault(self.schema.field(place)):
                raise InputError(f"--input: column {self.columns[place]!r} of {self._source} {fault}")
        row = 0
        for batch in self._read(size):
            texts = {
                feature: [text or "" for text in texts_of(batch.column(place))] for feature, place in places.items()
            }
            lines = list(range(row + 1, row + batch.num_rows + 1))
            row += batch.num_rows
            yield Batch(lines, [None] * len(lines), texts, batch, partial(self._values, batch))

    def _values(self, batch: pa.RecordBatch) -> list[list[Any]]:
        columns = []
        for name, column in zip(self.columns, batch.columns, strict=True):
            names = self._class_names.get(name)
            columns.append(column.to_pylist() if names is None else as_names(texts_of(column), names))
        return [list(row) for row in zip(*columns, strict=True)]


def _python_type(kind: pa.DataType) -> type:
    import pyarrow as pa

    for fits, found in ((pa.types.is_boolean, bool), (pa.types.is_integer, int), (pa.types.is_floating, float)):
        if fits(kind):
            return found
    return str


@contextmanager
def open_parquet_table(source: Path, options: TextOptions) -> Iterator[ColumnsTable]:
    """Opens a file whose rows are to be labelled.

    Args:
        source: The file.
        options: Of no matter.

    Raises:
        WrongKindError: It is no Parquet, or damaged.
    """
    with opened(str(source)) as stream:
        file = open_parquet(stream, source.name)
        count = max(1, file.metadata.num_rows)
        yield ColumnsTable(file.schema_arrow, partial(read_batches, file), source, {}, lambda rows: rows / count)


def check_parquet(source: Path, options: TextOptions) -> None:
    """Looks whether a file has the start and the end of a Parquet file.

    Raises:
        WrongKindError: It has not.
    """
    with open_parquet_table(source, options):
        pass


@contextmanager
def write_parquet(target: Path, table: Table, columns: list[str], options: TextOptions) -> Iterator[Write]:
    """Opens a file for labelled rows, as `writing_columns`."""
    import pyarrow.parquet as pq

    with writing_columns(target, table, columns, pq.ParquetWriter) as write:
        yield write


@contextmanager
def writing_columns(
    target: Path,
    table: Table,
    columns: list[str],
    open_writer: Callable[[BinaryIO, pa.Schema], AbstractContextManager[Any]],
    extend_metadata: Callable[[Any, list[str], list[str]], Any] = lambda metadata, columns, added: metadata,
) -> Iterator[Write]:
    """Opens a file with columns for labelled rows; it appears when all is written.

    A source with columns keeps its schema; of another, columns of truth values, whole numbers or numbers alone are
    that, and all others text. Probabilities are float32.

    Args:
        target: The file.
        table: Where the rows come from.
        columns: The names of all columns: those of the table, then those that are added.
        open_writer: Opens what writes tables of a schema into a file.
        extend_metadata: Makes the schema's metadata of those of the source, for the names of its columns as they are
            called now and of those that are added.

    Raises:
        InputError: It cannot be written.
    """
    import pyarrow as pa

    if compression_of(target.name):
        suffix = Path(without_compression(target.name)).suffix
        raise InputError(f"--output: {target} would be compressed twice; let its name end in {suffix}")
    width = len(table.columns)
    if isinstance(table, ColumnsTable):
        kept = [field.with_name(name) for field, name in zip(table.schema, columns, strict=False)]
        metadata = extend_metadata(table.schema.metadata, columns[:width], columns[width:])
    else:
        arrow = {bool: pa.bool_(), int: pa.int64(), float: pa.float64(), str: pa.string()}
        kept = [pa.field(name, arrow[kind]) for name, kind in zip(columns, table.types, strict=False)]
        metadata = None
    of_text = (columns[width], EXPLANATION)
    added = [pa.field(name, pa.string() if name in of_text else pa.float32()) for name in columns[width:]]
    schema = pa.schema([*kept, *added], metadata)

    with writing_bytes(target, "--output") as sink, open_writer(sink, schema) as writer:
        waiting: list[pa.RecordBatch] = []

        def flush() -> None:
            if waiting:
                writer.write_table(pa.Table.from_batches(waiting, schema))
                waiting.clear()

        def write(batch: Batch, answers: list[Answer | None]) -> None:
            if isinstance(table, ColumnsTable):
                arrays = list(batch.rows.columns)
            else:
                rows = [map(_fitting, row, table.types) for row in batch.values()]
                columns_of_rows = zip(*rows, strict=True)
                arrays = [pa.array(list(c), field.type) for c, field in zip(columns_of_rows, kept, strict=True)]
            for number, field in enumerate(added):
                values = [None if answer is None else _own(answer)[number] for answer in answers]
                arrays.append(pa.array(values, field.type))
            waiting.append(pa.RecordBatch.from_arrays(arrays, schema=schema))
            if sum(batch.nbytes for batch in waiting) > _ROW_GROUP_BYTES:
                flush()

        yield write
        flush()


def _own(answer: Answer) -> list[Any]:
    return [answer.label, *answer.probabilities, answer.explanation]


def _fitting(value: Any, kind: type) -> Any:
    if value is None or kind is str:
        return None if value is None else as_text(value)
    # A text here is a line that could not be read, where the texts are numbers; it is named among the unlabelled rows.
    return None if isinstance(value, str) else kind(value)
