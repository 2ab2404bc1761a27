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

    Case does not count. Both have at least five letters, the same digits and the same first letter, and the rarer one
    has fewer than ten rows and fewer than 5% of the other's. Where two labels that are not rare are so near, a rare one
    is near several of these, or three labels differ in one and the same letter, letters tell codes apart, and none is
    found.

    Args:
        labels: Label -> rows.

    Returns:
        Label -> the one for which it may be a slip.
    """
    texts = {
        label: label.casefold()
        for label in labels
        if len(label) <= _LONGEST and sum(map(str.isalpha, label)) >= _LETTERS
    }
    variants: defaultdict[str, set[str]] = defaultdict(set)
    for label, text in texts.items():
        for variant in _shortened(text):
            variants[variant].add(label)
    if any(len(alike) > 2 for alike in _by_one_letter(texts).values()):
        return {}
    near: dict[str, str] = {}
    for label, text in texts.items():
        around = set().union(*(variants[variant] for variant in _shortened(text))) - {label}
        others = [other for other in around if labels[label] <= labels[other] and _are_near(text, texts[other])]
        frequent = [other for other in others if labels[label] < _SHARE * labels[other]]
        if len(frequent) > 1 or (others and labels[label] >= _ROWS):
            return {}
        near.update((label, other) for other in frequent)
    return near


def _by_one_letter(texts: Mapping[str, str]) -> dict[tuple[str, str], set[str]]:
    """Returns the texts that are equal but for the one letter between two parts."""
    alike: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for text in texts.values():
        for place in range(len(text)):
            alike[text[:place], text[place + 1 :]].add(text)
    return alike


def _shortened(text: str) -> set[str]:
    """Returns a text, and what is left of it without any one letter: texts that are one edit apart share one."""
    return {text, *(text[:place] + text[place + 1 :] for place in range(len(text)))}


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
