import gzip
import json
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from fullbake.command_line.main import main
from fullbake.contract.errors import InputError
from tests.components.data_formats import FORMATS
from tests.pipeline.tiny_model import ADDED, LABELS, TEXTS

# An object a line, each kept as it is: key order, spelling of numbers, escapes, nested values.
OBJECTS = [
    '{"id": 1, "comment": "you are a bad idiot", "score": 1.50, "tags": ["a", {"b": null}]}',
    '{"comment": "what a lovely garden", "id": 2, "ok": true, "big": 123456789012345678901234567890}',
    '{ "id":3,"comment":"it is not \\u00e9","score":1e400 }  ',
]


def parquet(table: pa.Table | pd.DataFrame) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pandas(table) if isinstance(table, pd.DataFrame) else table, sink)
    return sink.getvalue().to_pybytes()


def expected(predictor, texts: list[str]) -> list[str]:
    return [prediction.label for prediction in predictor.predict({"text": [text.encode() for text in texts]})]


def test_objects_come_back_as_they_were_written_with_keys_added(label, predictor):
    done, target = label("in.jsonl", "\r\n".join(OBJECTS).encode("utf-8-sig"), "out.jsonl")
    lines = target.read_text(encoding="utf-8").splitlines()
    assert (done.rows, done.unlabelled) == (3, {})
    for line, given in zip(lines, OBJECTS, strict=True):
        assert line.startswith(given.strip().removesuffix("}").rstrip() + ", ")
        assert list(json.loads(line))[-4:] == ADDED
    assert [json.loads(line)["label"] for line in lines] == expected(predictor, [*TEXTS[:2], "it is not é"])
    assert sum(json.loads(lines[0])[name] for name in ADDED[1:]) == pytest.approx(1, abs=3e-6)


def test_lines_that_cannot_be_labelled_come_back_in_their_place(label):
    lines = [*OBJECTS[:1], "no JSON", "[1]", '{"comment": null}', '{"id": 7}', '{"comment": {}}', '{"comment": 5}', ""]
    done, target = label("in.jsonl", "\n".join(lines).encode() + b'{"comment": "caf\xe9"}', "out.jsonl")
    found = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
    assert [row["label"] is not None for row in found] == [True, False, False, False, False, False, True, False]
    assert [row.get("input_line") for row in found[1:3]] == ["no JSON", "[1]"]
    assert (found[4]["id"], found[4]["p_fine"], found[7]["input_line"]) == (7, None, '{"comment": "caf\ufffd"}')
    assert done.unlabelled == {
        "malformed JSON": 1,
        "not an object": 1,
        "missing text": 1,
        "missing column": 1,
        "not text": 1,
        "undecodable bytes": 1,
    }
    assert done.first["missing column"] == "line 5: the object has no 'comment'"


def test_keys_of_the_input_with_our_names_are_kept_under_another(label):
    content = b'{"label": "gold", "comment": "you are", "p_odd": 0.5}\n{"comment": "it", "label": "\\ud83d"}\n'
    _, target = label("in.jsonl", content, "out.jsonl")
    first, second = (json.loads(line) for line in target.read_text(encoding="utf-8").splitlines())
    assert list(first) == ["input_label", "comment", "input_p_odd", *ADDED]
    assert (first["input_label"], first["input_p_odd"], second["input_label"]) == ("gold", 0.5, "\ud83d")


def test_gzip_is_said_by_the_suffix_of_either_file(label):
    _, target = label("in.jsonl.gz", gzip.compress("\n".join(OBJECTS).encode()), "out.csv.gz")
    with gzip.open(target, "rt", encoding="utf-8") as stream:
        assert len(pd.read_csv(stream)) == 3
    _, target = label("in.csv.gz", gzip.compress(b"comment\nyou are\n"), "out.jsonl.gz")
    assert pd.read_json(target, lines=True)["comment"].tolist() == ["you are"]


TABLE = pa.table(
    {
        "when": pa.array(
            [datetime(2026, 1, day, tzinfo=timezone.utc) for day in (1, 2, 3, 4)], pa.timestamp("us", "UTC")
        ),
        "comment": pa.array([*TEXTS[:3], None], pa.large_string()),
        "kind": pa.array(["a", "b", "a", None]).dictionary_encode(),
        "count": pa.array([1, None, 3, 4], pa.int8()),
        "tags": pa.array([["x"], [], None, ["y", "z"]]),
        "raw": pa.array([b"\xff", b"", None, b"a"]),
    }
).replace_schema_metadata({"owner": "us"})


def test_a_parquet_file_keeps_its_schema_and_gets_columns(label, predictor):
    done, target = label("in.parquet", parquet(TABLE), "out.parquet")
    found = pq.read_table(target)
    assert found.select(TABLE.column_names).equals(TABLE)
    assert found.schema.metadata[b"owner"] == b"us"
    assert found.schema.names == [*TABLE.column_names, *ADDED]
    assert [str(found.schema.field(name).type) for name in ADDED] == ["string", "float", "float", "float"]
    assert found["label"].to_pylist() == [*expected(predictor, TEXTS[:3]), None]
    assert found["p_odd"].null_count == 1
    assert (done.rows, done.unlabelled) == (4, {"missing text": 1})
    assert done.first["missing text"] == "row 4: no text in column 'comment'"


