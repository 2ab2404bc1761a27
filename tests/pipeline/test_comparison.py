"""The comparison of approaches: numbers worked out by hand, planted differences to be found, and what is shown."""

import io
import json
import re
import shutil
import statistics
import subprocess
from html.parser import HTMLParser

import numpy as np
import pytest
from rich.console import Console
from scipy.stats import t as students_t

from fullbake.pipeline.comparison.comparison import Comparison
from fullbake.pipeline.comparison.markdown import to_markdown
from fullbake.pipeline.comparison.notes import notes_on
from fullbake.pipeline.comparison.outcome import Outcome
from fullbake.pipeline.comparison.page import description, headline, render_page
from fullbake.pipeline.comparison.paired_test import LEAST_TELLING_ROWS
from fullbake.pipeline.comparison.spread import Spread
from fullbake.pipeline.comparison.table import table_rows
from fullbake.pipeline.comparison.terminal_table import print_comparison

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

TRUTH = np.array([0, 0, 0, 0, 1, 1])


def outcome(approach, decided, seed=0, seconds=10.0, trainable=50, learning_rate=5e-5):
    return Outcome(approach, seed, np.array(decided), {"Trainer": seconds}, trainable, 100, learning_rate)


def by_hand():
    """Three classes, the third without a test row; `frozen` never decides for the second with seed 1."""
    return Comparison(
        ("ham", "spam", "unused"),
        TRUTH,
        [
            outcome("fine_tune", [0, 0, 0, 1, 1, 1], seed=0, seconds=100.0),
            outcome("frozen", [0, 0, 1, 1, 0, 1], seed=0, seconds=8.0, trainable=5, learning_rate=1e-2),
            outcome("fine_tune", [0, 0, 0, 0, 1, 0], seed=1, seconds=160.0, learning_rate=3e-5),
            outcome("frozen", [0, 0, 0, 0, 0, 2], seed=1, seconds=9.0, trainable=5, learning_rate=1e-2),
        ],
    )


def drawn(skills, rows=600, classes=3, seeds=2, labels=None, seed=0):
    """Approaches that are each right with their own chance, independently."""
    generator = np.random.default_rng(seed)
    truth = np.arange(rows) % classes
    outcomes = []
    for approach, skill in skills.items():
        for each in range(seeds):
            wrong = (truth + generator.integers(1, classes, rows)) % classes
            outcomes.append(outcome(approach, np.where(generator.random(rows) < skill, truth, wrong), seed=each))
    return Comparison(labels or tuple(f"class_{index}" for index in range(classes)), truth, outcomes)


def trained(skills, seeds, noise, rows=2500, seed=0):
    """Approaches whose trainings come out better or worse by luck, on texts that are hard or easy for all of them."""
    generator = np.random.default_rng(seed)
    truth = np.arange(rows) % 2
    hardness = generator.random(rows)
    outcomes = []
    for approach, skill in skills.items():
        for each in range(seeds):
            right = hardness + generator.normal(scale=0.05, size=rows) < skill + generator.normal(scale=noise)
            outcomes.append(outcome(approach, np.where(right, truth, 1 - truth), seed=each))
    return Comparison(("ham", "spam"), truth, outcomes)


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
    (only,) = Comparison(("a", "b"), TRUTH, [outcome("frozen", TRUTH)]).results
    assert only.accuracy == Spread(1.0, None, (1.0,))


def test_time_is_the_sum_of_the_components_that_trained():
    run = Outcome("further_pretrain", 0, TRUTH, {"Pretrainer": 120.0, "Trainer": 45.0}, 1, 1, 5e-5)
    (result,) = Comparison(("a", "b"), TRUTH, [run]).results
    assert result.seconds.mean == 165.0
    assert result.seconds_by_component == {"Pretrainer": 120.0, "Trainer": 45.0}


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
    for test in Comparison(("x", "y"), TRUTH, seeds).tests:
        assert (test.difference, test.low, test.high, test.p) == (0, 0, 0, 1)
        assert not test.models_differ
        assert not test.more_than_luck
        assert test.verdict == "no difference"


def test_the_interval_of_equals_holds_zero_in_about_95_of_100_samples():
    missed = sum(drawn({"a": 0.8, "b": 0.8}, rows=300, seeds=1, seed=seed).tests[0].models_differ for seed in range(40))
    assert missed <= 6  # of 40 at 5% each: more than 6 has a chance of 0.3%


def test_the_interval_of_accuracy_is_as_wide_as_the_paired_standard_error_says():
    comparison = drawn({"a": 0.75, "b": 0.85}, rows=2000, seeds=1)
    right = [each.decided == comparison.truth for each in comparison.outcomes]
    error = np.std(right[0].astype(float) - right[1].astype(float)) / 2000**0.5
    test = comparison.tests[0]
    assert test.difference == pytest.approx(right[0].mean() - right[1].mean())
    assert test.high - test.low == pytest.approx(2 * 1.96 * error, rel=0.05)
    assert test.se_rows == pytest.approx(error, rel=0.05)


