"""On which side of the split a text is: by its hash, or because it must not be learned."""

import itertools
from collections.abc import Mapping
from typing import cast

import numpy as np

from fullbake.components.data.same_text import digest_of


def split_of(text: str, split: Mapping[str, int]) -> str:
    r"""Returns the split a text belongs to, the same on every machine and in every run.

    A hash decides that a text shares with its trivial copies (see `digest_of`: shouted, re-indented, with its accents
    composed otherwise, with invisible characters): they are never on two sides. Of a pair, the first text decides.

    Args:
        text: The text.
        split: Name of a split -> its share in parts of the sum. The order counts.

    Example:
        >>> split_of("So kind!", {"train": 8, "test": 2}) == split_of(" so\nKIND !", {"train": 8, "test": 2})
        True
    """
    return list(split)[splits_of(np.frombuffer(digest_of(text), ">u8"), split)[0]]


def splits_of(digests: np.ndarray, split: Mapping[str, int]) -> np.ndarray:
    """Returns the number of each digest's split, uint8."""
    bounds = np.array(list(itertools.accumulate(split.values())), np.uint64)
    return np.searchsorted(bounds, digests.astype(np.uint64) % bounds[-1], side="right").astype(np.uint8)


class HeldOutTexts:
    """Texts that must not be learned, as sorted digests: eight bytes each.

    Args:
        digests: uint64 (texts,); it is sorted in place, because a sorted copy would be as large again.
    """

    def __init__(self, digests: np.ndarray):
        self._digests = digests
        self._digests.sort()

    def holds(self, digests: np.ndarray) -> np.ndarray:
        """Returns of each digest whether its text is one of them."""
        if not self._digests.size:
            return np.zeros(digests.shape, bool)
        places = np.minimum(np.searchsorted(self._digests, digests), self._digests.size - 1)
        return cast(np.ndarray, self._digests[places] == digests)
