"""Planted differences to be found, and luck to be taken for luck."""

import statistics

import numpy as np
import pytest
from scipy.stats import t as students_t

from fullbake.pipeline.comparison.notes import notes_on
from fullbake.pipeline.comparison.page import headline, render_page
from fullbake.pipeline.comparison.paired_test import LEAST_TELLING_ROWS
from tests.pipeline.comparison.outcomes import TRUTH, compared, drawn, outcome, trained


def test_the_bootstrap_finds_a_planted_difference_and_says_which_way():
    tests = {test.measure: test for test in drawn({"frozen": 0.7, "fine_tune": 0.9}, seeds=3).tests}
    assert list(tests) == ["accuracy", "macro F1", "macro recall", *(f"recall of class_{index}" for index in range(3))]
    for test in tests.values():
        assert (test.first, test.second) == ("frozen", "fine_tune")
        assert test.low < test.difference < test.high < 0
        assert test.more_than_luck
        assert test.p < 0.01
    assert tests["accuracy"].p == pytest.approx(2 / 10_001)


def test_the_bootstrap_finds_nothing_between_approaches_that_decide_alike():
    first, second = TRUTH, TRUTH[::-1]
    seeds = [outcome("a", first, seed=0), outcome("a", second, seed=1), outcome("b", second, 0), outcome("b", first, 1)]
    for test in compared(("x", "y"), TRUTH, seeds).tests:
        assert (test.difference, test.low, test.high, test.p) == (0, 0, 0, 1)
        assert not test.models_differ
        assert not test.more_than_luck
        assert test.verdict == "no difference"


def test_the_interval_of_equals_holds_zero_in_about_95_of_100_samples():
    missed = sum(drawn({"a": 0.8, "b": 0.8}, rows=300, seeds=1, seed=seed).tests[0].models_differ for seed in range(40))
    assert missed <= 6  # of 40 at 5% each: more than 6 has a chance of 0.3%


def test_the_interval_of_accuracy_is_as_wide_as_the_paired_standard_error_says():
    comparison = drawn({"a": 0.75, "b": 0.85}, rows=2000, seeds=1)
    right = [(each.decided == (comparison.truth == 1)).all(axis=1) for each in comparison.outcomes]
    error = np.std(right[0].astype(float) - right[1].astype(float)) / 2000**0.5
    test = comparison.tests[0]
    assert test.difference == pytest.approx(right[0].mean() - right[1].mean())
    assert test.high - test.low == pytest.approx(2 * 1.96 * error, rel=0.05)
    assert test.se_rows == pytest.approx(error, rel=0.05)


def test_the_margin_is_welchs_of_rows_and_seeds_together():
    frozen = trained({"frozen": 0.8}, seeds=2, noise=0.01).outcomes
    fine_tune = trained({"fine_tune": 0.8}, seeds=4, noise=0.02).outcomes
    comparison = compared(("ham", "spam"), np.arange(2500) % 2, [*frozen, *fine_tune])
    test = comparison.tests[0]
    few, many = (statistics.variance(result.accuracy.values) for result in comparison.results)
    assert test.se_seeds == pytest.approx((few / 2 + many / 4) ** 0.5)
    whole = test.se_rows**2 + few / 2 + many / 4
    freedom = whole**2 / ((few / 2) ** 2 / 1 + (many / 4) ** 2 / 3)
    assert students_t.cdf(test.margin / whole**0.5, freedom) == pytest.approx(0.975)


def test_seeds_that_all_come_out_alike_leave_the_luck_of_the_rows_alone():
    half = np.where(np.arange(6) < 3, TRUTH, 1 - TRUTH)
    seeds = [outcome(name, decided, seed) for name, decided in (("a", TRUTH), ("b", half)) for seed in range(3)]
    test = compared(("x", "y"), TRUTH, seeds).tests[0]
    assert test.se_seeds == 0
    assert test.margin == pytest.approx(1.96 * test.se_rows, rel=1e-3)


def test_the_luck_of_training_is_not_taken_for_a_difference_between_approaches():
    tests = [trained({"a": 0.87, "b": 0.87}, seeds=3, noise=0.01, seed=seed).tests[0] for seed in range(20)]
    assert sum(test.models_differ for test in tests) >= 5, "the rows alone tell equal approaches apart far too often"
    assert sum(test.more_than_luck for test in tests) <= 3  # at 5% each, more than 3 of 20 has a chance of 1.6%
    assert {test.verdict for test in tests if test.models_differ} >= {"may be luck of training"}


@pytest.mark.parametrize(("seeds", "gap"), [(2, 0.2), (3, 0.06), (5, 0.04)])
def test_a_difference_beyond_the_luck_of_training_is_found(seeds, gap):
    tests = [trained({"a": 0.87 - gap, "b": 0.87}, seeds, noise=0.01, seed=seed).tests[0] for seed in range(5)]
    assert sum(test.more_than_luck and test.difference < 0 for test in tests) >= 4


def test_one_seed_on_a_side_says_that_models_differ_and_nothing_of_approaches():
    one = trained({"a": 0.7}, seeds=1, noise=0.0).outcomes
    three = trained({"b": 0.9}, seeds=3, noise=0.0).outcomes
    comparison = compared(("ham", "spam"), np.arange(2500) % 2, [*one, *three])
    for test in comparison.tests:
        assert test.models_differ
        assert not test.more_than_luck
        assert (test.se_seeds, test.margin) == (None, None)
        assert test.verdict == "these two models differ; only more seeds tell of the approaches"
    assert any("Where an approach has one seed, nothing is called more than luck" in n for n in notes_on(comparison))
    assert not any("1 in 20" in note for note in notes_on(comparison))
    page = render_page(comparison, "x", "name: x")
    assert headline(comparison).endswith("but only more seeds can tell whether by luck")
    assert (
        "These models differ in accuracy, macro F1, macro recall, recall of ham and recall of spam by more than" in page
    )
    assert "is better in" not in page
    assert 'class="both"' not in page


def test_resamples_that_lack_a_class_do_not_spoil_the_intervals():
    truth = np.array([0] * 200 + [1])
    better = outcome("a", truth)
    worse = outcome("b", np.where(np.arange(201) % 4 == 0, 1 - truth, truth))
    tests = {test.measure: test for test in compared(("common", "rare"), truth, [better, worse]).tests}
    assert np.isfinite([[test.low, test.high, test.p] for test in tests.values()]).all()
    assert tests["recall of common"].difference == pytest.approx(0.25)
    assert tests["recall of common"].models_differ


@pytest.mark.parametrize("rows", [1, LEAST_TELLING_ROWS - 1, LEAST_TELLING_ROWS])
def test_a_handful_of_rows_is_no_proof_however_clear_it_looks(rows):
    truth = np.array([0] * 100 + [1] * rows)
    comparison = compared(("common", "rare"), truth, [outcome("a", truth), outcome("b", np.zeros_like(truth))])
    (rare,) = (test for test in comparison.tests if test.label == "rare")
    assert (rare.difference, rare.low, rare.high, rare.telling_rows) == (1.0, 1.0, 1.0, rows)
    assert rare.models_differ == (rows >= LEAST_TELLING_ROWS)
    assert rare.models_differ or f"told apart by {rows} row" in rare.verdict


def test_the_same_outcomes_always_give_the_same_tests():
    assert drawn({"a": 0.7, "b": 0.8}).tests == drawn({"a": 0.7, "b": 0.8}).tests