def test_the_margin_is_welchs_of_rows_and_seeds_together():
    frozen = trained({"frozen": 0.8}, seeds=2, noise=0.01).outcomes
    fine_tune = trained({"fine_tune": 0.8}, seeds=4, noise=0.02).outcomes
    comparison = Comparison(("ham", "spam"), np.arange(2500) % 2, [*frozen, *fine_tune])
    test = comparison.tests[0]
    few, many = (statistics.variance(result.accuracy.values) for result in comparison.results)
    assert test.se_seeds == pytest.approx((few / 2 + many / 4) ** 0.5)
    whole = test.se_rows**2 + few / 2 + many / 4
    freedom = whole**2 / ((few / 2) ** 2 / 1 + (many / 4) ** 2 / 3)
    assert students_t.cdf(test.margin / whole**0.5, freedom) == pytest.approx(0.975)


def test_seeds_that_all_come_out_alike_leave_the_luck_of_the_rows_alone():
    half = np.where(np.arange(6) < 3, TRUTH, 1 - TRUTH)
    seeds = [outcome(name, decided, seed) for name, decided in (("a", TRUTH), ("b", half)) for seed in range(3)]
    test = Comparison(("x", "y"), TRUTH, seeds).tests[0]
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
    comparison = Comparison(("ham", "spam"), np.arange(2500) % 2, [*one, *three])
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
    tests = {test.measure: test for test in Comparison(("common", "rare"), truth, [better, worse]).tests}
    assert np.isfinite([[test.low, test.high, test.p] for test in tests.values()]).all()
    assert tests["recall of common"].difference == pytest.approx(0.25)
    assert tests["recall of common"].models_differ


@pytest.mark.parametrize("rows", [1, LEAST_TELLING_ROWS - 1, LEAST_TELLING_ROWS])
def test_a_handful_of_rows_is_no_proof_however_clear_it_looks(rows):
    truth = np.array([0] * 100 + [1] * rows)
    comparison = Comparison(("common", "rare"), truth, [outcome("a", truth), outcome("b", np.zeros_like(truth))])
    (rare,) = (test for test in comparison.tests if test.label == "rare")
    assert (rare.difference, rare.low, rare.high, rare.telling_rows) == (1.0, 1.0, 1.0, rows)
    assert rare.models_differ == (rows >= LEAST_TELLING_ROWS)
    assert rare.models_differ or f"told apart by {rows} row" in rare.verdict


def test_the_same_outcomes_always_give_the_same_tests():
    assert drawn({"a": 0.7, "b": 0.8}).tests == drawn({"a": 0.7, "b": 0.8}).tests


def test_seventy_seven_classes_show_the_five_that_differ_most_and_test_the_averages_alone():
    labels = [f"intent_{index}" for index in range(77)]
    truth = np.arange(1000) % 77
    spoilt = np.where(np.isin(truth, [3, 14, 15, 9, 26]), 0, truth)
    comparison = Comparison(labels, truth, [outcome("a", truth), outcome("b", spoilt)])
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


def test_markdown_has_a_column_for_each_approach_and_a_sentence_for_each_test():
    lines = to_markdown(by_hand()).splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert table[:2] == ["| | fine_tune | frozen |", "|---|---:|---:|"]
    assert "| accuracy | 0.833 ± 0.000 | 0.583 ± 0.118 |" in table
    assert "| time to train | 2 min 10 s ± 42 s | 8.5 s ± 0.7 s |" in table
    assert "| learning rate | 3e-5 to 5e-5 | 0.01 |" in table
    (accuracy,) = (line for line in lines if ": accuracy " in line)
    interval = r"95% [+-]0\.\d{3} to \+0\.\d{3}, p = 0\.\d\d; with luck of training ±\d\.\d{3}"
    form = rf"- fine_tune - frozen: accuracy \+0\.250 \({interval}\): may be luck.*"
    assert re.fullmatch(form, accuracy)
    assert lines[-1].endswith("up to about 1 in 20 is called more than luck all the same.")


def test_markdown_shows_labels_with_marks_of_its_own_as_they_are():
    odd = Comparison(("<b>|x*", "two\nlines"), TRUTH, [outcome("a", TRUTH)])
    assert r"| recall of \<b>\|x\* | 1.000 |" in to_markdown(odd)
    assert "| recall of two lines | 1.000 |" in to_markdown(odd)


def test_the_terminal_shows_four_approaches_in_100_columns_unbroken():
    names = {"further_pretrain": 0.8, "fine_tune": 0.85, "frozen": 0.6, "probe_then_fine_tune": 0.84}
    out = io.StringIO()
    comparison = drawn(names, labels=("hate", "[bold]", "neither"))
    print_comparison(comparison, Console(file=out, width=100))
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= 100
    assert any(all(name in line for name in names) for line in lines)
    first, *tests = (line.count("±") for line in lines if line.startswith("recall of [bold]"))
    assert first == 4, "each approach's spread"
    assert tests == [1] * 6, "each pair's margin"
    assert sum(line.startswith("recall of hate") for line in lines) == 1 + 6
    assert "fine_tune - frozen" in out.getvalue()


