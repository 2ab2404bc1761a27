"""Tells that the cells of a column hold several labels."""

import re
from collections import Counter
from collections.abc import Mapping

SEPARATORS = (",", ";", "|")

_LONGEST = 200  # characters: more is a text
_SHARE = 0.01


def find_several_labels(labels: Mapping[str, int]) -> tuple[str, list[str]] | None:
    """Finds a cell with several labels.

    The cells of a column hold several if at least two in three of the parts stand alone elsewhere, or recur in another
    combination. A part that has its place (`red, small`; `blue, large`) is a property, not a label; and what fewer than
    1% of the rows have is a slip.

    Args:
        labels: Label -> rows.

    Returns:
        The most frequent such cell, and its parts; None if there is none.

    Example:
        >>> find_several_labels({"1": 5, "2": 4, "1,2": 3}), find_several_labels({"Arts, Crafts": 5, "Sports": 4})
        (('1,2', ['1', '2']), None)
    """
    for separator in SEPARATORS:
        parts_of = {label: _parts(label, separator) for label in labels if len(label) <= _LONGEST}
        several = {label: parts for label, parts in parts_of.items() if len(parts) > 1}
        if sum(labels[label] for label in several) < _SHARE * sum(labels.values()):
            continue
        alone = {parts[0] for parts in parts_of.values() if len(parts) == 1}
        combinations = Counter(part for parts in {frozenset(parts) for parts in several.values()} for part in parts)
        placed = {(part, place) for parts in several.values() for place, part in enumerate(parts)}
        places = Counter(part for part, _ in placed)
        standing = sum(part in alone for part in combinations)
        recurring = sum(part in alone or count > 1 for part, count in combinations.items())
        if several and 3 * recurring >= 2 * len(combinations) and (standing or max(places.values()) > 1):
            cell = max(several, key=lambda label: labels[label])
            return cell, several[cell]
    return None


def _parts(label: str, separator: str) -> list[str]:
    listed = re.fullmatch(r"[\[({](.*)[\])}]", label)
    parts = (part.strip() for part in (listed[1] if listed else label).split(separator))
    return list(dict.fromkeys(part.strip("\"'") if listed else part for part in parts if part)) or [label]
