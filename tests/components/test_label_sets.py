"""Which labels a row has, where it can have any number of them, and where votes decide."""

import io
import json
import random
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from fullbake.components.data.reading import read_rows
from fullbake.components.data.row_format import RowFormat
from fullbake.components.data.row_judge import row_judge
from fullbake.components.data.rows import ALL_MASKED, UNDECIDED, BadRow, LabelSet, Row
from fullbake.contract.errors import InputError

TWEETS = Path(__file__).parents[2] / "../shared/data/davidson_hate_speech.csv"
KEYS = ("labels", "label_map", "null_values", "label_threshold", "missing_label", "votes")
NAMES = {key: f"data.{key}" for key in KEYS}
TOXIC = ("toxic", "obscene", "threat")


def by_columns(cells, **settings):
    fmt = RowFormat("text", "label", TOXIC, label_columns=("t", "o", "h"), names=NAMES, **settings)
    return row_judge(fmt)(2, {"text": "so", **dict(zip("toh", cells, strict=True))}, list(cells), 1)


def by_parts(cell, separator=",", **settings):
    settings = {"labels": ("anger", "joy", "pride"), "label_map": {"2": "anger", "5": "joy", "27": "pride"}} | settings
    fmt = RowFormat("text", "label", label_separator=separator, names=NAMES, **settings)
    return row_judge(fmt)(2, {"text": "so", "label": cell}, [cell], 1)


@pytest.mark.parametrize(
    ("cells", "present"),
    [
        (("0", "0", "0"), ()),
        (("1", "0", "1"), ("toxic", "threat")),
        (("1.0", "0.0", "1.0"), ("toxic", "threat")),
        (("True", "FALSE", "true"), ("toxic", "threat")),
        ((" 1 ", "0", "false"), ("toxic",)),
    ],
)
def test_a_column_says_whether_a_row_has_its_label(cells, present):
    row = by_columns(cells)
    assert (row.label_set, row.labels, row.label) == (LabelSet(present), present, ", ".join(present))


@pytest.mark.parametrize(
    ("cells", "present"),
    [(("0.5", "0.499", "1"), ("toxic", "threat")), (("1e3", "-3", ".6"), ("toxic", "threat"))],
)
def test_a_threshold_parts_the_numbers_of_each_column(cells, present):
    assert by_columns(cells, label_threshold=0.5).label_set == LabelSet(present)


def test_of_a_threshold_below_zero_minus_one_is_a_number_like_any_other():
    assert by_columns(("-1", "-0.5", "0.5"), label_threshold=-0.7).label_set == LabelSet(("obscene", "threat"))
    assert by_columns(("-1", "0", "1"), label_threshold=0.5).kind == "missing label"


@pytest.mark.parametrize("cell", ["yes", "2", "0.33", "[1]", "-2"])
def test_any_other_cell_is_a_bad_row_that_says_column_and_value(cell):
    row = by_columns(("1", cell, "0"), missing_label="mask")
    assert row.kind == "label is neither 0 nor 1"
    assert row.reason.startswith(f"label {cell!r} in column 'o' is neither 0 nor 1, false nor true")
    assert ("data.label_threshold" in row.reason) == (cell in ("2", "0.33", "-2"))


@pytest.mark.parametrize("cell", ["inf", "many", "true"])
def test_with_a_threshold_a_cell_that_is_no_finite_number_is_a_bad_row(cell):
    row = by_columns(("1", "0", cell), label_threshold=0.5)
    assert row.reason == f"label {cell!r} in column 'h' is no finite number, as data.label_threshold needs"


@pytest.mark.parametrize("settings", [{}, {"label_threshold": 0.5}])
@pytest.mark.parametrize("cell", ["", " ", "-1", "-1.0", "NaN", "NULL"])
def test_a_missing_label_is_a_bad_row_or_masked(cell, settings):
    row = by_columns(("1", cell, "0"), **settings)
    assert (row.kind, row.reason[:25]) == ("missing label", "no label in column 'o'" + (": '" if cell.strip() else ""))
    assert by_columns(("1", cell, "0"), missing_label="mask", **settings).label_set == LabelSet(
        ("toxic",), ("obscene",)
    )
    masked = by_columns((cell, "-1", ""), missing_label="mask", **settings)
    assert (masked.kind, masked.reason) == (ALL_MASKED, "no label is known (data.missing_label: mask)")


def test_a_masked_label_has_a_question_mark_in_words():
    assert by_columns(("1", "-1", "0"), missing_label="mask").label == "toxic, obscene?"


