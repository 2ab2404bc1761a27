"""The report page: its numbers against ones worked out by hand, its words, and a real browser's view of it."""
# ruff: noqa: S311 - made-up predictions need no cryptography

import itertools
import json
import random
import re
import shutil
import subprocess
from html import escape, unescape

import pytest

from fullbake.components.evaluation.wilson import wilson
from fullbake.components.report import plots as plots
from fullbake.components.report.page import (
    FAR_SHIFT,
    LOST_SHIFT,
    Report,
    bound_lines,
    class_lines,
    headline,
    most_confused,
    render,
)

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no chromium or google-chrome on PATH")

# Seventy-seven classes, as many as banks' customers ask about in Banking77.
NOUNS = ["card", "transfer", "top_up", "cash", "atm", "fee", "pin"]
VERBS = ["lost", "late", "new", "wrong", "stolen", "pending", "cancel", "refused", "limit", "refund", "verify"]
BANK = [f"{verb}_{noun}" for noun in NOUNS for verb in VERBS]


def evaluation_of(rows_of, skill, bounds=(), bins=1000, baseline=None, seed=0):
    """An evaluation.json as the evaluator would write it for a model that is right with chance `skill[label]`."""
    rng, labels, size = random.Random(seed), list(rows_of), len(rows_of)
    confusion = [[0] * size for _ in labels]
    scores = {label: {"positive": [0] * bins, "negative": [0] * bins} for label in labels}
    confidence = {"count": [0] * bins, "correct": [0] * bins, "probability_sum": [0.0] * bins}
    for truth in (index for index, label in enumerate(labels) for _ in range(rows_of[label])):
        winner = truth if rng.random() < skill[labels[truth]] else min(size - 1, int(rng.random() ** 0.5 * size))
        top = 1 / size + (1 - 1 / size) * rng.betavariate(6 if winner == truth else 2.2, 1.5)
        rest = [0.0 if index == winner else rng.random() ** 3 for index in range(size)]
        chances = [share * (1 - top) / (sum(rest) or 1) for share in rest]
        chances[winner] = top
        decided = max(range(size), key=chances.__getitem__)
        confusion[truth][decided] += 1
        for index, label in enumerate(labels):
            scores[label]["positive" if index == truth else "negative"][min(bins - 1, int(chances[index] * bins))] += 1
        place = min(bins - 1, int(chances[decided] * bins))
        confidence["count"][place] += 1
        confidence["correct"][place] += decided == truth
        confidence["probability_sum"][place] += chances[decided]
    hits = {label: confusion[index][index] for index, label in enumerate(labels)}
    chosen = {label: sum(row[index] for row in confusion) for index, label in enumerate(labels)}
    recall = {label: hits[label] / rows_of[label] for label in labels}
    precision = {label: hits[label] / chosen[label] if chosen[label] else None for label in labels}
    f1 = {label: 2 * hits[label] / (rows_of[label] + chosen[label]) for label in labels}
    judged = []
    for metric, label, limit in bounds:
        if metric == "recall_drop":
            value = baseline["recall"][label] - recall[label]
            judged.append(bound(metric, label, limit, value, value <= limit))
        else:
            value = {"recall": recall, "precision": precision}[metric][label]
            judged.append(bound(metric, label, limit, value, value >= limit))
    return {
        "examples": sum(rows_of.values()),
        "labels": labels,
        "accuracy": sum(hits.values()) / sum(rows_of.values()),
        "macro_f1": sum(f1.values()) / size,
        **{"recall": recall, "precision": precision, "f1": f1},
        **{"confusion": confusion, "scores": scores, "confidence": confidence, "baseline": baseline},
        **{"bounds": judged, "blessed": all(one["passed"] for one in judged), "decision_threshold": None},
    }


def bound(metric="recall", label="b", limit=0.6, value=0.75, passed=True):
    return {"metric": metric, "label": label, "bound": limit, "value": value, "passed": passed}


