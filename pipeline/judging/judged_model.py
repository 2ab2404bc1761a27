"""A pushed model that is to be judged, and what it says of itself; nothing heavy is imported."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path, PurePath

from fullbake.components.serving.pushed_models import MODEL, read_push
from fullbake.contract.errors import InputError
from fullbake.contract.results.about import About
from fullbake.contract.results.push import PushedBounds
from fullbake.pipeline.prediction.predictor import about_usable, find_model
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
    path = find_model(model)
    about = about_usable(path)
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
                "{first} and {second} have other {what} ({one}; {other}), so they cannot be compared row by row; "
                "evaluate each by itself",
                field=MODEL,
                first=first.path,
                second=second.path,
                what=what,
                one=", ".join(only),
                other=", ".join(others),
            )
