"""Tells that the cells of a column hold several labels."""

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from fullbake.components.data.data_file import DataFile
from fullbake.components.data.file_rows import format_of_file, read_file
from fullbake.components.data.label_sets import parts_of
from fullbake.components.data.readers.json_lines import NOT_TEXT
from fullbake.components.data.row_format import RowFormat
from fullbake.components.data.rows import BadRow, Row
from fullbake.contract.errors import InputError

SEPARATORS = (",", ";", "|")

_LONGEST = 200  # characters: more is a text
_SHARE = 0.01
_ROWS = 100  # looked at for lists


class Several(NamedTuple):
    """How cells hold several labels.

    Attributes:
        separator: What stands between them.
        cell: The most frequent such cell.
        parts: The labels in it.
    """

    separator: str
    cell: str
    parts: list[str]


def find_several_labels(labels: Mapping[str, int]) -> Several | None:
    """Finds a cell with several labels.

    The cells of a column hold several if at least two in three of the parts stand alone elsewhere, or recur in another
    combination. A part that has its place (`red, small`; `blue, large`) is a property, not a label; and what fewer than
    1% of the rows have is a slip.

    Args:
        labels: Label -> rows.

    Returns:
        How the cells hold them; None if they do not.

    Example:
        >>> find_several_labels({"1": 5, "2": 4, "1,2": 3})
        Several(separator=',', cell='1,2', parts=['1', '2'])
        >>> find_several_labels({"Arts, Crafts": 5, "Sports": 4})
    """
    for separator in SEPARATORS:
        found = {label: parts_of(label, separator) or [label] for label in labels if len(label) <= _LONGEST}
        several = {label: parts for label, parts in found.items() if len(parts) > 1}
        if sum(labels[label] for label in several) < _SHARE * sum(labels.values()):
            continue
        alone = {parts[0] for parts in found.values() if len(parts) == 1}
        combinations = Counter(part for parts in {frozenset(parts) for parts in several.values()} for part in parts)
        placed = {(part, place) for parts in several.values() for place, part in enumerate(parts)}
        places = Counter(part for part, _ in placed)
        standing = sum(part in alone for part in combinations)
        recurring = sum(part in alone or count > 1 for part, count in combinations.items())
        if several and 3 * recurring >= 2 * len(combinations) and (standing or max(places.values()) > 1):
            cell = max(several, key=lambda label: labels[label])
            return Several(separator, cell, several[cell])
    return None


def are_sets(labels: Iterable[str]) -> bool:
    """Says of cells that might be numbers with a decimal comma whether they hold sets of whole numbers.

    They do if one has three parts or, where none has, if no part stands beside itself, as in 3,3, and some stand on
    either side of a comma, as 3 does in 1,3 and 3,5; in 0,5 and 1,5 none does.

    Args:
        labels: The cells.

    Example:
        >>> are_sets(["27", "2,5", "5,27"]), are_sets(["1,5", "2,5", "3"]), are_sets(["1,2", "2,1", "1,1"])
        (True, False, False)
    """
    cells = [[part.strip() for part in label.split(",")] for label in labels if "," in label]
    if any(len(parts) > 2 for parts in cells):
        return True
    first, second = {parts[0] for parts in cells}, {parts[-1] for parts in cells}
    return not any(parts[0] == parts[-1] for parts in cells) and bool(first & second)


def holds_lists(file: DataFile, fmt: RowFormat) -> bool:
    """Says whether the label column of a file holds lists, as JSON, Parquet and Arrow have them.

    Args:
        file: The file.
        fmt: How it is written, with one label to a row.
    """
    if format_of_file(file, fmt).find_quoting is not None:
        return False  # CSV
    try:
        rows = list(itertools.islice(read_file(file, fmt), _ROWS))
        if not any(isinstance(row, BadRow) and row.kind == NOT_TEXT for row in rows):
            return False
    except InputError as error:
        if error.field != "label_column":
            raise
    try:
        listed = itertools.islice(read_file(file, replace(fmt, label_separator=",")), _ROWS)
        return any(isinstance(row, Row) for row in listed)
    except InputError:
        return False
