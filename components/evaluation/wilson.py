"""How far luck may have moved a share that was counted on a few rows: Wilson's score interval.

Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", Journal of the American Statistical
Association 22 (1927), 209-212. Brown, Cai and DasGupta, "Interval Estimation for a Binomial Proportion", Statistical
Science 16 (2001), 101-133, compare the known intervals and recommend this one for 40 rows or fewer: the usual one
(share ± z standard errors) is much too narrow there, and of width zero where every row or none was found.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fullbake.contract.results.result import Interval

CONFIDENCE = 0.95
"""The confidence of what is shown where nobody asked for another."""


def wilson(hits: int, trials: int, confidence: float = CONFIDENCE) -> Interval | None:
    """Returns the interval in which the true share lies with a confidence, both ends together.

    Args:
        hits: How many rows were found.
        trials: Of how many.
        confidence: From 0 to 1, both excluded.

    Returns:
        Its lower and upper end; None without a row.
    """
    if trials <= 0:
        return None
    z = _quantile(confidence)
    share = hits / trials
    scale = 1 + z * z / trials
    centre = (share + z * z / (2 * trials)) / scale
    reach = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials)) / scale
    return (max(0.0, centre - reach) if hits else 0.0), (min(1.0, centre + reach) if hits < trials else 1.0)


def rows_needed(bound: float, confidence: float) -> int | None:
    """Returns how many rows a class must have, all of them found, for the lower end of its interval to be at a bound.

    Of n rows that were all found, the lower end is n / (n + z²).

    Args:
        bound: From 0 to 1.
        confidence: As `wilson` takes it.

    Returns:
        At least 1; None for a bound of 1, which no number of rows can show.
    """
    if bound >= 1:
        return None
    z = _quantile(confidence)
    return max(1, math.ceil(bound * z * z / (1 - bound)))


def _quantile(confidence: float) -> float:
    return NormalDist().inv_cdf((1 + confidence) / 2)
