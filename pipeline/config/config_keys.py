"""The config's key of each setting that a component knows by a name of its own; for errors (see `InputError`)."""

from __future__ import annotations

from fullbake.pipeline.config.config import Config
from fullbake.pipeline.config.config_section import Section


def _keys() -> dict[str, str]:
    keys: dict[str, str] = {}
    for section, field in Config.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            for name in field.annotation.model_fields:
                key = f"{section}.{name}"
                keys.setdefault(name, key)  # of a name in two sections, the first
                keys[f"{section}_{name}"] = key
    return keys


CONFIG_KEYS = _keys()
"""By the name of a setting, its key: `base` is `model.base`. Where two sections have a name, it is that of the first;
with its section before it a name is always that section's: `pretraining_epochs` is `pretraining.epochs`."""
