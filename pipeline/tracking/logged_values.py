"""What of a run is logged, and by which names."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from fullbake.pipeline.config.config import Config
from fullbake.pipeline.run_record import RunRecord

# MLflow's limits (mlflow/utils/validation.py): MAX_PARAM_VAL_LENGTH, which the server refuses to exceed, and
# MAX_ENTITY_KEY_LENGTH, in characters.
_MOST_VALUE = 6000
_MOST_NAME = 250

# What a name may not have in it; the slash makes folders of names, and a label is one.
_UNSAFE = re.compile(r"[^A-Za-z0-9_\-. :]")


class LoggedMetric(NamedTuple):
    """One number.

    Attributes:
        name: Parts divided by slashes: `recall/kind`.
        value: A finite one.
        step: The epoch of a curve; 0 of what is measured once.
    """

    name: str
    value: float
    step: int = 0


def logged_params(config: Config) -> dict[str, str]:
    """Returns the config by `section.key`, without secrets, each value within MLflow's limit."""
    values = config.shown_values()
    # Nothing of this section has a part in a run on one machine.
    values.pop("kubeflow")
    flat: dict[str, Any] = {}
    for section, content in values.items():
        flat.update({f"{section}.{key}": value for key, value in content.items()} if isinstance(content, dict) else {})
    flat["name"] = config.name
    return {key: _cut(_as_text(value)) for key, value in flat.items()}


def logged_metrics(record: RunRecord) -> list[LoggedMetric]:
    """Returns what the test split says, how many rows there were, and the training's curves."""
    summary = record.summary()
    metrics = [*_measured(summary["metrics"]), *_measured({"examples": summary["examples"]})]
    training = record.training
    for phase, epochs in (("probe", training.probe_epochs), ("training", training.epochs)):
        for epoch in epochs:
            measured = {name: value for name, value in epoch.to_dict().items() if name != "epoch"}
            metrics += _measured({phase: measured}, step=epoch.epoch)
    if record.pretraining is not None:
        for evaluation in record.pretraining.evaluations:
            metrics += _measured(
                {"pretraining": {"perplexity": evaluation.perplexity, "loss": evaluation.loss}}, step=evaluation.step
            )
    return metrics


def logged_tags(record: RunRecord) -> dict[str, str]:
    """Returns what runs are looked for by."""
    model = record.pushed_model
    tags = {
        "fullbake.pushed": _as_text(model is not None),
        "fullbake.blessed": _as_text(record.evaluation.blessed),
        "fullbake.data_fingerprint": record.fingerprint,
    }
    if model is not None:
        tags["fullbake.model_version"] = model.rstrip("/").rpartition("/")[2]
    return {name: _cut(value) for name, value in tags.items()}


def _measured(values: Mapping[str, Any], step: int = 0) -> Iterator[LoggedMetric]:
    """Gives the numbers in nested mappings; None, a number that is none, text and lists are no metrics."""
    taken: set[str] = set()
    for path, value in _leaves(values):
        name = plain = "/".join(map(_safe, path))[:_MOST_NAME]
        number = 1
        while name in taken:  # two labels that differ only in what a name cannot have
            number += 1
            name = f"{plain[: _MOST_NAME - 8]}_{number}"
        taken.add(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            yield LoggedMetric(name, float(value), step)


def _leaves(values: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, (*above, key))
        else:
            yield (*above, key), value


def _safe(part: str) -> str:
    """Returns a part of a name as MLflow allows it, which takes names for paths: `..` is none."""
    safe = _UNSAFE.sub("_", part)
    return safe if safe.strip(".") else "_" * max(1, len(safe))


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _cut(value: str) -> str:
    return value if len(value) <= _MOST_VALUE else f"{value[: _MOST_VALUE - 1]}…"
