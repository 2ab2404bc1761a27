"""Values of a data file as they stand in YAML and its comments."""

import re

import yaml


def scalar(value: str) -> str:
    """Returns YAML for a string: bare where it is a plain word that YAML reads as this very string, else quoted."""
    if re.fullmatch(r"[\w./][\w./-]*( [\w./-]+)*", value) and yaml.safe_load(value) == value:
        return value
    return yaml.safe_dump(value, default_style='"', allow_unicode=True, width=float("inf")).strip()


def rows_in_words(count: int) -> str:
    """Returns how many rows, for people."""
    return "1 row" if count == 1 else f"{count:,} rows"
