"""Folders in which the name of a file or of a folder is the label, for `fullbake init`."""

import os

from fullbake.components.data.data_files import match_files
from fullbake.components.data.data_folders import INPUT_BASE
from fullbake.components.data.formats import is_table
from fullbake.components.data.label_place import CLASS_FOLDERS, FOLDER, LabelPlace, as_data_files
from fullbake.contract.errors import InputError
from fullbake.pipeline.first_config.first_source import FirstSource

_TRAIN, _TEST = "train", "test"
_SPLITS = frozenset((_TRAIN, _TEST, "dev", "val", "valid", "validation", "eval"))


def find_class_source(folder: str, label_from: str) -> FirstSource:
    """Finds the files of a folder whose names, or whose folders' names, are labels.

    Where the folders in it are called as splits are, `train` is what a model is trained on, and `test` its test set.

    Args:
        folder: The folder.
        label_from: `label_place.FILENAME` or `FOLDER`.

    Raises:
        InputError: It is a file, or there are no such files.
    """
    if not os.path.isdir(folder):
        raise InputError(
            f"--label-from {label_from}: {folder} is not a folder; name the one with the files of all classes"
        )
    plain = folder.rstrip("/") or folder
    place = LabelPlace(label_from)
    source = FirstSource(os.path.basename(os.path.abspath(plain)), plain, "*", [], place=place)
    folders = [name for name in _folders(plain) if match_files(os.path.join(plain, name), _pattern(label_from))]
    if _TRAIN in folders and _SPLITS.issuperset(folders):
        source.input_base = os.path.join(plain, _TRAIN)
        source.test_base = os.path.join(plain, _TEST) if _TEST in folders else None
        source.notes.append(f"{_TRAIN!r} is trained on" + (f", {_TEST!r} is the test set" if source.test_base else ""))
        if others := [name for name in folders if name not in (_TRAIN, _TEST)]:
            source.notes.append(f"not read: {', '.join(map(repr, others))}; part of {_TRAIN!r} is the eval split")
    pattern = _pattern(label_from)
    paths = match_files(source.input_base, pattern)
    if label_from == FOLDER:
        prefix = os.path.join(source.input_base, "")
        deep = any(path.removeprefix(prefix).count("/") > 1 for path in paths)
        source.pattern = pattern if deep else "*/*"
    if not paths:
        raise InputError(f"{folder}: no file is in it{' in a folder of a class' if label_from == FOLDER else ''}")
    source.files = as_data_files(paths, source.input_base, source.pattern, place, 0, source=INPUT_BASE)
    return source


def layout_advice(folder: str) -> str:
    """Returns what to do with a folder that holds texts and no dataset, as the end of an error."""
    files = [os.path.basename(path) for path in match_files(folder, "*") if not is_table(path)]
    if labels := [name for name in files if "label" in name.lower()]:
        return f"name the file with the texts, and the one with their labels (such as {labels[0]}) as --labels-file"
    folders = [name for name in _folders(folder) if any(not is_table(path) for path in _files_below(folder, name))]
    if len(folders) > 1:
        return (
            "name one data file or, if its folders are called as the labels of what is in them, add --label-from folder"
        )
    if len(files) > 1:
        return "name one of its data files or, if they are called as the labels, add --label-from filename"
    return "name one of its data files"


def _pattern(label_from: str) -> str:
    return CLASS_FOLDERS if label_from == FOLDER else "*"


def _folders(folder: str) -> list[str]:
    found = os.scandir(folder)
    return sorted(entry.name for entry in found if entry.is_dir() and not entry.name.startswith((".", "_")))


def _files_below(folder: str, name: str) -> list[str]:
    return match_files(os.path.join(folder, name), "**")
