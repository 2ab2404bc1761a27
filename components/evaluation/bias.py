"""Whether a model scores texts otherwise for the identities that they mention.

Borkan, Dixon, Sorensen, Thain and Vasserman, "Nuanced Metrics for Measuring Unintended Bias with Real Data for Text
Classification", Companion Proceedings of the World Wide Web Conference (2019), arXiv:1903.04561.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fullbake.components.evaluation.ranking import roc_auc
from fullbake.contract.results.slices import BiasAucs

POWER = -5
"""Of the mean over identities: so low that the worst counts most. The Jigsaw Unintended Bias in Toxicity Classification
challenge (2019), which its authors held with these measures, took this one."""


def bias_aucs(scores: np.ndarray, truth: np.ndarray, subgroup: np.ndarray) -> BiasAucs:
    """Returns the three areas of one label and one identity.

    Args:
        scores: The label's, `(rows,)`.
        truth: Whether each row has the label, bool `(rows,)`.
        subgroup: Whether each row is of the identity, bool `(rows,)`; all others are the background.
    """
    crossed = truth != subgroup  # with the label in the background, without it in the subgroup

    def area(rows: np.ndarray) -> float | None:
        return roc_auc(scores[rows], truth[rows])

    return BiasAucs(subgroup=area(subgroup), bpsn=area(crossed), bnsp=area(~crossed))


def mean_bias_aucs(areas: Sequence[BiasAucs]) -> BiasAucs:
    """Returns the generalised means over identities, each over those that have a value."""
    return BiasAucs(**{kind: _power_mean([getattr(each, kind) for each in areas]) for kind in BiasAucs.model_fields})


def _power_mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    if not known or 0 in known:
        return 0.0 if known else None
    return float((sum(value**POWER for value in known) / len(known)) ** (1 / POWER))
