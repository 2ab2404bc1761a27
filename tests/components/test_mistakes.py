"""The Evaluator on test texts: the hardest mistakes, what pushed them, and every decision in a file."""

import csv
from pathlib import Path

import numpy as np
import pytest

from fullbake.components.evaluation.explained_mistakes import EXPLAINED, SHOWN_CHARACTERS
from fullbake.components.evaluation.gate import GateSpec
from fullbake.components.evaluation.hardest_mistakes import ALL_TEXTS, MOST_TEXTS, CollectMistakes
from fullbake.components.evaluation.judged_texts import TextRow
from fullbake.components.explanation.occlusion import MOST_INFLUENCES, MOST_PARTS, explain
from fullbake.contract.names import MISTAKES_FILE, PREDICTIONS_FILE
from fullbake.contract.results.mistakes import Mistakes
from tests.components.evaluating import CAREFUL, CARELESS, LABELS, ROWS, evaluate_model, push
from tests.components.scored import ScoredRow, evaluate_scored, save_scored_model
from tests.components.test_servable_check import save_keyword_model

ODD_TEXTS = [("rude", 'a "fool",\nin two lines'), ("rude", "fool " * 900), ("fine", "a lovely idiot")]


def read(folder: Path) -> tuple[Mistakes, list[dict[str, str]]]:
    evaluation = folder / "evaluation"
    with (evaluation / PREDICTIONS_FILE).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return Mistakes.from_json((evaluation / MISTAKES_FILE).read_text(encoding="utf-8")), rows


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Mistakes, list[dict[str, str]]]:
    """A careless model beside the careful one that serves."""
    folder = tmp_path_factory.mktemp("judged")
    save_keyword_model(folder / "model/Format-Serving", CARELESS, sure=0.7)
    push(folder / "serving", 1, CAREFUL)
    bounds = {"min_recall": {"rude": 0.9}, "max_recall_drop": 0.5}
    evaluate_model(folder, folder / "model", folder / "serving", [*ROWS, *ODD_TEXTS], **bounds)
    return read(folder)


def test_every_test_text_is_in_the_file_with_what_was_decided(judged):
    _, rows = judged
    assert sorted((row["label"], row["text"]) for row in rows) == sorted([*ROWS, *ODD_TEXTS])
    for row in rows:
        found = next((label for label, word in CARELESS.items() if word in row["text"]), "odd")
        assert row["decided"] == found
        assert {label: float(row[f"p_{label}"]) for label in LABELS} == pytest.approx(
            {label: 0.7 if label == found else 0.15 for label in LABELS}
        )
        assert row["in_production"] == ("rude" if "fool" in row["text"] else found)


def test_the_label_with_a_bound_comes_first_then_the_rarest_and_all_mistakes_are_counted(judged):
    mistakes, rows = judged
    counted = {(one.label, one.missed): one.count for one in mistakes.labels}
    assert list(counted) == [("rude", True), ("odd", True)]
    wrong = [row["label"] for row in rows if row["label"] != row["decided"]]
    assert counted == {("rude", True): wrong.count("rude"), ("odd", True): wrong.count("odd")}
    rude = mistakes.labels[0].texts
    assert all((text.truth, text.decided) == (("rude",), ("odd",)) for text in rude)
    assert all(text.probability == pytest.approx(0.15) for text in rude)
    assert all(text.decided_probability == pytest.approx(0.7) for text in rude)


def test_the_word_that_decided_is_named_and_words_that_did_nothing_are_not(judged):
    mistakes, _ = judged
    (odd,) = mistakes.labels[1].texts
    assert odd.text == "a lovely zzz"
    assert [(one.words, one.change) for one in odd.influences] == [("lovely", pytest.approx(0.55))]
    # Nothing in these texts makes it decide "odd": it is what is left.
    assert all(text.influences == () for text in mistakes.labels[0].texts)


def test_a_long_text_is_shown_in_part(judged):
    mistakes, _ = judged
    long = next(text for text in mistakes.labels[0].texts if text.characters_left_out)
    assert (len(long.text), long.characters_left_out) == (SHOWN_CHARACTERS, 5 * 900 - SHOWN_CHARACTERS)


def test_what_the_model_in_production_got_right_and_this_one_does_not_is_shown(judged):
    mistakes, _ = judged
    assert mistakes.fixed == 0
    assert mistakes.broken == len(mistakes.broken_texts) == mistakes.labels[0].count
    assert all("fool" in text.text for text in mistakes.broken_texts)
    assert {text.label for text in mistakes.broken_texts} == {"rude"}


def test_what_is_fixed_and_what_is_broken_is_listed_with_what_production_said_the_surest_first():
    def row(number: int, decided: str, production: str) -> TextRow:
        sure = 0.5 + number / 100
        scores = (sure, 1 - sure) if decided == "fine" else (1 - sure, sure)
        return TextRow({"text": f"text {number}"}, ("fine",), (), (decided,), scores, (production,))

    collect = CollectMistakes(("fine", "rude"), (), multi_label=False)
    found = collect.create_accumulator()
    for number in range(40):
        decided, production = ("fine", "rude") if number % 4 else ("rude", "fine")
        found = collect.add_input(found, row(number, decided, production))
    found = collect.add_input(found, row(49, "fine", "fine"))
    mistakes = collect.extract_output(collect.merge_accumulators([found, collect.create_accumulator()]))
    assert (mistakes.fixed, mistakes.broken) == (30, 10)
    assert [text.text for text in mistakes.broken_texts] == [f"text {number}" for number in range(36, -1, -4)]
    assert len(mistakes.fixed_texts) == MOST_TEXTS
    assert [text.text for text in mistakes.fixed_texts[:4]] == ["text 39", "text 38", "text 37", "text 35"]
    assert {(text.decided, text.in_production) for text in mistakes.fixed_texts} == {(("fine",), ("rude",))}
    counts = mistakes.without_texts()
    assert (counts.fixed, counts.broken, counts.labels[0].count) == (30, 10, 10)
    assert "text 3" not in counts.to_json()


