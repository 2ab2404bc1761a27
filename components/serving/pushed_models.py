"""The folder of pushed models: which version is in production, what is known of each, and whether it can be used.

What serves is decided as TensorFlow Serving does it (`file_system_storage_path_source.cc`): a child of the folder is
a version if its whole name is an integer of 64 bits, whatever is in it and whether it is a folder or a file; leading
zeros and a sign are part of a number; of two names for one number the later in the alphabet counts; the highest version
is loaded. So a folder with a higher number and nothing of use in it is what a server will try to load, and must not be
passed over here.

Nothing heavy is imported: `fullbake models` reads this, and so does what checks a config before TensorFlow is there.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from fullbake.components.serving.file_system import file_system
from fullbake.contract.errors import InputError
from fullbake.contract.names import ABOUT_FILE

# Written at a push: what made the model, of what data, how it was judged, and what was in production until then.
PUSH_FILE = "assets.extra/push.json"
NOTHING = "nothing"

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
    """The versions in a push destination as a server sees them, oldest first."""
    files = file_system(serving_dir)
    if not files.is_folder(serving_dir):
        return []
    try:
        names = sorted(files.names(serving_dir))
    except OSError as error:
        raise InputError(
            f"push.serving_dir: {serving_dir} cannot be read: {error.strerror}; name a folder that can"
        ) from error
    found = {}
    for name in names:
        if NUMBER.fullmatch(name) and -HIGHEST - 1 <= int(name) <= HIGHEST:
            found[int(name)] = Version(int(name), os.path.join(serving_dir, name))
    return [found[number] for number in sorted(found)]


def newest_version(serving_dir: str) -> str | None:
    """What a server loads: the path of the highest version, or None if nothing was pushed yet."""
    pushed = versions(serving_dir)
    return pushed[-1].path if pushed else None


def read_about(model: str) -> dict[str, Any]:
    """What a pushed model says of itself: `labels`, `text_features` and more; empty for a model of other make."""
    return _read_json(os.path.join(model, ABOUT_FILE))


def read_push(model: str) -> dict[str, Any]:
    """What was written down when a model was pushed; empty for a model of other make."""
    return _read_json(os.path.join(model, PUSH_FILE))


def fault(model: str, *, thorough: bool = True) -> str | None:
    """Why a version cannot be used, as far as that can be told without opening it.

    Args:
        model: A version's path.
        thorough: Compare the contents of files with those that were pushed, not only their sizes; of local ones, for to
            read a bucket's takes long.

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
    pushed = read_push(model).get("files", {})
    for name, was in pushed.items():
        if name not in sizes:
            return f"lacks {name}, which was pushed"
        if sizes[name] != was["bytes"] or (thorough and was["sha256"] and digest(model, name) != was["sha256"]):
            return f"has another {name} than was pushed"
    if "labels" not in read_about(model):
        return f"was not made by fullbake: it has no usable {ABOUT_FILE}"
    return None


@dataclass(frozen=True)
class Baseline:
    """What a new model is compared with.

    Attributes:
        version: The version that serves, whether it can be compared with or not; None if there is none.
        model: The version to compare with; None if there is none.
        labels: The labels of that model, in its own order.
        note: What people should know of the comparison; None if there is nothing to say.
    """

    version: str | None = None
    model: str | None = None
    labels: tuple[str, ...] = ()
    note: str | None = None


def find_baseline(
    serving_dir: str,
    labels: Sequence[str],
    text_features: Sequence[str],
    *,
    accept_loss: bool,
    opens: Callable[[str], str | None] = lambda model: None,
) -> Baseline:
    """Finds the model that a new one is to be compared with: the one in production.

    Args:
        serving_dir: The push destination.
        labels: Those of the new model; recalls are compared by name, of the labels that both have.
        text_features: The columns of text that the new model takes.
        accept_loss: Where the model in production cannot be compared with, take the newest that can be, or none, and
            say so. Otherwise that is an error.
        opens: A further look at a version, which says as `fault` does what is wrong with it.

    Raises:
        InputError: The model in production cannot be compared with, and `accept_loss` is false.
    """
    lost: list[str] = []
    pushed = versions(serving_dir)
    for version in reversed(pushed):
        about = read_about(version.path)
        theirs = tuple(about.get("labels", ()))
        reason = fault(version.path) or _other_task(about, labels, text_features) or opens(version.path)
        if reason is None:
            notes = [*lost, *([f"{version.name} was compared with instead"] if lost else [])]
            notes += _label_notes(theirs, labels)
            return Baseline(pushed[-1].path, version.path, theirs, "; ".join(notes) or None)
        if not accept_loss:
            raise InputError(
                f"push.serving_dir: {version.path}, the model in production, {reason}, so a new model cannot be "
                f"compared with it; repair it or move it away, go back with: fullbake rollback {serving_dir}, or go on "
                "without it with gate.accept_baseline_loss: true"
            )
        lost.append(f"the model in production ({version.path}) {reason}; it was not compared")
        lost = lost[:1]
    return Baseline(pushed[-1].path if pushed else None, note="; ".join(lost) or None)


