"""The result of an evaluation of a multi-label model, made of what was counted and measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fullbake.components.evaluation.decision_metrics import SCORES
from fullbake.components.evaluation.gate import Share
from fullbake.components.evaluation.label_measures import AVERAGE_PRECISION, COUNTS, EXACT, ROC_AUC
from fullbake.components.evaluation.ranking import mean_of_known
from fullbake.components.evaluation.rates import Rates, by_label
from fullbake.contract.results.evaluation import LabelCounts, ScoreCounts
from fullbake.contract.results.result import MULTI_LABEL


def measured_labels(measures: Mapping[str, np.ndarray], labels: Sequence[str]) -> dict[str, Any]:
    """Returns the fields of an `Evaluation` that are measured, of a multi-label model.

    Args:
        measures: As `label_measures.measure_labels` returned them.
        labels: The labels in the order of their class index.
    """
    counts = {
        label: LabelCounts(**dict(zip(LabelCounts.model_fields, row, strict=True)))
        for label, row in zip(labels, measures[COUNTS].astype(int).tolist(), strict=True)
    }
    examples, known, exact = (int(rows) for rows in measures[EXACT])
    hits, wrongly_not, wrongly_so, _, _ = measures[COUNTS].T
    rates = Rates.of_counts(hits, hits + wrongly_not, hits + wrongly_so)
    negative, positive = measures[SCORES].astype(int).tolist()
    areas, precisions = by_label(measures[ROC_AUC], labels), by_label(measures[AVERAGE_PRECISION], labels)
    return {
        "examples": examples,
        "task": MULTI_LABEL,
        "accuracy": exact / known if known else 0.0,
        "macro_f1": float(np.nan_to_num(rates.macro_f1)),
        **{name: by_label(getattr(rates, name), labels) for name in ("recall", "precision", "f1")},
        "confusion": (),
        "counts": counts,
        "known": known,
        "exact": exact,
        "roc_auc": areas,
        "mean_roc_auc": mean_of_known(list(areas.values())),
        "average_precision": precisions,
        "mean_average_precision": mean_of_known(list(precisions.values())),
        "scores": {
            label: ScoreCounts(positive=positive[index], negative=negative[index]) for index, label in enumerate(labels)
        },
    }


def label_shares(
    measures: Mapping[str, np.ndarray], labels: Sequence[str]
) -> tuple[dict[str, Share], dict[str, Share]]:
    """Returns recall and precision of each label with their counts, on the rows of which it is known.

    Args:
        measures: As `label_measures.measure_labels` returned them.
        labels: The labels in the order of their class index.
    """
    rows = dict(zip(labels, measures[COUNTS].astype(int).tolist(), strict=True))
    recall = {label: Share(hits, hits + missed) for label, (hits, missed, _, _, _) in rows.items()}
    precision = {label: Share(hits, hits + wrong) for label, (hits, _, wrong, _, _) in rows.items()}
    return recall, precision
