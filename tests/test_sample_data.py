"""The sample comments are numerous, balanced as described, awkward to parse, and all different."""

import csv
import itertools
import re
import unicodedata
from collections import Counter
from pathlib import Path

import pytest

COMMENTS = Path(__file__).resolve().parents[1] / "data" / "sample" / "comments.csv"
NON_LATIN_SCRIPTS = ("CYRILLIC", "GREEK", "ARABIC", "HEBREW", "DEVANAGARI", "HIRAGANA", "HANGUL", "CJK", "THAI")
EMOJI = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf]")


@pytest.fixture(scope="module")
def rows():
    with COMMENTS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


@pytest.fixture(scope="module")
def texts(rows):
    return [row["text"] for row in rows]


def words_of(text):
    return re.findall(r"\w+", text.casefold())


def word_trigrams(text):
    words = words_of(text)
    return set(zip(words, words[1:], words[2:], strict=False))


def test_every_row_has_exactly_an_id_a_text_and_a_label():
    with COMMENTS.open(encoding="utf-8", newline="") as file:
        header, *records = csv.reader(file, strict=True)
    assert header == ["id", "text", "label"]
    assert [record for record in records if len(record) != 3 or not all(record)] == []


def test_there_are_at_least_600_comments(rows):
    assert len(rows) >= 600


def test_ids_are_unique(rows):
    assert len({row["id"] for row in rows}) == len(rows)


def test_the_only_labels_are_toxic_and_non_toxic(rows):
    assert {row["label"] for row in rows} == {"toxic", "non_toxic"}


def test_about_a_fifth_of_the_comments_is_toxic(rows):
    toxic = sum(row["label"] == "toxic" for row in rows)
    assert 0.15 <= toxic / len(rows) <= 0.25


def test_texts_carry_no_space_at_either_end(texts):
    assert [text for text in texts if text != text.strip()] == []


def test_no_text_occurs_twice_even_with_other_case_or_spacing(texts):
    counts = Counter(" ".join(text.casefold().split()) for text in texts)
    assert [text for text, count in counts.items() if count > 1] == []


def test_no_two_comments_are_one_template_with_swapped_words(texts):
    trigrams = {text: word_trigrams(text) for text in texts if len(words_of(text)) > 5}
    alike = [
        (one, other)
        for (one, first), (other, second) in itertools.combinations(trigrams.items(), 2)
        if len(first & second) > 0.7 * min(len(first), len(second))
    ]
    assert alike == []


def test_no_opening_of_four_words_is_used_over_and_over(texts):
    openings = Counter(tuple(words_of(text)[:4]) for text in texts if len(words_of(text)) > 5)
    assert [opening for opening, count in openings.items() if count > 3] == []


@pytest.mark.parametrize("awkward", ["\n", ",", '"'], ids=["line breaks", "commas", "double quotes"])
def test_some_texts_contain_characters_that_csv_must_quote(texts, awkward):
    assert any(awkward in text for text in texts)


def test_some_texts_contain_emoji(texts):
    assert any(EMOJI.search(text) for text in texts)


@pytest.mark.parametrize("script", NON_LATIN_SCRIPTS)
def test_some_text_is_written_in_each_of_several_other_scripts(texts, script):
    assert any(unicodedata.name(char, "").startswith(script) for text in texts for char in text)


def test_both_classes_have_short_and_long_comments(rows):
    for label in ("toxic", "non_toxic"):
        lengths = [len(row["text"].split()) for row in rows if row["label"] == label]
        assert min(lengths) <= 3
        assert max(lengths) >= 100
