"""The report on thresholds and calibration: what another threshold would cost, and what makes probabilities honest."""

import re

import numpy as np
import pytest

from fullbake.components.report.page import render
from fullbake.components.report.sections.threshold import by_threshold, cheapest, thresholds_of
from fullbake.contract.results.evaluation import ConfidenceCounts, ScoreCounts
from fullbake.contract.results.training import Calibration
from fullbake.contract.setting_names import settings_named
from tests.components.label_reports import label_evaluation
from tests.components.report_pages import report_of_labels
from tests.components.reports import minimal, passing_report, refused_report, text_of


def counted(has: np.ndarray, scores: np.ndarray, bins: int = 1000) -> ScoreCounts:
    """Scores of rows by bin, as the Evaluator counts them."""
    place = np.minimum((scores * bins).astype(int), bins - 1)
    sides = (np.bincount(place[side], minlength=bins).tolist() for side in (has, ~has))
    return ScoreCounts(**dict(zip(("positive", "negative"), sides, strict=True)))


def test_what_a_threshold_finds_and_flags_is_what_counting_row_by_row_says():
    rng = np.random.default_rng(0)
    has = rng.random(500) < 0.2
    scores = np.round(np.where(has, rng.beta(4, 2, 500), rng.beta(2, 4, 500)), 3) + 0.0005
    choices = by_threshold(counted(has, scores))
    assert len(choices) == 1000
    for choice in choices[::37]:
        flagged = scores >= choice.threshold
        assert (choice.texts, choice.flagged, choice.found) == (has.sum(), flagged.sum(), (flagged & has).sum())
    for choice, recall in zip(cheapest(choices, (0.8, 0.9, 0.95, 0.99)), (0.8, 0.9, 0.95, 0.99), strict=True):
        assert choice.recall >= recall
        assert np.mean(scores[has] >= choice.threshold + 0.001) < recall, "a higher one would do"
        wrong = np.sum((scores >= choice.threshold) & ~has)
        assert choice.false_alarms == pytest.approx(wrong / choice.found)


def test_recalls_that_the_same_threshold_reaches_share_a_line():
    choices = by_threshold(counted(np.array([True] * 3 + [False]), np.array([0.9, 0.8, 0.3, 0.1])))
    assert [choice.aim for choice in cheapest(choices, (0.5, 0.8, 0.99))] == ["find 50%", "find 80% or 99%"]


def test_where_no_text_has_the_label_nothing_is_said():
    assert by_threshold(ScoreCounts(positive=(0, 0), negative=(1, 2))) == []


def test_thresholds_are_of_the_second_of_two_labels_and_of_each_of_several():
    two = passing_report().evaluation
    assert thresholds_of(two) == {"toxic": 0.5}
    assert thresholds_of(two.model_copy(update={"decision_threshold": 0.3})) == {"toxic": 0.3}
    assert thresholds_of(refused_report().evaluation) == {}
    several = label_evaluation(("a", "b"), rows=50).model_copy(update={"decision_thresholds": {"a": 0.2}})
    assert thresholds_of(several) == {"a": 0.2, "b": 0.5}


def test_the_page_says_what_the_model_finds_now_and_what_its_bound_and_more_would_cost():
    report = passing_report()
    tally = report.evaluation.tallies["toxic"]
    page = text_of(render(report))
    assert "Thresholds: what another one would find, and cost" in page
    now = f"now 0.500 {tally.found} of {tally.texts}"
    assert now in page
    assert re.search(r"find 60% 0\.\d{3} \d+ of 80", page), "the bound of the gate"
    assert "find 99%" in page
    assert "Thresholds: what" not in text_of(render(refused_report()))
    assert "Thresholds: what" not in text_of(render(minimal()))


def test_of_several_labels_each_has_its_own():
    page = render(report_of_labels(("toxic", "insult", "threat")))
    section = page.partition('id="threshold"')[2].partition("</section>")[0]
    assert section.count(">now<") == 3
    assert section.count("<details>") == 2


def sure(claimed: float, right: int, **changes):
    """A report on 100 texts, of each of which the model is so sure."""
    count, correct, total = [0] * 20, [0] * 20, [0.0] * 20
    count[int(claimed * 20)], correct[int(claimed * 20)], total[int(claimed * 20)] = 100, right, 100 * claimed
    confidence = ConfidenceCounts(count=tuple(count), correct=tuple(correct), probability_sum=tuple(total))
    report = minimal()
    return report.model_copy(
        update={"evaluation": report.evaluation.model_copy(update={"confidence": confidence, **changes})}
    )


def test_probabilities_that_are_far_off_have_a_remedy_and_calibrated_ones_say_how():
    with settings_named({"calibrate": "gate.calibrate"}):
        far, near = text_of(render(sure(0.46, 98))), text_of(render(sure(0.97, 98)))
        calibrated = sure(0.46, 98, temperature=0.21)
        fitted = Calibration(temperature=0.21, answers=75, loss_before=0.71, loss=0.09)
        training = refused_report().training.model_copy(update={"calibration": fitted})
        alone = text_of(render(calibrated))
        whole = text_of(render(calibrated.model_copy(update={"training": training})))
    assert "Expected calibration error: 0.520" in far
    assert "gate.calibrate: true" in far
    assert "gate.calibrate" not in near
    assert "temperature of 0.210." in alone
    assert "gate.calibrate" not in alone
    assert "temperature of 0.210, fitted on 75 answers of the eval split" in whole
    assert "from 0.710 to 0.090" in whole
