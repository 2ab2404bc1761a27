"""The argument DIR of commands about pushed models."""

from __future__ import annotations

from fullbake.contract.errors import InputError


def find_serving_folder(directory: str) -> str:
    """Finds the folder of pushed models that is meant.

    Args:
        directory: Itself, or the output root that it is in.

    Raises:
        InputError: Nothing was pushed there.
    """
    from fullbake.components.serving.pushed_models import versions

    for folder in (directory.rstrip("/"), f"{directory.rstrip('/')}/serving"):
        if versions(folder):
            return folder
    raise InputError(f"DIR: nothing was pushed to {directory}; name a serving folder or an output root")
