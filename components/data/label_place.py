"""Where the labels of data files are: in a column, in the name of a file or folder, or in another file."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from fullbake.components.data.data_file import DataFile
from fullbake.components.data.data_files import is_address
from fullbake.components.data.data_folders import INPUT_BASE, TEST_BASE
from fullbake.components.data.formats import is_table, without_format
from fullbake.components.data.row_format import RowFormat
from fullbake.components.data.row_judge import row_judge
from fullbake.components.data.row_slices import NO_SLICES
from fullbake.components.data.rows import UNLISTED, BadRow
from fullbake.contract.errors import InputError
from fullbake.contract.nearest import did_you_mean

COLUMN, FILENAME, FOLDER = "column", "filename", "folder"

CLASS_FOLDERS = "*/**"
"""The pattern of all files in folders of classes, however deep."""

OF_THE_FILE = "\0label"
"""As the name of a column: the label that a file's name or folder is. No file has such a column."""

_OPEN = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class LabelPlace:
    """Where the labels of the files of a folder are.

    Attributes:
        label_from: `COLUMN`; or `FILENAME`: all rows of a file have its name as their label, without the suffixes of
            compression and format; or `FOLDER`: all files of a folder have its name, and those that are no tables are
            one text each.
        labels_file: The file that has the labels, below the folder, or its address; None: there is none.
    """

    label_from: str = COLUMN
    labels_file: str | None = None

    def labels_path(self, folder: str) -> str | None:
        """Returns where the file with the labels is."""
        if self.labels_file is None or is_address(self.labels_file):
            return self.labels_file
        return os.path.join(folder, self.labels_file)


IN_COLUMNS = LabelPlace()
"""Labels are in a column of their texts' file."""


def as_data_files(
    paths: Sequence[str], folder: str, pattern: str, place: LabelPlace, first_number: int, *, source: str
) -> list[DataFile]:
    """Returns the files at these paths, with what is known of their labels; of single texts, the folders of classes.

    Args:
        paths: The paths, sorted.
        folder: The folder that they are below.
        pattern: The pattern that they match there.
        place: Where their labels are. The file with labels is no data file.
        first_number: The number of the first.
        source: The setting that names the folder. Files of `INPUT_BASE` are named by their paths below it, others by
            their whole paths, for the same may be in both.

    Raises:
        InputError: A file is in no folder of a class.
    """
    prefix, labels_path = os.path.join(folder, ""), place.labels_path(folder)
    files: list[DataFile] = []
    single: dict[str, list[str]] = {}
    for path in paths:
        if labels_path is not None and _same(path, labels_path):
            continue
        below = path.removeprefix(prefix)
        name = below if source == INPUT_BASE else path
        file = DataFile(0, path, name, labels_path=labels_path)
        if place.label_from == FILENAME:
            file = file._replace(label=without_format(os.path.basename(path)))
        elif place.label_from == FOLDER:
            class_folder = _class_folder(below, pattern, name, source)
            if not is_table(path):
                single.setdefault(class_folder, []).append(below.removeprefix(f"{class_folder}/"))
                continue
            file = file._replace(label=os.path.basename(class_folder))
        files.append(file)
    for below, texts in single.items():
        path = os.path.join(folder, below)
        name = below if source == INPUT_BASE else path
        files.append(DataFile(0, path, name, os.path.basename(below), tuple(texts)))
    files.sort(key=lambda file: file.name)
    return [file._replace(number=number) for number, file in enumerate(files, first_number)]


def _same(path: str, other: str) -> bool:
    return path == other or (not is_address(path) and os.path.normpath(path) == os.path.normpath(other))


def _class_folder(below: str, pattern: str, name: str, source: str) -> str:
    """Returns the first folder that the pattern leaves open; where it leaves none open, the one that the file is in."""
    parts = PurePosixPath(below).parts
    if len(parts) < 2:
        raise InputError(
            "{file} is in no folder of a class, as {label_from} folder has it; move it, or let {pattern} leave it out, "
            "such as */*",
            field=source,
            file=name,
        )
    given = re.sub(r"\{[A-Z]+(:\d+)?\}", "", pattern).split("/")
    fixed = 0
    while fixed < min(len(given) - 1, len(parts) - 2) and (
        given[fixed] == parts[fixed] or not _OPEN.search(given[fixed])
    ):
        fixed += 1
    return "/".join(parts[: fixed + 1])


def labels_setting(source: str) -> str:
    """Returns the setting that names the file with the labels of a folder's files."""
    return "test_labels_file" if source == TEST_BASE else "labels_file"


def check_labels(files: Sequence[DataFile], fmt: RowFormat, source: str = INPUT_BASE) -> None:
    """Checks, before anything is read, what names of files and folders say, and that labels by line have one file.

    Args:
        files: The files of one folder.
        fmt: The columns and labels.
        source: The setting that names the folder.

    Raises:
        InputError: A label is not known, a second text is asked for where there can be none, or labels stand line by
            line in a file of their own and there is more than one file with texts, or it is a table.
    """
    setting = labels_setting(source)
    judge = row_judge(replace(fmt, slices=NO_SLICES, text_pair_column=None, label_column=OF_THE_FILE))
    for file in files:
        if file.label is not None:
            row = judge(1, {fmt.text_column: "text", OF_THE_FILE: file.label}, [], 1)
            if isinstance(row, BadRow) and row.kind != UNLISTED:
                _refuse(file, fmt, source)
        if fmt.text_pair_column is not None and _holds_texts_alone(file, fmt):
            raise InputError(
                "{file} has one text to a {unit}; set it to null, or make tables of the files",
                field="text_pair_column",
                file=file.name,
                unit="file" if file.texts else "line",
            )
        if fmt.slices.wanted and _holds_texts_alone(file, fmt):
            key, column = fmt.slices.wanted[0]
            raise InputError(
                "{file} has no columns, and so no {column!r}; take it out, or make tables of the files",
                field=key,
                file=file.name,
                column=column,
            )
    by_line = [file for file in files if file.labels_path is not None] if fmt.id_column is None else []
    if len(by_line) > 1:
        raise InputError(
            "labels line by line belong to one file, and {count:,} match, such as {first} and {second}; name one with "
            "{pattern}, or join the labels by a column: {id_column}",
            field=setting,
            count=len(by_line),
            first=by_line[0].name,
            second=by_line[1].name,
        )
    if by_line and is_table(by_line[0].path):
        raise InputError(
            "labels line by line belong to a file with a text to a line, and {file} is a table; set {id_column} to the "
            "column that it has in common with the labels",
            field=setting,
            file=by_line[0].name,
        )


def _holds_texts_alone(file: DataFile, fmt: RowFormat) -> bool:
    elsewhere = file.label is not None or (file.labels_path is not None and fmt.id_column is None)
    return bool(file.texts) or (elsewhere and not is_table(file.path))


def _refuse(file: DataFile, fmt: RowFormat, source: str) -> None:
    label = str(file.label)
    kind = "folder" if file.texts or without_format(os.path.basename(file.path)) != label else "file"
    raise InputError(
        "{kind} {file}: its name, {label!r}, is neither in {labels} nor in {label_map}{meant}; rename it, take it "
        "away, add it there, or set {rare_classes} to drop",
        field=source,
        kind=kind,
        file=file.name,
        label=label,
        meant=did_you_mean(label, [*fmt.labels, *fmt.label_map]).removesuffix("?"),
    )