@pytest.mark.parametrize(
    ("cell", "present"),
    [
        ("27", ("pride",)),
        ("5,2", ("anger", "joy")),
        (" 2 , 5 ,2,", ("anger", "joy")),
        ("", ()),
        ("  ", ()),
        ("[2, 5]", ("anger", "joy")),
        ('["joy", "27"]', ("joy", "pride")),
        ("['joy', 'pride']", ("joy", "pride")),
        ("{2,27}", ("anger", "pride")),
        ("[]", ()),
        ("[null, 2]", ("anger",)),
    ],
)
def test_a_cell_has_any_number_of_labels(cell, present):
    assert by_parts(cell).label_set == LabelSet(present)


def test_a_value_with_the_separator_in_it_is_one_label_where_the_map_says_so():
    fmt = {"labels": ("crafts", "sports"), "label_map": {"Arts, Crafts": "crafts"}}
    assert by_parts("Arts, Crafts", **fmt).label_set == LabelSet(("crafts",))
    assert by_parts("Arts, Crafts; sports", ";", **fmt).label_set == LabelSet(("crafts", "sports"))


def test_a_part_that_is_not_listed_is_a_bad_row_that_names_it():
    row = by_parts("2,rage")
    assert row.kind == "unknown label"
    assert row.reason == "label 'rage' of '2,rage' is neither in data.labels nor in data.label_map"
    assert by_parts("NaN").reason == "no label in column 'label': 'NaN' is one of data.null_values"


def test_without_a_text_the_labels_count_for_nothing():
    fmt = RowFormat("text", "", TOXIC, label_columns=("t", "o", "h"))
    assert row_judge(fmt)(2, {"text": " ", "t": "1", "o": "1", "h": "?"}, [], 1).kind == "missing text"


def test_a_format_names_a_column_for_each_label():
    with pytest.raises(InputError, match=r"^label_columns: name one column for each of labels, in their order"):
        RowFormat("text", "", ("a", "b", "c"), label_columns=("a", "b"))


def voted(values, votes, **settings):
    fmt = RowFormat("text", "", ("hate", "rude", "fine"), votes=votes, names=NAMES, **settings)
    return row_judge(fmt)(2, {"text": "so", **values}, list(values.values()), 1)


def test_the_label_with_the_most_votes_is_the_rows():
    votes = {"h": "hate", "o": "rude", "n": "fine", "m": "fine"}
    assert voted({"h": "1", "o": "3", "n": "0", "m": "0"}, votes).label == "rude"
    assert voted({"h": "1", "o": "3", "n": "2", "m": "2.0"}, votes).label == "fine"  # they add up
    tied = voted({"h": "1", "o": "2", "n": "2", "m": "0"}, votes)
    assert (tied.kind, tied.reason) == (UNDECIDED, "the votes are tied: 'rude' and 'fine' have 2 each (data.votes)")
    none = voted({"h": "0", "o": "0", "n": "0", "m": "0"}, votes)
    assert (none.kind, none.reason) == (UNDECIDED, "no label has a vote (data.votes)")
    for cell in ("", "-1", "many", "inf"):
        assert voted({"h": "1", "o": cell, "n": "0", "m": "0"}, votes).reason == (
            f"{cell!r} in column 'o' is no number of votes"
        )


def test_a_column_may_have_the_vote_of_one_annotator():
    votes = dict.fromkeys(("a", "b", "c"))
    fmt = {"label_map": {"0": "hate"}}
    assert voted({"a": "fine", "b": " fine ", "c": "0"}, votes, **fmt).label == "fine"
    assert voted({"a": "", "b": "NaN", "c": "0"}, votes, **fmt).label == "hate"
    assert voted({"a": "rude", "b": "", "c": "0"}, votes, **fmt).kind == UNDECIDED
    assert voted({"a": "", "b": "", "c": ""}, votes, **fmt).kind == UNDECIDED
    assert voted({"a": "fine", "b": "fine", "c": "good"}, votes, **fmt).reason == (
        "label 'good' in column 'c' is neither in data.labels nor in data.label_map"
    )


@pytest.mark.skipif(not TWEETS.is_file(), reason="the tweets are not part of the project")
def test_the_votes_of_real_data_give_the_classes_that_its_authors_give():
    votes = {"hate_speech": "0", "offensive_language": "1", "neither": "2"}
    with TWEETS.open("rb") as file:
        by_votes = [
            row.label for row in read_rows(file, TWEETS.name, RowFormat("tweet", "", tuple("012"), votes=votes))
        ]
    with TWEETS.open("rb") as file:
        given = [row.label for row in read_rows(file, TWEETS.name, RowFormat("tweet", "class", tuple("012")))]
    assert by_votes == given