def test_of_several_labels_what_is_wrong_now_names_the_label_that_is(tmp_path: Path):
    labels = ("toxic", "insult")
    save_scored_model(tmp_path / "model/Format-Serving", labels, (0.5, 0.95))
    save_scored_model(tmp_path / "serving/1", labels, (0.5, 0.5))
    rows = [ScoredRow((0.8, 0.9), ("toxic", "insult")), ScoredRow((0.8, 0.1), ("toxic",))]
    gate = GateSpec(labels, multi_label=True, max_recall_drop=1.0)
    evaluate_scored(tmp_path, tmp_path / "model", rows, gate, tmp_path / "serving")
    mistakes, _ = read(tmp_path)
    (text,) = mistakes.broken_texts
    assert (text.label, text.probability) == ("insult", pytest.approx(0.9))


def test_of_several_labels_both_kinds_of_mistakes_are_shown_and_what_nobody_knows_is_none(tmp_path: Path):
    labels = ("toxic", "insult")
    save_scored_model(tmp_path / "model/Format-Serving", labels, (0.5, 0.5))
    rows = [
        ScoredRow((0.1, 0.9), ("toxic",)),  # misses one, gives the other wrongly
        ScoredRow((0.2, 0.1), ("toxic",)),
        ScoredRow((0.8, 0.9), ("toxic", "insult")),
        ScoredRow((0.3, 0.95), (), masked=("insult",)),  # nobody knows of the insult
    ]
    evaluate_scored(tmp_path, tmp_path / "model", rows, GateSpec(labels, multi_label=True, min_recall={"toxic": 0.1}))
    mistakes, predictions = read(tmp_path)
    found = [(one.label, one.missed, one.count) for one in mistakes.labels]
    assert found == [("toxic", True, 2), ("insult", False, 1)]
    assert [text.probability for text in mistakes.labels[0].texts] == pytest.approx([0.1, 0.2])
    assert (mistakes.labels[1].texts[0].truth, mistakes.labels[1].texts[0].decided) == (("toxic",), ("insult",))
    given = sorted((row["label"], row["decided"], row["not_known"]) for row in predictions)
    assert given == [
        ("", "insult", "insult"), ("toxic", "", ""), ("toxic", "insult", ""), ("toxic,insult", "toxic,insult", "")
    ]  # fmt: skip


def test_only_the_hardest_are_kept_whatever_the_order_and_the_parts_they_come_in():
    labels = tuple("abcdefgh")
    rng = np.random.default_rng(0)
    rows = []
    for number, score in enumerate(rng.random(5_000).round(2).tolist()):
        truth = labels[number % 8]
        scores = tuple(score if label == truth else 0.0 for label in labels)
        decided = labels[(number + 1) % 8]
        rows.append(TextRow({"text": f"text {number}"}, (truth,), (), (decided,), scores, None))
    collect = CollectMistakes(labels, (), multi_label=False)

    def collected(parts) -> Mistakes:
        found = []
        for part in parts:
            accumulator = collect.create_accumulator()
            for row in part:
                accumulator = collect.add_input(accumulator, row)
            found.append(accumulator)
        return collect.extract_output(collect.merge_accumulators(found))

    whole = collected([rows])
    assert collected([rows[2_000::-1], [], rows[2_001:]]) == whole
    assert sum(len(one.texts) for one in whole.labels) <= ALL_TEXTS
    for one in whole.labels:
        its = sorted(
            (row.scores[labels.index(one.label)], row.texts["text"]) for row in rows if row.truth[0] == one.label
        )
        assert one.count == len(its)
        assert [(text.probability, text.text) for text in one.texts] == its[: len(one.texts)]


def test_planted_words_are_found_in_pairs_and_in_long_texts():
    asked = []

    def serve(columns):
        rows = list(zip(columns["text"], columns["text_pair"], strict=True))
        asked.append(len(rows))
        bad = np.array([0.1 + 0.5 * ("idiot" in one.split()) + 0.3 * ("fool" in other.split()) for one, other in rows])
        good = np.array([0.2 * ("lovely" in one.split()) for one, _ in rows])
        return np.stack([1 - bad + good, bad - good], axis=1)

    row = {"text": "you idiot are lovely", "text_pair": "what a fool"}
    found = explain(serve, row, lambda probabilities: probabilities[:, 1])
    assert [(one.words, one.change) for one in found] == [
        ("idiot", pytest.approx(0.5)),
        ("fool", pytest.approx(0.3)),
        ("lovely", pytest.approx(-0.2)),
    ]
    long = {"text": "word " * 400 + "idiot " + "word " * 400, "text_pair": ""}
    found = explain(serve, long, lambda probabilities: probabilities[:, 1])
    assert len(found) == 1 <= MOST_INFLUENCES
    assert "idiot" in found[0].words.split()
    assert max(asked) <= MOST_PARTS + 2
    assert explain(serve, {"text": "", "text_pair": " "}, lambda probabilities: probabilities[:, 1]) == ()
    assert EXPLAINED * (MOST_PARTS + 2) < 300
