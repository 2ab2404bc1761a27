"""The numbers of the report page, against ones worked out by hand."""

import itertools
import re

import pytest

from fullbake.components.evaluation.wilson import wilson
from fullbake.components.report.axes import log_ticks, ticks
from fullbake.components.report.confusion import (
    MOST_COLUMNS,
    OTHERS,
    heat_map_svg,
    most_confused,
    whole_matrix,
    worst_part,
)
from fullbake.components.report.plot import Plot
from fullbake.components.report.sections import calibration, lengths, trade_off
from fullbake.components.report.sections.classes import class_lines
from fullbake.components.report.sections.mistakes import main_mistake
from fullbake.contract.results.evaluation import Bound
from tests.components.label_reports import label_evaluation
from tests.components.reports import bound, minimal


@pytest.mark.parametrize(
    ("hits", "trials", "interval"),
    [
        # All or nothing: the formula shrinks to n / (n + z²) with z² = 3.8415.
        (10, 10, (10 / 13.8415, 1.0)),
        (0, 5, (0.0, 3.8415 / 8.8415)),
        # (0.7 + 0.19207 ± 1.96 √(0.021 + 0.0096036)) / 1.38415
        (7, 10, (0.3968, 0.8922)),
    ],
)
def test_the_interval_of_a_share_is_wilsons(hits, trials, interval):
    assert wilson(hits, trials) == pytest.approx(interval, abs=1e-4)


def test_no_trials_have_no_interval():
    assert wilson(0, 0) is None


def test_precision_and_recall_come_from_the_counts_by_threshold():
    points = trade_off.precision_recall(positive=[1, 0, 2, 1], negative=[3, 1, 0, 0])
    assert points == [(0.25, 1.0), (0.75, 1.0), (0.75, 0.75), (1.0, 0.5)]
    assert trade_off.average_precision(points) == 0.25 + 0.5 + 0.25 * 0.5
    assert trade_off.precision_recall([0, 0], [3, 4]) == []


def test_the_mean_curve_takes_the_best_precision_from_each_recall_on():
    assert trade_off.mean_curve([[(0.5, 1.0), (1.0, 0.5)], [(1.0, 0.75)]], steps=2) == [(0.5, 0.875), (1.0, 0.625)]


def test_calibration_error_weighs_each_bin_by_its_texts():
    bins = calibration.reliability_bins(count=[0, 4, 6], correct=[0, 2, 6], probability_sum=[0.0, 2.4, 5.4])
    assert [(bin_.texts, bin_.correct, pytest.approx(bin_.confidence)) for bin_ in bins] == [(4, 2, 0.6), (6, 6, 0.9)]
    assert calibration.expected_calibration_error(bins) == pytest.approx((abs(2 - 2.4) + abs(6 - 5.4)) / 10)


def test_fine_bins_of_confidence_are_joined_into_twenty():
    bins = calibration.reliability_bins([1] * 1000, [1] * 1000, [(index + 0.5) / 1000 for index in range(1000)])
    assert [bin_.texts for bin_ in bins] == [50] * 20
    assert (bins[0].low, bins[0].high, bins[-1].high) == (0.0, 0.05, 1.0)


def test_a_quantile_is_the_least_length_that_covers_the_share():
    assert [lengths.quantile([0, 2, 1, 1], share) for share in (0.5, 0.75, 0.95)] == [1, 2, 3]


