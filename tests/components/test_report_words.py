"""What the report page says of the verdict, the classes and the mistakes."""

import re
from html import unescape

import pytest

from fullbake.components.evaluation.wilson import wilson
from fullbake.components.report.page import render
from fullbake.components.report.sections.verdict import bound_lines, headline
from tests.components.reports import (
    bound,
    minimal,
    minimal_with,
    passing_report,
    refused_report,
    report_of_many_classes,
    text_of,
)


@pytest.fixture(scope="module")
def passing():
    return passing_report()


@pytest.fixture(scope="module")
def refused():
    return refused_report()


@pytest.fixture(scope="module")
def many():
    return report_of_many_classes()


MISS = bound(value=0.53, passed=False)
CLOSE = bound(value=0.5996, passed=False)  # two decimals would say that 0.60 is short of 0.60
DROP = bound("recall_drop", limit=0.02, value=0.05, passed=False)
NEVER = bound("precision", value=None, passed=False)
DROPPED = "fell by 0.05 against the model in production, at most 0.02 is allowed: 0.03 too much"


@pytest.mark.parametrize(
    ("bounds", "said"),
    [
        ([bound()], "Blessed: every bound met"),
        ([], "Blessed: no bounds were set"),
        ([MISS, bound(label="a")], "Refused: recall of 'b' is 0.53, its bound is 0.60: 0.07 short"),
        ([CLOSE], "Refused: recall of 'b' is 0.5996, its bound is 0.6000: 0.0004 short"),
        ([DROP], f"Refused: recall of 'b' {DROPPED}"),
        ([NEVER], "Refused: precision of 'b' could not be measured: no test text was labelled 'b'"),
        ([MISS, NEVER], "Refused: 2 of 2 bounds missed"),
    ],
)
def test_the_headline_says_which_bound_was_missed_by_how_much(bounds, said):
    report = minimal(bounds=bounds, blessed=all(one["passed"] for one in bounds))
    assert headline(report) == said
    assert f"<h1>{said}</h1>" in unescape(render(report))


def test_missed_bounds_stand_first_and_the_widest_miss_leads():
    bounds = [bound(), bound(label="a", value=0.5, passed=False), bound("precision", value=0.2, passed=False)]
    lines = bound_lines(minimal(bounds=bounds, blessed=False).evaluation)
    assert [(line.subject, line.outcome) for line in lines] == [
        ("precision of 'b'", "missed by 0.40"),
        ("recall of 'a'", "missed by 0.10"),
        ("recall of 'b'", "met, 0.15 to spare"),
    ]


def test_a_bound_inside_the_interval_is_called_possible_chance():
    sure, unsure = (bound_lines(minimal(bounds=[bound(limit=limit)]).evaluation)[0] for limit in (0.25, 0.6))
    # Three of four: (0.75 + 0.48018 ± 1.96 √(0.046875 + 0.0600)) / 1.96036
    assert unsure.doubt == "may be chance: 95% interval 0.30–0.95 from 4 test texts"
    assert sure.doubt is None


def test_a_model_without_a_predecessor_says_so():
    page = text_of(render(minimal(bounds=[bound("recall_drop", limit=0.02, value=None)])))
    assert "met: there is no model in production to compare with" in page


def test_a_passing_report_tells_all_its_numbers(passing):
    page = text_of(render(passing))
    evaluation = passing.evaluation
    found, texts = evaluation.confusion[1][1], sum(evaluation.confusion[1])
    low, high = wilson(found, texts)
    assert page.index("This model is live") < page.index("Recall of 'toxic'") < page.index("Confusion matrix:")
    assert f"found {found} of {texts} · {low:.2f}–{high:.2f}" in page
    assert f"{evaluation.recall['toxic'] - 0.7:+.3f}" in page
    said = "Rows read 5,010|corpus 12,000|the text is empty 7|also in the eval or test split 810|3,360 84%"
    said += "|Since span 3, the one before, the share of “toxic” went from 13.9% to 16%"
    said += "|at most 51 characters, and now have 54 (drift 0.052)"
    said += "|66,955,010, all trained|The weights of epoch 2 were kept"
    said += "|19 of 4,000 training texts (0.5%) are longer and were cut|Trainer 2 min 12 s|3 min 2 s in all"
    said += '|tensorflow 2.16.2|delimiter: ","|2024-05-04 10:15 UTC'
    assert [words for words in said.split("|") if words not in page] == []


def test_a_decision_threshold_says_where_it_was_found():
    threshold = {"value": 0.37, "recall": 0.9, "precision": 0.61, "chosen": True}
    evaluation = minimal(decision_threshold=0.37).evaluation.to_dict()
    page = text_of(render(minimal_with(evaluation=evaluation, training={"decision_threshold": threshold})))
    assert "probability 0.37 of b chosen on texts kept aside: recall 0.90, precision 0.61" in page


def test_a_refused_report_names_the_widest_miss_and_the_warnings(refused):
    page = text_of(render(refused))
    assert "This model must not go live" in page
    assert re.search(r"The widest miss: recall of 'hate' is 0\.\d\d, its bound is 0\.60: 0\.\d\d short\.", page)
    assert "0.0004 destroys what pre-training learned" in page


def test_many_classes_get_a_heat_map_the_worst_few_and_a_small_page(many):
    page = render(many)
    assert len(page.encode()) < 400_000
    assert 'class="plot heat"' in page
    text = text_of(page)
    said = "The 12 with the lowest recall|The other 65 classes|The most frequent mistakes"
    said += "|the mean of all 77 classes|All 77 classes as a picture"
    assert [words for words in said.split("|") if words not in text] == []
    worst = min(many.evaluation.recall, key=many.evaluation.recall.__getitem__)
    assert f"Hardest class to find {worst}" in text


def test_what_is_missing_is_left_out():
    page = render(minimal(recall={"a": None, "b": 0.3}, confusion=[[0, 0], [7, 3]], precision={"a": 0.0, "b": None}))
    headings = re.findall("<h2>(.*?)</h2>", page)
    assert headings == [
        "Recall and precision: how well it recognises each class",
        "Confusion matrix: which classes it mistakes for which",
    ]
    assert "no test text" in page
    assert "None" not in page
    assert "nan" not in page


def test_one_epoch_a_diverged_loss_and_unknown_keys_are_no_trouble():
    epochs = [{"epoch": 1, "loss": float("nan"), "eval_loss": 0.5, "learning_rate": 4e-4, "seconds": 3.0}]
    training = {"epochs": epochs, "best_epoch": 1, "parameters": {"total": 10, "trainable": 4}, "new_key": 1}
    assert "10, of which 4 were trained" in text_of(render(minimal_with(training=training)))
