import datetime
import io
import json
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow as pa
import pytest

from fullbake.components.data.data_files import opened
from fullbake.contract.errors import InputError
from fullbake.pipeline.prediction.label_file import label_file
from tests.components.data_formats import COMPRESSIONS, FORMATS, arrow, workbook
from tests.pipeline.tiny_model import ADDED, TEXTS

FRAME = pd.DataFrame({"n": [1, 2, 3], "comment": TEXTS[:3]})


def cells(file: Path) -> list[list]:
    return [[cell.value for cell in row] for row in openpyxl.load_workbook(file).active.rows]


@pytest.mark.parametrize("suffix", COMPRESSIONS)
def test_both_files_may_be_compressed(label, suffix: str):
    done, target = label(f"in.csv{suffix}", COMPRESSIONS[suffix](FORMATS[".csv"](FRAME)), f"out.json{suffix}")
    assert done.rows == 3
    with opened(str(target)) as stream:
        assert [row["comment"] for row in json.loads(stream.read())] == TEXTS[:3]


def test_objects_of_a_list_come_back_as_they_were_written(label):
    content = '[\n {"n": 1.50,\n  "comment": "it is not\\n"},\n 5,\n {"label": "gold", "comment": null}\n]\n'
    done, target = label("in.json", content.encode(), "out.json")
    lines = target.read_text(encoding="utf-8").splitlines()
    assert [lines[0], lines[-1]] == ["[", "]"]
    assert lines[1].startswith('{"n": 1.50, "comment": "it is not\\n", "label": ')
    assert [row.get("input_line") or row.get("input_label") for row in json.loads("".join(lines))] == [
        None,
        "5",
        "gold",
    ]
    assert done.first["not an object"] == "object 2: it is a single value, not an object"
    _, target = label("in.json", content.encode(), "out.jsonl")
    assert [json.loads(line)["label"] is None for line in target.read_text().splitlines()] == [False, True, True]


def test_text_in_a_workbook_stays_text_and_comes_back(label):
    odd = ["=1+1", "#N/A", "\x01 \r\n\t_x0001_", "'", "é 🙂", "1.0", "\ufffe"]
    content = json.dumps([{"comment": text, "big": 12345678901234567890, "nan": 0.5} for text in odd]).encode()
    _, target = label("in.json", content, "out.xlsx")
    sheet = openpyxl.load_workbook(target).active
    assert {cell.data_type for cell in sheet["A"]} == {"s"} or {cell.data_type for cell in sheet["A"]} == {"inlineStr"}
    _, back = label("again.xlsx", target.read_bytes(), "back.json")
    assert [row["comment"] for row in json.loads(back.read_text(encoding="utf-8"))] == odd
    assert [row["big"] for row in json.loads(back.read_text())] == ["12345678901234567890"] * len(odd)


def test_a_workbook_keeps_its_rows_and_what_has_no_name(label):
    day = datetime.datetime(2026, 3, 1)
    content = workbook([["n", "comment"], [1, "it is not", day, "note"], [], [2.5, "#N/A"], [3, "zzz"]])
    done, target = label("in.xlsx", content, "out.xlsx")
    header, *rows = cells(target)
    assert header == ["n", "comment", "column C", "column D", *ADDED]
    assert [row[:4] for row in rows] == [
        [1, "it is not", "2026-03-01", "note"],
        [2.5, None, None, None],
        [3, "zzz", None, None],
    ]
    assert [row[4] is None for row in rows] == [False, True, False]
    assert done.first == {"missing text": "row 4: no text in column 'comment'"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            [{"comment": "a"}, {"comment": "x" * 32_768}],
            "cannot hold the text in row 3, column 'comment': it has 32,768",
        ),
        (
            [{"comment": "a"} | {str(n): n for n in range(16_384)}],
            "would have 16,389 columns, and a sheet holds 16,384",
        ),
    ],
)
def test_what_a_sheet_cannot_hold_is_refused_and_nothing_is_written(label, tmp_path: Path, content, message):
    with pytest.raises(InputError) as refused:
        label("in.json", json.dumps(content).encode(), "out.xlsx")
    assert message in str(refused.value)
    assert str(refused.value).endswith("; name a .csv, .jsonl or .parquet file")
    assert [path.name for path in tmp_path.iterdir()] == ["in.json"]


