"""The files of which `fullbake init` makes a config."""

from __future__ import annotations

import os
import re
from pathlib import Path

from fullbake.components.data.data_files import match_files
from fullbake.components.data.data_folders import INPUT_BASE
from fullbake.components.data.dataset_folders import SPLITS, STATE, split_names
from fullbake.components.data.label_place import COLUMN, LabelPlace, as_data_files
from fullbake.contract.errors import InputError
from fullbake.pipeline.first_config.class_files import find_class_source, layout_advice
from fullbake.pipeline.first_config.first_source import FirstSource

_TRAIN, _TEST = "train", "test"  # as datasets calls them


def find_source(path: str, label_from: str = COLUMN, labels_file: str | None = None) -> FirstSource:
    """Finds the files that a path means: a file, a folder that datasets' `save_to_disk` wrote, or one of classes.

    Of several splits, `train` is what a model is trained on and `test` its test set.

    Args:
        path: The file or folder.
        label_from: As of `LabelPlace`.
        labels_file: The path of the file with the labels, from here or from the folder of the texts; None: there is
            none.

    Raises:
        InputError: It is another folder, or none of its splits is called `train`.
    """
    if label_from != COLUMN:
        if labels_file is not None:
            raise InputError(
                f"--labels-file: labels are there or, with --label-from {label_from}, in names; leave out one"
            )
        return find_class_source(path, label_from)
    if not os.path.isdir(path):
        folder, name = os.path.split(path)
        # A pattern has no escapes, but a question mark stands for any character.
        source = FirstSource(name, folder or ".", re.sub(r"[*{}\[\]]", "?", name), [])
        if labels_file is not None:
            source.place = LabelPlace(labels_file=_from_folder(labels_file, source.input_base))
        source.files = as_data_files([path], source.input_base, "*", source.place, 0, source=INPUT_BASE)
        if not source.files:
            raise InputError(f"--labels-file: {labels_file} is the file with the texts; name the one with the labels")
        return source
    if labels_file is not None:
        raise InputError(f"--labels-file: {path} is a folder; name the file with the texts that these labels belong to")
    folder = path.rstrip("/") or path
    name = os.path.basename(os.path.abspath(folder))
    if os.path.isfile(os.path.join(folder, SPLITS)):
        splits = split_names(Path(folder, SPLITS).read_bytes())
        if not splits or (_TRAIN not in splits and len(splits) > 1):
            raise InputError(
                f"{path} has no split 'train' (it has: {', '.join(splits)}); name the folder of one of its splits"
            )
        chosen = _TRAIN if _TRAIN in splits else splits[0]
        test = os.path.join(folder, _TEST) if _TEST in splits and chosen != _TEST else None
        source = FirstSource(name, os.path.join(folder, chosen), "*", [], test)
        others = [split for split in splits if split not in (chosen, _TEST)]
        source.notes.append(f"split {chosen!r} is trained on" + (f", split {_TEST!r} is the test set" if test else ""))
        if others:
            source.notes.append(f"not read: {', '.join(map(repr, others))}; part of {chosen!r} is the eval split")
    elif os.path.isfile(os.path.join(folder, STATE)):
        source = FirstSource(name, folder, "*", [])
    else:
        raise InputError(f"{path} is a folder; {layout_advice(folder)}")
    for base in filter(None, (source.input_base, source.test_base)):
        if not any(file.endswith(".arrow") for file in match_files(base, "*")):
            raise InputError(f"{base} has no .arrow file; save the dataset again")
    found = match_files(source.input_base, "*")
    source.files = as_data_files(found, source.input_base, "*", source.place, 0, source=INPUT_BASE)
    return source


def _from_folder(path: str, folder: str) -> str:
    """Returns a path from here as one from a folder; one that is only there as it is."""
    there = os.path.join(folder, path)
    return path if os.path.exists(there) and not os.path.exists(path) else os.path.relpath(path, folder)
