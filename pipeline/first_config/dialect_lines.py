"""How a file is written, for its config."""

from collections.abc import Iterator, Sequence
from dataclasses import fields

from fullbake.components.data.dialect import Dialect
from fullbake.pipeline.first_config.yaml_text import scalar


def dialect_lines(dialect: Dialect, notes: Sequence[str]) -> Iterator[str]:
    """Yields the keys of a dialect that differ from their defaults; delimiter and encoding always.

    Args:
        dialect: The dialect.
        notes: What people should know of it, a sentence each.
    """
    yield from (f"  # {note}" for note in notes)
    for part in fields(Dialect):
        value = getattr(dialect, part.name)
        if part.name in ("delimiter", "encoding") or value != part.default:
            yield f"  {part.name}: {_shown(value)}"


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(scalar, value))}]"
    return str(value).lower() if isinstance(value, bool) else scalar(str(value))