def test_axes_carry_round_numbers():
    assert ticks(0, 1) == [0, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert ticks(0, 530) == [0, 200, 400]
    assert ticks(3, 3) == [3]


def test_a_logarithmic_axis_carries_round_numbers():
    assert log_ticks(8, 300) == [10, 20, 50, 100, 200]
    assert log_ticks(33, 32_000) == [100, 1000, 10_000]
    assert log_ticks(7.1, 9.4) == [7.5, 8, 8.5, 9]


def test_on_a_logarithmic_axis_equal_factors_are_equally_far_apart():
    plot = Plot((0, 1), (1, 1000), "x", "y", log_y=True)
    heights = [plot.at(0, value)[1] for value in (1, 10, 100, 1000)]
    steps = [low - high for low, high in itertools.pairwise(heights)]
    assert steps == pytest.approx([steps[0]] * 3)
    assert steps[0] > 0


def test_class_lines_count_rows_for_recall_and_columns_for_precision():
    line = class_lines(minimal(confusion=[[5, 1], [2, 2]]).evaluation)[0]
    assert (line.texts, line.decided, line.found) == (6, 7, 5)
    assert line.recall_interval == wilson(5, 6)
    assert line.precision_interval == wilson(5, 7)


def test_mistakes_are_listed_by_how_often_they_happen():
    assert most_confused(minimal(confusion=[[5, 1], [3, 1]]).evaluation) == [("b", "a", 3, 0.75), ("a", "b", 1, 1 / 6)]


def test_the_matrix_of_a_few_classes_has_every_count_and_its_share_of_the_true_class():
    rows = whole_matrix(minimal(confusion=[[5, 1], [0, 0]]).evaluation).rows
    assert [(row.label, *row.cells) for row in rows] == [
        ("a", (5, 5 / 6, "right"), (1, 1 / 6, "wrong")),
        ("b", (0, None, ""), (0, None, "")),
    ]


def many_classes(confused):
    """An evaluation of 40 classes of 10 texts, of which some were labelled as another class."""
    confusion = [[10 if row == column else 0 for column in range(40)] for row in range(40)]
    for truth, decided, texts in confused:
        confusion[truth][truth] -= texts
        confusion[truth][decided] += texts
    return minimal(labels=[f"c{number}" for number in range(40)], confusion=confusion).evaluation


def test_of_many_classes_the_matrix_has_those_of_the_most_frequent_mistakes_and_the_rest_in_one_column():
    part = worst_part(many_classes([(3, 30, 7), (3, 9, 2), (39, 0, 1)]))
    assert part.columns == ["c0", "c3", "c9", "c30", "c39", OTHERS]
    assert [cell.texts for cell in part.rows[1].cells] == [0, 1, 2, 7, 0, 0]
    assert all(sum(cell.texts for cell in row.cells) == 10 for row in part.rows)
    crowd = worst_part(many_classes([(truth, truth + 20, 2) for truth in range(20)] + [(0, 39, 1)]))
    assert len(crowd.rows) == MOST_COLUMNS
    assert [row.cells[-1].texts for row in crowd.rows if row.label == "c0"] == [1]
    assert worst_part(many_classes([])) is None


def test_a_mistake_between_two_of_300_classes_is_large_enough_to_be_seen():
    confusion = [
        [9 if row == column else int((row, column) == (7, 250)) for column in range(300)] for row in range(300)
    ]
    (mark,) = re.findall(r'<path class="wrong l\d" d="M[\d.]+ [\d.]+h([\d.]+)v', heat_map_svg(confusion))
    assert float(mark) >= 4


def test_of_many_curves_those_of_missed_bounds_are_drawn_first_then_of_met_ones_then_of_the_smallest_areas():
    areas = {f"c{number}": number / 40 for number in range(40)}
    bounds = [Bound(**bound(label="c30")), Bound(**bound(label="c20")), Bound(**bound(label="c35", passed=False))]
    drawn = trade_off.chosen_labels(areas, bounds)
    assert drawn[:5] == ["c35", "c20", "c30", "c0", "c1"]
    assert len(drawn) == trade_off.MOST_PANELS
    few = dict(list(areas.items())[:12])
    assert trade_off.chosen_labels(few, bounds) == list(few)


def test_the_mistake_made_in_most_texts_is_said():
    said = main_mistake(many_classes([(3, 30, 7), (3, 9, 2)]))
    assert said == "7 of 10 texts that are truly 'c3' were labelled 'c30'"
    assert main_mistake(many_classes([])) is None
    evaluation = label_evaluation()
    said = main_mistake(evaluation)
    worst = max(max(each.false_negative, each.false_positive) for each in evaluation.counts.values())
    assert said.startswith(f"{worst} of ")
    right = {
        label: each.model_copy(update={"false_negative": 0, "false_positive": 0})
        for label, each in evaluation.counts.items()
    }
    assert main_mistake(evaluation.model_copy(update={"counts": right})) is None
