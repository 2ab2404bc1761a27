"""The results of stages: what is read is written back byte for byte, and what lacks is named."""

import json
import math
from typing import Any

import pytest
from pydantic import ValidationError

from fullbake.contract.results.about import About
from fullbake.contract.results.evaluation import Bound, Evaluation
from fullbake.contract.results.ingest import Ingest
from fullbake.contract.results.pretraining import Pretraining
from fullbake.contract.results.push import Push
from fullbake.contract.results.report import Report
from fullbake.contract.results.result import ResultFile
from fullbake.contract.results.tokens import Tokens
from fullbake.contract.results.training import Training
from fullbake.contract.results.tuning import read_tuner_results

# What the stages of a small run left, keys in their order.
LINES = {"total": 12, "header": 1, "blank": 1, "used": 9, "rejected": 1}
DRIFT = {"before": 1, "rows_before": 7, "label_distance": 0.25, "label": "groß", "share_before": 0.5, "share": 0.75}
DRIFT |= {"length_distance": 0.125, "median_length_before": 9, "median_length": 10}
INGEST: dict[str, Any] = {
    "read": 10,
    "used": 9,
    "rejected": 1,
    "examples": {"train": 7, "eval": 1, "test": 1},
    "labels": {"train": {"groß": 7, "rude": 0}, "eval": {"groß": 1, "rude": 0}, "test": {"groß": 0, "rude": 1}},
    "masked": {},
    "reasons": {"the text is empty": 1},
    "lines": LINES,
    "ordinary_quotes": ["span-1/ä.csv"],
    "repeats": {
        "duplicates": 0,
        "first_duplicate": "",
        "conflicting_texts": 1,
        "conflicting_rows": 2,
        **{"first_conflict": "a and b", "more_conflicts": []},
    },
    "classes": {"splits": 3, "texts": {"groß": 8, "rude": 1}, "left_out": ("rude",)},
    "notes": ["1 text has several labels, in 2 rows: a and b"],
    "corpus": 3,
    "corpus_rejected": 0,
    "corpus_reasons": {},
    "corpus_lines": LINES,
    "drift": DRIFT,
    "drift_unknown": None,
}
EPOCH = {"epoch": 1, "loss": math.nan, "accuracy": 0.5, "macro_recall": 0.5, "eval_loss": math.inf}
EPOCH |= {"eval_accuracy": 1.0, "eval_macro_recall": 1.0, "learning_rate": 5e-05, "seconds": 0.12}
TRAINING: dict[str, Any] = {
    "epochs": [EPOCH, EPOCH | {"epoch": 2}],
    "probe_epochs": [],
    "best_epoch": 2,
    "parameters": {"total": 66_955_010, "trainable": 592_130},
    "encoder_shift": {"embeddings": 0.0123, "layer 1": 0.5},
    "approach": "fine_tune",
    "head": "hf",
    "learning_rate": 5e-05,
    "distribution": "one device: CPU",
    "precision": "float32",
    "warnings": ["“hot”"],
    "decision_threshold": {"value": 0.37, "recall": 0.9, "precision": None, "chosen": True},
    **{"decision_thresholds": {}, "calibration": None},
    "seconds": 1.5,
}
PRETRAINING: dict[str, Any] = {
    "evaluations": [{"step": 0, "epoch": 0.0, "loss": 4.5, "perplexity": 90.0171313005218}],
    "new_head": False,
    "rows": 7,
    "parameters": 1234,
    "encoder_shift": {},
    "learning_rate": 5e-05,
    "distribution": "one device: CPU",
    "precision": "float32",
    "seconds": 2.0,
}
EVALUATION: dict[str, Any] = {
    "examples": 4,
    "task": "single_label",
    "labels": ["groß", "rude"],
    "accuracy": 0.75,
    "macro_f1": 0.7333333333333334,
    "recall": {"groß": 0.5, "rude": 1.0},
    "precision": {"groß": 1.0, "rude": 0.6666666666666666},
    "f1": {"groß": 0.6666666666666666, "rude": 0.8},
    "confusion": [[1, 1], [0, 2]],
    **{"counts": {}, "known": None, "exact": None, "roc_auc": {}, "mean_roc_auc": None},
    **{"average_precision": {}, "mean_average_precision": None},
    "scores": {"groß": {"positive": [1, 1], "negative": [2, 0]}, "rude": {"positive": [0, 2], "negative": [1, 1]}},
    "confidence": {"count": [0, 4], "correct": [0, 3], "probability_sum": [0.0, 3.4000000953674316]},
    "decision_threshold": None,
    **{"decision_thresholds": {}, "temperature": None},
    "baseline": {"model": "serving/7", "recall": {"groß": None}},
    "baseline_note": "the model in production does not know 'rude', so nothing is compared there",
    "slices": [],
    **{"bias": {}, "worst_slice": {}, "slice_notes": []},
    "bounds": [
        {
            "metric": "recall",
            "label": "groß",
            "slice": None,
            "bound": 0.6,
            "value": 0.5,
            "passed": False,
            "rows": 2,
            "interval": [0.0945312057343074, 0.9054687942656926],
            "confidence": None,
        },
        {
            # Whole numbers: they must not become 1.0 and 0.0.
            "metric": "predicted",
            "label": "rude",
            "slice": None,
            "bound": 1,
            "value": 0,
            "passed": False,
            "rows": None,
            "interval": None,
            "confidence": None,
        },
    ],
    "blessed": False,
}
MULTI_LABEL = EVALUATION | {"task": "multi_label", "confusion": [], "confidence": None, "known": 3, "exact": 2}
MULTI_LABEL |= {"decision_thresholds": {"groß": 0.3, "rude": 0.5}, "mean_roc_auc": 0.75, "mean_average_precision": 0.8}
MULTI_LABEL |= {"roc_auc": {"groß": 0.75, "rude": None}, "average_precision": {"groß": 0.8, "rude": None}}
MULTI_LABEL["counts"] = {
    "groß": {"true_positive": 1, "false_negative": 0, "false_positive": 1, "true_negative": 1, "masked": 1}
}
RATES = {"rows": 3, "recall": 1.0, "recall_interval": [0.4, 1.0], "decided": 0, "found": 0}
RATES |= {"precision": None, "precision_interval": None}
AREAS = {"subgroup": 0.9, "bpsn": None, "bnsp": 0.8}
MULTI_LABEL["slices"] = [{"name": "channel=ä", "rows": 3, "labels": {"groß": RATES}, "bias": {"groß": AREAS}}]
MULTI_LABEL |= {"bias": {"groß": AREAS}, "slice_notes": ["few rows"]}
MULTI_LABEL["worst_slice"] = {"groß": {"slice": "channel=ä", "recall": 1.0, "rows": 3}}
PUSH: dict[str, Any] = {
    "run": None,
    "recipe": "abc",
    "data": "split:*",
    "span": 3,
    "examples": {"train": 7},
    "metrics": {"examples": 4, "accuracy": 0.75, "macro_f1": 0.7, "recall": {"groß": None}, "precision": {"groß": 1.0}},
    "production_key": "nothing",
    "replaced": None,
    "withdrawn": [{"version": "6", "recipe": "abc", "data": "x"}],
    "version": "8",
    "time": "2026-01-01T00:00:00+00:00",
    "files": {"saved_model.pb": {"bytes": 5, "sha256": "00"}},
}
ROLLED_BACK = PUSH | {"rolled_back": {"to": "7", "from": "8"}}
OLDER_PUSH = {"recipe": "abc", "production_key": "nothing", "replaced": None}
ABOUT: dict[str, Any] = {
    "labels": ["groß", "rude"],
    "text_features": ["text"],
    "text_columns": {"text": "Kommentar"},
    "reading": {"dialect": {"delimiter": ";", "columns": ["a"]}, "null_values": ["-"], "label_column": None}
    | {"labelling": None, "slicing": {"columns": ["channel"], "identities": [], "lengths": [40]}},
    **{"task": "single_label", "decision_threshold": 0.37},
    **{"decision_thresholds": {}, "temperature": 1.5},
    "approach": "frozen",
    "head": "mlp",
    "pooling": "cls",
    **{"base": "distilbert-base-uncased", "base_hash": None},
    "versions": {"tensorflow": "2.16.2", "transformers": "4.54.1"},
}
TUNING = [{"trial_id": "1", "score": 0.9, "learning_rate": 3e-05}, {"trial_id": "0", "score": 0, "learning_rate": 9}]
WINDOWS = ("window_length", "most_windows")
MISTAKE = {"text": "ah", "text_pair": None, "characters_left_out": 0, "truth": ["b"], "decided": ["a"], "label": "b"}
MISTAKE |= {"probability": 0.25, "decided_probability": None, "in_production": ["b"]}
MISTAKE["influences"] = [{"words": "ah", "change": 0.5}]
REPORT: dict[str, Any] = {
    **{"title": "comments", "run": "7", "created": "2026-01-01T00:00:00+00:00", "base": "distilbert-base-uncased"},
    "evaluation": EVALUATION,
    "mistakes": {"labels": [], "fixed": 0, "broken": 1, "fixed_texts": [], "broken_texts": [MISTAKE]},
    "pretraining": PRETRAINING,
    "tuning": TUNING,
    "training": TRAINING,
    "ingest": INGEST,
    "lengths": {"max_length": 2, "counts": [0, 1, 5, 1], "truncated": 1, "rows": 7, **dict.fromkeys(WINDOWS)},
    "tokens": {
        "splits": {"train": {"Latin": {"texts": 7, "cut": 1, "tokens": 90, "unknown": 3, "words": 80}}, "test": {}},
        "notes": ["14% of the texts have more than 2 tokens and are cut"],
    },
    "config": "name: groß\n",
    **{"versions": {"python": "3.10.13"}, "judged_file": None, "paired": None, "notes": []},
}


