"""The model that a new one is compared with: the one that serves, where that can be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fullbake.components.serving.pushed_models import fault, read_about, versions
from fullbake.contract.errors import InputError
from fullbake.contract.results.about import About
from fullbake.contract.results.result import MULTI_LABEL, SINGLE_LABEL, Task


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
    task: Task = SINGLE_LABEL,
    opens: Callable[[str], str | None] = lambda model: None,
) -> Baseline:
    """Finds the model that a new one is to be compared with: the one in production.

    Args:
        serving_dir: The push destination.
        labels: Those of the new model; recalls are compared by name, of the labels that both have.
        text_features: The columns of text that the new model takes.
        accept_loss: Where the model in production cannot be compared with, take the newest that can be, or none, and
            say so. Otherwise that is an error.
        task: Whether the new model gives a text one label, or any number of them.
        opens: A further look at a version, which says as `fault` does what is wrong with it.

    Raises:
        InputError: The model in production cannot be compared with, and `accept_loss` is false.
    """
    lost: list[str] = []
    pushed = versions(serving_dir)
    for version in reversed(pushed):
        about = read_about(version.path)
        reason = fault(version.path) or _other_task(about, task, labels, text_features) or opens(version.path)
        if about is not None and reason is None:
            notes = [*lost, *([f"{version.name} was compared with instead"] if lost else [])]
            notes += _label_notes(about.labels, labels)
            return Baseline(pushed[-1].path, version.path, about.labels, "; ".join(notes) or None)
        if not accept_loss:
            raise InputError(
                "{model}, the model in production, {reason}, so a new model cannot be compared with it; repair it or "
                "move it away, go back with: fullbake rollback {folder}, or go on without it with "
                "{accept_baseline_loss}: true",
                field="serving_dir",
                model=version.path,
                reason=reason,
                folder=serving_dir,
            )
        lost.append(f"the model in production ({version.path}) {reason}; it was not compared")
        lost = lost[:1]
    return Baseline(pushed[-1].path if pushed else None, note="; ".join(lost) or None)


def _other_task(about: About | None, task: Task, labels: Sequence[str], text_features: Sequence[str]) -> str | None:
    # Its graph parses the columns it was made for; a row that lacks one stops it.
    if about is None or list(about.text_features) != list(text_features):
        return "takes other columns of text"
    if about.task != task:
        gives = {SINGLE_LABEL: "one label", MULTI_LABEL: "any number of labels"}
        return f"gives a text {gives.get(about.task, about.task)}, and the new one {gives[task]}"
    if not set(about.labels) & set(labels):
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
