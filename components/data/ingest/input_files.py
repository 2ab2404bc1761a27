"""The files that ExampleGen reads."""

from fullbake.components.data.data_file import DataFile
from fullbake.components.data.data_files import match_files
from fullbake.components.data.data_folders import INPUT_BASE
from fullbake.components.data.label_place import CLASS_FOLDERS, FOLDER, IN_COLUMNS, LabelPlace, as_data_files
from fullbake.contract.errors import InputError
from fullbake.trainer.locations import locate


def find_labelled_files(
    input_base: str, patterns: list[str], first_number: int = 0, place: LabelPlace = IN_COLUMNS
) -> list[DataFile]:
    """Returns the labelled files, sorted within each pattern, each named by its path below the folder.

    Args:
        input_base: The folder.
        patterns: Which files below it.
        first_number: The number of the first.
        place: Where their labels are.

    Raises:
        InputError: As `label_place.as_data_files`.
    """
    files: list[DataFile] = []
    for pattern in patterns:
        paths = match_files(input_base, pattern)
        files += as_data_files(paths, input_base, pattern, place, first_number + len(files), source=INPUT_BASE)
    return files


def find_other_files(
    folder: str | None, source: str, first_number: int, place: LabelPlace = IN_COLUMNS
) -> list[DataFile]:
    """Returns the files of another folder, sorted, each named by its whole path: its name may be in both.

    Raises:
        InputError: There is none, or as `label_place.as_data_files`.
    """
    if folder is None:
        return []
    folder = locate(folder)
    pattern = other_pattern(place)
    files = as_data_files(match_files(folder, pattern), folder, pattern, place, first_number, source=source)
    if not files:
        raise InputError("no file is in {folder}; set it to a folder of files, or to null", field=source, folder=folder)
    return files


def other_pattern(place: LabelPlace) -> str:
    """Returns the pattern of the files in another folder than the one that has a pattern of its own."""
    return CLASS_FOLDERS if place.label_from == FOLDER else "*"
