"""The files of which `fullbake init` makes a config."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from fullbake.components.data.data_files import match_files
from fullbake.components.data.dataset_folders import SPLITS, STATE, split_names
from fullbake.contract.errors import InputError

_TRAIN, _TEST = "train", "test"  # as datasets calls them


@dataclass
class FirstSource:
    """Data files, and how a config names them.

    Attributes:
        name: What they are called together.
        input_base: The folder.
        pattern: Which files in it.
        files: These files, sorted.
        test_base: The folder of a test set; None if there is none.
        notes: What should be known of what was chosen, a sentence each.
    """

    name: str
    input_base: str
    pattern: str
    files: list[str]
    test_base: str | None = None
    notes: list[str] = field(default_factory=list)


def find_source(path: str) -> FirstSource:
    """Finds the files that a path means: a file, or a folder that datasets' `save_to_disk` wrote.

    Of several splits, `train` is what a model is trained on and `test` its test set.

    Raises:
        InputError: It is another folder, or none of its splits is called `train`.
    """
    if not os.path.isdir(path):
        folder, name = os.path.split(path)
        # A pattern has no escapes, but a question mark stands for any character.
        return FirstSource(name, folder or ".", re.sub(r"[*{}\[\]]", "?", name), [path])
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
        raise InputError(f"{path} is a folder; name one of its data files")
    for base in filter(None, (source.input_base, source.test_base)):
        if not any(file.endswith(".arrow") for file in match_files(base, "*")):
            raise InputError(f"{base} has no .arrow file; save the dataset again")
    source.files = match_files(source.input_base, "*")
    return source
