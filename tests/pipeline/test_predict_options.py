"""`predict` on files: `--json`, `--quiet`, `--on-bad-row`, `--output -`, progress."""

import io
import json
import re
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from fullbake.command_line import labelling_progress
from fullbake.command_line.labelling_progress import LabellingProgress
from fullbake.command_line.main import main
from fullbake.pipeline.prediction import label_file as labelling
from tests.components.data_formats import FORMATS
from tests.pipeline.trained_reading import back, expected, label

ROWS = ["you are", "", "bad idiot"]


@pytest.fixture
def predict(model: str, tmp_path: Path):
    """Labels a file of three rows, of which the second has no text."""
    source = tmp_path / "in.csv"
    source.write_text("id,comment\n" + "".join(f"{n},{text}\n" for n, text in enumerate(ROWS)), encoding="utf-8")

    def run(*arguments: object, target: object = tmp_path / "out.csv"):
        files = ["--input", str(source), "--output", str(target)]
        return CliRunner().invoke(
            main, ["predict", "--model", model, *files, *map(str, arguments)], catch_exceptions=False
        )

    return run


def test_with_json_stdout_says_how_many_rows_went_where(predict, tmp_path: Path):
    done = predict("--json")
    assert json.loads(done.stdout) == {
        "rows": 3, "labelled": 2, "unlabelled": 1, "output": str(tmp_path / "out.csv")
    }  # fmt: skip
    assert "warning: 1 of 3 rows came back without a label" in done.stderr


def test_on_bad_row_fail_ends_at_the_first_one_and_writes_nothing(predict, tmp_path: Path):
    done = predict("--on-bad-row", "fail")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "fullbake: --input: line 3 cannot be labelled: no text in column 'comment'" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]
    assert predict("--on-bad-row", "quarantine").exit_code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.csv", "out.unlabelled.csv"]


def test_the_rows_can_go_to_stdout(predict, tmp_path: Path):
    predict()
    done = predict(target="-")
    assert done.stdout == (tmp_path / "out.csv").read_text(encoding="utf-8")
    assert "2 rows labelled: -" in done.stderr
    assert not (tmp_path / "-").exists()


def test_in_a_pipe_progress_is_a_line_now_and_then_and_none_with_quiet(predict, monkeypatch):
    monkeypatch.setattr(labelling_progress, "SECONDS_BETWEEN_LINES", 0.0)
    monkeypatch.setattr(labelling, "BATCH_ROWS", 1)
    lines = predict().stderr.splitlines()
    assert [line.partition(",")[0] for line in lines if re.match(r"\d+ rows", line)] == ["1 rows", "2 rows", "3 rows"]
    quiet = predict("--quiet")
    assert quiet.stdout == predict().stdout
    assert [line.partition(":")[0] for line in quiet.stderr.splitlines()] == ["warning"]


def test_the_time_left_comes_of_the_part_that_is_done(monkeypatch, capsys):
    monkeypatch.setattr(labelling_progress, "SECONDS_BETWEEN_LINES", 0.0)
    clock = iter([0.0, 0.0, 60.0, 120.0, 7200.0, 7300.0])
    monkeypatch.setattr(labelling_progress.time, "monotonic", lambda: next(clock))
    with LabellingProgress(quiet=False) as progress:
        progress._started = 0.0
        for rows, part in ((2048, 0.5), (4096, 0.25), (6000, 0.5), (8000, 1.0)):
            next(clock) if rows == 2048 else None
            progress.advance(rows, part)
    assert capsys.readouterr().err.splitlines() == [
        "2,048 rows, 50%, about 60 s left",
        "4,096 rows, 25%, about 6 min left",
        "6,000 rows, 50%, about 2 h 00 min left",
        "8,000 rows",
    ]


class Parts:
    """Keeps what is told."""

    def __init__(self):
        self.told = []

    def loading(self):
        return labelling.NoProgress().loading()

    def advance(self, rows: int, part: float) -> None:
        self.told.append((rows, part))


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".json", ".parquet", ".arrow", ".xlsx", ".csv.gz"])
def test_progress_ends_with_all_rows_and_the_whole_file(predictor, tmp_path: Path, monkeypatch, suffix: str):
    monkeypatch.setattr(labelling, "BATCH_ROWS", 100)
    frame = pd.DataFrame({"comment": [f"you are {number}" for number in range(250)]})
    if suffix == ".csv.gz":
        stream = io.BytesIO()
        frame.to_csv(stream, index=False, compression="gzip")
        content = stream.getvalue()
    else:
        content = FORMATS[suffix](frame)
    parts = Parts()
    label(predictor, tmp_path, content, f"in{suffix}", "out.csv", progress=parts)
    assert [rows for rows, _ in parts.told] == [100, 200, 250]
    measured = [part for _, part in parts.told]
    assert measured == sorted(measured)
    assert measured[0] > 0
    assert measured[-1] == pytest.approx(1, abs=0.01)  # nobody reads the mark at the end of a stream of Arrow


# All that `init` finds out of a file is found out of one to label, with a model of commas and UTF-8.
@pytest.mark.parametrize("delimiter", ["\t", ";", "|", ","])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1", "cp1252"])
def test_delimiter_and_encoding_are_found_out(predictor, tmp_path: Path, delimiter: str, encoding: str):
    texts = ["schöne Lampe für später", "you are a bad idiot", "ça va, très bien"]
    rows = [["id", "comment"], *([str(number), text] for number, text in enumerate(texts))]
    quoted = ("\n".join(delimiter.join(f'"{field}"' for field in row) for row in rows) + "\n").encode(encoding)
    _, target = label(predictor, tmp_path, quoted)
    wanted = expected(predictor, texts)
    assert back(target, delimiter)[1:] == [[*row, *added] for row, added in zip(rows[1:], wanted, strict=True)]
