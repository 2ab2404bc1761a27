"""Finds rare labels that may be slips of the pen for frequent ones."""

import re
from collections import defaultdict
from collections.abc import Mapping

_LETTERS = 5
_SHARE = 0.05
_ROWS = 10
_LONGEST = 60  # characters: to compare a label with others takes their square


def find_near_spellings(labels: Mapping[str, int]) -> dict[str, str]:
    """Finds labels that are one edit (a letter more, less or another, or two in turn) from a far more frequent one.

    Both have at least five letters, the same digits and the same first letter, and the rarer one has fewer than ten
    rows and fewer than 5% of the other's. Where two labels that are not rare are so near, or a rare one is near
    several, one letter tells codes apart, and none is found.

    Args:
        labels: Label -> rows.

    Returns:
        Label -> the one for which it may be a slip.
    """
    variants: defaultdict[str, set[str]] = defaultdict(set)
    for label in labels:
        if len(label) <= _LONGEST and sum(map(str.isalpha, label)) >= _LETTERS:
            for text in _shortened(label):
                variants[text].add(label)
    found: defaultdict[str, set[str]] = defaultdict(set)
    for label in labels:
        others = set().union(*(variants.get(text, ()) for text in _shortened(label))) if len(label) <= _LONGEST else ()
        for other in others:
            if label != other and labels[label] <= labels[other] and _are_near(label, other):
                found[label].add(other)
    near: dict[str, str] = {}
    for label, others in found.items():
        frequent = [other for other in others if labels[label] < _SHARE * labels[other]]
        if labels[label] >= _ROWS or len(others) > 1:
            return {}
        near.update((label, other) for other in frequent)
    return near


def _shortened(label: str) -> set[str]:
    """Returns a label, and what is left of it without any one letter: labels that are one edit apart share one."""
    return {label, *(label[:place] + label[place + 1 :] for place in range(len(label)))}


def _are_near(one: str, other: str) -> bool:
    if re.sub(r"\D", "", one) != re.sub(r"\D", "", other) or one[0] != other[0]:
        return False
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    left, right = one[start:], other[start:]
    swapped = left[:2] == right[:2][::-1] and left[2:] == right[2:]
    if not (swapped or left[1:] == right[1:] or left == right[1:] or left[1:] == right):
        return False
    # A word of one letter is a code: type a, type b.
    return min(len(word) for text in (one, other) for word in _word_at(text, start)) > 1


def _word_at(text: str, place: int) -> list[str]:
    return [found.group() for found in re.finditer(r"[^\W_]+", text) if found.start() <= place <= found.end()] or [text]
