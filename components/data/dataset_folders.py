"""Folders that Hugging Face's datasets writes with `save_to_disk` (looked at in its version 5.2.0)."""

import json
import os
from collections.abc import Callable, Iterable
from typing import Any

STATE = "state.json"
"""The file of a saved Dataset that names the files with its rows."""

SPLITS = "dataset_dict.json"
"""The file of a saved DatasetDict that names its splits, each of which is a folder with a Dataset."""

_INFO = "dataset_info.json"
_ROWS = ".arrow"


def rows_alone(paths: Iterable[str], read: Callable[[str], bytes | None]) -> list[str]:
    """Leaves out of files those in such a folder that hold no rows of the dataset.

    These are what datasets notes beside the rows, and what it puts there later for its own use, as copies of them.

    Args:
        paths: The files.
        read: Returns the content of a file, None if it is not there.
    """
    paths = list(paths)
    folders = {os.path.dirname(path) for path in paths if path.endswith(_ROWS)}
    rows = {folder: row_files(read(os.path.join(folder, STATE))) for folder in folders}

    def wanted(path: str) -> bool:
        folder, name = os.path.split(path)
        if name == SPLITS:
            return not split_names(read(path))
        if folder not in folders:
            return True
        listed = rows[folder]
        return name not in (STATE, _INFO) and (not listed or not name.endswith(_ROWS) or name in listed)

    return [path for path in paths if wanted(path)]


def row_files(state: bytes | None) -> list[str]:
    """Returns the names of the files with the rows, by the content of `STATE`; none if it does not say them."""
    found = _values(state).get("_data_files")
    return [str(file.get("filename")) for file in found if isinstance(file, dict)] if isinstance(found, list) else []


def split_names(splits: bytes | None) -> list[str]:
    """Returns the names of the splits, by the content of `SPLITS`; none if it does not say them."""
    found = _values(splits).get("splits")
    return list(map(str, found)) if isinstance(found, list) else []


def _values(content: bytes | None) -> dict[str, Any]:
    try:
        values = json.loads(content or b"")
    except ValueError:
        return {}
    return values if isinstance(values, dict) else {}
