import json

import pytest

from fullbake.components.data.row_format import NULL_VALUES, RowFormat
from fullbake.components.data.row_judge import row_judge
from fullbake.components.data.rows import BadRow, Row

NAMES = {key: f"data.{key}" for key in ("labels", "label_map", "null_values", "label_threshold")}


def judged(text="so kind", label="good", pair=None, **settings):
    settings = {"labels": ("good", "bad"), "names": NAMES, **settings}
    if pair is not None:
        settings["text_pair_column"] = "pair"
    fmt = RowFormat("text", "label", **settings)
    return row_judge(fmt)(3, {"text": text, "label": label, "pair": pair}, [text, label], 1)


@pytest.mark.parametrize("word", NULL_VALUES)
@pytest.mark.parametrize("labels", [("good", "bad"), ()])
def test_a_null_word_is_a_missing_label_and_a_missing_text(word, labels):
    row = judged(label=f" {word}\t", labels=labels)
    assert isinstance(row, BadRow)
    assert (row.kind, row.reason) == (
        "missing label",
        f"no label in column 'label': {word!r} is one of data.null_values",
    )
    row = judged(text=f"{word} ", labels=labels)
    assert (row.kind, row.reason) == ("missing text", f"no text in column 'text': {word!r} is one of data.null_values")
    assert judged(pair=word, labels=labels).kind == "missing text pair"


@pytest.mark.parametrize("label", ["None", "none", "nana", "Na", "N.A.", "nothing", "0", "-"])
def test_a_word_that_may_be_a_class_is_no_null_word(label):
    assert judged(label=label, labels=()).label == label


def test_an_empty_cell_names_no_word():
    assert judged(label=" ").reason == "no label in column 'label'"


def test_a_text_that_holds_a_null_word_among_others_is_a_text():
    assert isinstance(judged(text="NULL and void"), Row)


def test_a_null_word_that_is_listed_is_a_label():
    assert judged(label="NA", labels=("NA", "EU")).label == "NA"
    assert judged(label="nan", labels=("none", "some"), label_map={"nan": "none"}).label == "none"
    assert judged(label="NULL", labels=("NA", "EU")).kind == "missing label"


def test_an_empty_list_turns_null_words_off_and_another_list_takes_their_place():
    assert judged(text="NULL", label="nan", labels=(), null_values=()).label == "nan"
    assert judged(label="-999", null_values=(" -999 ",)).kind == "missing label"
    assert judged(label="nan", labels=(), null_values=("-999",)).label == "nan"


def test_unlabelled_texts_have_null_words_too():
    fmt = RowFormat("text", "label", ("good", "bad")).unlabelled()
    assert row_judge(fmt)(1, {"text": r"\N"}, [r"\N"], 1).kind == "missing text"


@pytest.mark.parametrize(
    ("score", "label"),
    [("0.5", "high"), ("0.4999", "low"), (" 1 ", "high"), ("-3", "low"), ("1e3", "high"), ("0", "low")],
)
def test_from_the_threshold_on_a_number_is_the_second_label(score, label):
    assert judged(label=score, labels=("low", "high"), label_threshold=0.5).label == label


@pytest.mark.parametrize("cell", ["inf", "-Infinity", "1_0", "0,5", "high", "0.5.1", "five"])
def test_with_a_threshold_a_cell_that_is_no_finite_number_is_a_bad_row(cell):
    row = judged(label=cell, labels=("low", "high"), label_threshold=0.5)
    assert (row.kind, row.reason) == (
        "label is no number",
        f"label {cell!r} is no finite number, as data.label_threshold needs",
    )


def test_with_a_threshold_an_empty_cell_and_a_null_word_are_missing_labels():
    for cell in ("", "nan"):
        assert judged(label=cell, labels=("low", "high"), label_threshold=0.5).kind == "missing label"


def test_null_words_and_threshold_are_part_of_what_a_cache_compares():
    plain = RowFormat("text", "label", ("low", "high"))
    others = (
        RowFormat("text", "label", ("low", "high"), null_values=("-",)),
        RowFormat("text", "label", ("low", "high"), label_threshold=0.5),
    )
    assert len({json.dumps(fmt.to_dict()) for fmt in (plain, *others)}) == 3
    assert all(RowFormat.from_dict(json.loads(json.dumps(fmt.to_dict()))) == fmt for fmt in others)
