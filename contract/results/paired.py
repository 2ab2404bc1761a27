"""Two models on the same rows, and whether they differ by more than luck."""

from __future__ import annotations

from fullbake.contract.results.result import Interval, Result


class PairedShare(Result):
    """A share of both models, such as a recall, counted on the same rows.

    Attributes:
        rows: How many there are.
        first: The first model's; None without a row.
        first_interval: Where its true value lies with 95% confidence (Wilson 1927).
        second: The second model's; likewise.
        second_interval: Likewise.
        fixed: Rows that the first has right and the second wrong.
        broken: Rows that the second has right and the first wrong.
        difference: First minus second.
        difference_interval: Where the true difference lies with 95% confidence (Bonett and Price 2012).
        p: Of the exact two-sided McNemar test: how likely luck alone parts fixed and broken as unevenly, of two models
            that are equally good.
    """

    rows: int
    first: float | None
    first_interval: Interval | None
    second: float | None
    second_interval: Interval | None
    fixed: int
    broken: int
    difference: float | None
    difference_interval: Interval | None
    p: float | None


class Paired(Result):
    """Two models on the same rows.

    Attributes:
        first: The model that is judged, as people call it.
        second: The one that it is compared with.
        accuracy: Over all rows; of a multi-label model those with every known label right.
        recall: By label.
    """

    first: str
    second: str
    accuracy: PairedShare
    recall: dict[str, PairedShare]
