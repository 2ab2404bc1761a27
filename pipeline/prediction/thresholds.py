"""The thresholds that a user wants decided by, in place of those that a model was exported with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fullbake.components.data.columns import shorten
from fullbake.contract.errors import InputError
from fullbake.contract.nearest import did_you_mean

OPTION = "--threshold"
EVERY_LABEL = ""
"""Stands for all labels in what `read_thresholds` returns."""


def read_thresholds(given: Sequence[str]) -> dict[str, float]:
    """Reads what was given as `--threshold`: `0.3`, or `LABEL=0.3`.

    Args:
        given: Each value of the option, in their order.

    Returns:
        By label, or `EVERY_LABEL`, a probability above 0 and up to 1.

    Raises:
        InputError: One is no such probability, or two are for one label.
    """
    found: dict[str, float] = {}
    for value in given:
        label, _, number = value.rpartition("=")
        try:
            probability = float(number)
        except ValueError:
            probability = 0.0
        if not 0 < probability <= 1:
            raise InputError(f"{OPTION}: {value!r} is no probability above 0 and up to 1; write 0.3, or LABEL=0.3")
        if label in found:
            raise InputError(f"{OPTION}: two are for {repr(label) if label else 'every label'}; leave one out")
        found[label] = probability
    return found


def thresholds_of(given: Mapping[str, float], labels: Sequence[str], *, multi_label: bool) -> dict[str, float]:
    """Finds which labels of a model are decided from another probability than its own.

    Args:
        given: As `read_thresholds` returns it.
        labels: The model's labels in the order of their class index.
        multi_label: Whether a text can have any number of labels.

    Returns:
        As `Predictor.thresholds`.

    Raises:
        InputError: The model has no such label, or has more than two that exclude each other.
    """
    if not given:
        return {}
    if multi_label:
        for label in given:
            if label not in (EVERY_LABEL, *labels):
                shown = shorten(", ".join(labels))
                raise InputError(
                    f"{OPTION}: {label!r} is no label of the model (it has: {shown}){did_you_mean(label, labels)}"
                )
        every = dict.fromkeys(labels, given[EVERY_LABEL]) if EVERY_LABEL in given else {}
        return every | {label: probability for label, probability in given.items() if label != EVERY_LABEL}
    if len(labels) != 2:
        raise InputError(
            f"{OPTION}: a threshold decides between two labels, and the model has {len(labels)}, of which the "
            f"likeliest is decided; leave {OPTION} out and decide by the probabilities"
        )
    second = labels[1]
    if list(given) not in ([EVERY_LABEL], [second]):
        raise InputError(
            f"{OPTION}: of two labels it is the probability from which {second!r}, the second, is decided; give one P"
        )
    return {second: next(iter(given.values()))}
