"""The Evaluator on slices and identities, of models of both tasks: what it measures, and what it refuses."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics as sklearn

from fullbake.components.evaluation.gate import GateSpec
from fullbake.components.evaluation.wilson import wilson
from tests.components.scored import ScoredRow, evaluate_scored, save_scored_model

LABELS = ("fine", "toxic")
IDENTITIES = ("male", "female")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A single-label model of two classes, which decides the likelier."""
    folder = tmp_path_factory.mktemp("model")
    save_scored_model(folder / "Format-Serving", LABELS, None)
    return folder


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A multi-label model of the same labels."""
    folder = tmp_path_factory.mktemp("several")
    save_scored_model(folder / "Format-Serving", LABELS, (0.5, 0.5))
    return folder


def biased_rows(count: int, seed: int, *, raised: float) -> list[ScoredRow]:
    """Rows of a model that knows toxic texts well, but for one thing: texts of "female" are scored higher."""
    generator = np.random.default_rng(seed)
    rows = []
    for _ in range(count):
        toxic = bool(generator.random() < 0.4)
        slices = [name for name, share in zip(IDENTITIES, (0.3, 0.3), strict=True) if generator.random() < share]
        score = 0.5 + (0.25 if toxic else -0.25) + 0.11 * generator.normal() + raised * ("female" in slices)
        score = round(min(max(score, 0.01), 0.99), 2)
        channel = f"channel={'forum' if generator.random() < 0.5 else 'mail'}"
        rows.append(ScoredRow((1 - score, score), (LABELS[toxic],), slices=(*slices, channel)))
    return rows


def independent_bias(rows: Sequence[ScoredRow], identity: str, label: str = "toxic") -> dict[str, float]:
    """The three areas as the paper's formulas have them, by scikit-learn."""
    place = LABELS.index(label)
    kept = [row for row in rows if label not in row.masked]

    def area(with_label, without) -> float:
        chosen = [row for row in kept if (with_label if label in row.labels else without)(identity in row.slices)]
        scores = np.array([row.scores[place] for row in chosen], np.float32)
        return float(sklearn.roc_auc_score([label in row.labels for row in chosen], scores))

    inside, outside = (lambda member: member), (lambda member: not member)
    return {"subgroup": area(inside, inside), "bpsn": area(outside, inside), "bnsp": area(inside, outside)}


def test_a_planted_bias_is_measured_and_refused_by_its_bound_while_the_plain_bounds_are_met(
    model: Path, tmp_path: Path
):
    rows = biased_rows(500, seed=1, raised=0.25)
    expected = {name: independent_bias(rows, name) for name in IDENTITIES}
    plain = {"min_recall": {"fine": 0.8, "toxic": 0.9}, "min_precision": {"toxic": 0.75}}
    measures = {"sliced": True, "identities": IDENTITIES, "min_bias_auc": {"bpsn": 0.97, "mean_bnsp": 0.9}}
    verdict = evaluate_scored(tmp_path, model, rows, GateSpec(LABELS, **plain, **measures))
    found = {each["name"]: each["bias"] for each in verdict.evaluation["slices"]}
    assert found["channel=mail"] == {}
    for name in IDENTITIES:
        assert list(found[name]) == ["toxic"]
        assert found[name]["toxic"] == pytest.approx(expected[name], abs=1e-9)
    for area in ("subgroup", "bpsn", "bnsp"):
        values = np.array([expected[name][area] for name in IDENTITIES])
        assert verdict.evaluation["bias"]["toxic"][area] == pytest.approx(np.mean(values**-5.0) ** (-1 / 5))
    # Harmless texts of the raised identity are scored like toxic ones of the others.
    assert expected["female"]["bpsn"] < 0.96 < 0.97 < expected["male"]["bpsn"]
    judged = [(one["metric"], one["slice"]) for one in verdict.evaluation["bounds"] if not one["passed"]]
    assert judged == [("bpsn_auc", "female")]
    said = verdict.blessing.get_string_custom_property("missed")
    value = expected["female"]["bpsn"]
    assert said.startswith(f"BPSN AUC of 'toxic' for 'female' is {value:.3f}, must be at least 0.97: missed by ")


def test_without_the_bias_the_same_gate_passes(model: Path, tmp_path: Path):
    rows = biased_rows(500, seed=1, raised=0.0)
    bounds = {"bpsn": 0.97, "bnsp": 0.97, "subgroup": 0.97, "mean_subgroup": 0.97, "mean_bpsn": 0.97}
    gate = GateSpec(LABELS, sliced=True, identities=IDENTITIES, min_bias_auc=bounds)
    verdict = evaluate_scored(tmp_path, model, rows, gate)
    assert verdict.missed == []
    assert len(verdict.evaluation["bounds"]) == 3 * 2 + 2


def test_bias_of_a_multi_label_model_is_of_each_label_on_the_rows_of_which_it_is_known(several: Path, tmp_path: Path):
    generator = np.random.default_rng(5)
    rows = []
    for _ in range(300):
        scores = tuple(float(np.float32(score)) for score in generator.random(2).round(1))
        masked = tuple(label for label in LABELS if generator.random() < 0.2)
        labels = tuple(
            label
            for label, score in zip(LABELS, scores, strict=True)
            if label not in masked and generator.random() < 0.2 + 0.6 * score
        )
        rows.append(ScoredRow(scores, labels, masked, ("male",) if generator.random() < 0.4 else ()))
    gate = GateSpec(LABELS, multi_label=True, sliced=True, identities=("male",))
    found = evaluate_scored(tmp_path, several, rows, gate).evaluation
    (male,) = found["slices"]
    for label in LABELS:
        assert male["bias"][label] == pytest.approx(independent_bias(rows, "male", label), abs=1e-9)
        assert found["bias"][label] == pytest.approx(male["bias"][label])  # a mean of one
        inside = [row for row in rows if "male" in row.slices and label not in row.masked]
        truth = [label in row.labels for row in inside]
        decided = [row.scores[LABELS.index(label)] >= 0.5 for row in inside]
        rates = male["labels"][label]
        assert rates["recall"] == pytest.approx(sklearn.recall_score(truth, decided))
        assert rates["precision"] == pytest.approx(sklearn.precision_score(truth, decided))
        assert (rates["rows"], rates["decided"]) == (sum(truth), sum(decided))


