"""`--set`: one key of the config, and the value that it is given."""

from __future__ import annotations

from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from fullbake.contract.errors import InputError
from fullbake.pipeline.config.config_section import Section
from fullbake.pipeline.config.redaction import HIDDEN
from fullbake.pipeline.config.shown_value import SECRETS, shorten
from fullbake.pipeline.config.yaml_values import parse_word, parse_yaml


class Override(NamedTuple):
    """One `--set`.

    Attributes:
        shown: The flag as it was given, for errors.
        keys: The path of the key.
        value: What it is set to, as YAML has it.
    """

    shown: str
    keys: tuple[str, ...]
    value: Any


def parse_override(given: str, model: type[Section]) -> Override:
    """Reads a `--set`.

    The value of a key that holds text is that text, whatever YAML would make of it, unless it stands in quotes; null,
    ~ and nothing are no value. The value of a key that holds a list or a section is read as YAML, any other as one
    word of it. A key of a mapping may have dots in it: it is the rest of the path.

    Args:
        given: `key.path=value`.
        model: What the values are for.

    Raises:
        InputError: It is not `key.path=value`, or the value is not valid YAML. The text names the flag.
    """
    path, equals, text = given.partition("=")
    secret = path.strip().startswith(SECRETS)
    shown = f"--set {shorten(path)}={HIDDEN}" if secret else f"--set {shorten(given)}"
    keys = path.strip().split(".")
    if not equals or not all(keys):
        raise InputError(f"{shown}: write it as key.path=value, such as --set training.epochs=2")
    kind: Any = model
    for depth, key in enumerate(keys):
        if _is_section(kind):
            field = kind.model_fields.get(key)
            if field is None:
                kind = Any  # the check of the whole names the nearest key
                break
            kind = _without_none(field.annotation)
        elif get_origin(kind) is dict:
            kind = _without_none(get_args(kind)[1])
            if not _is_section(kind):
                keys = [*keys[:depth], ".".join(keys[depth:])]
                break
        else:
            name = ".".join(keys[:depth])
            what, example = ("a list", "[...]") if get_origin(kind) is tuple else ("a value", "...")
            raise InputError(f"{shown}: {name} is {what}, not a section; set it as a whole: --set {name}={example}")
    return Override(shown, tuple(keys), _override_value(text, kind, shown))


def _override_value(text: str, kind: Any, shown: str) -> Any:
    if text in ("", "~", "null"):
        return None
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"
    if _is_text(kind):
        return parse_yaml(text, shown) if quoted else text
    text = text.strip()
    if quoted or text.startswith(("[", "{")):
        return parse_yaml(text, shown)
    return parse_word(text)


def apply_override(values: dict[str, Any], override: Override) -> None:
    """Sets a key of plain values.

    Raises:
        InputError: A key on the way has a value that is no section. The text names the flag.
    """
    section: Any = values
    for depth, key in enumerate(override.keys[:-1]):
        if section.get(key) is None:
            section[key] = {}
        section = section[key]
        if not isinstance(section, dict):
            name = ".".join(override.keys[: depth + 1])
            raise InputError(f"{override.shown}: {name} is a value, not a section")
    section[override.keys[-1]] = override.value


def _without_none(annotation: Any) -> Any:
    """Returns the one type that a value may have, or the annotation where there are several."""
    if get_origin(annotation) is Annotated:
        return _without_none(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        (first, *others) = (part for part in get_args(annotation) if part is not NoneType)
        return annotation if others else _without_none(first)
    return annotation


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Section)


def _is_text(kind: Any) -> bool:
    return kind is str or get_origin(kind) is Literal
