"""The names of the columns of a labelled file."""

from __future__ import annotations

from collections.abc import Sequence

EXPLANATION = "explanation"
"""The column that says which words pushed a decision."""


def added_names(labels: Sequence[str], *, explained: bool = False) -> list[str]:
    """Returns the names of the columns that are added: of the label, the probability of each, and the explanation."""
    return ["label", *(f"p_{label}" for label in labels), *([EXPLANATION] if explained else [])]


def kept_names(columns: Sequence[str], added: Sequence[str], *, distinct: bool) -> list[str]:
    """Returns what the columns of a table are called beside those that are added.

    A column is never lost to an added one: it keeps its place and is called `input_<name>`.

    Args:
        columns: Their names.
        added: The names of those that are added.
        distinct: Whether no two may have one name; then the second of a name is called `<name>.1`, as by pandas.

    Example:
        >>> kept_names(["text", "label", "text"], ["label"], distinct=True)
        ['text', 'input_label', 'text.1']
    """
    kept: list[str] = []
    for column in columns:
        name = column
        if name in added:
            name = f"input_{name}"
            while name in columns:
                name = f"input_{name}"
        if distinct and name in kept:
            number = 1
            while f"{name}.{number}" in {*columns, *kept, *added}:
                number += 1
            name = f"{name}.{number}"
        kept.append(name)
    return kept
