"""Where the versions are that are served, and what the model is called. Imports nothing heavy."""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from fullbake.components.serving.file_system import file_system
from fullbake.components.serving.pushed_models import NUMBER, Version, fault, versions
from fullbake.contract.errors import InputError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)
_SERVING = "serving"


class Source(NamedTuple):
    """What is served.

    Attributes:
        name: The model's.
        folder: The serving folder, whose highest version is served; None: one version and no other.
        version: The version to begin with.
    """

    name: str
    folder: str | None
    version: Version

    def newest(self) -> Version | None:
        """Returns the version that is to be served now; None if the folder has none."""
        if self.folder is None:
            return self.version
        found = versions(self.folder)
        return found[-1] if found else None


def find_source(directory: str, name: str | None) -> Source:
    """Finds what is to be served.

    Args:
        directory: A pushed version, a serving folder, or an output root.
        name: What the model is to be called; None: as the run's folder.

    Raises:
        InputError: There is no model that can be used, or the name cannot be one.
    """
    directory = directory.rstrip("/") or "/"
    if name is not None and not _NAME.fullmatch(name):
        raise InputError(f"--name: {name!r} cannot be a part of an address; use letters, digits, '.', '_' and '-'")
    source = _found(directory, name)
    if reason := fault(source.version.path, thorough=False):
        raise InputError(f"DIR: {source.version.path} {reason}; name another version, or push one")
    return source


def _found(directory: str, name: str | None) -> Source:
    files = file_system(directory)
    if files.is_folder(directory) and "saved_model.pb" in files.names(directory):
        number = os.path.basename(os.path.abspath(directory))
        version = Version(int(number) if NUMBER.fullmatch(number) else 1, directory)
        return Source(name or _run_name(os.path.dirname(os.path.abspath(directory))), None, version)
    for folder in (directory, os.path.join(directory, _SERVING)):
        if found := versions(folder):
            return Source(name or _run_name(folder), folder, found[-1])
    raise InputError(f"DIR: nothing was pushed to {directory}; name a version, a serving folder or an output root")


def _run_name(folder: str) -> str:
    """Returns the name of the run that has this serving folder, as far as an address can have it."""
    parts = os.path.abspath(folder).strip("/").split("/")
    name = parts[-2] if parts[-1] == _SERVING and len(parts) > 1 else parts[-1]
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).lstrip("._-") or "model"
