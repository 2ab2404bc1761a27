"""Rows that repeat or contradict others, however far apart they are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fullbake.contract.results.ingest import Repeats

MORE_CONFLICTS = 9
"""Texts with several labels that are named beside the first."""


def find_repeats(
    digests: np.ndarray, labels: np.ndarray, name: Callable[[int, bool], str], *, without_conflicts: bool = False
) -> tuple[Repeats, np.ndarray, np.ndarray]:
    """Finds the rows that have the text of another.

    Memory is some 40 bytes a row, those of the arguments among them.

    Args:
        digests: uint64 (rows,), of the texts.
        labels: Whole numbers (rows,).
        name: Names a row, given its index and whether its label is wanted too, for people.
        without_conflicts: Whether rows whose text has several labels are left out of the duplicates.

    Returns:
        What was found; the indices of the rows that repeat an earlier one; the indices of the rows whose text has
        several labels.

    Example:
        >>> found, duplicates, conflicts = find_repeats(
        ...     np.array([7, 8, 7, 9, 8], np.uint64), np.array([0, 0, 0, 1, 1]), lambda row, _: f"row {row}"
        ... )
        >>> found.first_duplicate, duplicates.tolist(), found.first_conflict, sorted(conflicts.tolist())
        ('row 0 and row 2', [2], 'row 1 and row 4', [1, 4])
    """
    order = np.lexsort((labels, digests))  # it is stable: of equal rows, the first stays the first
    sorted_digests, sorted_labels = digests[order], labels[order]
    same_text = sorted_digests[1:] == sorted_digests[:-1]
    same_label = sorted_labels[1:] == sorted_labels[:-1]
    # A text with several labels has neighbours that differ in it.
    texts = np.unique(sorted_digests[1:][same_text & ~same_label])
    conflicting = np.zeros(digests.shape, bool)
    if texts.size:  # np.isin would sort both once more, which takes several times the memory
        conflicting = texts[np.minimum(np.searchsorted(texts, sorted_digests), texts.size - 1)] == sorted_digests
    if without_conflicts:
        same_text &= ~conflicting[1:]
    conflicts, duplicates = order[conflicting], order[1:][same_text & same_label]

    first_duplicate = ""
    contradictions: list[str] = []
    left = np.sort(conflicts)
    while left.size and len(contradictions) <= MORE_CONFLICTS:
        first = int(left[0])
        other = _first((digests == digests[first]) & (labels != labels[first]))
        contradictions.append(f"{name(first, True)} and {name(other, True)}")
        left = left[digests[left] != digests[first]]
    if duplicates.size:
        repeating = int(duplicates.min())
        repeated = _first((digests == digests[repeating]) & (labels == labels[repeating]))
        first_duplicate = f"{name(repeated, False)} and {name(repeating, False)}"
    repeats = Repeats(
        duplicates=duplicates.size,
        first_duplicate=first_duplicate,
        conflicting_texts=texts.size,
        conflicting_rows=conflicts.size,
        first_conflict=contradictions[0] if contradictions else "",
        more_conflicts=tuple(contradictions[1:]),
    )
    return repeats, duplicates, conflicts


def _first(mask: np.ndarray) -> int:
    return int(np.argmax(mask))