def _other_task(about: Mapping[str, Any], labels: Sequence[str], text_features: Sequence[str]) -> str | None:
    # Its graph parses the columns it was made for; a row that lacks one stops it.
    if list(about.get("text_features", ())) != list(text_features):
        return "takes other columns of text"
    if not set(about["labels"]) & set(labels):
        return "has none of the labels of this config"
    return None


def _label_notes(theirs: Sequence[str], ours: Sequence[str]) -> list[str]:
    notes = []
    if lost := [label for label in theirs if label not in ours]:
        notes.append(f"the model in production also decides {_listed(lost)}, which the new one cannot")
    if new := [label for label in ours if label not in theirs]:
        notes.append(f"the model in production does not know {_listed(new)}, so nothing is compared there")
    return notes


def _listed(labels: Sequence[str]) -> str:
    return ", ".join(f"'{label}'" for label in labels[:5]) + (" …" if len(labels) > 5 else "")


def made_of(serving_dir: str, recipe: str, fingerprint: str) -> str | None:
    """The model in production, if it was made by this recipe of this very data and is whole; None otherwise.

    Args:
        serving_dir: The push destination.
        recipe: A fingerprint of all that decides which model a run makes.
        fingerprint: ExampleGen's, of the files.
    """
    newest = newest_version(serving_dir)
    if newest is None or not same_making(read_push(newest), recipe, fingerprint):
        return None
    return newest if fault(newest) is None else None


def withdrawn(serving_dir: str, recipe: str, fingerprint: str) -> str | None:
    """The version of this recipe and data that a rollback took out of production, or None.

    Making it once more would undo the rollback without a word.
    """
    entries = all_withdrawn(serving_dir)
    return next((entry["version"] for entry in entries if same_making(entry, recipe, fingerprint)), None)


def all_withdrawn(serving_dir: str) -> list[dict[str, Any]]:
    """What rollbacks took out of production and nothing has put back: `version`, `recipe` and `data` each.

    The newest note has it all; what something else put there has none.
    """
    notes = (read_push(version.path) for version in reversed(versions(serving_dir)))
    return next((note.get("withdrawn", []) for note in notes if note), [])


def why_withdrawn(serving_dir: str, version: str) -> str:
    """The sentence that says why such a model is not pushed, and how it would be."""
    return (
        f"version {version}, made of the same files in the same way, was rolled back, and "
        f"{newest_version(serving_dir)} stays in production; to put it back: fullbake rollback {serving_dir} {version}"
    )


def production_key(serving_dir: str, recipe: str) -> str:
    """Names what a new model is to be judged against, for the cache keys of what judges and pushes.

    A model that is in production because this very recipe made and pushed it does not make its own verdict stale; any
    other model there does.

    Args:
        serving_dir: The push destination.
        recipe: A fingerprint of all that decides which model a run makes.

    Returns:
        The name of the version in production; if this recipe made it, the key it was pushed with; `NOTHING` if there
        is none.
    """
    newest = newest_version(serving_dir)
    if newest is None:
        return NOTHING
    push = read_push(newest)
    own = f"version {os.path.basename(newest)}"
    return str(push.get("production_key", own)) if push.get("recipe") == recipe else own


def same_model(serving_dir: str, version: str) -> bool:
    """Whether the model in production is this version, or the copy of it that a rollback made, and is whole."""
    newest = newest_version(serving_dir)
    if newest is None or fault(newest) is not None:
        return False
    return version in (os.path.basename(newest), origin(newest))


def origin(model: str) -> str:
    """The version whose copy a rollback made of this model, or the model's own version."""
    return str(read_push(model).get("rolled_back", {}).get("to", os.path.basename(model)))


def same_making(push: Mapping[str, Any], recipe: str | None, fingerprint: str | None) -> bool:
    """Whether this recipe of this very data is what a note says that it was made of."""
    return (push.get("recipe"), push.get("data")) == (recipe, fingerprint)


def digest(model: str, name: str) -> str:
    """The SHA-256 of a local model's file."""
    hashed = hashlib.sha256()
    with open(os.path.join(model, name), "rb") as file:
        while chunk := file.read(_CHUNK):
            hashed.update(chunk)
    return hashed.hexdigest()


def is_local(path: str) -> bool:
    """Whether a path is on this machine, and not an address of a bucket."""
    return "://" not in path


def _read_json(path: str) -> dict[str, Any]:
    # What is damaged says as little as what is not there; `fault` tells of it.
    try:
        values = json.loads(file_system(path).read(path))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}