@pytest.mark.parametrize(
    ("kind", "values", "form"),
    [
        (Ingest, INGEST, {"indent": 2, "ensure_ascii": False}),
        (Ingest, INGEST | {"drift": None, "drift_unknown": "span 1 has no row"}, {"indent": 2, "ensure_ascii": False}),
        (Training, TRAINING, {"indent": 1}),
        (Training, TRAINING | {"decision_threshold": None}, {"indent": 1}),
        (Pretraining, PRETRAINING, {"indent": 1}),
        (Evaluation, EVALUATION, {}),
        (Push, PUSH, {"indent": 1, "ensure_ascii": False}),
        (Push, ROLLED_BACK, {"indent": 1, "ensure_ascii": False}),
        (Push, OLDER_PUSH, {"indent": 1, "ensure_ascii": False}),
        (About, ABOUT, {"indent": 1, "ensure_ascii": False}),
        (Evaluation, MULTI_LABEL, {}),
        (Report, REPORT, {}),
        (Report, REPORT | {"mistakes": None, "pretraining": None, "tuning": None, "tokens": None}, {}),
    ],
)
def test_what_is_read_is_written_back_byte_for_byte(kind: type[ResultFile], values: dict[str, Any], form):
    text = json.dumps(values, **form)
    assert kind.from_json(text).to_json() == text
    assert kind.from_json(text.encode()).to_json() == text


