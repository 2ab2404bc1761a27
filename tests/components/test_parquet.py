import decimal
import gzip
import io
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fullbake.components.data.readers import parquet
from fullbake.components.data.reading import check_file, place_of, read_rows
from fullbake.components.data.row_format import RowFormat
from fullbake.components.data.rows import BadRow, LineCount, Row
from fullbake.contract.errors import InputError

FORMAT = RowFormat("text", "label", ("good", "bad"), label_map={"0": "bad", "1": "good", "true": "good"})


def written(table, **settings):
    sink = io.BytesIO()
    pq.write_table(table if isinstance(table, pa.Table) else pa.table(table), sink, **settings)
    return sink.getvalue()


def read(content, fmt=FORMAT):
    count = LineCount()
    rows = list(read_rows(io.BytesIO(content), "train.parquet", fmt, count=count))
    assert count == LineCount(total=len(rows))
    return rows


def test_each_row_comes_out_with_its_number():
    assert read(written({"id": [7, 8], "text": ["so kind", " a\nb "], "label": ["good", "bad"]})) == [
        Row(1, "so kind", None, "good"),
        Row(2, " a\nb ", None, "bad"),
    ]


@pytest.mark.parametrize(
    "texts",
    [
        pa.array(["a", "é 🙂"], pa.large_string()),
        pa.array(["a", "é 🙂"]).dictionary_encode(),
        pa.array([b"a", "é 🙂".encode()]),
        pa.chunked_array([["a"], ["é 🙂"]]),
    ],
    ids=["large", "dictionary", "bytes", "chunks"],
)
def test_every_kind_of_text_is_read(texts):
    assert [row.text for row in read(written({"text": texts, "label": ["good", "bad"]}))] == ["a", "é 🙂"]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (pa.array([0, 1], pa.int8()), ["bad", "good"]),
        (pa.array([0, 1], pa.uint64()), ["bad", "good"]),
        (pa.array([0, 1]).dictionary_encode(), ["bad", "good"]),
        (pa.array([True, True]), ["good", "good"]),
        (pa.array([decimal.Decimal(0), decimal.Decimal(1)]), ["bad", "good"]),
    ],
)
def test_numbers_and_truth_values_are_labels_by_their_json_text(labels, expected):
    assert [row.label for row in read(written({"text": ["a", "b"], "label": labels}))] == expected


def test_null_and_nan_are_no_text_and_no_label():
    frame = pd.DataFrame({"text": ["a", None, "c"], "label": [1.0, 1.0, np.nan]})
    fmt = RowFormat("text", "label", ("1.0",))
    rows = read(written(pa.Table.from_pandas(frame)), fmt)
    assert rows == [
        Row(1, "a", None, "1.0"),
        BadRow(2, "no text in column 'text'", ["", "1.0"], "missing text"),
        BadRow(3, "no label in column 'label'", ["c", ""], "missing label"),
    ]
    assert [row.kind for row in read(written({"text": ["a"], "label": pa.nulls(1)}))] == ["missing label"]


def test_bytes_that_are_no_utf_8_spoil_their_own_row_only():
    rows = read(written({"text": [b"a", b"caf\xe9", b"c"], "label": ["good", "good", "bad"]}))
    assert [getattr(row, "kind", None) for row in rows] == [None, "undecodable bytes", None]
    assert rows[1].reason == "byte 0xe9 in column 'text' is not utf-8"


def test_a_text_beyond_the_bound_is_a_bad_row_with_its_start(monkeypatch):
    monkeypatch.setattr(parquet, "MAX_TEXT_CHARACTERS", 5000)
    rows = read(written({"text": ["x" * 5001, "x" * 5000], "label": ["good", "bad"]}))
    assert (rows[0].kind, rows[0].fields) == ("too long", ["x" * 1000, "good"])
    assert isinstance(rows[1], Row)


def test_pairs_and_files_without_labels_are_read_and_other_columns_are_not():
    fmt = RowFormat("a.x", "label", ("good",), text_pair_column="b")
    content = written({"b": ["y"], "a.x": ["x"], "label": ["good"], "other": pa.array([[{"z": 1}]])})
    assert read(content, fmt) == [Row(1, "x", "y", "good")]
    assert read(content, fmt.unlabelled()) == [Row(1, "x", None, "")]


def test_the_rows_of_all_row_groups_come_out_in_order():
    texts = [f"text {number}" for number in range(5000)]
    content = written({"text": texts, "label": ["good"] * 5000}, row_group_size=700, compression="zstd")
    assert [(row.line, row.text) for row in read(content)] == list(enumerate(texts, 1))


WHOLE = written({"text": ["a", "b"] * 500, "label": ["good", "bad"] * 500})


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("train.parquet", b"", "input_base: train.parquet is empty; take it away"),
        ("train.parquet", b"text,label\na,good\n", "input_base: train.parquet is not Parquet; let its name say"),
        ("train.parquet", WHOLE[: len(WHOLE) // 2], "input_base: train.parquet is not a whole Parquet file ("),
        (
            "train.parquet",
            WHOLE[:100] + b"\xff" * 50 + WHOLE[150:],
            "input_base: train.parquet is not a whole P",
        ),
        ("train.parquet.gz", gzip.compress(WHOLE), "input_base: train.parquet.gz is compressed as a whole, and "),
        (
            "train.parquet",
            written({"text": pa.array([], pa.string()), "label": pa.array([], pa.string())}),
            "input_base: train.parquet has no rows; add rows, or take it away",
        ),
        (
            "train.parquet",
            written({"txt": ["a"], "label": ["good"]}),
            "text_column: 'text' is not a column of train.parquet (it has: txt, label); did you mean 'txt'?",
        ),
        (
            "train.parquet",
            written({"text": [["a"]], "label": ["good"]}),
            "text_column: column 'text' of train.parquet is of type list<item: string>, which is no text; make it",
        ),
        (
            "train.parquet",
            written({"text": ["a"], "label": [date(2026, 1, 1)]}),
            "label_column: column 'label' of train.parquet is of type date32[day], which is no text; ",
        ),
    ],
)
def test_a_file_that_cannot_be_read_is_an_error_that_says_what_to_do(name, content, message):
    with pytest.raises(InputError) as error:
        list(read_rows(io.BytesIO(content), name, FORMAT))
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_a_good_file_passes_the_check_and_its_stream_is_left_open():
    stream = io.BytesIO(WHOLE)
    check_file(stream, "train.parquet", FORMAT)
    assert not stream.closed


def test_places_are_rows():
    assert place_of("train.parquet", 3) == "train.parquet row 3"


def test_memory_does_not_grow_with_the_file(tmp_path):
    with pq.ParquetWriter(tmp_path / "a.parquet", pa.schema({"text": pa.string(), "label": pa.string()})) as writer:
        for start in range(0, 400_000, 100_000):  # of 100 MB
            texts = [f"{number} {'some words, ' * 20}" for number in range(start, start + 100_000)]
            writer.write_table(pa.table({"text": texts, "label": ["good"] * 100_000}))
    before, peak = pa.total_allocated_bytes(), 0
    with open(tmp_path / "a.parquet", "rb") as stream:
        for number, _ in enumerate(read_rows(stream, "a.parquet", FORMAT)):
            if number % 1000 == 0:
                peak = max(peak, pa.total_allocated_bytes() - before)
    assert number == 399_999
    assert peak < 16 * 2**20
