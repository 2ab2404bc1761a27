"""The files that ExampleGen reads."""

import os
from typing import NamedTuple

from fullbake.components.data.data_files import match_files
from fullbake.contract.errors import InputError
from fullbake.trainer.locations import locate


class DataFile(NamedTuple):
    """A file whose rows are wanted.

    Attributes:
        number: Its number among all files.
        path: Where it is.
        name: What people call it.
    """

    number: int
    path: str
    name: str


def find_labelled_files(input_base: str, patterns: list[str], first_number: int = 0) -> list[DataFile]:
    """Returns the labelled files, sorted within each pattern, each named by its path below the folder."""
    prefix = os.path.join(input_base, "")
    paths = [path for pattern in patterns for path in match_files(input_base, pattern)]
    return [DataFile(number, path, path.removeprefix(prefix)) for number, path in enumerate(paths, first_number)]


def find_other_files(folder: str | None, source: str, first_number: int) -> list[DataFile]:
    """Returns the files of another folder, sorted, each named by its whole path: its name may be in both."""
    if folder is None:
        return []
    folder = locate(folder)
    files = [DataFile(number, path, path) for number, path in enumerate(match_files(folder, "*"), first_number)]
    if not files:
        raise InputError("no file is in {folder}; set it to a folder of files, or to null", field=source, folder=folder)
    return files
