"""The rows of a `DataFile`, each with its label, wherever that is."""

from collections.abc import Iterator
from dataclasses import replace

from fullbake.components.data.columns import shorten
from fullbake.components.data.data_file import DataFile
from fullbake.components.data.data_files import opened
from fullbake.components.data.data_folders import INPUT_BASE
from fullbake.components.data.file_kinds import named
from fullbake.components.data.formats import TEXTS, FileFormat, format_of, is_table, says_no_format
from fullbake.components.data.label_place import OF_THE_FILE, labels_setting
from fullbake.components.data.labels_file import LabelsFile, labels_file
from fullbake.components.data.quoting import QUOTINGS, STANDARD, Quoting
from fullbake.components.data.readers.bounded_lines import bounded_lines
from fullbake.components.data.row_format import RowFormat
from fullbake.components.data.row_judge import row_judge
from fullbake.components.data.rows import BadRow, LineCount, Record, Row
from fullbake.components.data.single_texts import read_single_texts
from fullbake.components.data.text_encoding import decoded
from fullbake.contract.errors import InputError

NO_PARTNER = "no label in the labels file"
"""The kind of bad row of which another file should have the label, and does not."""


def read_file(
    file: DataFile,
    fmt: RowFormat,
    source: str = INPUT_BASE,
    *,
    quoting: Quoting = STANDARD,
    count: LineCount | None = None,
) -> Iterator[Row | BadRow]:
    """Reads the rows of a file as `reading.read_rows` does, each with its label from wherever that is.

    A file whose labels are its name, or stand line by line in another file, has a text to a line, unless its name says
    that it is a table.

    Args:
        file: The file.
        fmt: The columns and labels.
        source: The setting that names the file's folder, for errors.
        quoting: As for `reading.read_rows`.
        count: Likewise.

    Raises:
        InputError: As `formats.ReadRecords`; a file with labels cannot be read, or has another number of lines.
    """
    count = LineCount() if count is None else count
    judge = row_judge(fmt if file.label is None else replace(fmt, label_column=OF_THE_FILE))
    for record in _records(file, fmt, source, quoting, count):
        yield record if isinstance(record, BadRow) else judge(*record)


def quoting_of_file(file: DataFile, fmt: RowFormat, source: str = INPUT_BASE) -> Quoting:
    """Returns what the double quotes of a file mean, as `reading.quoting_of` does.

    Raises:
        InputError: As `formats.ReadRecords`.
    """
    find_quoting = None if file.texts else format_of_file(file, fmt).find_quoting
    if find_quoting is None:
        return STANDARD
    with named(file.name, source):
        return find_quoting(lambda: opened(file.path), file.name, own_columns(file, fmt), source)


def check_data_file(file: DataFile, fmt: RowFormat, source: str = INPUT_BASE) -> None:
    """Checks that a file has the wanted columns, and a row; of a folder of single texts, the first is opened.

    Raises:
        InputError: As `read_file`.
    """
    next(read_file(file, fmt, source, quoting=QUOTINGS[fmt.dialect.quoting] or STANDARD))


def _records(
    file: DataFile, fmt: RowFormat, source: str, quoting: Quoting, count: LineCount
) -> Iterator[Record | BadRow]:
    if file.texts:
        yield from _with_label(read_single_texts(file, fmt, count), str(file.label))
        return
    labels: LabelsFile | None = None
    if file.labels_path is not None:
        labels = labels_file(file.labels_path, fmt, labels_setting(source))
        if fmt.id_column is None:
            _check_lines(file, fmt, source, labels)
    file_format = format_of_file(file, fmt)
    with named(file.name, source), opened(file.path) as stream:
        records = file_format.read(stream, file.name, own_columns(file, fmt), source, quoting, count)
        if file_format is TEXTS and says_no_format(file.path):
            records = _no_header(records, file, fmt, source)
        if file.label is not None:
            records = _with_label(records, str(file.label))
        elif labels is not None:
            records = _with_partner(records, fmt, labels)
        yield from records


def _with_label(records: Iterator[Record | BadRow], label: str) -> Iterator[Record | BadRow]:
    for record in records:
        if isinstance(record, BadRow):
            yield record
        else:
            yield record._replace(values={**record.values, OF_THE_FILE: label})


def _with_partner(records: Iterator[Record | BadRow], fmt: RowFormat, labels: LabelsFile) -> Iterator[Record | BadRow]:
    """Yields records with their labels from another file; of a record that has none there, a bad row."""
    for record in records:
        if isinstance(record, BadRow):
            yield record
            continue
        if fmt.id_column is None:
            cells, partner = labels.on_line(record.line), f"on line {record.line} of {labels.name}"
        else:
            row_id = record.values[fmt.id_column].strip()
            cells, partner = labels.of_id(row_id), f"for {fmt.id_column} {shorten(repr(row_id))} in {labels.name}"
        if any(cells) or (cells and fmt.multi_label):
            values = {**record.values, **dict(zip(fmt.columns_with_labels, cells, strict=True))}
            yield Record(record.line, values, [*record.fields, *cells], record.lines)
        else:
            yield BadRow(record.line, f"no label {partner}", record.fields, NO_PARTNER, record.lines)


def _check_lines(file: DataFile, fmt: RowFormat, source: str, labels: LabelsFile) -> None:
    """Checks, before a line is used, that each has its label: a line more or less would shift all that follow."""
    count = LineCount()
    with named(file.name, source), opened(file.path) as stream:
        for _ in bounded_lines(decoded(stream, fmt.dialect.encoding), fmt.dialect.encoding, "", count):
            pass
    setting = labels_setting(source)
    if count.total != labels.lines:
        raise InputError(
            "{file} has {texts:,} lines and {other} has {lines:,}, and line by line they belong together; "
            "correct the one that is wrong, or join them by a column: {id_column}",
            field=setting,
            file=file.name,
            texts=count.total,
            lines=labels.lines,
            other=labels.name,
        )


def _no_header(
    records: Iterator[Record | BadRow], file: DataFile, fmt: RowFormat, source: str
) -> Iterator[Record | BadRow]:
    """Yields the lines of a file of unknown suffix, of which the first must not be the header of a table."""
    first = next(records)
    if isinstance(first, Record) and first.line == 1:
        fields = [field.strip(' "') for field in first.values[fmt.text_column].split(fmt.dialect.delimiter)]
        if fmt.text_column in fields:
            raise InputError(
                "the first line of {file} has {column!r} as a table's header has it, and files of this name are read "
                "as a text to a line; let its name end in .csv if it is a table, else in .txt",
                field=source,
                file=file.name,
                column=fmt.text_column,
            )
    yield first
    yield from records


def format_of_file(file: DataFile, fmt: RowFormat) -> FileFormat:
    """Returns the format of a file, and of files that hold one text each that of a text to a line."""
    if file.texts:
        return TEXTS
    by_id = file.labels_path is not None and fmt.id_column is not None
    elsewhere = file.label is not None or file.labels_path is not None
    if elsewhere and not by_id and not is_table(file.path):
        return TEXTS
    return format_of(file.path, labelled=fmt.labelled)


def own_columns(file: DataFile, fmt: RowFormat) -> RowFormat:
    """Returns the columns that are wanted of the file itself."""
    if file.label is not None:
        return replace(fmt, labelled=False, id_column=None)
    return fmt if file.labels_path is None else replace(fmt, labelled=False)