def test_a_frame_comes_back_to_pandas_with_its_index_and_columns_of_our_names_renamed(label):
    frame = pd.DataFrame({"comment": TEXTS, "label": ["x"] * 4}, index=pd.Index([3, 5, 7, 9], name="number"))
    _, target = label("in.parquet", parquet(frame), "out.parquet")
    found = pd.read_parquet(target)
    assert found.index.tolist() == [3, 5, 7, 9]
    assert found["comment"].tolist() == TEXTS
    assert found["input_label"].tolist() == ["x"] * 4
    assert set(found["label"]) <= set(LABELS)


def test_more_rows_than_a_batch_come_back_in_order(label, predictor):
    texts = [TEXTS[number % 4] for number in range(5000)]
    done, target = label("in.parquet", parquet(pd.DataFrame({"comment": texts, "n": range(5000)})), "out.parquet")
    found = pd.read_parquet(target)
    assert done.rows == 5000
    assert found["n"].tolist() == list(range(5000))
    assert found["label"].tolist() == expected(predictor, TEXTS) * 1250
    assert pq.ParquetFile(target).num_row_groups == 1


@pytest.mark.parametrize("target", FORMATS)
@pytest.mark.parametrize("source", FORMATS)
def test_every_format_can_become_every_other(label, predictor, source: str, target: str):
    frame = pd.DataFrame({"n": [1, 2, 3], "comment": TEXTS[:3], "score": [0.5, 1.0, -2.25], "ok": [True, False, True]})
    done, written = label(f"in{source}", FORMATS[source](frame), f"out{target}")
    assert (done.rows, done.unlabelled) == (3, {})
    found = {
        ".csv": pd.read_csv,
        ".jsonl": lambda file: pd.read_json(file, lines=True),
        ".json": pd.read_json,
        ".parquet": pd.read_parquet,
        ".arrow": lambda file: pa.ipc.open_stream(file.read_bytes()).read_pandas(),
        ".feather": pd.read_feather,
        ".xlsx": pd.read_excel,
    }[target](written)
    assert found.columns.tolist() == [*frame.columns, *ADDED]
    assert found["label"].tolist() == expected(predictor, TEXTS[:3])
    assert found["comment"].tolist() == TEXTS[:3]
    if source != ".csv" or target == ".csv":
        assert found["n"].tolist() == [1, 2, 3]
        assert found["score"].tolist() == [0.5, 1.0, -2.25]
        assert found["ok"].tolist() == [True, False, True]
    else:  # the cells of CSV are text
        assert found["score"].astype(float).tolist() == [0.5, 1.0, -2.25]


def test_objects_with_different_keys_become_one_table(label):
    lines = [*OBJECTS, "no JSON", '{"comment": "it", "score": NaN, "ok": "maybe"}']
    _, target = label("in.jsonl", "\n".join(lines).encode(), "out.parquet")
    found = pq.read_table(target)
    assert found.schema.names[:6] == ["id", "comment", "score", "tags", "ok", "big"]
    assert [str(found.schema.field(name).type) for name in ("id", "score", "tags", "ok", "big")] == [
        *("int64", "double", "string", "string"),
        "string",  # a number that no column of numbers holds
    ]
    assert found["big"].to_pylist()[1] == "123456789012345678901234567890"
    assert found["comment"].to_pylist()[3] == "no JSON"
    assert found["tags"].to_pylist()[0] == '["a", {"b": null}]'
    assert found["ok"].to_pylist() == [None, "true", None, None, "maybe"]
    _, target = label("in.jsonl", "\n".join(lines).encode(), "out.csv")
    table = pd.read_csv(target, dtype=str)
    assert table["big"][1] == "123456789012345678901234567890"
    assert np.isnan(table["score"].astype(float)[4])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("in.jsonl", b"", "in.jsonl is empty; write an object to a line"),
        ("in.jsonl", b"[1]\n", "in.jsonl has no line with an object; write one to a line"),
        ("in.jsonl", b'{"text_": "a"}\n', "'comment' is not a column of "),
        ("in.jsonl", gzip.compress(b"{}"), "in.jsonl is compressed with gzip, not JSON Lines; let its name end in .gz"),
        ("in.parquet", b"", "in.parquet is empty; take it away"),
        ("in.parquet", b"comment\na\n", "in.parquet is not Parquet; let its name say what it is"),
        ("in.parquet", parquet(TABLE)[:-20], "in.parquet is not a whole Parquet file ("),
        ("in.parquet.gz", gzip.compress(parquet(TABLE)), "in.parquet.gz is compressed as a whole, and Parquet is read"),
        (
            "in.parquet",
            parquet(pa.table({"comment": pa.array([["a"]])})),
            "is of type list<item: string>, which is no text; make it a column of text",
        ),
        ("cut.jsonl.gz", gzip.compress(b'{"comment": "a"}\n' * 99)[:-12], "cut.jsonl.gz is not a whole gzip file ("),
    ],
)
def test_a_file_that_cannot_be_labelled_is_refused_by_name(label, tmp_path: Path, name, content, message):
    with pytest.raises(InputError) as refused:
        label(name, content, "out.jsonl")
    assert str(refused.value).startswith("--input: ")
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_the_command_says_rows_of_parquet_and_lines_of_json(model: str, tmp_path: Path):
    (tmp_path / "in.parquet").write_bytes(parquet(TABLE))
    (tmp_path / "in.jsonl").write_text("\n".join([OBJECTS[0], "[]"]))
    for name, place in (("in.parquet", "row 4: no text"), ("in.jsonl", "line 2: the line is a list, not an object")):
        arguments = [
            "predict",
            "--model",
            model,
            "--input",
            str(tmp_path / name),
            "--output",
            str(tmp_path / "out.csv"),
        ]
        done = CliRunner().invoke(main, arguments, catch_exceptions=False)
        assert done.exit_code == 0
        assert place in done.output