def other_parts(rows_of):
    rng = random.Random(1)
    counts = [0] * 130
    for _ in range(4_000):
        counts[min(129, int(rng.lognormvariate(3.2, 0.6)))] += 1
    measured = ("epoch", "loss", "eval_loss", "eval_accuracy", "eval_macro_recall", "learning_rate", "seconds")
    values = [
        (1, 0.482, 0.351, 0.86, 0.79, 5e-5, 41.5),
        (2, 0.271, 0.298, 0.9, 0.84, 2.5e-5, 41.2),
        (3, 0.164, 0.322, 0.89, 0.83, 1e-6, 41.3),
    ]
    spent = {"ExampleGen": 6.2, "Transform": 21.4, "Trainer": 131.8, "Evaluator": 22.4, "Pusher": 0.4}
    times = {"train": 8, "eval": 1, "test": 1}
    training = {"parameters": {"total": 66_955_010, "trainable": 66_955_010}, "learning_rate": 5e-5, "best_epoch": 2}
    training |= {"approach": "fine_tune", "head": "hf", "distribution": "one device: CPU", "precision": "float32"}
    training |= {"epochs": [dict(zip(measured, row, strict=True)) for row in values], "warnings": []}
    training["probe_epochs"] = [{"epoch": 1, "loss": 1.2, "eval_macro_recall": 0.61, "seconds": 4.0}]
    training["encoder_shift"] = {"embeddings": 0.012, "layer 1": 0.031, "layer 2": 0.052}
    perplexities = [(0, 0.0, 28_412.3), (200, 0.3, 212.5), (667, 1.0, 64.1), (1334, 2.0, 41.9)]
    pretraining = {"new_head": True, "rows": 21_340, "learning_rate": 5e-5, "seconds": 1843.0}
    pretraining |= {
        "evaluations": [dict(zip(("step", "epoch", "perplexity"), row, strict=True)) for row in perplexities]
    }
    pretraining["encoder_shift"] = {"embeddings": 0.02, "layer 1": 0.04, "layer 2": 0.08}
    scores = {"2": (5e-5, 0.871), "1": (3e-5, 0.869), "0": (2e-5, 0.84), "3": (1.0, 0.0)}
    tuning = [{"trial_id": key, "learning_rate": rate, "score": score} for key, (rate, score) in scores.items()]
    reasons = {"the text is empty": 7, "label 'maybe' is not in data.labels": 3}
    ingest = {"read": 5_010, "used": 5_000, "rejected": 10, "reasons": reasons}
    ingest["examples"] = {split: n * sum(rows_of.values()) for split, n in times.items()}
    ingest["labels"] = {split: {label: rows * n for label, rows in rows_of.items()} for split, n in times.items()}
    ingest |= {"corpus": 12_000, "corpus_rejected": 810, "corpus_reasons": {"also in the eval or test split": 810}}
    ingest["drift"] = {"before": 3, "rows_before": 4_000, "label_distance": 0.021, "label": "toxic"}
    ingest["drift"] |= {"share_before": 0.139, "share": 0.16, "length_distance": 0.052}
    ingest["drift"] |= {"median_length_before": 51, "median_length": 54}
    return {
        **{"pretraining": pretraining, "tuning": tuning},
        **{"training": training, "ingest": ingest, "seconds": spent, "base": "distilbert-base-uncased"},
        "lengths": {"max_length": 128, "counts": counts, "truncated": counts[129], "rows": 4_000},
        "config": 'name: quickstart\ndata:\n  labels: [non_toxic, toxic]\n  delimiter: ","\n',
        "versions": {"tensorflow": "2.16.2", "tfx": "1.16.0", "transformers": "4.54.1"},
    }


def report_of(evaluation, rows_of, **changes):
    parts = {"title": "quickstart", "run": "2024-05-04T101500", "created": "2024-05-04T10:15:00+00:00"}
    return Report.from_parts(evaluation=evaluation, **parts, **(other_parts(rows_of) | changes))


@pytest.fixture(scope="module")
def passing():
    rows_of = {"non_toxic": 420, "toxic": 80}
    bounds = [("recall", "non_toxic", 0.8), ("recall", "toxic", 0.6), ("recall_drop", "toxic", 0.02)]
    baseline = {"model": "serving/1714700000", "recall": {"non_toxic": 0.93, "toxic": 0.7}}
    skill = {"non_toxic": 0.97, "toxic": 0.6}
    evaluation = evaluation_of(rows_of, skill, bounds, baseline=baseline)
    return report_of(evaluation, rows_of, pushed=True)


@pytest.fixture(scope="module")
def refused():
    rows_of = {"hate": 120, "offensive": 760, "neither": 200}
    bounds = [("recall", "hate", 0.6), ("recall", "offensive", 0.8), ("precision", "neither", 0.7)]
    evaluation = evaluation_of(rows_of, {"hate": 0.2, "offensive": 0.9, "neither": 0.85}, bounds, seed=3)
    report = report_of(evaluation, rows_of)
    report.training.warnings.append("training.learning_rate: 0.0004 destroys what pre-training learned")
    return report


@pytest.fixture(scope="module")
def many():
    rng = random.Random(5)
    rows_of = dict.fromkeys(BANK, 40)
    skill = {label: rng.betavariate(20, 1.5) for label in BANK}
    evaluation = evaluation_of(rows_of, skill, [("recall", label, 0.75) for label in BANK], bins=100, seed=5)
    return report_of(evaluation, rows_of)


