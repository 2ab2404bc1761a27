"""The gate's verdict, bound by bound, and its words."""

import json
from dataclasses import asdict, replace

import pytest
from scipy.stats import binomtest

from fullbake.components.evaluation.gate import GateSpec, Share, describe, judge, too_few_rows
from fullbake.components.evaluation.wilson import rows_needed, wilson
from fullbake.contract.results.evaluation import Bound

LABELS = ("fine", "rude", "odd")
GOOD = {"fine": 0.9, "rude": 0.8, "odd": 0.7}


ROWS = 100_000  # so many that a share with five decimals is one of counts


def judged(recall=GOOD, precision=GOOD, production=None, **bounds):
    return judge(GateSpec(LABELS, **bounds), shares(recall), shares(precision), production)


def shares(values):
    """Recalls or precisions as counts; None where there is no row."""
    return {
        label: Share(0, 0) if value is None else Share(round(value * ROWS), ROWS) for label, value in values.items()
    }


def bound_of(metric, label, bound, value, passed, **more):
    return Bound(metric=metric, label=label, bound=bound, value=value, passed=passed, **more)


def outcomes(bounds):
    return [(bound.metric, bound.label, bound.bound, bound.value, bound.passed) for bound in bounds]


@pytest.mark.parametrize(("value", "passed"), [(0.59999, False), (0.6, True), (3 / 5, True), (1.0, True), (0.0, False)])
@pytest.mark.parametrize("metric", ["recall", "precision"])
def test_a_least_value_is_met_at_the_bound_and_above(metric: str, value: float, passed: bool):
    bounds = judged(**{metric: GOOD | {"rude": value}, f"min_{metric}": {"rude": 0.6}})
    assert outcomes(bounds) == [(metric, "rude", 0.6, value, passed)]


@pytest.mark.parametrize("hits", range(1, 101))
def test_a_share_of_exactly_the_bound_as_people_write_it_passes(hits: int):
    bounds = judged(recall=GOOD | {"rude": hits / 100}, min_recall={"rude": float(f"{hits / 100:.2f}")})
    assert [bound.passed for bound in bounds] == [True]


@pytest.mark.parametrize("metric", ["recall", "precision"])
def test_what_the_test_split_cannot_tell_does_not_pass_even_a_bound_of_zero(metric: str):
    bounds = judged(**{metric: GOOD | {"odd": None}, f"min_{metric}": {"odd": 0.0}}, allow_never_predicted=("odd",))
    assert outcomes(bounds) == [(metric, "odd", 0.0, None, False)]


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
    gate = GateSpec(LABELS, {"fine": 0.8}, {"odd": 0.5}, 0.02, 0.9, ("odd",), accept_baseline_loss=True)
    gate = replace(gate, multi_label=True, sliced=True, identities=("male",), min_bias_auc={"mean_bpsn": 0.5})
    assert GateSpec.from_dict(json.loads(json.dumps(asdict(gate)))) == gate


def test_a_bound_as_json_has_all_that_a_report_needs():
    (bound,) = judged(min_recall={"fine": 0.8}, confidence=0.9)
    as_json = json.loads(json.dumps(bound.to_dict()))
    assert as_json == {
        "metric": "recall",
        "label": "fine",
        "slice": None,
        "bound": 0.8,
        "value": 0.9,
        "passed": True,
        "rows": ROWS,
        "interval": list(wilson(90_000, ROWS, 0.9)),
        "confidence": 0.9,
    }
    assert Bound(**as_json) == bound


@pytest.mark.parametrize(
    ("bound", "sentence"),
    [
        (
            bound_of("recall", "rude", 0.6, 0.75, True),
            "recall of 'rude' is 0.750, must be at least 0.6: met",
        ),
        (
            bound_of("recall", "rude", 0.6, 0.5, False),
            "recall of 'rude' is 0.500, must be at least 0.6: missed by 0.100",
        ),
        (
            bound_of("precision", "odd", 0.95, 0.9, False),
            "precision of 'odd' is 0.900, must be at least 0.95: missed by 0.050",
        ),
        (
            bound_of("recall_drop", "fine", 0.02, 0.05, False),
            "recall drop of 'fine' is 0.050, must be at most 0.02: missed by 0.030",
        ),
        (
            bound_of("recall_drop", "fine", 0.02, -0.1, True),
            "recall drop of 'fine' is -0.100, must be at most 0.02: met",
        ),
        (
            bound_of("recall", "odd", 0.6, None, False),
            "recall of 'odd' cannot be measured: no row of the test split has this label",
        ),
        (
            bound_of("recall_drop", "odd", 0.02, None, False),
            "recall drop of 'odd' cannot be measured: no row of the test split has this label",
        ),
        (
            bound_of("precision", "odd", 0.6, None, False),
            "precision of 'odd' cannot be measured: the model gave no row of the test split this label",
        ),
        (
            Bound(
                metric="recall",
                label="rude",
                bound=0.6,
                value=0.75,
                passed=False,
                rows=12,
                interval=(0.4677, 0.9111),
                confidence=0.95,
            ),
            "recall of 'rude' is 0.750 of 12 rows, hence at least 0.468 with 0.95 confidence, must be at least 0.6: "
            "missed by 0.132",
        ),
        (
            bound_of("predicted", "odd", 1, 0, False),
            "no row of the test split was given the label 'odd'; if that may be so, name it in allow_never_predicted",
        ),
    ],
)
def test_a_bound_in_words(bound: Bound, sentence: str):
    assert describe(bound) == sentence


