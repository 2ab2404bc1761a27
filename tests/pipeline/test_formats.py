import json
from pathlib import Path

import pandas as pd
import pytest
import yaml

from fullbake.pipeline.config.loading import load_config
from tests.pipeline.planted import LABELS, ROWS, planted_rows, write_config


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return pd.DataFrame(planted_rows(), columns=["id", "comment", "class"]).astype({"id": int, "class": int})


def write(frame: pd.DataFrame, file: Path) -> Path:
    file.parent.mkdir(exist_ok=True)
    if file.name.endswith(".parquet"):
        frame.to_parquet(file)
    else:
        frame.to_json(file, orient="records", lines=True)
    return file


@pytest.mark.parametrize("name", ["train.jsonl", "train.jsonl.gz", "train.parquet"])
def test_a_first_config_is_made_of_any_format(fullbake, frame, tmp_path: Path, name: str):
    file = write(frame, tmp_path / "data" / name)
    arguments = ["init", file, "--text", "comment", "--label", "class", "--output", tmp_path / "first.yaml"]
    assert fullbake(*arguments).exit_code == 0
    text = (tmp_path / "first.yaml").read_text(encoding="utf-8")
    config = load_config(tmp_path / "first.yaml")
    assert f"{ROWS} usable rows" in text
    assert (config.name, config.data.labels, config.data.pattern) == ("train", ("0", "1", "2"), name)
    assert not {"delimiter", "encoding", "quoting"} & set(yaml.safe_load(text)["data"])
    refused = fullbake("init", file, "--text", "comments", "--label", "class")
    assert refused.exit_code == 2
    assert f"data.text_column: 'comments' is not a column of {name} (it has: id, comment, class)" in refused.stderr


def test_a_bad_row_of_parquet_is_named_by_its_number_in_the_first_config(fullbake, frame, tmp_path: Path):
    frame = frame.copy()
    frame.loc[3, "comment"] = None
    file = write(frame, tmp_path / "data/train.parquet")
    text = fullbake("init", file, "--text", "comment", "--label", "class").stdout
    assert "  # the first is on row 4: no text in column 'comment'\n" in text


def test_from_json_lines_and_parquet_to_labelled_files(fullbake, base: Path, frame, tmp_path: Path):
    write(frame[:100], tmp_path / "data/a.jsonl")
    write(frame[100:160], tmp_path / "data/b.jsonl.gz")
    write(frame[160:200], tmp_path / "data/c.parquet")
    write(frame[200:], tmp_path / "test/d.parquet")
    config = write_config(
        tmp_path,
        str(base),
        data={
            "text_column": "comment",
            "label_column": "class",
            "label_map": dict(enumerate(LABELS)),
            "test_base": str(tmp_path / "test"),
            "split": {"train": 8, "eval": 2},
        },
        training={"epochs": 1},
    )
    done = fullbake("run", config, "--root", tmp_path / "out", "--summary", tmp_path / "summary.json")
    assert done.exit_code == 0, done.output
    examples = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))["examples"]
    # A test text that is in the other folder too is kept out of training.
    assert (examples["test"], sum(examples.values())) == (40, ROWS)

    for name, read in (("new.jsonl", lambda file: pd.read_json(file, lines=True)), ("new.parquet", pd.read_parquet)):
        source, target = write(frame, tmp_path / name), tmp_path / f"labelled-{name}"
        done = fullbake("predict", "--model", tmp_path / "out", "--input", source, "--output", target)
        assert done.exit_code == 0, done.output
        labelled = read(target)
        pd.testing.assert_frame_equal(labelled[frame.columns], read(source))
        assert list(labelled.columns[3:]) == ["label", *(f"p_{label}" for label in LABELS)]
        assert set(labelled["label"]) <= set(LABELS)
        assert labelled[[f"p_{label}" for label in LABELS]].sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-5)


def test_a_wrong_column_of_any_format_is_said_before_tensorflow_is_imported(fullbake, base: Path, frame, tmp_path):
    write(frame, tmp_path / "data/a.parquet")
    config = write_config(tmp_path, str(base), data={"text_column": "comments", "label_column": "class"})
    done = fullbake("run", config)
    assert done.exit_code == 2
    assert "data.text_column: 'comments' is not a column of a.parquet" in done.stderr
