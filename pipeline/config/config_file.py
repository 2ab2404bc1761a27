"""Reads a config file and `--set`, and words what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

import yaml
from pydantic import ValidationError

from fullbake.contract.errors import InputError
from fullbake.pipeline.config.config_section import Section, TruthValue, nearest
from fullbake.pipeline.config.redaction import HIDDEN, hide_passwords

# PyYAML reads some 200 kB a second. A cluster takes 60 kB (see kubeflow.cluster_config).
_MAX_BYTES = 1_000_000

# What anchors and merge keys may make of a file, in values: more is a "billion laughs".
_MAX_VALUES = 50_000

_MAX_DEPTH = 20  # of lists and sections in each other; a config has six

_SHOWN = 120  # characters of a value in an error
_DATA_SUFFIXES = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".parquet", ".xlsx", ".xls", ".gz")
# Keys whose values no error shows; of notify, for whoever writes the address itself there.
_SECRETS = ("kubeflow.env", "kubeflow.notify")
_MERGE = "tag:yaml.org,2002:merge"
_TEXT = "tag:yaml.org,2002:str"
_TOO_DEEP = "it is nested too deeply, or in itself"
_TAGS = tuple(f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null", "map", "seq"))


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
        values = _parse_yaml(text, str(file))
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
    secret = path.strip().startswith(_SECRETS)
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
        return _parse_yaml(text, shown) if quoted else text
    text = text.strip()
    if quoted or text.startswith(("[", "{")):
        return _parse_yaml(text, shown)
    return _scalar(text, _resolve(text))


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


def explain(error: ValidationError, model: type[Section], source: str, overrides: Sequence[Override] = ()) -> str:
    """Words the first errors as one line: where the value is from, key, value and remedy of each.

    Args:
        error: What the check of the values raised.
        model: What they were checked against.
        source: Where values are from that no override gave.
        overrides: In the order in which they were applied.
    """
    return "; ".join(_explain(source, item, model, overrides) for item in error.errors()[:3])


def shorten(text: str) -> str:
    """A value as an error shows it: on one line, its middle left out where it is long, and without passwords."""
    text = hide_passwords(text)
    text = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 20]} … {text[-15:]}"


class _Loader(yaml.SafeLoader):
    """YAML in which a plain word is a number only if it is written as a number is: what it says is not lost.

    To YAML 1.1 the words 2024-01-01, 010, 1:30 and 1_000 are a date and the numbers 8, 90 and 1000; here they are text.
    """

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """The next node with all that is in it."""
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise yaml.MarkedYAMLError(problem=_TOO_DEEP, problem_mark=self.peek_event().start_mark)
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


for _kind, _pattern, _first in (
    ("bool", "yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF", "yYnNtTfFoO"),
    # A hundred digits are more than any key takes, and fewer than Python refuses to read (4,300).
    ("int", "0|-?[1-9][0-9]{0,99}", "-0123456789"),
    ("float", r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("float", r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", "-+."),
    ("null", "~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("merge", "<<", "<"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_kind}", re.compile(rf"(?:{_pattern})\Z"), list(_first))


class _Decimal(float):
    """A number that shows as it was written."""

    _text: str

    def __new__(cls, text: str) -> _Decimal:
        number = super().__new__(cls, text.lower().replace(".inf", "inf").replace(".nan", "nan"))
        number._text = text
        return number

    def __getnewargs__(self) -> tuple[str]:  # type: ignore[override]
        return (self._text,)  # of a copy

    def __repr__(self) -> str:
        return self._text

    __str__ = __repr__


def _resolve(word: str) -> str:
    """The tag of a plain word."""
    tag: str = _Loader("").resolve(yaml.ScalarNode, word, (True, False))
    return tag


def _parse_yaml(text: str, source: str) -> Any:
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
        return None if node is None else _Values().of(node)
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise InputError(
            f"{source}, line {line}: not valid YAML: the character U+{error.character:04X} may not stand in it"
        ) from error
    except yaml.MarkedYAMLError as error:
        where = f"{source}, line {error.problem_mark.line + 1}" if error.problem_mark else source
        problem = ", ".join(part for part in (error.context, error.problem) if part)
        if "'\\t'" in problem:
            problem += "; write spaces in place of the tab"
        raise InputError(f"{where}: not valid YAML: {shorten(problem)}") from error
    except yaml.YAMLError as error:
        raise InputError(f"{source}: not valid YAML: {shorten(' '.join(str(error).split()))}") from error


class _Values:
    """Makes plain values of YAML nodes, each its own: no anchor ties two of them together.

    A key that stands twice is an error instead of a value lost in silence, and so is a tag that names a type.
    """

    def __init__(self) -> None:
        self._count = 0

    def of(self, node: yaml.Node, depth: int = 1) -> Any:
        """The value of a node."""
        if depth > _MAX_DEPTH:
            raise _problem(node, _TOO_DEEP)
        self._count += 1
        if self._count > _MAX_VALUES:
            raise _problem(node, f"its anchors make more than {_MAX_VALUES:,} values of it")
        if node.tag not in _TAGS:
            raise _problem(node, f"the tag {node.tag.replace('tag:yaml.org,2002:', '!!')} has no place in a config")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, depth + 1)
        if isinstance(node, yaml.SequenceNode):
            return [self.of(item, depth + 1) for item in node.value]
        if node.tag not in (_TEXT, _resolve(node.value)):
            raise _problem(node, f"{shorten(repr(node.value))} is no {node.tag.rpartition(':')[2]}")
        return _scalar(node.value, node.tag)

    def _mapping(self, node: yaml.MappingNode, depth: int) -> dict[Any, Any]:
        own: dict[Any, Any] = {}
        merged: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                # Of several mappings the first has the last word, and the node's own keys have it over all.
                several = isinstance(value_node, yaml.SequenceNode)
                for source in reversed(value_node.value) if several else [value_node]:
                    if not isinstance(source, yaml.MappingNode):
                        raise _problem(source, "<< needs a mapping, such as *name")
                    merged |= self.of(source, depth)
                continue
            if not isinstance(key_node, yaml.ScalarNode):
                raise _problem(key_node, "a key is one word, not a list or a mapping")
            key = key_node.value  # as it was written: numbers and truth values name labels too
            if key in own:
                raise _problem(key_node, f"the key {shorten(repr(key))} stands twice")
            own[key] = self.of(value_node, depth)
        return {**merged, **own}


def _scalar(text: str, tag: str) -> Any:
    match tag.rpartition(":")[2]:
        case "null":
            return None
        case "bool":
            return TruthValue(text)
        case "int":
            return int(text)
        case "float":
            return _Decimal(text)
    return text


def _problem(node: yaml.Node, problem: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)


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
    shown = HIDDEN if ".".join(path).startswith(_SECRETS) else shorten(repr(value))
    match item["type"]:
        case "extra_forbidden":
            known = _keys_of(path[:-1], model)
            return f"unknown key{nearest(path[-1], known)}; the keys here are {', '.join(known)}"
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
            return f"{shown} is not one of {', '.join(expected)}{nearest(str(value), expected)}"
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


def _without_none(annotation: Any) -> Any:
    """The one type that a value may have, or the annotation where there are several."""
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
