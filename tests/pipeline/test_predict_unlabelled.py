"""Rows that cannot be labelled come back in their place, and why is said and written down."""

import csv
import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from click.testing import CliRunner

from fullbake.command_line.main import main
from fullbake.contract.errors import InputError
from fullbake.pipeline.prediction import text_judge
from tests.components.data_formats import FORMATS, parquet
from tests.pipeline.tiny_model import LABELS
from tests.pipeline.trained_reading import back, expected, label, trained

TEXTS = ["you are", "", "  ", "NULL", "bad", "\u2003", " nan ", "None"]
LABELLED = [0, 4, 7]


def reasons(folder: Path, name: str = "out.unlabelled.csv") -> list[dict[str, str]]:
    with (folder / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize(("suffix", "unit"), [
    (".csv", "line"), (".jsonl", "line"), (".json", "object"), (".parquet", "row"), (".arrow", "row"), (".xlsx", "row"),
])  # fmt: skip
def test_texts_that_training_would_not_take_get_no_label_in_any_format(predictor, tmp_path: Path, suffix, unit):
    frame = pd.DataFrame({"n": range(len(TEXTS)), "comment": TEXTS})
    done, target = label(predictor, tmp_path, FORMATS[suffix](frame), f"in{suffix}", f"out{suffix}")
    assert (done.rows, done.unlabelled) == (len(TEXTS), {"missing text": 5})
    read = {
        ".csv": lambda file: pd.read_csv(file, keep_default_na=False),
        ".jsonl": lambda file: pd.DataFrame(map(json.loads, file.read_text(encoding="utf-8").splitlines())),
        ".json": lambda file: pd.DataFrame(json.loads(file.read_text(encoding="utf-8"))),
        ".parquet": pd.read_parquet,
        ".arrow": lambda file: pa.ipc.open_stream(file.read_bytes()).read_pandas(),
        ".xlsx": lambda file: pd.read_excel(file, keep_default_na=False),
    }[suffix]
    found = read(target)
    assert found["n"].tolist() == list(range(len(TEXTS)))
    wanted = [text if place in LABELLED else "" for place, text in enumerate(TEXTS)]
    assert found["label"].fillna("").tolist() == [row[0] for row in expected(predictor, wanted)]
    assert [value not in ("", None) and value == value for value in found["p_odd"].tolist()] == list(map(bool, wanted))
    first = {"line": 1 if suffix == ".jsonl" else 2, "object": 1, "row": 2 if suffix == ".xlsx" else 1}[unit]
    kept = reasons(tmp_path)
    assert [int(row[unit]) - first for row in kept] == [1, 2, 3, 5, 6]
    assert {row["kind"] for row in kept} == {"missing text"}
    assert kept[2]["reason"] == "no text in column 'comment': 'NULL' is one of data.null_values"


def test_the_words_for_a_missing_text_are_those_of_training(predictor, tmp_path: Path):
    content = "comment\nNULL\n-\nnone\n"
    for null_values, labelled in (
        (["-"], [True, False, True]),
        (["none", "-"], [True, False, False]),
        ([], [True] * 3),
    ):
        _, target = label(trained(predictor, null_values=null_values), tmp_path, content)
        assert [bool(row[1]) for row in back(target)[1:]] == labelled
        assert (tmp_path / "out.unlabelled.csv").exists() == (not all(labelled))


def test_every_kind_of_fault_is_written_down_beside_the_rows(predictor, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(text_judge, "MAX_TEXT_CHARACTERS", 40)
    content = (
        b'id,comment,more\n1,"you, are",x\n2,bad\n3,a,b,c\n4,"it "is" so",x\n5,'
        + b"it \xff is,x\n6,\xff,x\n\xff,bad,x\n8,"
        + b"very " * 10
        + b",x\n9,,x\n"
    )
    done, target = label(predictor, tmp_path, content, encoding="utf-8")
    rows = back(target)
    assert [row[0] for row in rows[1:]] == ["1", "2", "3", "4", "5", "6", "\udcff", "8", "9"]
    assert [row[3] in LABELS for row in rows[1:]] == [True, *[False] * 5, True, False, False]
    assert [(row["line"], row["kind"]) for row in reasons(tmp_path)] == [
        ("3", "wrong number of fields"),
        ("4", "wrong number of fields"),
        ("5", "malformed quoting"),
        ("6", "undecodable bytes"),
        ("7", "undecodable bytes"),
        ("9", "too long"),
        ("10", "missing text"),
    ]
    assert done.unlabelled.total() == 7


def test_reasons_appear_with_the_output_and_old_ones_go(predictor, tmp_path: Path, monkeypatch):
    for target, name in (("out.csv", "out"), ("a.b.jsonl", "a.b"), ("zipped.csv.gz", "zipped")):
        label(predictor, tmp_path, "comment\nbad\nNULL\n", target=target)
        assert [row["line"] for row in reasons(tmp_path, f"{name}.unlabelled.csv")] == ["3"]
        label(predictor, tmp_path, "comment\nbad\n", target=target)
        assert not (tmp_path / f"{name}.unlabelled.csv").exists()
    for file in ("out.csv", "out.unlabelled.csv"):
        (tmp_path / file).write_text("from before", encoding="utf-8")
    monkeypatch.setattr(type(predictor), "predict", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        label(predictor, tmp_path, "comment\nNULL\nbad\n")
    for file in ("out.csv", "out.unlabelled.csv"):
        assert (tmp_path / file).read_text(encoding="utf-8") == "from before"
    assert not [path.name for path in tmp_path.iterdir() if "unfinished" in path.name]


def test_reasons_do_not_take_the_place_of_the_input(predictor, tmp_path: Path):
    with pytest.raises(InputError, match=r"out\.unlabelled\.csv, where the rows without a label are listed, is the in"):
        label(predictor, tmp_path, "comment\nbad\n", "out.unlabelled.csv")
    assert (tmp_path / "out.unlabelled.csv").read_text() == "comment\nbad\n"


WARNING = (
    "warning: 2 of 3 rows came back without a label: 2 x missing text, as line 3: no text in column 'comment': "
    "'N/A' is one of data.null_values; each is in out.unlabelled.csv\n"
)


@pytest.mark.parametrize(
    ("rows", "stdout", "stderr"),
    [
        ("bad\n", "1 row labelled: out.csv\n", ""),
        ("bad\nit\n", "2 rows labelled: out.csv\n", ""),
        ("", "0 rows labelled: out.csv\n", ""),
        ("bad\nN/A\nNULL\n", "1 row labelled: out.csv\n", WARNING),
    ],
)
def test_the_command_counts_rows_and_says_where_reasons_are(model, tmp_path, monkeypatch, rows, stdout, stderr):
    monkeypatch.chdir(tmp_path)
    Path("in.csv").write_text(f"comment\n{rows}", encoding="utf-8")
    done = CliRunner().invoke(main, ["predict", "--model", model, "--input", "in.csv", "--output", "out.csv"])
    assert (done.exit_code, done.stdout, done.stderr) == (0, stdout, stderr)


def test_where_no_row_could_be_labelled_the_command_fails_and_the_rows_are_there(model, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("in.parquet").write_bytes(parquet(pd.DataFrame({"comment": ["", None, " "]})))
    done = CliRunner().invoke(main, ["predict", "--model", model, "--input", "in.parquet", "--output", "out.csv"])
    assert done.exit_code == 2
    assert done.stdout == ""
    assert done.stderr == (
        "fullbake: --input: no row of in.parquet could be labelled: 3 x missing text, as row 1: no text in column "
        "'comment'; out.csv was written without labels; each is in out.unlabelled.csv\n"
    )
    assert back(Path("out.csv"))[1:] == [["", "", "", "", ""], ["", "", "", "", ""], [" ", "", "", "", ""]]