def test_a_narrow_miss_is_not_called_missed_by_nothing():
    said = describe(bound_of("recall", "rude", 0.8, 0.79996, False))
    assert said == "recall of 'rude' is 0.79996, must be at least 0.8: missed by 0.00004"


@pytest.mark.parametrize(("hits", "rows"), [(1, 1), (10, 13), (9, 10), (81, 90), (900, 1000)])
def test_with_a_confidence_the_lower_end_of_the_interval_must_be_at_the_bound(hits: int, rows: int):
    few = {label: Share(hits, rows) for label in LABELS}
    lower = float(binomtest(hits, rows).proportion_ci(0.95, method="wilson").low)
    for bound, passes in ((lower - 1e-6, True), (lower + 1e-6, False)):
        for metric in ("recall", "precision"):
            gate = GateSpec(LABELS, **{f"min_{metric}": {"rude": bound}}, confidence=0.95)
            (judged_bound,) = judge(gate, few, few, None)
            assert judged_bound.passed is passes
            assert judged_bound.value == hits / rows
            assert judged_bound.judged == pytest.approx(lower)
            assert judged_bound.missed_by == pytest.approx(1e-6, rel=1e-3)
            # The same counts without a confidence are what was measured, plainly.
            (plain,) = judge(GateSpec(LABELS, **{f"min_{metric}": {"rude": bound}}), few, few, None)
            assert plain.passed is (hits / rows >= bound)


def test_more_confidence_asks_for_more():
    few = {label: Share(10, 13) for label in LABELS}
    passed = [
        judge(GateSpec(LABELS, {"rude": 0.55}, confidence=confidence), few, few, None)[0].passed
        for confidence in (0.5, 0.8, 0.95, 0.99)
    ]
    assert passed == [True, True, False, False]


def test_a_drop_of_recall_is_judged_as_measured_even_with_a_confidence():
    few = {label: Share(10, 13) for label in LABELS}
    gate = GateSpec(LABELS, max_recall_drop=0.0, confidence=0.95)
    assert [bound.passed for bound in judge(gate, few, few, dict.fromkeys(LABELS, 10 / 13))] == [True] * 3


def test_a_class_that_no_row_was_given_refuses_the_model_unless_the_gate_allows_it():
    never = GOOD | {"odd": None}
    assert outcomes(judged(precision=never)) == [("predicted", "odd", 1, 0, False)]
    assert judged(precision=never, allow_never_predicted=("odd",)) == []
    assert outcomes(judged(precision=never, allow_never_predicted=("rude",))) == [("predicted", "odd", 1, 0, False)]


def test_only_labels_that_the_model_in_production_knows_are_compared():
    bounds = judged(production={"odd": 0.9, "gone": 0.9}, max_recall_drop=0.1)
    assert outcomes(bounds) == [("recall_drop", "odd", 0.1, pytest.approx(0.2), False)]


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
@pytest.mark.parametrize("bound", [0.0, 0.3, 0.5, 0.8, 0.95, 0.99])
def test_the_rows_a_bound_needs_are_the_fewest_with_which_a_faultless_model_meets_it(bound: float, confidence: float):
    needed = rows_needed(bound, confidence)
    assert wilson(needed, needed, confidence)[0] >= bound
    assert needed == 1 or wilson(needed - 1, needed - 1, confidence)[0] < bound


def test_a_test_split_too_small_for_a_bound_is_told_with_what_it_takes():
    rows = {"fine": 16, "rude": 5, "odd": 1}
    gate = GateSpec(LABELS, {"fine": 0.8, "rude": 0.6}, {"odd": 0.9, "fine": 1.0})
    recall, precision = too_few_rows(gate, rows)
    assert recall.startswith("min_recall: too few test rows to show with 0.95 confidence that a bound is met")
    assert "so luck may decide whether a model is pushed: 'rude' has 5 where 0.6 takes 6; add rows" in recall
    assert precision.startswith("min_precision: ")
    assert "'odd' has 1 where 0.9 takes 35; " in precision
    (strict,) = too_few_rows(GateSpec(LABELS, {"fine": 0.8}, confidence=0.99), rows)
    assert "0.99 confidence" in strict
    assert "no model can be pushed (confidence): 'fine' has 16 where 0.8 takes 27; " in strict
    assert too_few_rows(gate, dict.fromkeys(LABELS, 35)) == []
