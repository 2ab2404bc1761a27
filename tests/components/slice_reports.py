"""Evaluations with slices and identities, for the tests of what shows them."""

import numpy as np

from fullbake.components.evaluation.gate import GateSpec, judge
from fullbake.components.evaluation.judged_rows import JudgedRows
from fullbake.components.evaluation.label_measures import measure_labels
from fullbake.components.evaluation.slice_gate import judge_slices
from fullbake.components.evaluation.slice_measures import measure_slices
from fullbake.components.evaluation.summary import shares, summarize
from fullbake.contract.results.evaluation import Evaluation
from fullbake.contract.results.report import Report
from tests.components.scored import random_rows

LABELS = ("toxic", "insult")
CHANNELS = ("channel=forum", "channel=<mail>", "channel=fax")


def sliced_evaluation(channels=CHANNELS, rows: int = 300, **bounds) -> Evaluation:
    """The evaluation of a multi-label model that finds less in each channel than in the one before."""
    generator = np.random.default_rng(1)
    collected = JudgedRows(len(LABELS))
    for number, row in enumerate(random_rows(LABELS, rows, seed=6)):
        truth, masked = (np.isin(LABELS, given) for given in (row.labels, row.masked))
        place = number % len(channels)
        scores = np.array(row.scores) * (1 - 0.25 * place / len(channels))
        names = [channels[place], *(["male"] if generator.random() < 0.3 else [])]
        collected.append(truth, ~masked, scores >= 0.5, scores, names)
    gate = GateSpec(LABELS, multi_label=True, sliced=True, identities=("male", "female"), **bounds)
    counts, measures = measure_labels(collected), measure_slices(collected, LABELS, gate.identities)
    verdict = judge_slices(gate, measures)
    return summarize(
        counts,
        LABELS,
        bounds=[*judge(gate, *shares(counts, LABELS), None), *verdict.bounds],
        **measures._asdict(),
        worst_slice=verdict.worst,
        slice_notes=verdict.notes,
    )


def sliced_report(**settings) -> Report:
    """The report of such a model."""
    return Report(title="t", run="r", created="", evaluation=sliced_evaluation(**settings))
