"""Loads a config: from a file and `--set`, or from values: those of a program, or those that a package carries."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fullbake.contract.errors import InputError
from fullbake.pipeline.config.config import Config
from fullbake.pipeline.config.config_file import read_values
from fullbake.pipeline.config.explanation import explain
from fullbake.pipeline.config.override import Override, apply_override, parse_override


def load_config(file: Path, overrides: Sequence[str] = ()) -> Config:
    """Reads and checks a config file.

    Args:
        file: A YAML file.
        overrides: `key.path=value` each; they win over the file, and later ones over earlier ones.

    Raises:
        InputError: The file cannot be read, is not YAML, or says something that is not allowed. The text names file,
            key, value and remedy.
    """
    values = read_values(file)
    if not overrides:
        return _validated(values, str(file))
    given = [parse_override(override, Config) for override in overrides]
    changed = copy.deepcopy(values)
    for override in given:
        apply_override(changed, override)
    try:
        return Config.model_validate(changed)
    except ValidationError as error:
        source = str(file)
        if _is_valid(values):
            source += f" with {', '.join(override.shown for override in given)}"
        raise InputError(explain(error, Config, source, given)) from error


def make_config(values: Mapping[str, Any], overrides: Mapping[str, Any], source: str) -> Config:
    """Checks a config that a program gives as values.

    Args:
        values: As a config file has them; paths may be `pathlib.Path`.
        overrides: By `key.path`, a value that wins over the config's.
        source: Where the values are from, for errors.

    Raises:
        InputError: The values say something that is not allowed. The text names source, key, value and remedy.
    """
    given = [
        Override(f"overrides[{key!r}]", tuple(str(key).split(".")), _plain(value)) for key, value in overrides.items()
    ]
    changed: dict[str, Any] = _plain(values)
    for override in given:
        apply_override(changed, override)
    try:
        return Config.model_validate(changed)
    except ValidationError as error:
        raise InputError(explain(error, Config, source, given)) from error


def _plain(value: Any) -> Any:
    """Returns a copy of which nothing is shared with the caller, with paths as text."""
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def _is_valid(values: Mapping[str, Any]) -> bool:
    try:
        Config.model_validate(values)
    except ValidationError:
        return False
    return True


def restore_config(values: Mapping[str, Any], overrides: Mapping[str, Any] | None = None) -> Config:
    """Makes a config of what `Config.model_dump` returned.

    Args:
        values: Plain values, as JSON keeps them.
        overrides: By key, as `section.key`, a value that wins over the config's. Default: none.

    Raises:
        InputError: An override is not allowed. The text names key, value and remedy.
    """
    changed: dict[str, Any] = copy.deepcopy(dict(values))
    for key, value in (overrides or {}).items():
        section, _, name = key.partition(".")
        changed[section][name] = value
    return _validated(changed, "this run's config")


def _validated(values: Mapping[str, Any], source: str) -> Config:
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        raise InputError(explain(error, Config, source)) from error