@pytest.mark.parametrize(
    ("labels", "outcomes", "said"),
    [
        (("a", "b"), [], "needs an outcome"),
        (("a", "b"), [outcome("x", TRUTH), outcome("x", TRUTH)], "a seed twice"),
        (("a", "b"), [outcome("x", TRUTH[:3])], "x: want class indices below 2 for 6 test rows"),
        (("a", "b"), [outcome("x", TRUTH + 1)], "x: want class indices below 2"),
        (("a",), [outcome("x", TRUTH * 0)], "truth: want class indices below 1"),
    ],
)
def test_outcomes_that_do_not_fit_are_refused(labels, outcomes, said):
    with pytest.raises(ValueError, match=said):
        Comparison(labels, TRUTH, outcomes)


class Page(HTMLParser):
    """What could reach beyond the page, and what its sections are."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.references = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.references += [value for name, value in attributes if name in ("src", "href", "xlink:href", "action")]


def test_the_page_refers_to_nothing_outside_itself_and_holds_no_script():
    page = render_page(by_hand(), "spam", "name: spam\n")
    parsed = Page(page)
    assert parsed.references == []
    assert not {"script", "link", "iframe", "img", "object"} & set(parsed.tags)
    assert not re.search(r"url\(|@import|https?:", page)
    assert parsed.tags.count("svg") == 3 + 3 + 1  # averages, classes, times


def test_the_page_escapes_what_users_named():
    nasty = "<b>&\"'</svg><script>alert(1)</script>"
    comparison = Comparison((nasty, "ok"), TRUTH, [outcome(nasty, TRUTH), outcome("frozen", 1 - TRUTH)])
    page = render_page(comparison, nasty, f"name: {nasty}")
    assert nasty not in page
    assert "<b>&" not in page
    assert not {"script"} & set(Page(page).tags)
    assert "recall of &lt;b&gt;&amp;" in page


def test_the_page_says_what_the_numbers_say():
    comparison = drawn({"fine_tune": 0.9, "frozen": 0.7}, seeds=3)
    page = render_page(comparison, "news", "name: news")
    assert headline(comparison).startswith("fine_tune recognises the classes best (mean recall 0.")
    assert headline(comparison) in page
    assert "By more than luck fine_tune is better in accuracy, macro F1, macro recall, recall of class_0" in page
    assert page == render_page(comparison, "news", "name: news")
    assert page.count('class="both"') == len(comparison.tests)
    close = drawn({"fine_tune": 0.80, "frozen": 0.80, "other": 0.5}, seeds=3)
    assert headline(close).endswith("is too close to tell")
    assert "other" not in headline(close)


def test_the_page_of_one_approach_has_no_pairs_to_test():
    alone = Comparison(("a", "b"), TRUTH, [outcome("frozen", TRUTH)])
    assert headline(alone) == "frozen alone: mean recall 1.000"
    assert "Could it be luck?" not in render_page(alone, "x", "name: x")


def test_approaches_are_described_from_the_table_of_approaches():
    assert description("frozen") == "trains the head alone, the base frozen"
    assert description("further_pretrain").endswith("(masked-LM pre-training), then trains base and head")
    assert description("unheard_of") == ""


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium or google-chrome on PATH")
@pytest.mark.parametrize("width", [1200, 400])
def test_nothing_sticks_out_of_the_page_in_a_browser(width, tmp_path):
    names = {"further_pretrain": 0.8, "fine_tune": 0.85, "frozen": 0.6, "probe_then_fine_tune": 0.84}
    labels = ("a_rather_long_label_for_a_class", "hate", "neither")
    page = render_page(drawn(names, labels=labels), "news", "name: news")
    # A frame, because a headless window is never narrower than 500; the script is the test's, not the page's.
    script = "<script>onload = () => document.title = document.documentElement.scrollWidth</script>"
    (tmp_path / "page.html").write_text(page + script, encoding="utf-8")
    frame = f'<iframe id="f" src="page.html" style="border:0;width:{width}px;height:900px"></iframe>'
    read = "<script>onload = () => setTimeout(() => document.title = f.contentDocument.title, 200)</script>"
    (tmp_path / "frame.html").write_text(frame + read, encoding="utf-8")
    dom = subprocess.run(
        [
            *(CHROMIUM, "--headless", "--no-sandbox", "--hide-scrollbars", f"--user-data-dir={tmp_path / 'profile'}"),
            *("--allow-file-access-from-files", "--virtual-time-budget=3000", "--window-size=1300,1000", "--dump-dom"),
            (tmp_path / "frame.html").as_uri(),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    assert re.search(r"<title>(\d*)</title>", dom).group(1) == str(width)
