"""Which words pushed a decision: what the served graph says without them (occlusion, Zeiler and Fergus 2014).

It takes the served graph as a function, so what is explained is what is served: tokenizer, windows and all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from fullbake.contract.results.mistakes import Influence

MOST_PARTS = 20
"""Parts that a text is taken apart into at most: so an explanation costs at most 21 rows. Longer texts have some words
to a part."""

LEAST_CHANGE = 0.01
"""Of a probability; what changes it by less pushed nothing."""

MOST_INFLUENCES = 3

Serve = Callable[[Mapping[str, list[str]]], np.ndarray]
"""From columns of texts by feature, each `(rows,)`, to probabilities, float32 `(rows, labels)`."""


def explain(serve: Serve, row: Mapping[str, str], score: Callable[[np.ndarray], np.ndarray]) -> tuple[Influence, ...]:
    """Finds what pushed a decision.

    Args:
        serve: The model.
        row: The row's texts by feature.
        score: From probabilities `(rows, labels)` to the probability of the decision, `(rows,)`.

    Returns:
        At most `MOST_INFLUENCES` parts that change it by `LEAST_CHANGE` or more, the strongest first.
    """
    parts = [(feature, start, end) for feature, text in row.items() for start, end in _words(text)]
    width = max(1, -(-len(parts) // MOST_PARTS))
    groups = [parts[first : first + width] for first in range(0, len(parts), width)]
    # Words of both texts of a pair are no part.
    groups = [part for group in groups for part in _by_feature(group)]
    rows = [dict(row)] + [_without(row, group) for group in groups]
    given = score(serve({feature: [one[feature] for one in rows] for feature in row}))
    changes = given[0] - given[1:]
    strongest = sorted(range(len(groups)), key=lambda number: (-abs(changes[number]), number))[:MOST_INFLUENCES]
    return tuple(
        Influence(words=_text_of(row, groups[number]), change=round(float(changes[number]), 4))
        for number in strongest
        if abs(changes[number]) >= LEAST_CHANGE
    )


def _words(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer(r"\S+", text)]


def _by_feature(group: Sequence[tuple[str, int, int]]) -> list[list[tuple[str, int, int]]]:
    features = dict.fromkeys(feature for feature, _, _ in group)
    return [[part for part in group if part[0] == feature] for feature in features]


def _without(row: Mapping[str, str], group: Sequence[tuple[str, int, int]]) -> dict[str, str]:
    feature, start, end = group[0][0], group[0][1], group[-1][2]
    text = row[feature]
    return {**row, feature: text[:start] + text[end:]}


def _text_of(row: Mapping[str, str], group: Sequence[tuple[str, int, int]]) -> str:
    return row[group[0][0]][group[0][1] : group[-1][2]]
