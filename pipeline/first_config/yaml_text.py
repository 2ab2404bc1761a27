"""Values of a data file as they stand in YAML and its comments."""

import re

import yaml

_SHOWN = 5


def scalar(value: str) -> str:
    """Returns YAML for a string: bare where it is a plain word that YAML reads as this very string, else quoted."""
    if re.fullmatch(r"[\w./][\w./-]*( [\w./-]+)*", value) and yaml.safe_load(value) == value:
        return value
    return yaml.safe_dump(value, default_style='"', allow_unicode=True, width=float("inf")).strip()


def a_few(names: list[str]) -> str:
    """Returns the first of some names, and how many more there are.

    Example:
        >>> a_few(["'a'", "'b'"]), a_few(list("abcdefg"))
        ("'a', 'b'", 'a, b, c, d, e and 2 more')
    """
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more:,} more" if more > 0 else "")


def rows_in_words(count: int) -> str:
    """Returns how many rows, for people."""
    return "1 row" if count == 1 else f"{count:,} rows"
