"""A pushed model that is to be judged, and what it says of itself; nothing heavy is imported."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path, PurePath

from fullbake.components.serving.file_system import file_system
from fullbake.components.serving.pushed_models import fault, newest_version, read_about, read_push
from fullbake.contract.errors import InputError
from fullbake.contract.names import ABOUT_FILE
from fullbake.contract.results.about import About
from fullbake.contract.results.push import PushedBounds
from fullbake.trainer.content_hash import hash_file, hash_names

_NOT_LEARNED = ("split:test", "split:before", "split:corpus")  # how a fingerprint's parts begin of other files


@dataclass(frozen=True)
class JudgedModel:
    """A model.

    Attributes:
        path: A pushed version's folder.
        about: What it says of itself.
        bounds: Those that it met when it was pushed; None where nobody wrote them down.
        data: ExampleGen's fingerprint of the files of its training; likewise.
    """

    path: str
    about: About
    bounds: PushedBounds | None
    data: str | None

    def was_trained_on(self, file: Path) -> bool:
        """Says whether a file is, by name and content, the only one of its training."""
        contents = f"sha256:{hash_names([(file.name, hash_file(file))])}"
        parts = [part.split(",") for part in (self.data or "").split(";")]
        return any(part[0] not in _NOT_LEARNED and part[-1] == contents for part in parts)

    @property
    def name(self) -> str:
        """What people call it: the run's name and the version, such as `quickstart-1764493200`."""
        parts = [part for part in PurePath(os.path.abspath(self.path)).parts if part != "serving"]
        return "-".join(parts[-2:]) if parts[-1].isdecimal() else parts[-1]


def find_judged_model(model: str) -> JudgedModel:
    """Finds a pushed model.

    Args:
        model: A version's folder, a serving folder, or an output root.

    Raises:
        InputError: There is none, or it cannot be used.
    """
    files = file_system(model)
    path: str | None = model.rstrip("/")
    if not (files.is_folder(model) and "saved_model.pb" in files.names(model)):
        path = newest_version(model) or newest_version(os.path.join(model, "serving"))
    if path is None:
        raise InputError(f"--model: there is no pushed model in {model}; name a version, a serving folder or a run")
    if reason := fault(path, thorough=False):
        raise InputError(f"--model: {path} {reason}; name another version")
    about = read_about(path)
    if about is None:
        raise InputError(f"--model: {path} has no usable {ABOUT_FILE}; name another version")
    push = read_push(path)
    return JudgedModel(path, about, push.bounds if push else None, push.data if push else None)


def check_comparable(first: JudgedModel, second: JudgedModel) -> None:
    """Checks that two models can be compared row by row.

    Raises:
        InputError: They decide on other labels, or read other texts.
    """
    for what, one, other in (
        ("labels", sorted(first.about.labels), sorted(second.about.labels)),
        ("tasks", [first.about.task], [second.about.task]),
        ("texts", sorted(first.about.text_features), sorted(second.about.text_features)),
    ):
        if one != other:
            only = [name for name in one if name not in other] or one
            others = [name for name in other if name not in one] or other
            raise InputError(
                f"--model: {first.path} and {second.path} have other {what} ({', '.join(only)}; {', '.join(others)}), "
                "so they cannot be compared row by row; evaluate each by itself"
            )
