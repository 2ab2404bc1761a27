import io
import itertools

import pytest

from fullbake.components.data.reading import read_rows
from fullbake.components.data.rows import Row
from fullbake.pipeline.first_config.spellings import find_spellings


@pytest.mark.parametrize(
    ("labels", "same"),
    [
        ({"spam": 6, "Spam": 6, "SPAM": 6, "ham": 9}, {"Spam": "spam", "SPAM": "spam"}),
        ({"Very Good": 9, "very  good": 2, "bad": 9}, {"very  good": "Very Good"}),
        ({"caf\u00e9": 3, "cafe\u0301": 9, "bar": 9}, {"caf\u00e9": "cafe\u0301"}),
        ({"good": 9, "good.": 2, "Good !": 1, "bad": 9}, {"good.": "good", "Good !": "good"}),
        ({"1": 9, "1.0": 2, "01": 1, "0": 9, "00": 1, "2": 4}, {"1.0": "1", "01": "1", "00": "0"}),
        ({"0.5": 9, "0.50": 1, "1": 9}, {"0.50": "0.5"}),
        ({"true": 9, "1": 2, "YES": 1, "false": 9, "0": 3}, {"1": "true", "YES": "true", "0": "false"}),
        ({"yes": 9, "y": 2, "no": 9}, {"y": "yes"}),
        ({"1": 9, "1.0": 3, "True": 4, "0": 9}, {"1.0": "1", "True": "1"}),
        ({"STRASSE": 2, "stra\u00dfe": 4, "weg": 9}, {"STRASSE": "stra\u00dfe"}),
    ],
)
def test_other_spellings_stand_for_the_one_of_the_most_rows(labels, same):
    assert find_spellings(labels) == (same, {})
    assert find_spellings(dict(reversed(labels.items()))) == (same, {})


@pytest.mark.parametrize(
    "labels",
    [
        {"yes": 9, "no": 9, "1": 4, "maybe": 5},  # not of truth values alone
        {"yes": 9, "true": 9, "1": 9},  # one kind alone
        {"C": 9, "C++": 9, "C#": 9},
        {"sure": 9, "sure?": 9},
        {"resume": 9, "r\u00e9sum\u00e9": 9},
        {"1.9": 9, "1.1": 9, "1.10": 9},  # chapters
        {"#1": 9, "1": 9},
        {"a-b": 9, "a b": 9, "a_b": 9},
        {":)": 9, ":(": 9, ":": 9},
    ],
)
def test_other_labels_are_left_as_they_are(labels):
    assert find_spellings(labels) == ({}, {})


@pytest.mark.parametrize(
    ("slip", "label"),
    [
        ("ofensive", "offensive"),
        ("offennsive", "offensive"),
        ("offensibe", "offensive"),
        ("offesnive", "offensive"),
        ("Ofensive", "offensive"),
        ("card arival", "card arrival"),
        ("top_up_faild", "top_up_failed"),
    ],
)
def test_a_slip_of_the_pen_is_near_the_label(slip, label):
    assert find_spellings({label: 1000, slip: 9, "other": 500}) == ({}, {slip: label})


@pytest.mark.parametrize(
    "labels",
    [
        {"class1": 1000, "class2": 3},
        {"A1": 1000, "A2": 3},
        {"spam": 1000, "span": 3},  # four letters
        {"offensive": 1000, "ofensive": 10},
        {"offensive": 100, "ofensive": 5},
        {"type a": 1000, "type b": 3, "other": 9},
        {"ABCDE": 1000, "ABCDF": 900, "ABCDG": 3},  # codes
        {"ABCDE": 1000, "ABCDF": 3, "ABCDG": 3},
        {"ABCDE": 1000, "XBCDE": 3, "ABXDE": 900},
        {"affect": 500, "effect": 5},
        {"typical": 1000, "atypical": 9},
        {"positive": 1000, "positive2": 4},
    ],
)
def test_codes_and_frequent_labels_are_near_nothing(labels):
    assert find_spellings(labels) == ({}, {})


def test_slips_that_are_near_each_other_are_near_the_label():
    labels = {"negative": 1000, "negatve": 2, "negatie": 2, "negtive": 1, "positive": 800, "postive": 1}
    assert find_spellings(labels)[1] == {
        **dict.fromkeys(["negatve", "negatie", "negtive"], "negative"),
        "postive": "positive",
    }


def test_a_slip_of_another_spelling_is_mapped_to_the_label_too():
    labels = {"offensive": 1000, "Offensive": 200, "ofensive": 4, "Ofensive": 3, "other": 900}
    same, near = find_spellings(labels)
    assert same == {"Offensive": "offensive"}
    assert near == {"ofensive": "offensive", "Ofensive": "offensive"}


def test_a_thousand_labels_take_no_time():
    labels = {"".join(word) + "ing": 3 for word in itertools.islice(itertools.product("abcdefghij", repeat=4), 1000)}
    assert find_spellings(labels) == ({}, {})


def lines(counts, quote=""):
    numbers = itertools.count()
    return "text,label\n" + "".join(
        f"text number {next(numbers)},{quote}{label}{quote}\n" for label, count in counts.items() for _ in range(count)
    )


@pytest.mark.parametrize(
    ("counts", "labels", "comment"),
    [
        ({"Rude": 30, "rude ": 12, "RUDE": 3, "kind": 25}, ("Rude", "kind"), "    RUDE: Rude  # 3 rows\n"),
        ({"1": 30, "1.0": 12, "01": 1, "2": 25}, ("1", "2"), '    "01": "1"  # 1 row\n'),
        ({"yes": 30, "no": 20, "TRUE": 4, "0": 5}, ("no", "yes"), '    "0": "no"  # 5 rows\n'),
        (
            {"question": 300, "queston": 2, "answer": 200},
            ("answer", "question"),
            "    queston: question  # 2 rows; one letter apart, perhaps a slip: check it; ",
        ),
        ({"caf\u00e9": 20, "cafe\u0301": 4, "bar\u00a0x": 3, "bar x": 9}, ("bar x", "caf\u00e9"), None),
    ],
)
def test_the_config_maps_spellings_and_every_row_of_the_file_can_be_used(first_config, counts, labels, comment):
    content = lines(counts)
    config, text = first_config(content)
    assert config.data.labels == labels == tuple(sorted(config.gate.min_recall))
    assert comment is None or comment in text
    found = list(read_rows(io.BytesIO(content.encode()), "train.csv", config.data.row_format))
    assert len(found) == sum(counts.values())
    assert all(isinstance(row, Row) for row in found)
    assert {row.label for row in found} == set(labels)
    for label in labels:
        count = sum(row.label == label for row in found)
        assert f"# {count} rows, {count / len(found):.1%}" in text


def test_spellings_of_one_label_do_not_contradict_each_other(first_config):
    config, text = first_config("text,label\nso kind,Good\nso kind,good\n" + lines({"good": 9, "bad": 9})[11:])
    assert config.data.labels == ("bad", "good")
    assert "has several labels" not in text
    assert "1 row repeats an earlier one" in text


def test_one_label_in_several_spellings_is_no_two_classes(first_config):
    from fullbake.contract.errors import InputError

    with pytest.raises(InputError, match=r"one value only, 'good' \(and, as other spellings of it, 'Good'\); two "):
        first_config(lines({"good": 9, "Good": 4}))
