"""Reads a config file and ``--set``, and words what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import ValidationError

from pipeline.config_section import Section, nearest
from trainer.errors import InputError


def read_values(file: Path, overrides: Sequence[str]) -> dict[str, Any]:
    """Reads a config file as plain values, unchecked.

    Args:
      file: a YAML file.
      overrides: ``key.path=value`` each, the value read as YAML; they win over the file.

    Raises:
      InputError: the file cannot be read or is not YAML, or an override is not ``key.path=value``.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise InputError(f"{file}: there is no such config file; make one with: fullbake init data.csv") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: the config file cannot be read: {error}") from error
    values = _parse_yaml(text, str(file))
    if not isinstance(values, dict):
        raise InputError(f"{file}: a config is a mapping of keys to values; see fullbake init")
    for override in overrides:
        _apply(values, override)
    return values


def explain(error: ValidationError, model: type[Section], source: str) -> str:
    """Words the first errors as one line: key, value and remedy of each.

    Args:
      error: what the check of the values raised.
      model: what they were checked against.
      source: where they are from, which begins each error.
    """
    return "; ".join(_explain(source, item, model) for item in error.errors()[:3])


def _apply(values: dict[str, Any], override: str) -> None:
    path, equals, text = override.partition("=")
    keys = path.strip().split(".")
    if not equals or not all(keys):
        raise InputError(f"--set {override}: write it as key.path=value, such as --set training.epochs=2")
    section: Any = values
    for depth, key in enumerate(keys[:-1]):
        section = section.setdefault(key, {})
        if not isinstance(section, dict):
            raise InputError(f"--set {override}: {'.'.join(keys[: depth + 1])} is a value, not a section")
    section[keys[-1]] = _parse_yaml(text, f"--set {override}")


def _parse_yaml(text: str, source: str) -> Any:
    try:
        return yaml.load(text, Loader=_UniqueKeyLoader)  # noqa: S506 (it is a SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise InputError(f"{source}{line}: not valid YAML: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise InputError(f"{source}: not valid YAML: {' '.join(str(error).split())}") from error


class _UniqueKeyLoader(yaml.SafeLoader):
    """YAML without code, in which a key that stands twice is an error instead of a value lost in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key, (key_node, _) in zip(keys, node.value, strict=True):
            if keys.count(key) > 1:
                raise yaml.MarkedYAMLError(problem=f"the key {key!r} stands twice", problem_mark=key_node.start_mark)
        return super().construct_mapping(node, deep)


def _explain(source: str, item: Mapping[str, Any], model: type[Section]) -> str:
    path = [str(part) for part in item["loc"] if not str(part).startswith("[")]
    where = f"{source}: {'.'.join(path)}" if path else source
    value = item["input"]
    match item["type"]:
        case "extra_forbidden":
            known = _keys_of(path[:-1], model)
            return f"{where}: unknown key{nearest(path[-1], known)}; the keys here are {', '.join(known)}"
        case "missing":
            return f"{where}: missing; give it a value"
        case "value_error":
            message = str(item["ctx"]["error"])
            # A check over several keys names its own; a check of one value is about the key it was called for.
            if isinstance(value, str | bool | int | float):
                return f"{where}: {value!r} {message}"
            return f"{where}{'.' if path else ': '}{message}"
        case "string_type" | "tuple_type" if value is None:
            return f"{where}: has no value; give it one"
        case "tuple_type":
            return f"{where}: {value!r} is not a list; write it as [{value}]"
        case "string_type":
            return f'{where}: {value!r} is not text; write it in quotes: "{value}"'
        case "literal_error":
            expected = item["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", ")
            return f"{where}: {value!r} is not one of {', '.join(expected)}{nearest(str(value), expected)}"
        case "model_type" | "dict_type":
            return f"{where}: {value!r} is a value; a section of keys belongs here"
    message = item["msg"].replace("Input should", "should").replace("String should", "should")
    return f"{where}: {value!r} {message}"


def _keys_of(path: Sequence[str], model: type[Section]) -> list[str]:
    section: Any = model
    for part in path:
        # A key of a mapping, or a place in a list, leads to a section of the same kind.
        if part in section.model_fields:
            section = _section_in(section.model_fields[part].annotation) or section
    return list(section.model_fields)


def _section_in(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    return next((found for part in get_args(annotation) if (found := _section_in(part))), None)
