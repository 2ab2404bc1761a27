"""Report pages of models of many kinds, as a browser is shown them."""
# ruff: noqa: S311 - made-up predictions need no cryptography

import random

from fullbake.components.report.page import render
from fullbake.contract.results.mistakes import Mistakes
from fullbake.contract.results.report import Report
from tests.components.label_reports import label_evaluation
from tests.components.reports import (
    BANK,
    evaluation_of,
    other_parts,
    passing_report,
    refused_report,
    report_of,
    report_of_many_classes,
)
from tests.components.slice_reports import sliced_evaluation

LONG = "Überweisung_" * 12
HOSTILE = (
    '<script>owned = 1; document.title = "owned"</script>',
    '"><img src="nowhere" onerror="owned = 1">',
    "</style></title><script>owned = 1</script>",
    "'; owned = 1; '{{ 7 * 7 }}",
)


def report_of_classes(labels, rows: int = 40, bins: int = 1000) -> Report:
    """The report of a model of these classes, the first four of which have bounds."""
    rng = random.Random(2)
    skill = {label: rng.betavariate(20, 2) for label in labels}
    rows_of = {label: rng.randrange(rows // 2, rows + 1) for label in labels}
    bounds = [("recall", label, 0.8) for label in labels[:4]]
    return report_of(evaluation_of(rows_of, skill, bounds, bins=bins, seed=5), rows_of)


def report_of_labels(labels) -> Report:
    """The report of a model that gives a text any number of these labels."""
    return _with_the_rest(label_evaluation(labels, rows=300, min_recall={labels[0]: 0.5}))


def _with_the_rest(evaluation) -> Report:
    return report_of(evaluation.to_dict(), {label: tally.texts for label, tally in evaluation.tallies.items()})


def with_mistakes(report: Report, words: str = "you idiot") -> Report:
    """The report with texts that the model gets wrong: of each label one of a few words, and a long one."""
    labels, several = report.evaluation.labels, report.evaluation.multi_label
    listed = []
    for label, other in zip(labels, (*labels[1:], labels[0]), strict=True):
        text = {"text": f"what a day, {words}", "text_pair": None, "truth": [label], "decided": [other]}
        text |= {"label": label, "probability": 0.071, "decided_probability": None if several else 0.913}
        text |= {"influences": [{"words": words, "change": 0.41}, {"words": "day,", "change": -0.2}]}
        long = text | {"text": "fool " * 200, "text_pair": LONG, "characters_left_out": 4_000, "influences": []}
        listed.append({"label": label, "missed": True, "count": 9, "texts": [text, long]})
    mistakes = {"labels": listed, "fixed": 3, "broken": 1}
    mistakes["broken_texts"] = [listed[0]["texts"][0] | {"in_production": [labels[0]]}]
    mistakes["fixed_texts"] = [listed[1]["texts"][0] | {"decided": [labels[1]], "in_production": [labels[0]]}]
    return report.model_copy(update={"mistakes": Mistakes.from_dict(mistakes)})


def hostile_report() -> Report:
    """A report in which every text that a user can choose is an attack."""
    rows_of = dict.fromkeys(HOSTILE, 40)
    bounds = [("recall", label, 0.99) for label in HOSTILE]
    evaluation = evaluation_of(rows_of, dict.fromkeys(HOSTILE, 0.8), bounds, seed=1)
    evaluation |= {"baseline_note": HOSTILE[1], "slice_notes": HOSTILE}
    parts = other_parts(rows_of)
    parts["ingest"] |= {"reasons": dict.fromkeys(HOSTILE, 3), "notes": HOSTILE}
    parts["training"] |= {"warnings": list(HOSTILE), "distribution": HOSTILE[0], "head": HOSTILE[1]}
    evil = {"title": HOSTILE[0], "run": HOSTILE[1], "created": HOSTILE[0], "base": HOSTILE[2], "config": HOSTILE[2]}
    evil |= {"versions": {HOSTILE[0]: HOSTILE[1]}, "ingest": parts["ingest"]}
    return with_mistakes(report_of(evaluation, rows_of, **evil, training=parts["training"]), HOSTILE[1])


SLICE_BOUNDS = {"min_slice_recall": {"toxic": 0.85}, "min_bias_auc": {"mean_bpsn": 0.999}}
COMMENTS = ("toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate")
MAKERS = {
    "2 classes": lambda: with_mistakes(passing_report()),
    "3 classes": refused_report,
    "6 classes": lambda: with_mistakes(report_of_classes([LONG, "sadness", "love", "anger", "fear", "surprise"])),
    "12 classes": lambda: report_of_classes([*BANK[:11], LONG]),
    "77 classes": report_of_many_classes,
    "300 classes": lambda: report_of_classes([f"{BANK[i % 77]}_{i // 77}" for i in range(299)] + [LONG], 6, 50),
    "6 labels": lambda: with_mistakes(report_of_labels(COMMENTS)),
    "28 labels": lambda: report_of_labels((*BANK[:27], LONG)),
    "slices": lambda: _with_the_rest(sliced_evaluation(**SLICE_BOUNDS)),
    "hostile": hostile_report,
}


def page_of(name: str) -> tuple[Report, str]:
    """The report of this name and its page."""
    report = MAKERS[name]()
    return report, render(report)
