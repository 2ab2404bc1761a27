"""The labels that are in another file than the texts: line by line, or by a column that both have."""

import hashlib
import os
from array import array
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fullbake.components.data.data_files import is_address, opened
from fullbake.components.data.file_kinds import named
from fullbake.components.data.formats import format_of
from fullbake.components.data.readers.bounded_lines import bounded_lines
from fullbake.components.data.reading import place_in, quoting_of
from fullbake.components.data.row_format import RowFormat
from fullbake.components.data.row_slices import NO_SLICES
from fullbake.components.data.rows import BadRow, LineCount
from fullbake.components.data.text_encoding import decoded
from fullbake.contract.errors import InputError

if TYPE_CHECKING:
    import numpy as np

_NUMBER_BYTES = 8


class LabelsFile:
    """What a file with labels says.

    It takes four bytes a row, and twelve where the labels have ids: digests of these, which no two ids share, almost
    surely.

    Args:
        path: Where the file is.
        fmt: How it is written, and the columns of ids and labels. Without one of ids, it is a label to a line.
        setting: The setting that names the file, for errors.

    Raises:
        InputError: It cannot be read from its start to its end, or has an id twice.
    """

    def __init__(self, path: str, fmt: RowFormat, setting: str):
        import numpy as np  # here, for no error should wait for it

        self.name = os.path.basename(path)
        self.lines = 0
        self._path, self._fmt, self._setting = path, fmt, setting
        self._values: dict[tuple[str, ...], int] = {}
        self._digests = np.zeros(0, np.uint64)
        numbers, digests, lines = array("I"), array("Q"), array("Q")
        if fmt.id_column is None:
            self._read_lines(numbers)
        else:
            for line, row_id, cells in self._rows(fmt.id_column):
                digests.append(_digest(row_id))
                numbers.append(self._number(cells))
                lines.append(line)
        self._numbers = np.frombuffer(numbers, np.uint32) if numbers else np.zeros(0, np.uint32)
        if digests:
            self._sort(np.frombuffer(digests, np.uint64), lines)
        self._cells = list(self._values)

    def on_line(self, line: int) -> tuple[str, ...]:
        """Returns the one cell that is on a line, from 1; nothing beyond the last."""
        return self._cells[self._numbers[line - 1]] if line <= len(self._numbers) else ()

    def of_id(self, row_id: str) -> tuple[str, ...]:
        """Returns the cells that an id has in the columns with labels; nothing where it is not there."""
        digest = self._digests.dtype.type(_digest(row_id))
        place = int(self._digests.searchsorted(digest))
        found = place < self._digests.size and self._digests[place] == digest
        return self._cells[self._numbers[place]] if found else ()

    def _number(self, cells: tuple[str, ...]) -> int:
        return self._values.setdefault(cells, len(self._values))

    def _read_lines(self, numbers: "array[int]") -> None:
        count, nothing = LineCount(), self._number(("",))
        with named(self.name, self._setting), opened(self._path) as stream:
            text = decoded(stream, self._fmt.dialect.encoding)
            advice = f"; is {self._fmt.names['encoding']} right?"
            for line in bounded_lines(text, self._fmt.dialect.encoding, advice, count):
                if isinstance(line, BadRow):
                    raise self._unreadable(line)
                numbers.extend([nothing] * (line.number - 1 - len(numbers)))
                numbers.append(self._number((line.text.strip(),)))
        self.lines = count.total

    def _rows(self, id_column: str) -> Iterator[tuple[int, str, tuple[str, ...]]]:
        fmt = columns_of_labels(self._fmt, id_column)
        with named(self.name, self._setting):
            quoting = quoting_of(lambda: opened(self._path), self.name, fmt, self._setting)
        with named(self.name, self._setting), opened(self._path) as stream:
            read = format_of(self.name, labelled=True).read
            for record in read(stream, self.name, fmt, self._setting, quoting, LineCount()):
                if isinstance(record, BadRow):
                    raise self._unreadable(record)
                row_id = record.values[id_column].strip()
                if not row_id:
                    raise self._unreadable(BadRow(record.line, f"no id in column {id_column!r}", [], ""))
                yield record.line, row_id, tuple(record.values[column].strip() for column in fmt.columns_with_labels)

    def _sort(self, digests: "np.ndarray", lines: "array[int]") -> None:
        order = digests.argsort(kind="stable")
        self._digests, self._numbers = digests[order], self._numbers[order]
        (twice,) = (self._digests[1:] == self._digests[:-1]).nonzero()
        if not twice.size:
            return
        first, second = (lines[order[twice[0] + more]] for more in (0, 1))
        row_id = next(row_id for line, row_id, _ in self._rows(str(self._fmt.id_column)) if line == first)
        setting = self._setting
        raise InputError(
            "the id {row_id!r} is in {file} twice, on {first} and {second}; leave one of them",
            field=setting,
            row_id=row_id,
            file=self.name,
            first=place_in(self.name, first),
            second=place_in(self.name, second),
        )

    def _unreadable(self, row: BadRow) -> InputError:
        setting = self._setting
        return InputError(
            "{file} {place} cannot be read: {reason}; correct it",
            field=setting,
            file=self.name,
            place=place_in(self.name, row.line),
            reason=row.reason,
        )


def columns_of_labels(fmt: RowFormat, id_column: str) -> RowFormat:
    """Returns the columns that are wanted of a table with labels."""
    return replace(fmt, text_column=id_column, text_pair_column=None, id_column=id_column, slices=NO_SLICES)


# A process reads several files with texts, each of them twice, and the labels of all once.
_kept: tuple[Any, LabelsFile] | None = None


def labels_file(path: str, fmt: RowFormat, setting: str) -> LabelsFile:
    """Returns what a file with labels says, as `LabelsFile`; the one that was last asked for is kept.

    Raises:
        InputError: There is no such file, or as `LabelsFile`.
    """
    global _kept
    try:
        key = (path, _state(path), fmt, setting)
        if _kept is None or _kept[0] != key:
            _kept = None  # not two at once
            _kept = key, LabelsFile(path, fmt, setting)
        return _kept[1]
    except OSError as error:
        raise InputError(
            "{file} cannot be read: {reason}; it is looked for in the folder of the texts",
            field=setting,
            file=path,
            reason=getattr(error, "strerror", None) or str(error),
        ) from error


def _state(path: str) -> Any:
    if is_address(path):
        from apache_beam.io.filesystems import FileSystems  # here, for it takes seconds to import

        return FileSystems.checksum(path)
    found = os.stat(path)
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _digest(row_id: str) -> int:
    # A byte that does not decode stands as a lone surrogate.
    content = row_id.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(content, digest_size=_NUMBER_BYTES).digest(), "big")