def test_learning_rates_that_were_tried_come_back_as_tfx_wrote_them():
    text = json.dumps(TUNING)
    assert json.dumps([candidate.to_dict() for candidate in read_tuner_results(text)]) == text
    with pytest.raises(ValueError, match=r"^tuner_results\.json: 0: lacks learning_rate, score \(it has: trial_id\)$"):
        read_tuner_results('[{"trial_id": "1"}]')


def test_keys_of_another_release_are_passed_over():
    values = EVALUATION | {"new": 1, "bounds": [EVALUATION["bounds"][0] | {"newer": 2}]}
    assert Evaluation.from_dict(values) == Evaluation.from_dict(EVALUATION | {"bounds": EVALUATION["bounds"][:1]})


@pytest.mark.parametrize(
    ("kind", "values", "line"),
    [
        (
            Evaluation,
            {"labels": [], "blessed": True, "recall": {}, "precision": {}, "examples": 1, "macro_f1": None},
            r"evaluation\.json: lacks accuracy, confusion, f1 "
            r"\(it has: blessed, examples, labels, macro_f1, precision, recall\)",
        ),
        (Ingest, {"used": 1}, r"ingest\.json: lacks read \(it has: used\)"),
        (Pretraining, {}, r"pretraining\.json: lacks evaluations \(it has: \)"),
        (
            Evaluation,
            EVALUATION | {"bounds": [{"metric": "recall", "bound": 0.5}]},
            r"evaluation\.json: bounds: 0: lacks label, passed, value \(it has: bound, metric\)",
        ),
        (Report, {key: REPORT[key] for key in REPORT if key != "evaluation"}, r"report\.json: lacks evaluation .*"),
        (Ingest, INGEST | {"read": "many"}, r"ingest\.json: read: Input should be a valid integer.*"),
    ],
)
def test_a_key_that_lacks_or_a_wrong_value_is_named_with_its_file(kind: type[ResultFile], values, line: str):
    with pytest.raises(ValueError, match=f"^{line}$"):
        kind.from_dict(values)


