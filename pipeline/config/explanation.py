"""What is wrong with the values of a config, in one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from pydantic import ValidationError

from fullbake.contract.nearest import did_you_mean
from fullbake.pipeline.config.config_section import Section
from fullbake.pipeline.config.override import Override
from fullbake.pipeline.config.redaction import HIDDEN
from fullbake.pipeline.config.shown_value import SECRETS, shorten


def explain(error: ValidationError, model: type[Section], source: str, overrides: Sequence[Override] = ()) -> str:
    """Returns the first errors as one line: where the value is from, key, value and remedy of each.

    Args:
        error: What the check of the values raised.
        model: What they were checked against.
        source: Where values are from that no override sets.
        overrides: In the order in which they were applied.
    """
    return "; ".join(_explain(source, item, model, overrides) for item in error.errors()[:3])


def _explain(source: str, item: Mapping[str, Any], model: type[Section], overrides: Sequence[Override]) -> str:
    path = [str(part) for part in item["loc"] if not str(part).startswith("[")]
    problem = _problem_of(item, path, model)
    if item["type"] == "value_error" and not isinstance(item["input"], str | bool | int | float):
        # A check over several keys names its own; a check of one value is about the key it was called for.
        key, _, problem = problem.partition(": ")
        path += key.split(".")
    for override in reversed(overrides):
        shared = min(len(path), len(override.keys))
        if tuple(path[:shared]) == override.keys[:shared]:
            source = override.shown
            break
    return f"{source}: {'.'.join(map(shorten, path))}: {problem}" if path else f"{source}: {problem}"


def _problem_of(item: Mapping[str, Any], path: Sequence[str], model: type[Section]) -> str:
    value = item["input"]
    shown = HIDDEN if ".".join(path).startswith(SECRETS) else shorten(repr(value))
    match item["type"]:
        case "extra_forbidden":
            known = _keys_of(path[:-1], model)
            return f"unknown key{did_you_mean(path[-1], known)}; the keys here are {', '.join(known)}"
        case "missing":
            return "missing; give it a value"
        case "value_error":
            message = str(item["ctx"]["error"])
            return f"{shown} {message}" if isinstance(value, str | bool | int | float) else message
        case "string_type" | "tuple_type" if value is None:
            return "has no value; give it one"
        case "tuple_type":
            return f"{shown} is not a list; write it as [{shown if shown == HIDDEN else shorten(str(value))}]"
        case "string_type":
            return f'{shown} is not text; write it in quotes: "{shown if shown == HIDDEN else shorten(str(value))}"'
        case "literal_error":
            expected = item["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", ")
            return f"{shown} is not one of {', '.join(expected)}{did_you_mean(str(value), expected)}"
        case "int_parsing_size":
            return f"{shown} is too great a number"
        case "model_type" | "dict_type":
            return f"{shown} is a value; a section of keys belongs here"
    return f"{shown} {item['msg'].replace('Input should', 'should').replace('String should', 'should')}"


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
