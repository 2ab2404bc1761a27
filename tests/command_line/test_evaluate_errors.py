"""What is wrong with the arguments of `evaluate` is said in a line, before anything heavy is imported."""

import json
from pathlib import Path

import pytest

from fullbake.contract.names import ABOUT_FILE
from fullbake.contract.results.about import About, Labelling, Reading
from tests.commands import Answer, answers

MULTI = Reading(labelling=Labelling(label_columns=("a", "b")))
M = ("--model", "model")
CASES: dict[str, tuple[list[str], str]] = {
    "no model": (["good.csv"], "Missing option '--model'"),
    "no such model": (
        ["good.csv", "--model", "nothing"],
        "--model: there is no pushed model in nothing; name a version",
    ),
    "three models": (["good.csv", *M, *M, *M], "--model: 3 are given; give the model to judge, or it and one to"),
    "other labels": (
        ["good.csv", *M, "--model", "other"],
        "model and other have other labels (b; c), so they cannot be",
    ),
    "no file": (["missing.csv", *M], "FILE: there is no file missing.csv"),
    "a folder": (["model", *M], "FILE: model is a folder; name one of its files"),
    "an empty file": (["empty.csv", *M], "FILE: empty.csv is empty; give it a header"),
    "no rows": (["header.csv", *M], "FILE: header.csv has a header but no rows"),
    "no text column": (["odd.csv", *M], "--text: 'comment' is not a column of odd.csv (it has: words, label)"),
    "no such column": (["good.csv", *M, "--text", "txt"], "--text: 'txt' is not a column of good.csv"),
    "no label column": (["good.csv", *M, "--label", "class"], "--label: 'class' is not a column of good.csv"),
    "a second text": (["good.csv", *M, "--text-pair", "label"], "--text-pair: this model reads single texts"),
    "no slice column": (["good.csv", *M, "--slice", "channel"], "--slice: 'channel' is not a column of good.csv"),
    "another format": (["picture.csv", *M], "FILE: picture.csv is a picture, not CSV; take it away"),
    "not Parquet": (["good.parquet", *M], "FILE: good.parquet"),
    "no bound": (["good.csv", *M, "--min-recall", "b"], "--min-recall: 'b' is not LABEL=X; write it such as toxic=0.8"),
    "a wide bound": (["good.csv", *M, "--min-recall", "b=80"], "--min-recall: 80 for 'b' is not between 0 and 1"),
    "no such label": (
        ["good.csv", *M, "--min-precision", "x=0.5"],
        "--min-precision: 'x' is not a label of the model (a,",
    ),
    "confidence": (["good.csv", *M, "--confidence", "95"], "--confidence: 95 is not between 0 and 1, such as 0.95"),
    "sure of all": (["good.csv", *M, "--confidence", "0.9", "--min-recall", "a=1"], "--confidence: no number of rows"),
    "set alone": (["good.csv", *M, "--set", "gate.confidence=0.9"], "--set: it changes a key of a config; name the"),
    "slices and none": (["good.csv", *M, "--slice", "x", "--no-slices"], "--slice: --no-slices is given, too"),
    "a full folder": (
        ["good.csv", *M, "--output", "model"],
        "--output: model is there already, and is not overwritten",
    ),
    "an encoding": (["good.csv", *M, "--encoding", "rot13"], "--encoding: 'rot13' is not a text encoding"),
    "columns of labels": (["good.csv", "--model", "multi", "--label", "a"], "in columns of their own (a, b)"),
    "an older model": (
        ["good.csv", "--model", "older"],
        "--config: this model gives a text several labels and does not",
    ),
    "another config": (
        ["good.csv", *M, "--config", "config.yaml"],
        "--config: data.labels (a, z) are not those of the",
    ),
}


def make_model(folder: Path, **about) -> None:
    """Writes what is looked at before a model is opened."""
    for name in ("saved_model.pb", "variables/variables.index", "variables/variables.data-00000-of-00001"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("not empty")
    (folder / ABOUT_FILE).parent.mkdir()
    values = {"labels": ("a", "b"), "text_features": ("text",), "text_columns": {"text": "comment"}} | about
    (folder / ABOUT_FILE).write_text(About(**values).to_json())


@pytest.fixture(scope="module")
def errors(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Answer]:
    folder = tmp_path_factory.mktemp("evaluate")
    reading = Reading(label_column="label", labelling=Labelling())
    make_model(folder / "model", reading=reading)
    make_model(folder / "other", reading=reading, labels=("a", "c"))
    make_model(folder / "multi", reading=MULTI, task="multi_label")
    make_model(folder / "older", task="multi_label")
    (folder / "good.csv").write_text("comment,label\nfine,a\nbad,b\n")
    (folder / "odd.csv").write_text("words;label\nfine;a\nbad;b\n")
    (folder / "header.csv").write_text("comment,label\n")
    (folder / "empty.csv").write_text("")
    (folder / "picture.csv").write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    (folder / "good.parquet").write_text("comment,label\nfine,a\n")
    (folder / "config.yaml").write_text(
        json.dumps({"name": "x", "data": {"input_base": "data", "text_column": "comment", "labels": ["a", "z"]}})
    )
    given = answers(folder, [["evaluate", *arguments] for arguments, _ in CASES.values()])
    assert not (folder / "evaluations").exists()
    return dict(zip(CASES, given, strict=True))


@pytest.mark.parametrize("case", CASES)
def test_what_is_wrong_is_said_in_a_line_with_code_2(errors: dict[str, Answer], case: str):
    answer = errors[case]
    assert (answer.code, answer.stdout) == (2, "")
    assert CASES[case][1] in answer.stderr
    assert "Traceback" not in answer.stderr


def test_none_of_it_waits_for_tensorflow(errors: dict[str, Answer]):
    assert {name for answer in errors.values() for name in answer.heavy} <= {"numpy", "pyarrow"}
    assert errors["no text column"].heavy == []