LISTS = RowFormat("text", "label", ("anger", "joy", "pride"), label_separator=";", label_map={"2": "anger", "5": "joy"})


def sets(name, content, fmt=LISTS):
    return [row.label_set if isinstance(row, Row) else row for row in read_rows(io.BytesIO(content), name, fmt)]


def test_json_and_parquet_may_have_lists():
    values = [[2, 5], [], ["joy", "pride"], "joy;2"]
    lines = "".join(json.dumps({"text": "so", "label": value}) + "\n" for value in values).encode()
    wanted = [LabelSet(("anger", "joy")), LabelSet(()), LabelSet(("joy", "pride")), LabelSet(("anger", "joy"))]
    assert sets("a.jsonl", lines) == wanted
    buffer = io.BytesIO()
    pd.DataFrame({"text": ["so"] * 3, "label": [["2", "5"], [], ["joy", "pride"]]}).to_parquet(buffer)
    assert sets("a.parquet", buffer.getvalue()) == wanted[:3]
    buffer = io.BytesIO()
    pd.DataFrame({"text": ["so"] * 2, "label": [[2, 5], None]}).to_parquet(buffer)
    assert sets("a.parquet", buffer.getvalue()) == wanted[:2]


def test_a_list_of_lists_is_no_cell_with_labels_and_a_list_none_of_one_label():
    (row,) = sets("a.jsonl", b'{"text": "so", "label": [[2], 5]}\n')
    assert (row.kind, row.reason) == ("not text", "column 'label' holds a list, no text")
    (row,) = read_rows(io.BytesIO(b'{"text": "so", "label": [2]}\n'), "a.jsonl", RowFormat("text", "label", ("2", "5")))
    assert row.kind == "not text"


def test_lists_of_datasets_classes_have_their_names():
    classes = {"names": ["anger", "joy", "pride"], "_type": "ClassLabel"}
    for feature in ({"feature": classes, "_type": "Sequence"}, {"feature": classes, "_type": "List"}, [classes]):
        info = {"info": {"features": {"text": {"dtype": "string", "_type": "Value"}, "label": feature}}}
        table = pa.table({"text": ["so", "so"], "label": [[0, 2], []]})
        table = table.replace_schema_metadata({"huggingface": json.dumps(info)})
        buffer = io.BytesIO()
        with pa.ipc.new_stream(buffer, table.schema) as writer:
            writer.write_table(table)
        assert sets("a.arrow", buffer.getvalue()) == [LabelSet(("anger", "pride")), LabelSet(())]


def test_what_is_written_at_random_is_read():
    rng = random.Random(7)  # noqa: S311
    labels = tuple(f"label {number}" for number in range(9))
    written = [(f"text\n{number}", tuple(rng.choice(("0", "1", "-1")) for _ in labels)) for number in range(500)]
    frame = pd.DataFrame([(text, *cells) for text, cells in written], columns=["text", *labels])
    fmt = RowFormat("text", "", labels, label_columns=labels, missing_label="mask")
    rows = list(read_rows(io.BytesIO(frame.to_csv(index=False).encode()), "a.csv", fmt))
    for (text, cells), row in zip(written, rows, strict=True):
        if set(cells) == {"-1"}:
            assert isinstance(row, BadRow)
            continue
        of = {state: tuple(label for label, cell in zip(labels, cells, strict=True) if cell == state) for state in "01"}
        masked = tuple(label for label, cell in zip(labels, cells, strict=True) if cell == "-1")
        assert isinstance(row, Row)
        assert (row.text, row.label_set) == (text, LabelSet(of["1"], masked))


def test_columns_can_be_renamed_in_the_order_in_which_they_are_wanted():
    fmt = RowFormat("1", "", ("a", "b"), "4", label_columns=("2", "3"))
    assert fmt.wanted == [
        ("text_column", "1"),
        ("label_columns", "2"),
        ("label_columns", "3"),
        ("text_pair_column", "4"),
    ]
    found = fmt.renamed(["text", "x", "y", "pair"])
    assert (found.text_column, found.label_columns, found.text_pair_column) == ("text", ("x", "y"), "pair")
    fmt = RowFormat("1", "", ("a", "b"), votes={"2": "a", "3": "b"})
    assert fmt.renamed(["text", "x", "y"]).votes == {"x": "a", "y": "b"}
    assert RowFormat.from_dict(json.loads(json.dumps(fmt.to_dict()))) == fmt