def text_of(page):
    return " ".join(unescape(re.sub("<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL)).split())


def tags_of(page):
    return set(re.findall("<([a-z0-9]+)", page))


def minimal(**changes):
    """Ten texts of two classes: of six a's five are found, of four b's three."""
    evaluation = {
        "labels": ["a", "b"],
        "examples": 10,
        "accuracy": 0.8,
        "macro_f1": 0.79,
        "bounds": [],
        "blessed": True,
    }
    evaluation |= {metric: {"a": 5 / 6, "b": 0.75} for metric in ("recall", "precision", "f1")}
    evaluation |= {"confusion": [[5, 1], [1, 3]], **changes}
    return Report.from_parts(title="t", run="r", created="now", evaluation=evaluation)


def minimal_with(**parts):
    """The same with files beside the evaluation."""
    return Report.from_parts(
        **{"title": "t", "run": "r", "created": "", "evaluation": vars(minimal().evaluation)} | parts
    )


# The numbers


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
    points = plots.precision_recall(positive=[1, 0, 2, 1], negative=[3, 1, 0, 0])
    assert points == [(0.25, 1.0), (0.75, 1.0), (0.75, 0.75), (1.0, 0.5)]
    assert plots.average_precision(points) == 0.25 + 0.5 + 0.25 * 0.5
    assert plots.precision_recall([0, 0], [3, 4]) == []


def test_the_mean_curve_takes_the_best_precision_from_each_recall_on():
    assert plots.mean_curve([[(0.5, 1.0), (1.0, 0.5)], [(1.0, 0.75)]], steps=2) == [(0.5, 0.875), (1.0, 0.625)]


def test_calibration_error_weighs_each_bin_by_its_texts():
    bins = plots.reliability_bins(count=[0, 4, 6], correct=[0, 2, 6], probability_sum=[0.0, 2.4, 5.4])
    assert [(bin_.texts, bin_.correct, pytest.approx(bin_.confidence)) for bin_ in bins] == [(4, 2, 0.6), (6, 6, 0.9)]
    assert plots.expected_calibration_error(bins) == pytest.approx((abs(2 - 2.4) + abs(6 - 5.4)) / 10)


def test_fine_bins_of_confidence_are_joined_into_twenty():
    bins = plots.reliability_bins([1] * 1000, [1] * 1000, [(index + 0.5) / 1000 for index in range(1000)])
    assert [bin_.texts for bin_ in bins] == [50] * 20
    assert (bins[0].low, bins[0].high, bins[-1].high) == (0.0, 0.05, 1.0)


def test_a_quantile_is_the_least_length_that_covers_the_share():
    assert [plots.quantile([0, 2, 1, 1], share) for share in (0.5, 0.75, 0.95)] == [1, 2, 3]


def test_axes_carry_round_numbers():
    assert plots.ticks(0, 1) == [0, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert plots.ticks(0, 530) == [0, 200, 400]
    assert plots.ticks(3, 3) == [3]


def test_a_logarithmic_axis_carries_round_numbers():
    assert plots.log_ticks(8, 300) == [10, 20, 50, 100, 200]
    assert plots.log_ticks(33, 32_000) == [100, 1000, 10_000]
    assert plots.log_ticks(7.1, 9.4) == [7.5, 8, 8.5, 9]


def test_on_a_logarithmic_axis_equal_factors_are_equally_far_apart():
    plot = plots.Plot((0, 1), (1, 1000), "x", "y", log_y=True)
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


# The words


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
    assert page.index("This model is live") < page.index("Recall of 'toxic'") < page.index("What it takes for what")
    assert f"found {found} of {texts} · {low:.2f}–{high:.2f}" in page
    assert f"{evaluation.recall['toxic'] - 0.7:+.3f}" in page
    said = "Rows read 5,010|corpus 12,000|the text is empty 7|also in the eval or test split 810|3,360 84%"
    said += "|Since span 3, the one before, the share of “toxic” went from 13.9% to 16%"
    said += "|at most 51 characters, and now have 54 (drift 0.052)"
    said += "|66,955,010, all trained|The weights of epoch 2 were kept"
    said += "|19 of 4,000 training texts (0.5%) are longer and were cut|Trainer 2 min 12 s|3 min 2 s in all"
    said += '|tensorflow 2.16.2|delimiter: ","|2024-05-04 10:15 UTC'
    assert [words for words in said.split("|") if words not in page] == []


def test_further_pre_training_is_told_from_its_first_to_its_last_perplexity(passing):
    page = text_of(render(passing))
    said = "in 21,340 texts, 12,000 of them from a corpus without labels, at a learning rate of 5e-5, for 30 min 43 s"
    said += (
        "|it went from 28,412 to 41.9 .|a new one had to learn first|From step 200 on, when that is done, it went from "
    )
    said += "212 to 41.9: this part the encoder learned"
    assert [words for words in said.split("|") if words not in page] == []
    assert 'aria-label="Perplexity by epoch: 2.841e+04 after 0, 212.5 after 0.3, 64.1 after 1, 41.9 after 2"' in render(
        passing
    )


def test_a_perplexity_that_rises_is_called_by_its_name():
    evaluations = [{"step": 0, "epoch": 0.0, "perplexity": 7.5}, {"step": 60, "epoch": 1.0, "perplexity": 9.0}]
    page = text_of(render(minimal_with(pretraining={"evaluations": evaluations})))
    assert "it went from 7.5 to 9.0 . It rose: the encoder knows these texts less well than before." in page
    assert "a new one" not in page


def test_the_learning_rates_that_were_tried_stand_in_order_with_the_winner_marked(passing):
    page = text_of(render(passing))
    assert "The best was taken, 5e-5." in page
    assert "2e-5 0.840 3e-5 0.869 5e-5 ✓ taken 0.871 1 diverged" in page


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        ({1e-5: 0.8, 3e-5: 0.7}, "taken, 1e-5. It is the lowest that was tried: a lower one may be better still."),
        ({1e-5: 0.7, 3e-5: 0.8}, "taken, 3e-5. It is the highest that was tried: a higher one may be better still."),
        ({1e-5: 0.7, 3e-5: 0.8, 5e-5: 0.8}, "taken, 3e-5. Learning rate"),
    ],
)
def test_a_best_rate_at_the_edge_invites_to_search_beyond_it(scores, said):
    tuning = [{"learning_rate": rate, "score": score} for rate, score in reversed(scores.items())]
    assert said in text_of(render(minimal_with(tuning=tuning)))


KEPT = "What pre-training taught is kept: the part that moved most, layer 2, is 5.2% of its own size away"


@pytest.mark.parametrize(
    ("moved", "said", "warned"),
    [
        (0.052, KEPT, False),
        (FAR_SHIFT, "Some of what pre-training taught may be lost: the part that moved most, layer 2, is", False),
        (
            LOST_SHIFT,
            "Little is probably left of what pre-training taught: the part that moved most, layer 2, is",
            True,
        ),
        (1.7, "layer 2, is 170% of its own size away from its start. Lower training.learning_rate.", True),
    ],
)
def test_an_encoder_that_training_destroyed_is_seen_at_once(moved, said, warned):
    training = {"encoder_shift": {"embeddings": 0.01, "layer 1": 0.04, "layer 2": moved, "pooler": 2.4}}
    page = text_of(render(minimal_with(training=training)))
    assert said in page
    assert "embeddings 1%" in page
    assert page.count(said) == 1 + warned
    assert (page.find(said) < page.find("How well each class")) is warned
    assert "pooler" not in page


def test_an_encoder_destroyed_before_fine_tuning_is_seen_at_once():
    pretraining = {"evaluations": [], "encoder_shift": {"embeddings": 0.1, "layer 1": 1.2}}
    page = text_of(render(minimal_with(pretraining=pretraining)))
    assert page.index("Lower pretraining.learning_rate.") < page.index("How well each class")


def test_a_phase_before_the_last_is_told_of(passing):
    page = text_of(render(passing))
    assert "Before that, the head alone was trained for 1 epoch while the encoder stood still" in page
    assert "its mean recall on texts kept aside came to 0.61" in page


def test_a_decision_threshold_says_where_it_was_found():
    threshold = {"value": 0.37, "recall": 0.9, "precision": 0.61, "chosen": True}
    evaluation = vars(minimal(decision_threshold=0.37).evaluation)
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
    assert 'class="heat"' in page
    assert 'class="matrix"' not in page
    text = text_of(page)
    said = "The 12 with the lowest recall|The other 65 classes|Most frequent mistakes|mean of all 77 classes"
    assert [words for words in said.split("|") if words not in text] == []
    worst = min(many.evaluation.recall, key=many.evaluation.recall.__getitem__)
    assert f"Hardest class to find {worst}" in text


def test_what_is_missing_is_left_out():
    page = render(minimal(recall={"a": None, "b": 0.3}, confusion=[[0, 0], [7, 3]], precision={"a": 0.0, "b": None}))
    headings = re.findall("<h2>(.*?)</h2>", page)
    assert headings == ["How well each class is recognised", "What it takes for what"]
    assert "no test text" in page
    assert "None" not in page
    assert "nan" not in page


def test_one_epoch_a_diverged_loss_and_unknown_keys_are_no_trouble():
    epochs = [{"epoch": 1, "loss": float("nan"), "eval_loss": 0.5, "learning_rate": 4e-4, "seconds": 3.0}]
    training = {"epochs": epochs, "best_epoch": 1, "parameters": {"total": 10, "trainable": 4}, "new_key": 1}
    report = minimal()
    made = Report.from_parts(title="t", run="r", created="now", evaluation=vars(report.evaluation), training=training)
    assert "10, of which 4 were trained" in text_of(render(made))


def test_a_file_without_a_key_is_named():
    values = {key: value for key, value in vars(minimal().evaluation).items() if key not in ("confusion", "f1")}
    with pytest.raises(ValueError, match=r"evaluation\.json: lacks confusion, f1 \(it has: .*accuracy"):
        Report.from_parts(title="t", run="r", created="", evaluation=values)


def test_names_and_texts_of_users_are_escaped():
    evil = '<script>alert("1")</script>'
    rows_of = {"plain": 40, evil: 40}
    bounds = [("recall", evil, 0.99)]
    evaluation = evaluation_of(rows_of, {"plain": 0.9, evil: 0.8}, bounds)
    parts = other_parts(rows_of)
    parts["ingest"]["reasons"] = {evil: 3}
    page = render(report_of(evaluation, rows_of, ingest=parts["ingest"], config=evil, base=evil, versions={evil: evil}))
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    many_rows = {f"{evil}{index}": 3 for index in range(15)}
    crowd = evaluation_of(many_rows, dict.fromkeys(many_rows, 0.7), bins=100)
    assert "<script" not in render(report_of(crowd, many_rows))


def test_the_page_asks_for_nothing_from_outside(passing, refused, many):
    for report in (passing, refused, many):
        page = render(report)
        addresses = re.findall(r'\b(?:src|href|data|action|srcset)="([^"]*)"', page)
        assert {address[0] for address in addresses} == {"#"}
        assert not tags_of(page) & {"script", "link", "img", "iframe", "object"}
        assert "url(" not in page
        assert "@import" not in page


def test_the_same_report_gives_the_same_bytes(many):
    assert render(many) == render(many)


# A browser


def measure(page, width, folder):
    """What Chromium makes of the page in a frame of the given width."""
    probe = """<script>
      const inner = document.querySelector("iframe").contentWindow;
      addEventListener("load", () => {
        const seen = inner.document, box = (query) => seen.querySelector(query).getBoundingClientRect();
        document.title = JSON.stringify({
          first: seen.body.innerText.trim().split("\\n").slice(0, 3), wide: inner.innerWidth,
          heading: box("h1").top, bounds: box(".bounds").bottom,
          overflow: seen.documentElement.scrollWidth - seen.documentElement.clientWidth,
          requests: inner.performance.getEntriesByType("resource").length,
          flat: [...seen.querySelectorAll("svg.plot")].filter((svg) => svg.getBoundingClientRect().height < 120).length,
        });
      });
    </script>"""
    frame = f'<iframe style="width:{width}px;height:800px;border:0" srcdoc="{escape(page)}"></iframe>{probe}'
    (folder / "frame.html").write_text(f"<!doctype html><body style='margin:0'>{frame}", encoding="utf-8")
    switches = "headless no-sandbox no-first-run disable-gpu disable-quic disable-background-networking "
    switches += "disable-component-update disable-sync dump-dom window-size=1400,900"
    command = [CHROMIUM, *(f"--{switch}" for switch in switches.split()), f"--user-data-dir={folder / 'profile'}"]
    address = (folder / "frame.html").as_uri()
    done = subprocess.run([*command, address], capture_output=True, text=True, timeout=120, check=True)
    return json.loads(unescape(re.search("<title>(.*?)</title>", done.stdout, re.DOTALL).group(1)))


@needs_browser
@pytest.mark.parametrize("width", [1280, 375])
@pytest.mark.parametrize("name", ["passing", "refused", "many"])
def test_a_browser_shows_the_verdict_first_and_nothing_sticks_out(name, width, request, tmp_path):
    report = request.getfixturevalue(name)
    seen = measure(render(report), width, tmp_path)
    assert seen["wide"] == width
    assert "This model" in seen["first"][0]
    assert headline(report) in seen["first"]
    assert seen["heading"] < 120
    assert seen["bounds"] < 800 or width < 1280
    assert seen["overflow"] == 0
    assert seen["requests"] == 0
    assert seen["flat"] == 0
