"""Reports of multi-label models, for the tests of the page."""

import numpy as np

from fullbake.components.evaluation.gate import GateSpec, judge
from fullbake.components.evaluation.judged_rows import JudgedRows
from fullbake.components.evaluation.label_measures import measure_labels
from fullbake.components.evaluation.summary import shares, summarize
from fullbake.contract.results.evaluation import Evaluation
from fullbake.contract.results.report import Report
from tests.components.reports import other_parts
from tests.components.scored import random_rows

LABELS = ("toxic", "insult", "threat")


def label_evaluation(labels=LABELS, rows: int = 400, thresholds=None, **bounds) -> Evaluation:
    """The evaluation of a model that finds much, of rows some of whose labels are masked."""
    collected = JudgedRows(len(labels))
    for row in random_rows(labels, rows, seed=4):
        truth, masked = (np.isin(labels, given) for given in (row.labels, row.masked))
        scores = np.array(row.scores)
        collected.append(truth, ~masked, scores >= 0.5, scores)
    counts = measure_labels(collected)
    gate = GateSpec(tuple(labels), multi_label=True, **bounds)
    return summarize(
        counts,
        labels,
        bounds=judge(gate, *shares(counts, labels), None),
        decision_thresholds=thresholds or dict.fromkeys(labels, 0.5),
    )


def label_report(**bounds) -> Report:
    """The report of a model that gives a text any number of three labels."""
    evaluation = label_evaluation(**bounds)
    parts = {"title": "comments", "run": "2024-05-04T101500", "created": "2024-05-04T10:15:00+00:00"}
    rows_of = {label: tally.texts for label, tally in evaluation.tallies.items()}
    return Report.from_dict({**parts, "evaluation": evaluation.to_dict(), **other_parts(rows_of)})
