"""The gate's verdict, bound by bound, and its words."""

import json
from dataclasses import asdict

import pytest

from components.gate import Bound, GateSpec, describe, judge

LABELS = ("fine", "rude", "odd")
GOOD = {"fine": 0.9, "rude": 0.8, "odd": 0.7}


def judged(recall=GOOD, precision=GOOD, production=None, **bounds):
    return judge(GateSpec(LABELS, **bounds), recall, precision, production)


@pytest.mark.parametrize(("value", "passed"), [(0.59999, False), (0.6, True), (3 / 5, True), (1.0, True), (0.0, False)])
@pytest.mark.parametrize("metric", ["recall", "precision"])
def test_a_least_value_is_met_at_the_bound_and_above(metric: str, value: float, passed: bool):
    (bound,) = judged(**{metric: GOOD | {"rude": value}, f"min_{metric}": {"rude": 0.6}})
    assert bound == Bound(metric, "rude", 0.6, value, passed)


@pytest.mark.parametrize("hits", range(1, 101))
def test_a_share_of_exactly_the_bound_as_people_write_it_passes(hits: int):
    bounds = judged(recall=GOOD | {"rude": hits / 100}, min_recall={"rude": float(f"{hits / 100:.2f}")})
    assert [bound.passed for bound in bounds] == [True]


@pytest.mark.parametrize("metric", ["recall", "precision"])
def test_what_the_test_split_cannot_tell_does_not_pass_even_a_bound_of_zero(metric: str):
    (bound,) = judged(**{metric: GOOD | {"odd": None}, f"min_{metric}": {"odd": 0.0}})
    assert bound == Bound(metric, "odd", 0.0, None, False)


@pytest.mark.parametrize(("new", "old"), [(None, 0.9), (0.9, None), (None, None)])
def test_a_drop_that_cannot_be_measured_does_not_pass(new, old):
    bounds = judged(recall=GOOD | {"odd": new}, production=GOOD | {"odd": old}, max_recall_drop=1.0)
    assert [(bound.label, bound.passed) for bound in bounds] == [("fine", True), ("rude", True), ("odd", False)]
    assert bounds[2].value is None


# Pairs of recalls of 100 rows each; as binary fractions, half of their differences are above the bound by an ulp.
@pytest.mark.parametrize("old", range(2, 101))
def test_a_drop_of_exactly_the_bound_passes_and_one_row_more_does_not(old: int):
    def passes(new):
        bounds = judged(recall=dict.fromkeys(LABELS, new), production=dict.fromkeys(LABELS, old / 100), **allowed)
        return {bound.passed for bound in bounds}

    allowed = {"max_recall_drop": 0.02}
    assert passes((old - 2) / 100) == {True}
    assert passes(old / 100 - 0.02 - 1 / 100_000) == {False}


def test_a_better_or_equal_model_passes_where_no_drop_is_allowed():
    better = {label: value + 0.05 for label, value in GOOD.items()}
    for recall in (GOOD, better):
        bounds = judged(recall=recall, production=GOOD, max_recall_drop=0.0)
        assert [bound.passed for bound in bounds] == [True, True, True]
    assert bounds[0].value == pytest.approx(-0.05)


def test_one_class_that_lost_refuses_the_model_though_others_gained():
    bounds = judged(
        recall={"fine": 1.0, "rude": 0.7, "odd": 1.0}, production=GOOD, max_recall_drop=0.02, min_recall={"rude": 0.6}
    )
    assert [(bound.metric, bound.label) for bound in bounds if not bound.passed] == [("recall_drop", "rude")]


def test_without_a_model_in_production_there_are_no_drop_bounds():
    assert judged(max_recall_drop=0.0) == []
    assert [bound.metric for bound in judged(max_recall_drop=0.0, min_recall={"odd": 0.1})] == ["recall"]


def test_a_drop_is_judged_only_where_the_gate_asks_for_it():
    assert judged(recall=dict.fromkeys(LABELS, 0.0), production=GOOD) == []


def test_bounds_come_by_label_then_recall_precision_drop_whatever_their_order_in_the_gate():
    bounds = judged(
        min_recall={"odd": 0.1, "fine": 0.1},
        min_precision={"rude": 0.1, "odd": 0.1},
        max_recall_drop=0.1,
        production=GOOD,
    )
    assert [(bound.label, bound.metric) for bound in bounds] == [
        ("fine", "recall"),
        ("fine", "recall_drop"),
        ("rude", "precision"),
        ("rude", "recall_drop"),
        ("odd", "recall"),
        ("odd", "precision"),
        ("odd", "recall_drop"),
    ]


def test_a_gate_comes_back_from_json_as_it_was():
    gate = GateSpec(LABELS, {"fine": 0.8}, {"odd": 0.5}, 0.02)
    assert GateSpec.from_dict(json.loads(json.dumps(asdict(gate)))) == gate


def test_a_bound_as_json_has_all_that_a_report_needs():
    assert Bound("recall", "fine", 0.8, None, False).to_dict() == {
        "metric": "recall",
        "label": "fine",
        "bound": 0.8,
        "value": None,
        "passed": False,
    }


@pytest.mark.parametrize(
    ("bound", "sentence"),
    [
        (Bound("recall", "rude", 0.6, 0.75, True), "recall of 'rude' is 0.750, must be at least 0.6: met"),
        (
            Bound("recall", "rude", 0.6, 0.5, False),
            "recall of 'rude' is 0.500, must be at least 0.6: missed by 0.100",
        ),
        (
            Bound("precision", "odd", 0.95, 0.9, False),
            "precision of 'odd' is 0.900, must be at least 0.95: missed by 0.050",
        ),
        (
            Bound("recall_drop", "fine", 0.02, 0.05, False),
            "recall drop of 'fine' is 0.050, must be at most 0.02: missed by 0.030",
        ),
        (
            Bound("recall_drop", "fine", 0.02, -0.1, True),
            "recall drop of 'fine' is -0.100, must be at most 0.02: met",
        ),
        (
            Bound("recall", "odd", 0.6, None, False),
            "recall of 'odd' cannot be measured: no row of the test split has this label",
        ),
        (
            Bound("recall_drop", "odd", 0.02, None, False),
            "recall drop of 'odd' cannot be measured: no row of the test split has this label",
        ),
        (
            Bound("precision", "odd", 0.6, None, False),
            "precision of 'odd' cannot be measured: the model gave no row of the test split this label",
        ),
    ],
)
def test_a_bound_in_words(bound: Bound, sentence: str):
    assert describe(bound) == sentence


def test_a_narrow_miss_is_not_called_missed_by_nothing():
    said = describe(Bound("recall", "rude", 0.8, 0.79996, False))
    assert said == "recall of 'rude' is 0.79996, must be at least 0.8: missed by 0.00004"
