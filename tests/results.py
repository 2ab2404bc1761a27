"""Results as stages would leave them, for tests of what reads them."""

from typing import Any

from fullbake.contract.results.evaluation import Evaluation
from fullbake.contract.results.ingest import Ingest


def an_evaluation(labels: list[str], rate: float = 0.5, **changes: Any) -> Evaluation:
    """The result for a model that is right in half of two test rows of each label."""
    by_label = dict.fromkeys(labels, rate)
    size = len(labels)
    values = {
        "examples": 2 * size,
        "labels": labels,
        "accuracy": rate,
        "macro_f1": rate,
        **{"recall": by_label, "precision": by_label, "f1": by_label},
        "confusion": [[int(column in (row, (row + 1) % size)) for column in range(size)] for row in range(size)],
        "blessed": False,
    }
    return Evaluation.from_dict(values | changes)


def an_ingest(**changes: Any) -> Ingest:
    """The result for some rows."""
    return Ingest.from_dict({"read": 8, "used": 8, "examples": {"train": 5, "eval": 1, "test": 2}} | changes)
