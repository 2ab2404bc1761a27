"""A config file as plain values, before they are checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fullbake.contract.errors import InputError
from fullbake.pipeline.config.yaml_values import parse_yaml

# PyYAML reads some 200 kB a second. A cluster takes 60 kB (see kubeflow.cluster_check).
_MAX_BYTES = 1_000_000

_DATA_SUFFIXES = (
    *(".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".parquet", ".arrow", ".feather", ".xlsx", ".xlsm", ".xls"),
    *(".gz", ".bz2", ".xz", ".zst", ".zip"),
)


def read_values(file: Path) -> dict[str, Any]:
    """Reads a config file as plain values, unchecked.

    Args:
        file: A YAML file of at most 1 MB.

    Raises:
        InputError: The file cannot be read or is no mapping in YAML.
    """
    try:
        with file.open("rb") as stream:
            content = stream.read(_MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise InputError(
            f"{file}: there is no such config file; make one with: fullbake init data.csv --output {file}"
        ) from error
    except IsADirectoryError as error:
        raise InputError(f"{file}: is a folder; name the config file in it") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{file}: the config file cannot be read: {reason}") from error
    no_config = _no_config(file)
    if len(content) > _MAX_BYTES:
        raise InputError(f"{file}: more than {_MAX_BYTES:,} bytes is no config; {no_config}")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        remedy = no_config if _is_data(file) else "save it as UTF-8"
        raise InputError(f"{file}, line {line}: the config file cannot be read: it is not UTF-8; {remedy}") from error
    try:
        values = parse_yaml(text, str(file))
    except InputError as error:
        if _is_data(file):
            raise InputError(f"{error}; {no_config}") from error
        raise
    if not isinstance(values, dict):
        kind = "is empty" if values is None else "a config is a mapping of keys to values"
        raise InputError(f"{file}: {kind}; {no_config}")
    return values


def _no_config(file: Path) -> str:
    if _is_data(file):
        return f"this looks like data; make a config of it with: fullbake init {file} --output config.yaml"
    return "make a config with: fullbake init data.csv --output config.yaml"


def _is_data(file: Path) -> bool:
    return file.suffix.lower() in _DATA_SUFFIXES
