"""How the files of a first config are written: their dialect, or the encoding of files with texts and nothing else."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import BinaryIO, cast

from fullbake.components.data.data_file import DataFile
from fullbake.components.data.data_files import opened
from fullbake.components.data.file_rows import format_of_file, own_columns
from fullbake.components.data.formats import TEXTS, format_of
from fullbake.components.data.labels_file import columns_of_labels
from fullbake.components.data.row_format import RowFormat
from fullbake.components.data.text_encoding import find_encoding
from fullbake.contract.errors import InputError
from fullbake.pipeline.first_config.dialect_lines import dialect_lines
from fullbake.pipeline.first_config.first_source import FirstSource
from fullbake.pipeline.first_config.yaml_text import scalar


def find_written(source: FirstSource, fmt: RowFormat) -> tuple[RowFormat, tuple[str, ...]]:
    """Returns the format with the dialect that the files have, and what people should know of it.

    Args:
        source: The files. Of CSV files, the first says the dialect of all, that with the labels the last.
        fmt: Names the wanted columns.

    Raises:
        WrongKindError: A file is no CSV.
        InputError: A column is not there, or the texts have no header and the labels are found by one of its columns.
    """
    for file in source.files:
        file_format = format_of_file(file, fmt)
        if file_format.find_dialect is not None:
            found = file_format.find_dialect(partial(opened, file.path), own_columns(file, fmt))
            if found.fmt.dialect.columns is not None and fmt.id_column is not None:
                raise InputError(f"{file.name} has no header, which names the column {fmt.id_column!r}; give it one")
            return replace(found.fmt, labelled=fmt.labelled, id_column=fmt.id_column), found.notes
    labels_path = source.place.labels_path(source.input_base)
    if labels_path is not None and fmt.id_column is not None:
        find_dialect = format_of(labels_path, labelled=True).find_dialect
        if find_dialect is not None:
            found = find_dialect(partial(opened, labels_path), columns_of_labels(fmt, fmt.id_column))
            return replace(fmt, dialect=found.fmt.dialect), found.notes
    if texts := [file for file in source.files if format_of_file(file, fmt) is TEXTS]:
        encoding = find_encoding(cast(BinaryIO, _OneAfterTheOther(texts)))
        return replace(fmt, dialect=replace(fmt.dialect, encoding=encoding)), ()
    return fmt, ()


def written_lines(source: FirstSource, fmt: RowFormat, notes: Sequence[str]) -> Iterator[str]:
    """Yields the keys that say how files are written, as `find_written` found it.

    Args:
        source: The files.
        fmt: Their format.
        notes: What people should know of it.
    """
    formats = [format_of_file(file, fmt) for file in source.files]
    labels_file = source.place.labels_file
    if labels_file is not None and fmt.id_column is not None:
        formats.append(format_of(labels_file, labelled=True))
    if any(found.find_dialect is not None for found in formats):
        yield from dialect_lines(fmt.dialect, notes)
    elif TEXTS in formats:
        yield f"  encoding: {scalar(fmt.dialect.encoding)}"


class _OneAfterTheOther:
    """Reads the bytes of files, one after the other."""

    def __init__(self, files: Sequence[DataFile]):
        self._chunks = self._read(files)

    def read(self, size: int) -> bytes:
        return next(self._chunks, b"")

    @staticmethod
    def _read(files: Sequence[DataFile]) -> Iterator[bytes]:
        for file in files:
            for path in [os.path.join(file.path, name) for name in file.texts] or [file.path]:
                with opened(path) as stream:
                    while chunk := stream.read(2**20):
                        yield chunk
