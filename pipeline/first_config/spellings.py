"""Finds labels that are written in several ways."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Hashable, Mapping
from decimal import Decimal

from fullbake.pipeline.config.label_config import is_printable
from fullbake.pipeline.first_config.near_spellings import find_near_spellings

_END = " .,;:!…"  # not the ? of a doubt, nor what C++ and C# end in
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
_TRUE = frozenset(("true", "t", "yes", "y", "1"))
_FALSE = frozenset(("false", "f", "no", "n", "0"))


def find_spellings(labels: Mapping[str, int]) -> tuple[dict[str, str], dict[str, str]]:
    """Finds labels that seem to be other spellings of another.

    Labels are one if they differ by case, white space, Unicode composition or punctuation at their end alone, if they
    are the same number, or the same truth value in a column of nothing else. The spelling of the most rows stands for
    all; among equals, the one without capitals.

    Args:
        labels: Label -> rows.

    Returns:
        Label -> the spelling that stands for it, of those that are the same; likewise those that are only near (see
        `find_near_spellings`), which may be slips.

    Example:
        >>> find_spellings({"spam": 60, "Spam": 20, "ham": 90, "offensive": 900, "ofensive": 2})
        ({'Spam': 'spam'}, {'ofensive': 'offensive'})
    """
    groups: defaultdict[Hashable, list[str]] = defaultdict(list)
    for label, key in _keys(labels).items():
        groups[key].append(label)
    same: dict[str, str] = {}
    rows: dict[str, int] = {}
    for members in groups.values():
        first = min(members, key=lambda label: (not is_printable(label), -labels[label], label.swapcase()))
        rows[first] = sum(labels[label] for label in members)
        same.update((label, first) for label in members if label != first)
    near = find_near_spellings(rows)
    for label, first in list(same.items()):
        if first in near:
            near[label] = near[first]
            del same[label]
    return same, near


def _keys(labels: Collection[str]) -> dict[str, Hashable]:
    """Returns of each label what it has in common with its other spellings."""
    plain = {label: _plain(label) for label in labels}
    numbers = {label: Decimal(text) for label, text in plain.items() if _NUMBER.fullmatch(text)}
    words = plain | {label: str(int(number)) for label, number in numbers.items() if number == int(number)}
    found = set(words.values())
    if found <= _TRUE | _FALSE and found & _TRUE and found & _FALSE:
        return {label: word in _TRUE for label, word in words.items()}
    # 1.9 and 1.10 are numbers of versions or chapters.
    texts = set(plain.values())
    if any(text.endswith(".9") and f"{text[:-1]}10" in texts for text in texts):
        return dict(plain)
    return {label: numbers.get(label, text) for label, text in plain.items()}


def _plain(label: str) -> str:
    text = " ".join(unicodedata.normalize("NFC", label).split())
    text = unicodedata.normalize("NFC", text.casefold())
    return text.rstrip(_END) or text
