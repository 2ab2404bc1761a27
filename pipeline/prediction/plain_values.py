"""The values of a table in a file of another format."""

import json
import math
from typing import Any

from fullbake.components.data.text_encoding import LONE_SURROGATE


def as_text(value: Any) -> str:
    """Returns a value as a cell of CSV has it: nothing for None, else text, or what JSON writes."""
    if value is None:
        return ""
    found = as_json(value)
    return LONE_SURROGATE.sub("\ufffd", found if isinstance(found, str) else json.dumps(found, ensure_ascii=False))


def as_json(value: Any) -> Any:
    """Returns a value as JSON has it: what JSON does not know becomes text, and a number that is none becomes null."""
    match value:
        case float():
            return value if math.isfinite(value) else None
        case None | bool() | int() | str():
            return value
        case bytes():
            return value.decode("utf-8", "replace")
        case dict():
            return {str(key): as_json(item) for key, item in value.items()}
        case list() | tuple():
            return [as_json(item) for item in value]
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
