"""Whether two approaches differ by more than luck: one test, and what it says in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as students_t

from fullbake.pipeline.comparison.approach_result import ApproachResult
from fullbake.pipeline.comparison.measures import Measure
from fullbake.pipeline.comparison.spread import Spread
from fullbake.pipeline.comparison.words import p_words, signed

CONFIDENCE = 0.95

LEAST_TELLING_ROWS = 6
"""Fewer test rows that tell two approaches apart prove nothing.

A percentile interval is too narrow for a handful of rows: of a class with one row it has no width at all. The exact
sign test (Dixon & Mood 1946) draws the line here: five rows that all point one way give p = 0.0625, six give 0.03.
"""


@dataclass(frozen=True)
class PairedTest:
    """Whether two approaches differ on one measure by more than luck, of the test rows and of training.

    Attributes:
        first: An approach.
        second: Another.
        metric: "accuracy", "macro_f1", "macro_recall" or "recall".
        label: Of the recall, else None.
        difference: First minus second, each a mean over its seeds.
        low: Where the 95% interval of the difference begins, for these trained models and the luck of the test rows.
        high: Where it ends.
        p: Two-sided, of the same.
        telling_rows: Test rows (of the class) on which one approach is right with a greater share of its seeds.
        se_rows: Standard error of the difference by the luck of the test rows.
        se_seeds: Standard error of the difference by the luck of training; None where a side has one seed, which says
            nothing of it.
        margin: What the difference must exceed where both count: Student's 95% quantile times both errors together.
            None where `se_seeds` is.
        models_differ: The interval excludes 0, and there are `LEAST_TELLING_ROWS` or more: other test rows would show
            it too, but other seeds perhaps not.
        more_than_luck: That, and the difference is greater than the margin. Never with one seed on a side.
    """

    first: str
    second: str
    metric: str
    label: str | None
    difference: float
    low: float
    high: float
    p: float
    telling_rows: int
    se_rows: float
    se_seeds: float | None
    margin: float | None
    models_differ: bool
    more_than_luck: bool

    @property
    def measure(self) -> str:
        """The measure in words."""
        return Measure(self.metric, self.label).name

    @property
    def margin_words(self) -> str:
        """The margin as it is written beside a difference."""
        return "–" if self.margin is None else f"±{self.margin:.3f}"

    @property
    def verdict(self) -> str:
        """What the test says, in words."""
        if self.more_than_luck:
            return "more than luck"
        if not self.difference and not self.telling_rows:
            return "no difference"
        if self.telling_rows < LEAST_TELLING_ROWS:
            return f"may be luck, told apart by {self.telling_rows} row{'' if self.telling_rows == 1 else 's'}"
        if not self.models_differ:
            return "may be luck"
        if self.margin is None:
            return "these two models differ; only more seeds tell of the approaches"
        return "may be luck of training"

    def __str__(self) -> str:
        interval = f"{signed(self.low)} to {signed(self.high)}"
        training = "" if self.margin is None else f"; with luck of training {self.margin_words}"
        return (
            f"{self.first} - {self.second}: {self.measure} {signed(self.difference)} "
            f"(95% {interval}, {p_words(self.p)}{training}): {self.verdict}"
        )


def judge(
    results: tuple[ApproachResult, ApproachResult],
    measure: Measure,
    *,
    difference: float,
    resampled: np.ndarray,
    telling_rows: int,
) -> PairedTest:
    """Judges a difference.

    Args:
        results: Of the two approaches.
        measure: By which they are compared.
        difference: As observed.
        resampled: The same in each resample, float `(resamples,)`; NaN where the resample has no row of the class.
        telling_rows: As in `PairedTest`.
    """
    # Seeds are averaged in floating point: equals may differ in the 17th digit, which must not count as a direction.
    known = np.round(resampled[~np.isnan(resampled)], 12)
    exact = round(float(difference), 12) + 0.0
    low, high = (float(end) for end in np.quantile(known, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]))
    # Plus one: the sample itself is one of the ways it could have fallen; no p is 0 (Davison & Hinkley 1997).
    tail = (min(np.sum(known <= 0), np.sum(known >= 0)) + 1) / (len(known) + 1)
    se_rows = float(np.std(known, ddof=1))
    se_seeds, margin = _margin(se_rows, [result.spread(measure) for result in results])
    models_differ = (low > 0 or high < 0) and telling_rows >= LEAST_TELLING_ROWS
    return PairedTest(
        first=results[0].approach,
        second=results[1].approach,
        metric=measure.metric,
        label=measure.label,
        difference=exact,
        low=low,
        high=high,
        p=min(1.0, 2 * float(tail)),
        telling_rows=telling_rows,
        se_rows=se_rows,
        se_seeds=se_seeds,
        margin=margin,
        models_differ=models_differ,
        more_than_luck=models_differ and margin is not None and abs(exact) > margin,
    )


def _margin(se_rows: float, spreads: Sequence[Spread]) -> tuple[float | None, float | None]:
    """Adds the luck of training to that of the test rows.

    Welch 1947 ("The generalization of Student's problem when several different population variances are involved"):
    the variances of the two means over seeds and of the test rows add up, and the sum has the degrees of freedom of
    Satterthwaite 1946. There are so many rows that their variance counts as known. A seed's value is measured on the
    same test rows as all others, so the spread over seeds holds a little of the luck of the rows too: the margin is
    rather too wide than too narrow.

    Args:
        se_rows: Standard error of the difference by the luck of the test rows.
        spreads: Of the two approaches over their seeds.

    Returns:
        The standard error by the luck of training, and the margin; None and None where a side has one seed.
    """
    variances, squares = [], []
    for spread in spreads:
        seeds = sum(value is not None for value in spread.values)
        if spread.deviation is None:
            return None, None
        variances.append(spread.deviation**2 / seeds)
        squares.append(variances[-1] ** 2 / (seeds - 1))
    variance = se_rows**2 + sum(variances)
    freedom = variance**2 / sum(squares) if sum(squares) else np.inf
    quantile = float(students_t.ppf((1 + CONFIDENCE) / 2, freedom))
    return float(np.sqrt(sum(variances))), quantile * float(np.sqrt(variance))
