"""What the report says of slices and identities."""

import re

from fullbake.components.report.page import render
from fullbake.components.report.sections.slices import MOST_LINES, bias_lines, slice_lines
from tests.components.reports import text_of
from tests.components.slice_reports import CHANNELS, LABELS, sliced_evaluation, sliced_report


def test_what_is_surely_low_comes_first_and_every_slice_and_label_has_its_line():
    evaluation = sliced_evaluation()
    lines = slice_lines(evaluation)
    assert {(line.name, line.label) for line in lines} == {
        (name, label) for name in (*CHANNELS, "male") for label in LABELS
    }
    ends = [line.rates.recall_interval[1] for line in lines]
    assert ends == sorted(ends)
    page = text_of(render(sliced_report()))
    assert f"found {lines[0].rates.found} of {lines[0].rates.rows} ·" in page
    assert "channel=<mail>" in page


def test_the_verdict_names_the_worst_slice_and_the_bounds_that_slices_miss():
    bounds = {"min_slice_recall": {"toxic": 0.85}, "min_bias_auc": {"mean_bpsn": 0.999}}
    evaluation = sliced_evaluation(**bounds)
    label, worst = min(evaluation.worst_slice.items(), key=lambda found: found[1].recall)
    page = text_of(render(sliced_report(**bounds)))
    recall = f"a recall of {worst.recall:.2f} on {worst.rows} texts"
    assert f"Worst slice: '{label}' in '{worst.slice}', with {recall}." in page
    toxic = evaluation.worst_slice["toxic"]
    assert f"Recall of 'toxic' in slice '{toxic.slice}' at least 0.85 {toxic.recall:.2f} missed by" in page
    for one in LABELS:
        assert f"Mean BPSN AUC of '{one}' at least 0.999 {evaluation.bias[one].bpsn:.3f} missed by" in page
    assert "min_slice_recall: too few rows of 'toxic' to judge some slices, where 0.85 takes 22: " in page


def test_bias_is_shown_by_label_the_means_first_then_the_worst_identity():
    evaluation = sliced_evaluation()
    lines = bias_lines(evaluation)
    assert [(line.label, line.identity) for line in lines] == [
        (label, identity) for label in LABELS for identity in (None, "male", "female")
    ]
    page = text_of(render(sliced_report()))
    areas = lines[1].areas
    assert f"toxic male {areas.subgroup:.3f} {areas.bpsn:.3f} {areas.bnsp:.3f}" in page
    assert "toxic female – – –" in page


def test_of_many_slices_the_page_shows_some():
    channels = tuple(f"channel={number}" for number in range(150))
    page = render(sliced_report(channels=channels, rows=900))
    assert len(re.findall(r'<th scope="row"><span class="name">channel=\d+<', page)) <= MOST_LINES
    assert f"The next {MOST_LINES - 12} of" in text_of(page)


def test_an_evaluation_without_slices_has_no_such_section():
    report = sliced_report()
    plain = report.model_copy(update={"evaluation": report.evaluation.model_copy(update={"slices": ()})})
    assert 'id="slices"' in render(report)
    assert 'id="slices"' not in render(plain)
