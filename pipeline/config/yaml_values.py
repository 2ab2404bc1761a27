"""Reads YAML as plain values; an error names its line."""

from __future__ import annotations

import re
from typing import Any

import yaml

from fullbake.contract.errors import InputError
from fullbake.pipeline.config.config_section import TruthValue
from fullbake.pipeline.config.shown_value import shorten

# What anchors and merge keys may make of a file, in values: more is a "billion laughs".
_MAX_VALUES = 50_000

_MAX_DEPTH = 20  # of lists and sections in each other; a config has six

_MERGE = "tag:yaml.org,2002:merge"
_TEXT = "tag:yaml.org,2002:str"
_TOO_DEEP = "it is nested too deeply, or in itself"
_TAGS = tuple(f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null", "map", "seq"))


def parse_yaml(text: str, source: str) -> Any:
    """Returns the values that a text in YAML holds; None for an empty one.

    Args:
        text: YAML.
        source: Where it is from, for errors.

    Raises:
        InputError: It is not valid YAML. The text names source, line and problem.
    """
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


def parse_word(text: str) -> Any:
    """Returns the value of one word in YAML."""
    return _scalar(text, _resolve(text))


class _Loader(yaml.SafeLoader):
    """YAML in which a plain word is a number only if it is written as one.

    To YAML 1.1 the words 2024-01-01, 010, 1:30 and 1_000 are a date and the numbers 8, 90 and 1000; here they are text.
    """

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Returns the next node with all that is in it."""
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
    """Returns the tag of a plain word."""
    tag: str = _Loader("").resolve(yaml.ScalarNode, word, (True, False))
    return tag


class _Values:
    """Makes plain values of YAML nodes, each its own: no anchor ties two of them together.

    A key that stands twice is an error instead of a value lost in silence, and so is a tag that names a type.
    """

    def __init__(self) -> None:
        self._count = 0

    def of(self, node: yaml.Node, depth: int = 1) -> Any:
        """Returns the value of a node."""
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
