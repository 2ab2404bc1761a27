"""Finds the files of a local data folder. Only the pattern is a pattern: a folder may be called anything."""

import glob
import os


def match_files(folder: str, pattern: str) -> list[str]:
    """Finds the files that a pattern means.

    Args:
        folder: A folder; each character of its path stands for itself.
        pattern: A glob below it; `**` stands for any folders. A part with brackets that is the very name of a file or
            folder there means that one.

    Returns:
        The paths, sorted; without files whose name starts with `.` or `_`.
    """
    names = glob.glob(_brackets_as_they_are(folder, pattern), root_dir=folder, recursive=True)
    paths = (os.path.join(folder, name) for name in names)
    return sorted(path for path in paths if os.path.isfile(path) and not _is_hidden(path))


def _brackets_as_they_are(folder: str, pattern: str) -> str:
    escaped, place = [], folder
    for part in pattern.split("/"):
        place = os.path.join(place, part)
        escaped.append(part.replace("[", "[[]") if os.path.lexists(place) else part)
    return "/".join(escaped)


def _is_hidden(path: str) -> bool:
    return os.path.basename(path).startswith((".", "_"))
