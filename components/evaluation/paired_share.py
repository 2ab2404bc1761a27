"""A share of two models on the same rows: intervals, and the exact test of whether they differ.

McNemar, "Note on the sampling error of the difference between correlated proportions or percentages", Psychometrika
12 (1947), 153-157: rows on which both are right, or both wrong, say nothing of which is better. Of the others, as many
fall to one side as to the other if the models are equally good; so the exact p is that of a sign test.

Bonett and Price, "Adjusted Wald Confidence Interval for a Difference of Binomial Proportions Based on Paired Data",
Journal of Educational and Behavioral Statistics 37 (2012), 479-488. Fagerland, Lydersen and Laake, "Recommended tests
and confidence intervals for paired binomial proportions", Statistics in Medicine 33 (2014), 2850-2875, recommend it.
"""

from __future__ import annotations

import math
from statistics import NormalDist

from scipy.stats import binomtest

from fullbake.components.evaluation.wilson import CONFIDENCE, wilson
from fullbake.contract.results.paired import PairedShare
from fullbake.contract.results.pairs import PairCounts
from fullbake.contract.results.result import Interval


def paired_share(counts: PairCounts) -> PairedShare:
    """Returns what rows say of two models that were tried on all of them."""
    rows = counts.rows
    telling = counts.fixed + counts.broken
    return PairedShare(
        rows=rows,
        first=counts.first / rows if rows else None,
        first_interval=wilson(counts.first, rows),
        second=counts.second / rows if rows else None,
        second_interval=wilson(counts.second, rows),
        fixed=counts.fixed,
        broken=counts.broken,
        difference=(counts.fixed - counts.broken) / rows if rows else None,
        difference_interval=_interval(counts) if rows else None,
        p=None if not rows else float(binomtest(counts.fixed, telling).pvalue) if telling else 1.0,
    )


def _interval(counts: PairCounts) -> Interval:
    rows = counts.rows + 2
    fixed, broken = (counts.fixed + 1) / rows, (counts.broken + 1) / rows
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    reach = z * math.sqrt((fixed + broken - (fixed - broken) ** 2) / rows)
    return max(-1.0, fixed - broken - reach), min(1.0, fixed - broken + reach)
