import io
import json
import tracemalloc

import pandas as pd
import pytest

from fullbake.components.data.dialect import Dialect
from fullbake.components.data.readers import bounded_lines
from fullbake.components.data.reading import check_file, place_of, quoting_of, read_rows
from fullbake.components.data.row_format import RowFormat
from fullbake.components.data.rows import BadRow, LineCount, Row
from fullbake.contract.errors import InputError

# Delimiter, encoding and quoting are those of CSV files in the same folder.
FORMAT = RowFormat("text", "label", ("good", "bad"), label_map={"0": "bad", "1": "good", "true": "good"})
CSV_DIALECT = Dialect("\t", "utf-16", "none")


def read(content, fmt=FORMAT):
    data = content if isinstance(content, bytes) else content.encode()
    count = LineCount()
    rows = list(read_rows(io.BytesIO(data), "train.jsonl", fmt, count=count))
    assert count.total == len(data.splitlines()) == count.blank + sum(row.lines for row in rows)
    return rows


def line(**values):
    return json.dumps(values) + "\n"


def test_each_object_is_a_row_with_the_line_it_is_on():
    assert read(line(id=7, text="so kind", label="good") + "\n \n" + line(label="bad", text=" a\nb ")) == [
        Row(1, "so kind", None, "good"),
        Row(4, " a\nb ", None, "bad"),
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_line_ends_and_a_byte_order_mark_are_no_part_of_an_object(end, encoding):
    content = end.join(['{"text": "naïve 🙂", "label": "good"}', '{"text": "b", "label": "bad"}'])
    assert [row.text for row in read(content.encode(encoding))] == ["naïve 🙂", "b"]


def test_the_dialect_of_csv_files_does_not_matter():
    fmt = RowFormat("text", "label", ("good", "bad"), dialect=CSV_DIALECT)
    assert [row.text for row in read(line(text='"a\tb', label="good"), fmt)] == ['"a\tb']
    assert not quoting_of(lambda: io.BytesIO(b'"'), "train.jsonl", FORMAT).ordinary


@pytest.mark.parametrize(("written", "label"), [("0", "bad"), ("1", "good"), ("true", "good"), ('"1"', "good")])
def test_numbers_and_truth_values_are_labels_by_their_json_text(written, label):
    (row,) = read(f'{{"text": "a", "label": {written}}}\n')
    assert row.label == label


def test_numbers_are_texts_just_as_they_stand_in_the_file():
    content = "".join(f'{{"text": {number}, "label": 1}}\n' for number in ("1.50", "-0", "1e400", "9" * 5000))
    assert [row.text for row in read(content)] == ["1.50", "-0", "1e400", "9" * 5000]


@pytest.mark.parametrize(
    ("content", "kind", "reason"),
    [
        ("nope", "malformed JSON", "the line is no JSON: Expecting value, at character 1"),
        ('{"text": "a", "label": 1', "malformed JSON", "the line is no JSON: Expecting ',' delimiter, at character 25"),
        ('{"text": "a"} {"text": "b"}', "malformed JSON", "the line is no JSON: Extra data, at character 15"),
        (
            '{"text": "a", "text": "b", "label": 1}',
            "malformed JSON",
            "the line is no JSON: the key 'text' stands twice",
        ),
        ("[1, 2]", "not an object", "the line is a list, not an object"),
        ("null", "not an object", "the line is a single value, not an object"),
        ('{"label": 1}', "missing column", "the object has no 'text'"),
        ('{"text": "a"}', "missing column", "the object has no 'label'"),
        ('{"text": null, "label": 1}', "missing text", "no text in column 'text'"),
        ('{"text": NaN, "label": 1}', "missing text", "no text in column 'text'"),
        ('{"text": " ", "label": 1}', "missing text", "no text in column 'text'"),
        ('{"text": "a", "label": null}', "missing label", "no label in column 'label'"),
        (
            '{"text": "a", "label": Infinity}',
            "unknown label",
            "label 'Infinity' is neither in labels nor in label_map",
        ),
        (
            '{"text": "a", "label": 1.0}',
            "unknown label",
            "label '1.0' is neither in labels nor in label_map",
        ),
        ('{"text": {"a": "b"}, "label": 1}', "not text", "column 'text' holds an object, no text"),
        ('{"text": "a", "label": [1]}', "not text", "column 'label' holds a list, no text"),
        (
            '{"text": "\\ud83d", "label": 1}',
            "undecodable bytes",
            "lone surrogate U+D83D in column 'text' is not utf-8; JSON is UTF-8",
        ),
    ],
)
def test_a_bad_line_says_why_is_kept_whole_and_spoils_no_other(content, kind, reason):
    good = line(text="before", label=1)
    rows = read(f"{good}{content}\n{good}")
    assert [type(row) for row in rows] == [Row, BadRow, Row]
    assert rows[1] == BadRow(2, reason, [content], kind)


def test_bytes_that_do_not_decode_and_nesting_without_end_spoil_their_own_line_only():
    good = line(text="a", label=1).encode()
    rows = read(good + b'{"text": "caf\xe9", "label": 1}\n' + b'{"text":' + b"[" * 10**5 + b"\n" + good)
    assert [getattr(row, "kind", None) for row in rows] == [None, "undecodable bytes", "malformed JSON", None]
    assert rows[1].fields == ['{"text": "caf\udce9", "label": 1}']


def test_a_line_beyond_the_bound_is_a_bad_row_with_its_start(monkeypatch):
    monkeypatch.setattr(bounded_lines, "MAX_TEXT_CHARACTERS", 5000)
    rows = read(line(text="x" * 3_000_000, label=1) + line(text="after", label=1))
    assert [(row.line, type(row)) for row in rows] == [(1, BadRow), (2, Row)]
    assert (rows[0].kind, len(rows[0].fields[0])) == ("too long", 1000)


def test_pairs_and_files_without_labels_are_read():
    fmt = RowFormat("a", "label", ("good",), text_pair_column="b")
    assert read(line(a="x", b="y", label="good"), fmt) == [Row(1, "x", "y", "good")]
    assert read(line(a="x"), fmt.unlabelled()) == [Row(1, "x", None, "")]


def test_what_pandas_writes_is_read():
    frame = pd.DataFrame({"text": ['"a", b', "é\u2028c", None], "label": [0, 1, 1]})
    rows = read(frame.to_json(orient="records", lines=True) + "\n")
    assert [getattr(row, "text", row) for row in rows[:2]] == frame["text"].tolist()[:2]
    assert rows[2].kind == "missing text"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "input_base: train.jsonl is empty; write an object to a line, or take it away"),
        (b"\n\n", "input_base: train.jsonl is empty; "),
        (
            b'{"txt": "a", "label": 1}\n' * 3,
            "text_column: 'text' is not a column of train.jsonl (it has: txt, label); did you mean 'txt'?",
        ),
        (
            b"\x1f\x8b\x08\0",
            "input_base: train.jsonl is compressed with gzip, not JSON Lines; let its name end",
        ),
        (b"PAR1\x15\x04", "input_base: train.jsonl is a Parquet file, not JSON Lines; "),
    ],
)
def test_a_file_that_cannot_be_read_is_an_error_that_says_what_to_do(content, message):
    for ask in (lambda file: check_file(file, "train.jsonl", FORMAT), lambda file: read(file.getvalue())):
        with pytest.raises(InputError) as error:
            ask(io.BytesIO(content))
        assert str(error.value).startswith(message)
        assert "\n" not in str(error.value)


def test_some_first_lines_may_lack_a_column():
    rows = read(line(text="a") * 5 + line(text="b", label=1))
    assert [getattr(row, "kind", None) for row in rows] == ["missing column"] * 5 + [None]


def test_places_are_lines():
    assert place_of("a/train.jsonl.gz", 3) == "a/train.jsonl.gz line 3"


def test_memory_does_not_grow_with_the_file():
    row = line(text="some words, " * 100, label=1).encode()
    stream = io.BytesIO(row * 20_000)
    tracemalloc.start()
    try:
        assert sum(1 for _ in read_rows(stream, "train.jsonl", FORMAT)) == 20_000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2 * 2**20