def test_a_result_is_not_changed_once_it_is_made():
    bound = Bound(metric="recall", label="a", bound=0.5, value=0.75, passed=True)
    with pytest.raises(ValidationError, match="frozen"):
        bound.passed = False


def test_a_bound_is_judged_by_its_value_or_where_there_is_a_confidence_by_the_lower_end():
    bound = Bound(metric="recall", label="a", bound=0.5, value=0.75, passed=True, interval=(0.25, 0.9))
    assert (bound.judged, bound.missed_by) == (0.75, 0.25)
    sure = bound.model_copy(update={"confidence": 0.95})
    assert (sure.judged, sure.missed_by) == (0.25, 0.25)
    unknown = bound.model_copy(update={"value": None})
    assert (unknown.judged, unknown.missed_by) == (None, None)


def test_what_is_known_only_after_a_run_is_shown_but_not_in_the_file():
    report = Report.from_dict(REPORT)
    after = report.after_run(run="8", pushed=True, seconds={"Trainer": 1.0})
    assert (after.run, after.pushed, after.seconds) == ("8", True, {"Trainer": 1.0})
    assert json.loads(after.to_json()).keys() == REPORT.keys()


def test_the_tokens_of_all_splits_are_summed_by_script_and_their_shares_are_the_summarys():
    latin = {"texts": 4, "cut": 1, "tokens": 90, "unknown": 9, "words": 60}
    hangul = {"texts": 9, "cut": 0, "tokens": 0, "unknown": 0, "words": 0}
    splits = {"train": {"Latin": latin, "Hangul": hangul}, "eval": {}, "test": {"Latin": latin}}
    tokens = Tokens.model_validate({"splits": splits, "notes": ["so"]})
    assert {script: count.to_dict() for script, count in tokens.scripts.items()} == {
        "Hangul": hangul,
        "Latin": {"texts": 8, "cut": 2, "tokens": 180, "unknown": 18, "words": 120},
    }
    summary: dict[str, Any] = tokens.summary()
    assert summary["splits"]["eval"] == {
        "texts": 0,
        "cut_share": 0.0,
        "unknown_share": 0.0,
        "tokens_per_word": 0.0,
        "scripts": {},
    }
    assert summary["splits"]["train"]["texts"] == 13
    assert summary["splits"]["train"]["cut_share"] == round(1 / 13, 6)
    assert summary["splits"]["train"]["scripts"]["Latin"] == {
        "texts": 4,
        "cut_share": 0.25,
        "unknown_share": 0.1,
        "tokens_per_word": 1.5,
    }
    assert summary["notes"] == ["so"]
