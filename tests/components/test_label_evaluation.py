"""The Evaluator on multi-label models through Beam and TFMA: what it measures is what scikit-learn measures."""

from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics as sklearn

from fullbake.components.evaluation.gate import GateSpec
from tests.components.scored import ScoredRow, evaluate_scored, random_rows, save_scored_model

LABELS = ("toxic", "insult", "threat")
THRESHOLDS = (0.5, 0.4, 0.65)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    save_scored_model(folder / "Format-Serving", LABELS, THRESHOLDS)
    return folder


def gate(**bounds) -> GateSpec:
    return GateSpec(LABELS, multi_label=True, **bounds)


def arrays(rows: list[ScoredRow]):
    """Truth, whether it is known, and scores of each row and label."""
    truth, masked = (
        np.array([[label in given(row) for label in LABELS] for row in rows])
        for given in (lambda row: row.labels, lambda row: row.masked)
    )
    return truth, ~masked, np.array([row.scores for row in rows], np.float32)


def test_measures_of_known_labels_are_those_of_scikit_learn(model: Path, tmp_path: Path):
    rows = random_rows(LABELS, 300, seed=1)
    truth, known, scores = arrays(rows)
    decided = scores >= np.array(THRESHOLDS, np.float32)
    assert 0 < (~known).sum() < known.sum()
    verdict = evaluate_scored(tmp_path, model, rows, gate())
    found = verdict.evaluation
    assert (found["examples"], found["task"], found["confusion"]) == (300, "multi_label", [])
    for index, label in enumerate(LABELS):
        which = known[:, index]
        its = truth[which, index], decided[which, index]
        assert found["recall"][label] == pytest.approx(sklearn.recall_score(*its), abs=1e-12)
        assert found["precision"][label] == pytest.approx(sklearn.precision_score(*its), abs=1e-12)
        assert found["f1"][label] == pytest.approx(sklearn.f1_score(*its), abs=1e-12)
        given = truth[which, index], scores[which, index]
        assert found["roc_auc"][label] == pytest.approx(sklearn.roc_auc_score(*given), abs=1e-12)
        assert found["average_precision"][label] == pytest.approx(sklearn.average_precision_score(*given), abs=1e-12)
        (negative, wrong), (missed, hits) = sklearn.confusion_matrix(*its)
        assert list(found["counts"][label].values()) == [hits, missed, wrong, negative, (~which).sum()]
        assert sum(found["scores"][label]["positive"]) == truth[which, index].sum()
        assert sum(found["scores"][label]["negative"]) == (which & ~truth[:, index]).sum()
    assert found["mean_roc_auc"] == pytest.approx(np.mean(list(found["roc_auc"].values())))
    assert found["mean_average_precision"] == pytest.approx(np.mean(list(found["average_precision"].values())))
    assert found["macro_f1"] == pytest.approx(np.mean(list(found["f1"].values())))
    assert found["decision_thresholds"] == dict(zip(LABELS, THRESHOLDS, strict=True))
    # Of a label that is not known, neither answer is wrong.
    some = known.any(axis=1)
    assert found["known"] == some.sum()
    whole = sklearn.accuracy_score((truth & known)[some], (decided & known)[some])
    assert found["accuracy"] == pytest.approx(whole, abs=1e-12)


def test_without_masks_accuracy_is_subset_accuracy_and_means_are_scikit_learns(model: Path, tmp_path: Path):
    rows = random_rows(LABELS, 120, seed=2, masked=0.0)
    truth, _, scores = arrays(rows)
    decided = scores >= np.array(THRESHOLDS, np.float32)
    assert not truth.any(axis=1).all(), "no row without a label"
    found = evaluate_scored(tmp_path, model, rows, gate()).evaluation
    assert found["accuracy"] == pytest.approx(sklearn.accuracy_score(truth, decided), abs=1e-12)
    assert found["macro_f1"] == pytest.approx(sklearn.f1_score(truth, decided, average="macro"), abs=1e-12)
    assert found["mean_roc_auc"] == pytest.approx(sklearn.roc_auc_score(truth, scores), abs=1e-12)
    assert found["mean_average_precision"] == pytest.approx(sklearn.average_precision_score(truth, scores), abs=1e-12)


