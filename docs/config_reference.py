"""The reference of the config's keys, as a page of the documentation: what each means is said beside it in the code."""

from __future__ import annotations

import json
import types
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from fullbake.pipeline.config.config import Config
from fullbake.pipeline.config.config_section import Section

_HEADER = """<!-- Made by `make pages` of what the code says; change it there. -->
# The config

A YAML file. Each key has here its default and what it means; a key that does not exist is an error that names the
nearest one. `--set training.epochs=2` overrides a key: text is taken as it stands (`--set 'data.pattern=*'`), lists and
sections are YAML (`--set 'data.labels=[good, bad]'`). In the file, words that YAML takes for something else need
quotes: `["no", "yes"]`. Paths may begin with `~`; a password in a path or an address is refused.

The smallest config names the run, the data and the labels:

```yaml
name: comments
data:
  input_base: data/sample
  labels: [non_toxic, toxic]
```
"""


def reference() -> str:
    """Returns the page as Markdown: for each section a table of its keys, those of sections within it by their path."""
    return _HEADER + "".join(_section(name, field) for name, field in Config.model_fields.items())


def _section(name: str, field: FieldInfo) -> str:
    section = section_in(field.annotation)
    rows = _rows("", section) if section else [(name, field)]
    table = "".join(f"| `{key}` | {_default(one)} | {_words(one)} |\n" for key, one in rows)
    intro = f"{field.description}\n\n" if section else ""
    return f"\n## `{name}`\n\n{intro}| key | default | what |\n|---|---|---|\n{table}"


def _rows(prefix: str, section: type[Section]) -> Iterator[tuple[str, FieldInfo]]:
    for name, field in section.model_fields.items():
        yield f"{prefix}{name}", field
        below = section_in(field.annotation)
        if below is not None:
            yield from _rows(f"{prefix}{name}{_step(field.annotation)}.", below)


def _step(annotation: Any) -> str:
    """Returns what stands between the path of a section and its keys where there are several of it."""
    kinds = {get_origin(part) for part in (annotation, *get_args(annotation))}
    return ".NAME" if dict in kinds else "[]" if tuple in kinds else ""


def section_in(annotation: Any) -> type[Section] | None:
    """Returns the section that a key has, or the values of its list or mapping; None if they are none."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    return next((found for part in get_args(annotation) if (found := section_in(part))), None)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "must be given"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, Section):
        return ""
    return f"`{_cell(json.dumps(value, ensure_ascii=False))}`"


def _words(field: FieldInfo) -> str:
    choices = list(_choices(field.annotation))
    told = f" ({' | '.join(f'`{choice}`' for choice in choices)})" if choices else ""
    return _cell(f"{field.description}{told}")


def _choices(annotation: Any) -> Iterator[str]:
    origin = get_origin(annotation)
    if origin is Literal:
        yield from get_args(annotation)
    elif origin in (Union, types.UnionType, Annotated):
        for part in get_args(annotation):
            yield from _choices(part)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
