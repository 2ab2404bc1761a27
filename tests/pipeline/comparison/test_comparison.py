"""What the seeds of an approach come to: numbers worked out by hand."""

import json
import statistics

import numpy as np
import pytest

from fullbake.pipeline.comparison.comparison import Comparison
from fullbake.pipeline.comparison.markdown import to_markdown
from fullbake.pipeline.comparison.outcome import Outcome
from fullbake.pipeline.comparison.spread import Spread
from fullbake.pipeline.comparison.table import table_rows
from tests.pipeline.comparison.outcomes import TRUTH, by_hand, compared, outcome

RIGHT = np.eye(2, dtype=bool)[TRUTH]


def test_means_and_deviations_over_seeds_are_those_worked_out_by_hand():
    fine_tune, frozen = by_hand().results
    assert (fine_tune.approach, fine_tune.seeds) == ("fine_tune", (0, 1))
    assert fine_tune.accuracy.values == pytest.approx((5 / 6, 5 / 6))
    assert (fine_tune.accuracy.mean, fine_tune.accuracy.deviation) == pytest.approx((5 / 6, 0))
    # Seed 0: ham 3 of 4 found, all 3 right; spam 2 of 2 found, 2 of 3 right.
    # Seed 1: ham 4 of 4 found, 4 of 5 right; spam 1 of 2 found, the 1 right.
    assert fine_tune.recall["ham"] == Spread(0.875, pytest.approx(0.25 / 2**0.5), (0.75, 1.0))
    assert fine_tune.recall["spam"].values == (1.0, 0.5)
    assert fine_tune.precision["spam"].values == pytest.approx((2 / 3, 1.0))
    assert fine_tune.macro_recall.values == pytest.approx((0.875, 0.75))
    assert fine_tune.macro_f1.values == pytest.approx(((6 / 7 + 4 / 5) / 2, (8 / 9 + 2 / 3) / 2))
    assert fine_tune.seconds.deviation == pytest.approx(statistics.stdev([100, 160]))
    assert fine_tune.learning_rate.mean == pytest.approx(4e-5)
    assert frozen.trainable == Spread(5.0, 0.0, (5.0, 5.0))


def test_a_class_without_rows_has_no_recall_and_one_never_decided_no_precision():
    fine_tune, frozen = by_hand().results
    assert fine_tune.recall["unused"] == fine_tune.precision["unused"] == Spread(None, None, (None, None))
    assert frozen.precision["spam"] == Spread(pytest.approx(1 / 3), None, (pytest.approx(1 / 3), None))
    assert frozen.precision["unused"].values == (None, 0.0)
    cells = dict(table_rows(by_hand()))
    assert cells["recall of unused"] == ["–", "–"]
    assert cells["precision of spam"][1] == "0.333 (1 of 2 seeds)"
    assert not any(test.label == "unused" for test in by_hand().tests)


def test_one_seed_has_a_mean_and_no_deviation():
    (only,) = compared(("a", "b"), TRUTH, [outcome("frozen", TRUTH)]).results
    assert only.accuracy == Spread(1.0, None, (1.0,))


def test_time_is_the_sum_of_the_components_that_trained():
    run = Outcome("further_pretrain", 0, TRUTH, {"Pretrainer": 120.0, "Trainer": 45.0}, 1, 1, 5e-5)
    (result,) = compared(("a", "b"), TRUTH, [run]).results
    assert result.seconds.mean == 165.0
    assert result.seconds_by_component == {"Pretrainer": 120.0, "Trainer": 45.0}


def test_seventy_seven_classes_show_the_five_that_differ_most_and_test_the_averages_alone():
    labels = [f"intent_{index}" for index in range(77)]
    truth = np.arange(1000) % 77
    spoilt = np.where(np.isin(truth, [3, 14, 15, 9, 26]), 0, truth)
    comparison = compared(labels, truth, [outcome("a", truth), outcome("b", spoilt)])
    assert set(comparison.shown_labels) == {"intent_3", "intent_14", "intent_15", "intent_9", "intent_26"}
    assert [test.metric for test in comparison.tests] == ["accuracy", "macro_f1", "macro_recall"]
    assert comparison.tests[2].difference == pytest.approx(5 / 77)
    assert "Of 77 classes the 5" in to_markdown(comparison)


def test_the_dictionary_survives_json_and_holds_each_seed():
    said = json.loads(json.dumps(by_hand().to_dict(), allow_nan=False))
    assert said["labels"] == ["ham", "spam", "unused"]
    assert said["test_rows"] == 6
    assert list(said["approaches"]) == ["fine_tune", "frozen"]
    assert said["approaches"]["fine_tune"]["seeds"] == [0, 1]
    assert said["approaches"]["fine_tune"]["recall"]["ham"]["values"] == [0.75, 1.0]
    assert said["approaches"]["frozen"]["precision"]["spam"]["deviation"] is None
    accuracy = said["tests"][0]
    assert set(accuracy) == {
        *("first", "second", "metric", "label", "difference", "low", "high", "p", "telling_rows"),
        *("se_rows", "se_seeds", "margin", "models_differ", "more_than_luck", "verdict"),
    }
    # Accuracy of `fine_tune` is 5/6 with both seeds, of `frozen` 3/6 and 4/6.
    assert accuracy["se_seeds"] == pytest.approx(statistics.stdev([3 / 6, 4 / 6]) / 2**0.5)
    assert accuracy["margin"] > 1.96 * (accuracy["se_rows"] ** 2 + accuracy["se_seeds"] ** 2) ** 0.5


@pytest.mark.parametrize(
    ("labels", "outcomes", "said"),
    [
        (("a", "b"), [], "needs an outcome"),
        (("a", "b"), [outcome("x", RIGHT), outcome("x", RIGHT)], "a seed twice"),
        (("a", "b"), [outcome("x", RIGHT[:3])], r"x: has shape \(3, 2\), and \(6, 2\) are the test rows and labels"),
        (("a", "b"), [outcome("x", RIGHT[:, :1])], r"x: has shape \(6, 1\)"),
        (("a",), [outcome("x", RIGHT)], r"truth: has shape \(6, 2\)"),
    ],
)
def test_outcomes_that_do_not_fit_are_refused(labels, outcomes, said):
    with pytest.raises(ValueError, match=said):
        Comparison(labels, RIGHT.astype(np.int8), outcomes)
