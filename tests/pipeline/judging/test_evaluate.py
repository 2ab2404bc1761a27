"""A pushed model is judged on a file as the gate judged it on its test split."""

import json
from collections import Counter
from pathlib import Path

import pytest
from scipy.stats import binomtest
from sklearn import metrics as sklearn

from fullbake.contract.errors import InputError
from fullbake.contract.results.about import Reading, Slicing
from tests.components.evaluating import CARELESS, LABELS, ROWS, evaluate_model
from tests.pipeline.judging.labelled import SINGLE, judged, predictions, pushed, write_file

BOUNDS = {"min_recall": {"rude": 0.9, "odd": 0.9}, "min_precision": {"fine": 0.5}}


@pytest.fixture(scope="module")
def careful(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pushed model that met bounds."""
    return pushed(tmp_path_factory.mktemp("careful") / "7", bounds=BOUNDS)


def test_what_is_measured_of_the_rows_of_a_test_split_is_what_the_gate_measured(tmp_path: Path):
    artifact = tmp_path / "artifact"
    pushed(artifact / "Format-Serving", bounds=BOUNDS)
    gate = evaluate_model(tmp_path / "gate", artifact, **BOUNDS).evaluation
    mine = judged(artifact / "Format-Serving", tmp_path)
    found = json.loads(mine.evaluation.to_json())
    # Sums of floats hang on their order, and the rows of two shards have another.
    for its in (found, gate):
        its["confidence"]["probability_sum"] = [round(value, 9) for value in its["confidence"]["probability_sum"]]
    assert found == gate
    assert [(bound.label, bound.passed) for bound in mine.bounds] == [("fine", True), ("rude", True), ("odd", False)]
    assert not mine.passed


def test_the_figures_are_those_of_scikit_learn_on_the_predictions(careful: Path, tmp_path: Path):
    found = judged(careful, tmp_path)
    rows = predictions(found)
    truth, decided = [row["label"] for row in rows], [row["decided"] for row in rows]
    assert Counter(truth) == Counter(label for label, _ in ROWS)
    assert found.metrics["accuracy"] == pytest.approx(sklearn.accuracy_score(truth, decided), abs=1e-12)
    settings = {"labels": list(LABELS), "average": None, "zero_division": 0.0}
    for name, measure in (
        ("recall", sklearn.recall_score),
        ("precision", sklearn.precision_score),
        ("f1", sklearn.f1_score),
    ):
        assert list(found.metrics[name].values()) == pytest.approx(list(measure(truth, decided, **settings)))
    assert json.loads((tmp_path / "out/evaluation.json").read_text()) == json.loads(found.to_json())


def test_two_models_are_paired_as_a_count_of_their_own_decisions_has_it(careful: Path, tmp_path: Path):
    # The labels of the second are in another order.
    careless = pushed(tmp_path / "8", {label: CARELESS[label] for label in ("rude", "fine", "odd")})
    rows = [*ROWS, ("rude", "a lovely idiot")]
    both = judged([careful, careless], tmp_path, rows)
    right = [
        (row["label"] == row["decided"], row["label"] == row["decided_by_other"], row["label"])
        for row in predictions(both)
    ]
    assert both.paired
    fixed = Counter(label for one, other, label in right if one and not other)
    broken = Counter(label for one, other, label in right if other and not one)
    assert sum(fixed.values()) == both.paired.accuracy.fixed == 3
    assert sum(broken.values()) == both.paired.accuracy.broken == 1
    assert both.paired.accuracy.p == binomtest(3, 4).pvalue
    for label in LABELS:
        share, rows_of = both.paired.recall[label], [each for each in right if each[2] == label]
        assert (share.rows, share.fixed, share.broken) == (len(rows_of), fixed[label], broken[label])
        assert share.first == both.metrics["recall"][label]
        assert share.second == pytest.approx(sum(other for _, other, _ in rows_of) / len(rows_of))
    alone = judged(careless, write_into(tmp_path / "alone"), rows)
    assert both.other
    assert both.other.recall == alone.evaluation.recall
    assert both.other.accuracy == alone.evaluation.accuracy
    page = both.report.read_text()
    assert "Two models, row by row" in page
    assert "in production" not in page


def write_into(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_the_report_says_which_file_it_is_about_and_claims_nothing_of_training(careful: Path, tmp_path: Path):
    page = judged(careful, tmp_path).report.read_text()
    assert "texts of rows.csv" in page
    for word in ("kept out of its training", "go live", "the config", "Refused", "Pushed:"):
        assert word not in page


def test_slices_are_measured_and_held_against_the_bounds_of_the_push(tmp_path: Path):
    reading = SINGLE.model_copy(update={"slicing": Slicing(columns=("channel",))})
    model = pushed(tmp_path / "7", reading=reading, bounds={"min_slice_recall": {"rude": 0.5}})
    rows = [(*row, "forum" if number % 2 else "mail") for number, row in enumerate(ROWS)]
    file = write_file(tmp_path / "rows.csv", rows, header=("label", "text", "channel"))
    from fullbake.pipeline.judging.evaluate import evaluate

    found = evaluate(model, file, output=tmp_path / "out")
    assert {each.name for each in found.evaluation.slices} == {"channel=forum", "channel=mail"}
    assert {bound.metric for bound in found.bounds} == {"slice_recall"}
    without = evaluate(model, file, output=tmp_path / "without", without_slices=True)
    assert not without.evaluation.slices
    assert any("slices are not judged" in note for note in without.notes)
    plain = write_file(tmp_path / "plain.csv", ROWS)
    with pytest.raises(InputError, match=r"--slice: 'channel' is not a column of plain\.csv"):
        evaluate(model, plain, output=tmp_path / "plain")


def test_a_label_that_no_row_has_is_told_and_its_bound_missed(careful: Path, tmp_path: Path):
    found = judged(careful, tmp_path, [row for row in ROWS if row[0] == "fine"])
    assert found.metrics["recall"]["rude"] is None
    assert [bound.label for bound in found.evaluation.missed] == ["rude", "odd"]
    assert any(note.startswith("no row has the label 'rude', 'odd'") for note in found.notes)
    assert any(note.startswith("every row has the label 'fine'") for note in found.notes)


def test_too_few_rows_for_a_bound_under_confidence_stop_it_as_the_gate_does(careful: Path, tmp_path: Path):
    with pytest.raises(InputError, match=r"--min-recall: too few test rows to show with 0\.95 .* 'rude' has 15"):
        judged(careful, tmp_path, confidence=0.95)
    assert not (tmp_path / "out").exists()


def test_rows_in_quarantine_are_counted_and_listed(careful: Path, tmp_path: Path):
    rows = [*ROWS, ("rudee", "what"), ("fine", "")]
    with pytest.raises(InputError, match=r"--on-bad-row: rows\.csv line 52: .*'rudee'"):
        judged(careful, tmp_path, rows)
    found = judged(careful, tmp_path, rows, on_bad_row="quarantine", max_bad_fraction=0.1)
    assert (found.ingest.used, found.ingest.rejected) == (len(ROWS), 2)
    assert "rudee" in (tmp_path / "out/rejected.csv").read_text()
    with pytest.raises(InputError, match=r"--max-bad-fraction: 2 of 52 rows"):
        judged(careful, write_into(tmp_path / "strict"), rows, on_bad_row="quarantine")


def test_a_model_of_an_earlier_release_is_judged_by_the_columns_that_are_named(tmp_path: Path):
    model = pushed(tmp_path / "7", reading=Reading())
    with pytest.raises(InputError, match="--label: this model does not say in which column"):
        judged(model, tmp_path)
    found = judged(model, tmp_path, label="label", min_recall={"rude": 0.5})
    assert found.passed
    assert [bound.label for bound in found.bounds] == ["rude"]