def test_more_rows_than_a_sheet_has_are_refused(label, monkeypatch):
    monkeypatch.setattr("fullbake.pipeline.prediction.excel_table._MOST_ROWS", 3)
    with pytest.raises(InputError, match=r"cannot hold more than 3 rows; name a \.csv, \.jsonl or \.parquet file"):
        label("in.csv", FORMATS[".csv"](FRAME), "out.xlsx")


def test_a_file_of_datasets_keeps_its_columns_and_says_what_the_added_ones_are(label):
    features = {
        "comment": {"dtype": "string", "_type": "Value"},
        "label": {"names": ["bad", "good"], "_type": "ClassLabel"},
    }
    metadata = {"huggingface": json.dumps({"info": {"features": features}, "fingerprint": "0"})}
    schema = pa.schema([("comment", pa.string()), ("label", pa.int64())], metadata)
    content = arrow(pa.table({"comment": TEXTS[:3], "label": [1, 0, -1]}, schema=schema))
    _, target = label("in.arrow", content, "out.arrow")
    found = pa.ipc.open_stream(target.read_bytes()).read_all()
    assert found["input_label"].to_pylist() == [1, 0, -1]
    kept = json.loads(found.schema.metadata[b"huggingface"])["info"]["features"]
    assert list(kept) == ["comment", "input_label", *ADDED] == found.column_names
    assert (kept["input_label"]["names"], kept["p_odd"]["dtype"]) == (["bad", "good"], "float32")
    _, target = label("in.arrow", content, "out.csv")
    assert pd.read_csv(target)["input_label"].fillna("").tolist() == ["good", "bad", ""]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("in.json", b'[{"comment": "a"}', "in.json is cut off (line 1); write it again"),
        ("in.json", b"[]", "in.json is empty; write a list of objects"),
        ("in.json", b'{"comment": {"0": "a"}}', "in.json has a column to a key, as pandas writes JSON by default; "),
        ("in.xlsx", workbook([["comment"]])[:-40], "in.xlsx is not a whole Excel workbook ("),
        ("in.xlsx", workbook([["comment"]], [["b"]]), "in.xlsx has 2 sheets with cells (sheet 0, sheet 1); hide"),
        ("in.xlsx", b"comment\na\n", "in.xlsx is no Excel workbook; let its name say what it is"),
        ("in.arrow", arrow(FRAME)[:-8], "in.arrow is not a whole Arrow file (it has no end); copy it here again"),
        ("in.arrow", arrow(FRAME)[:200], "in.arrow is not a whole Arrow file ("),
        ("in.arrow", b"comment\na\n", "in.arrow is no Arrow; let its name say what it is"),
        ("in.csv.zst", COMPRESSIONS[".zst"](b"comment\na\n")[:-6], "in.csv.zst is not a whole zstd file ("),
        ("in.csv.bz2", b"comment\na\n", "in.csv.bz2 is not a whole bzip2 file ("),
        ("in.csv.zip", b"comment\na\n", "in.csv.zip is not a whole zip file ("),
    ],
)
def test_a_file_that_cannot_be_labelled_is_refused_by_name(label, tmp_path: Path, name, content, message):
    with pytest.raises(InputError) as refused:
        label(name, content, "out.jsonl")
    assert str(refused.value).startswith(f"--input: {tmp_path}/{message}")
    assert "\n" not in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_workbook_compressed_twice_and_a_folder_are_refused(label, predictor, tmp_path: Path):
    with pytest.raises(InputError, match=r"out\.xlsx\.gz would be compressed twice; let its name end in \.xlsx$"):
        label("in.csv", FORMATS[".csv"](FRAME), "out.xlsx.gz")
    with pytest.raises(InputError, match=r"is a folder; name a file, such as one of its \.arrow files$"):
        label_file(predictor, tmp_path, tmp_path / "out.csv", delimiter=",", encoding="utf-8")


def test_no_rows_become_an_empty_list(label):
    _, target = label("in.csv", b"comment\n", "out.json")
    assert json.loads(target.read_text()) == []
    _, target = label("in.csv", b"comment\n", "out.jsonl")
    assert target.read_text() == ""
    _, target = label("in.csv", b"comment\n", "out.xlsx")
    assert pd.read_excel(io.BytesIO(target.read_bytes())).columns.tolist() == ["comment", *ADDED]