def in_slice(name: str, found: int, missed: int) -> list[ScoredRow]:
    return [ScoredRow((0.1, 0.9), ("toxic",), slices=(name,))] * found + [
        ScoredRow((0.9, 0.1), ("toxic",), slices=(name,))
    ] * missed


def test_a_slice_below_its_bound_refuses_the_model_and_one_with_too_few_rows_is_told(model: Path, tmp_path: Path):
    rows = [
        *in_slice("channel=forum", 30, 10),
        *in_slice("channel=mail", 4, 5),
        *in_slice("channel=fax", 0, 3),
        *[ScoredRow((0.9, 0.1), ("fine",), slices=("channel=note",))] * 8,
        *[ScoredRow((0.9, 0.1), ("fine",))] * 5,
    ]
    gate = GateSpec(LABELS, min_recall={"toxic": 0.6}, sliced=True, min_slice_recall={"toxic": 0.5})
    verdict = evaluate_scored(tmp_path, model, rows, gate)
    found = verdict.evaluation
    assert [(each["name"], each["rows"]) for each in found["slices"]] == [
        *(("channel=fax", 3), ("channel=forum", 40), ("channel=mail", 9), ("channel=note", 8))
    ]
    forum = found["slices"][1]["labels"]
    assert forum["toxic"]["recall_interval"] == list(wilson(30, 40))
    assert (forum["toxic"]["recall"], forum["toxic"]["precision"], forum["fine"]["precision"]) == (0.75, 1.0, 0.0)
    judged = {one["slice"]: one["passed"] for one in found["bounds"] if one["metric"] == "slice_recall"}
    assert judged == {"channel=forum": True, "channel=mail": False}
    assert verdict.blessing.get_string_custom_property("missed") == (
        "recall of 'toxic' in slice 'channel=mail' is 0.444, must be at least 0.5: missed by 0.056"
    )
    # Four rows, all found, show a recall of one half with 95% confidence.
    assert found["slice_notes"] == [
        "min_slice_recall: too few rows of 'toxic' to judge some slices, where 0.5 takes 4: 'channel=fax' has 3, "
        "'channel=note' has 0"
    ]
    assert found["worst_slice"] == {
        "fine": {"slice": "channel=note", "recall": 1.0, "rows": 8},
        "toxic": {"slice": "channel=mail", "recall": 4 / 9, "rows": 9},
    }
    assert found["confusion"] == [[13, 0], [18, 34]]


def test_with_a_confidence_the_lower_end_of_a_slices_recall_must_be_at_the_bound(model: Path, tmp_path: Path):
    rows = [*in_slice("a=1", 30, 10), *[ScoredRow((0.9, 0.1), ("fine",))] * 5]
    gate = GateSpec(LABELS, sliced=True, min_slice_recall={"toxic": 0.65}, confidence=0.9)
    verdict = evaluate_scored(tmp_path, model, rows, gate)
    (bound,) = verdict.evaluation["bounds"]
    assert (
        bound["interval"]
        == list(wilson(30, 40, 0.9))
        == verdict.evaluation["slices"][0]["labels"]["toxic"]["recall_interval"]
    )
    assert bound["value"] == 0.75
    assert bound["passed"] is False


def test_what_no_slice_and_no_identity_has_rows_for_is_missed_and_what_some_lack_is_told(model: Path, tmp_path: Path):
    rows = [
        ScoredRow((0.1, 0.9), ("toxic",), slices=("male",)),
        ScoredRow((0.9, 0.1), ("fine",), slices=("male",)),
        ScoredRow((0.9, 0.1), ("fine",), slices=("female",)),
        ScoredRow((0.2, 0.8), ("toxic",)),
    ]
    gate = GateSpec(LABELS, sliced=True, identities=IDENTITIES, min_bias_auc={"subgroup": 0.5, "mean_bnsp": 0.5})
    verdict = evaluate_scored(tmp_path / "some", model, rows, gate)
    assert [(one["slice"], one["value"], one["passed"]) for one in verdict.evaluation["bounds"]] == [
        *(("male", 1.0, True), (None, 1.0, True))
    ]
    assert verdict.evaluation["slice_notes"] == [
        "min_bias_auc: subgroup of 'toxic' was not judged for 'female': rows with the label or rows without it are "
        "missing"
    ]
    nobody = GateSpec(
        LABELS,
        sliced=True,
        identities=("nobody",),
        min_bias_auc={"bpsn": 0.0, "mean_bpsn": 0.0},
        min_slice_recall={"toxic": 0.0},
    )
    plain = [ScoredRow(row.scores, row.labels) for row in rows]
    verdict = evaluate_scored(tmp_path / "none", model, plain, nobody)
    assert verdict.missed == [("slice_recall", "toxic"), ("bpsn_auc", "toxic"), ("mean_bpsn_auc", "toxic")]
    assert verdict.blessing.get_string_custom_property("missed") == (
        "recall of 'toxic' in slices cannot be measured: no slice has a row with this label; "
        "BPSN AUC of 'toxic' cannot be measured: no identity has the rows that it takes; "
        "mean BPSN AUC of 'toxic' cannot be measured: no identity has the rows that it takes"
    )