def test_bounds_are_held_against_known_rows_and_what_no_row_has_is_not_measured(model: Path, tmp_path: Path):
    rows = [
        *[ScoredRow((0.9, 0.1, 0.1), ("toxic",))] * 6,
        *[ScoredRow((0.1, 0.1, 0.1), ("toxic",))] * 2,
        *[ScoredRow((0.1, 0.1, 0.1), (), masked=("toxic",))] * 5,
        *[ScoredRow((0.8, 0.8, 0.1), ("insult",), masked=("threat",))] * 4,
        *[ScoredRow((0.8, 0.8, 0.1), (), masked=LABELS)] * 3,
    ]
    bounds = {"min_recall": {"toxic": 0.75, "insult": 1.0, "threat": 0.0}, "min_precision": {"toxic": 0.7}}
    verdict = evaluate_scored(tmp_path, model, rows, gate(**bounds))
    judged = {(one["metric"], one["label"]): (one["value"], one["rows"]) for one in verdict.evaluation["bounds"]}
    assert judged == {
        ("recall", "toxic"): (0.75, 8),
        ("precision", "toxic"): (0.6, 10),
        ("recall", "insult"): (1.0, 4),
        ("recall", "threat"): (None, 0),
    }
    assert verdict.missed == [("precision", "toxic"), ("recall", "threat")]
    assert verdict.evaluation["roc_auc"]["threat"] is None
    assert verdict.evaluation["average_precision"]["threat"] is None
    assert verdict.evaluation["mean_roc_auc"] == np.mean([verdict.evaluation["roc_auc"][name] for name in LABELS[:2]])
    assert (verdict.evaluation["known"], verdict.evaluation["exact"]) == (17, 11)


def test_a_label_that_is_never_decided_refuses_the_model(model: Path, tmp_path: Path):
    rows = [ScoredRow((0.9, 0.1, 0.1), ("toxic", "threat")), ScoredRow((0.1, 0.9, 0.1), ("insult",))] * 3
    assert evaluate_scored(tmp_path, model, rows, gate()).missed == [("predicted", "threat")]


def test_a_model_that_recalls_less_than_the_multi_label_one_in_production_is_refused(model: Path, tmp_path: Path):
    rows = random_rows(LABELS, 100, seed=3)
    truth, known, scores = arrays(rows)
    # Its labels are others, in another order, and it decides more freely.
    save_scored_model(tmp_path / "serving/1", ("insult", "gone", "toxic"), (0.1, 0.0, 0.2))
    found = evaluate_scored(tmp_path / "run", model, rows, gate(max_recall_drop=0.0), tmp_path / "serving")
    recall = {
        label: sklearn.recall_score(truth[known[:, ours], ours], scores[known[:, ours], theirs] >= np.float32(least))
        for label, ours, theirs, least in (("toxic", 0, 2, 0.2), ("insult", 1, 0, 0.1))
    }
    assert found.evaluation["baseline"]["recall"] == pytest.approx(recall)
    drops = {one["label"]: one["value"] for one in found.evaluation["bounds"] if one["metric"] == "recall_drop"}
    expected = {label: recall[label] - found.evaluation["recall"][label] for label in recall}
    assert drops == pytest.approx(expected)
    assert found.evaluation["blessed"] is False


def test_a_diverged_model_is_refused(tmp_path: Path):
    save_scored_model(tmp_path / "model/Format-Serving", LABELS, THRESHOLDS)
    rows = [ScoredRow((float("nan"),) * 3, LABELS), ScoredRow((float("nan"),) * 3, ())] * 4
    verdict = evaluate_scored(tmp_path / "run", tmp_path / "model", rows, gate(min_recall={"toxic": 0.5}))
    assert verdict.evaluation["recall"] == dict.fromkeys(LABELS, 0.0)
    assert verdict.evaluation["roc_auc"] == dict.fromkeys(LABELS, 0.5)
    assert ("recall", "toxic") in verdict.missed
