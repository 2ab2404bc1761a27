"""A split in which each class has rows on every side: by the hash of the text where that is enough."""

from collections.abc import Mapping

import numpy as np

from fullbake.components.data.ingest.splitting import splits_of
from fullbake.contract.names import EVAL_SPLIT, TEST_SPLIT, TRAIN_SPLIT

LEAST = 5
"""Texts of a class that each split gets where the class can give them. It is our choice: fewer, and one text decides
between a recall that nobody would push and a perfect one; more would take too many from the training of small classes.
"""

_ORDER = (TEST_SPLIT, EVAL_SPLIT, TRAIN_SPLIT)


def count_texts(texts: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """Returns how many different texts each class has, int64 (classes,); the arguments are those of `stratify`."""
    order = np.lexsort((texts, labels))
    return np.bincount(labels[order[_first_of_each(texts[order], labels[order])]], minlength=classes)


def stratify(texts: np.ndarray, labels: np.ndarray, split: Mapping[str, int], least_in_test: np.ndarray) -> np.ndarray:
    """Returns the split of each row: that of its text's hash, but for classes of which a split would have too few.

    A class stands in a line: first the texts whose hash says test, then those of eval, then those of train, each by
    their digests. The first `least_in_test` of the line are in test whatever their hash says, the `LEAST` after the
    test texts in eval, and the last `LEAST` are neither. Of a small class each of these numbers is a third of its texts
    at most, so that three texts are in three splits. A class that has fewer texts than there are splits is left as the
    hash has it. A text with several labels goes where the first in the order test, eval, train of them wants it.

    So where the hash gives each split enough, it decides alone. And a text whose place in the line moves, because rows
    were added, moves away from the test end: from test towards eval towards train, never back. Until a class has three
    times its greatest least number of texts, those parts still grow with it, and texts may move the other way. (No rule
    avoids that: if three texts are to be in three splits, no two of them can be in test, however many come later.)

    Memory is some 45 bytes a row, those of the arguments among them.

    Args:
        texts: Digests of the texts, uint64 (rows,).
        labels: Class indices, unsigned (rows,).
        split: Name of a split -> its share, as for `splitting.split_of`; of train, eval and test.
        least_in_test: The least number of texts in test, int (classes,).

    Returns:
        Places in `split`, uint8 (rows,).

    Example:
        >>> shares = {"train": 8, "eval": 1, "test": 1}
        >>> stratify(np.array([10, 20, 30], np.uint64), np.zeros(3, np.uint32), shares, np.array([5])).tolist()
        [2, 1, 0]
    """
    parts = [name for name in _ORDER if name in split]
    by_hash = splits_of(texts, split)
    if len(parts) < 2:
        return by_hash
    part = np.array([parts.index(name) for name in split], np.uint8)[by_hash]
    del by_hash
    order = np.lexsort((texts, part, labels))
    texts, labels, part = texts[order], labels[order], part[order]
    first = _first_of_each(texts, labels)

    classes = len(least_in_test)
    by_class = labels[first].astype(np.int64) * len(parts) + part[first]
    hashed = np.bincount(by_class, minlength=classes * len(parts)).reshape(classes, len(parts))
    sizes = hashed.sum(axis=1)
    rank = np.cumsum(first, dtype=np.int32) - 1
    rank -= (np.cumsum(sizes) - sizes).astype(np.int32)[labels]
    wanted = np.zeros(len(texts), np.uint8)
    least = np.full((classes, len(parts)), LEAST)
    if parts[0] == TEST_SPLIT:
        least[:, 0] = least_in_test
    for end in _ends(hashed, least):
        wanted += rank >= end.astype(np.int32)[labels]
    del rank, first

    _move(texts, part, wanted)
    splits = np.empty(len(texts), np.uint8)
    splits[order] = np.array([list(split).index(name) for name in parts], np.uint8)[part]
    return splits


def _first_of_each(texts: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Says of each sorted row whether it is the first of its text and class."""
    first = np.ones(len(texts), bool)
    first[1:] = (texts[1:] != texts[:-1]) | (labels[1:] != labels[:-1])
    return first


def _ends(hashed: np.ndarray, least: np.ndarray) -> list[np.ndarray]:
    """Returns how many texts of each class precede the end of each part but the last.

    Args:
        hashed: How many the hash puts into each part, (classes, parts).
        least: How many are to be there, (classes, parts).
    """
    sizes, parts = hashed.sum(axis=1), hashed.shape[1]
    third = np.where(sizes >= parts, np.maximum(sizes // 3, 1), 0)
    least = np.minimum(least, third[:, None])
    ends, end = [], np.zeros_like(sizes)
    for part in range(parts - 1):
        end = np.maximum(end + least[:, part], hashed[:, : part + 1].sum(axis=1))
        end = np.minimum(end, sizes - least[:, part + 1 :].sum(axis=1))
        ends.append(end)
    return ends


def _move(texts: np.ndarray, part: np.ndarray, wanted: np.ndarray) -> None:
    """Moves the texts that a class of theirs wants elsewhere, all rows of a text to one part; `part` is changed."""
    moved = np.unique(texts[wanted != part])
    if not moved.size:
        return
    places = np.minimum(np.searchsorted(moved, texts), moved.size - 1)
    rows = np.flatnonzero(moved[places] == texts)
    places = places[rows]
    first_wanted = np.full(moved.size, len(_ORDER), np.uint8)
    np.minimum.at(first_wanted, places, wanted[rows])
    part[rows] = first_wanted[places]
