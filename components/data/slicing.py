"""Finds the slices that a row is in."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping

from fullbake.components.data.columns import shorten
from fullbake.components.data.numbers import finite_number
from fullbake.components.data.row_slices import MOST_SLICES, OF_IDENTITY, RowSlices
from fullbake.components.data.text_encoding import printable
from fullbake.contract.errors import InputError

NO_IDENTITY = "identity is no number from 0 to 1"
"""The kind of a bad row that does not say whether it mentions an identity."""

_TRUTH_VALUES = {"true": 1.0, "false": 0.0}


def too_many_slices(names: Collection[str]) -> InputError | None:
    """Returns the error of a column with too many values to make slices of; None where there are few enough."""
    if len(names) <= MOST_SLICES:
        return None
    ((column, values),) = Counter(name.partition("=")[0] for name in names).most_common(1)
    return InputError(
        "{column!r} has {values:,} different values or more, and all slices together may be {most:,}; take a column "
        "that many rows have in common",
        field="slices",
        column=column,
        values=values,
        most=MOST_SLICES,
    )


def slicer(
    slices: RowSlices, nulls: Collection[str], setting: str
) -> Callable[[str, Mapping[str, str]], tuple[str, ...] | str]:
    """Returns what finds the slices of rows.

    Args:
        slices: What makes them.
        nulls: The words that stand for a missing value.
        setting: What the setting is called that names the columns of identities.

    Returns:
        A function of a row's text and its values by column. It returns the names of the slices, or a text that says why
        a cell cannot be read.
    """

    def find(text: str, values: Mapping[str, str]) -> tuple[str, ...] | str:
        found = [
            f"{column.strip()}={shorten(printable(value))}"
            for column in slices.columns
            if (value := values[column].strip()) and value not in nulls
        ]
        for column in slices.identities:
            value = values[column].strip()
            if not value or value in nulls:
                continue
            share = _TRUTH_VALUES.get(value.lower(), finite_number(value))
            if share is None or not 0 <= share <= 1:
                cell = f"{shorten(repr(value))} in column {column.strip()!r}"
                return f"{cell} is no number from 0 to 1, as {setting} needs"
            if share >= OF_IDENTITY:
                found.append(column.strip())
        if slices.lengths:
            found.append(slices.length_slice(text))
        return tuple(found)

    return find
