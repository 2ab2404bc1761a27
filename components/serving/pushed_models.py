"""The folder of pushed models: which version serves, what is known of each, and whether it can be used.

What serves is decided as TensorFlow Serving does it (`file_system_storage_path_source.cc`): a child of the folder is
a version if its whole name is an integer of 64 bits, whatever is in it and whether it is a folder or a file; leading
zeros and a sign are part of a number; of two names for one number the later in the alphabet counts; the highest version
is loaded. So a folder with a higher number and nothing of use in it is what a server will try to load, and must not be
passed over here.

Nothing heavy is imported: `fullbake models` reads this, and so does what checks a config before TensorFlow is there.
"""

from __future__ import annotations

import hashlib
import os
import re
from typing import NamedTuple, TypeVar

from fullbake.components.serving.file_system import file_system
from fullbake.contract.errors import InputError
from fullbake.contract.names import ABOUT_FILE
from fullbake.contract.results.about import About
from fullbake.contract.results.push import Push
from fullbake.contract.results.result import ResultFile

_File = TypeVar("_File", bound=ResultFile)

MODEL = "pushed_model"
"""The setting that says which model is opened; for errors (see `InputError`)."""

NUMBER = re.compile(r"\s*[+-]?[0-9]+\s*", re.ASCII)
HIGHEST = 2**63 - 1
_CHUNK = 2**20  # bytes hashed at once


class Version(NamedTuple):
    """A child of the push destination that a server takes for a version.

    Attributes:
        number: What it is ordered by.
        path: Where it is; its last part is mostly, but not always, the number.
    """

    number: int
    path: str

    @property
    def name(self) -> str:
        """What it is called in its folder."""
        return os.path.basename(self.path)


def versions(serving_dir: str) -> list[Version]:
    """Returns the versions in a push destination as a server sees them, oldest first."""
    files = file_system(serving_dir)
    if not files.is_folder(serving_dir):
        return []
    try:
        names = sorted(files.names(serving_dir))
    except OSError as error:
        raise InputError(
            "{folder} cannot be read: {reason}; name a folder that can",
            field="serving_dir",
            folder=serving_dir,
            reason=error.strerror,
        ) from error
    found = {}
    for name in names:
        if NUMBER.fullmatch(name) and -HIGHEST - 1 <= int(name) <= HIGHEST:
            found[int(name)] = Version(int(name), os.path.join(serving_dir, name))
    return [found[number] for number in sorted(found)]


def newest_version(serving_dir: str) -> str | None:
    """Returns what a server loads: the path of the highest version, or None if nothing was pushed yet."""
    pushed = versions(serving_dir)
    return pushed[-1].path if pushed else None


def read_about(model: str) -> About | None:
    """Returns what a pushed model says of itself; None for a model of other make."""
    return _read(About, model)


def read_push(model: str) -> Push | None:
    """Returns what was written down when a model was pushed; None for a model of other make."""
    return _read(Push, model)


def fault(model: str, *, thorough: bool = True) -> str | None:
    """Returns why a version cannot be used, as far as that can be known without opening it.

    Args:
        model: A version's path.
        thorough: Compare the contents of files with those that were pushed, not only their sizes; of local ones only,
            because reading a bucket takes long.

    Returns:
        The rest of a sentence that begins with the model, or None if nothing is wrong.
    """
    files = file_system(model)
    thorough = thorough and is_local(model)
    if not files.is_folder(model):
        return "is a file, not a folder with a SavedModel"
    sizes = files.sizes(model)
    needed = ["saved_model.pb", "variables/variables.index"]
    needed += [name for name in sizes if name.startswith("variables/variables.data-")] or ["variables/variables.data-*"]
    for name in needed:
        if name not in sizes:
            return f"has no {name} (perhaps it is still being copied)"
        if not sizes[name]:
            return f"has an empty {name}"
    push = read_push(model)
    for name, was in ((push and push.files) or {}).items():
        if name not in sizes:
            return f"lacks {name}, which was pushed"
        if sizes[name] != was.bytes or (thorough and was.sha256 and digest(model, name) != was.sha256):
            return f"has another {name} than was pushed"
    if read_about(model) is None:
        return f"was not made by fullbake: it has no usable {ABOUT_FILE}"
    return None


def digest(model: str, name: str) -> str:
    """Returns the SHA-256 of a local model's file."""
    hashed = hashlib.sha256()
    with open(os.path.join(model, name), "rb") as file:
        while chunk := file.read(_CHUNK):
            hashed.update(chunk)
    return hashed.hexdigest()


def is_local(path: str) -> bool:
    """Returns whether a path is on this machine, and not an address of a bucket."""
    return "://" not in path


def _read(kind: type[_File], model: str) -> _File | None:
    # A damaged file is as good as none; `fault` says what is wrong.
    try:
        return kind.from_json(file_system(model).read(os.path.join(model, kind.FILE)))
    except (OSError, ValueError):
        return None
