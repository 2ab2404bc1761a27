"""Which texts go through the model in one call."""

from __future__ import annotations

from collections.abc import Sequence

_GROWTH = 2  # as many times as long as the shortest may the longest be
_SLACK = 64  # bytes, about 15 tokens, on top of that: a call has a cost of its own


def similar_lengths(lengths: Sequence[int]) -> list[list[int]]:
    """Deals rows into groups of similar length.

    Args:
        lengths: Of each row, in bytes.

    Returns:
        The indices of the rows of each group, the shortest first.
    """
    groups: list[list[int]] = []
    most = -1
    for row in sorted(range(len(lengths)), key=lambda index: lengths[index]):
        if lengths[row] > most:
            groups.append([])
            most = _GROWTH * lengths[row] + _SLACK
        groups[-1].append(row)
    return groups
