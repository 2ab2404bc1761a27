import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml
from filelock import FileLock

from fullbake.contract.names import ABOUT_FILE
from fullbake.contract.results.about import About
from fullbake.pipeline.config.loading import load_config
from fullbake.pipeline.output_root import ROOT_LOCK
from tests.commands import Answer, answers

FULLBAKE = Path(sys.executable).with_name("fullbake")

ERRORS = {
    "no config file": (["run", "none.yaml"], "none.yaml: there is no such config file; make one with: fullbake init"),
    "not YAML": (["run", "broken.yaml"], "broken.yaml, line 1: not valid YAML"),
    "unknown key": (["run", "config.yaml", "--set", "training.epoch=3"], "did you mean 'epochs'?"),
    "bad value": (["run", "config.yaml", "--set", "training.epochs=0"], "training.epochs: 0 "),
    "bad override": (["run", "config.yaml", "--set", "training"], "write it as key.path=value"),
    "root is a file": (["run", "config.yaml", "--root", "config.yaml"], "--root: config.yaml is a file; name a folder"),
    "root in use": (["run", "config.yaml", "--root", "busy"], "--root: another run is at work in busy; wait until"),
    "root in use to compare": (["compare", "config.yaml", "--root", "busy"], "--root: another run is at work in busy"),
    "root that cannot be": (["run", "config.yaml", "--root", "/proc/x"], "--root: /proc/x cannot be written"),
    "no folder": (["run", "config.yaml", "--set", "data.input_base=none"], "data.input_base: 'none' is not a folder"),
    "no file": (["run", "config.yaml", "--set", 'data.pattern="*.tsv"'], "data.pattern: no file in 'data' matches"),
    "no column": (
        ["run", "config.yaml", "--set", "data.text_column=txt"],
        "data.text_column: 'txt' is not a column of train.csv (it has: text, label); did you mean 'text'?",
    ),
    "no base": (["run", "config.yaml", "--set", "model.base=./none"], "model.base: there is no folder './none'"),
    "no package": (["run", "config.yaml", "--set", "model.base=package:none/x"], "which is not installed"),
    "too long": (["run", "config.yaml", "--set", "model.max_length=65"], "model.max_length: 65 is more than the 64"),
    "no summary folder": (["run", "config.yaml", "--summary", "none/s.json"], "--summary: there is no folder "),
    "no CSV": (["init", "none.csv", "--text", "text", "--label", "label"], "none.csv: the file cannot be read"),
    "no such text": (["init", "data/train.csv", "--text", "txt", "--label", "label"], "did you mean 'text'?"),
    "a folder to init": (["init", "data", "--text", "text", "--label", "label"], "data is a folder; name one of its"),
    "config that is there": (
        ["init", "data/train.csv", "--text", "text", "--label", "label", "--output", "config.yaml"],
        "--output: config.yaml is there already, and is not overwritten; name another file, or remove it",
    ),
    "no config of it": (
        ["init", "data/train.csv", "--text", "txt", "--label", "label", "--output", "new.yaml"],
        "'txt'",
    ),
    "Parquet to init": (
        ["init", "foreign/a.csv", "--text", "text", "--label", "label"],
        "foreign/a.csv is a Parquet file, not CSV; let its name end in .parquet",
    ),
    "Parquet to run": (
        ["run", "config.yaml", "--set", "data.input_base=foreign"],
        "data.input_base: a.csv is a Parquet file, not CSV",
    ),
    "Parquet to predict": (
        ["predict", "--input", "foreign/a.csv", "--output", "new.csv"],
        "--input: foreign/a.csv is a Parquet file, not CSV",
    ),
    "UTF-16 without a mark": (
        ["run", "config.yaml", "--set", "data.encoding=utf-16"],
        "data.input_base: train.csv has no byte-order mark, without which utf-16 does not say how its bytes are",
    ),
    "no encoding of files": (
        ["run", "config.yaml", "--set", "data.encoding=idna"],
        "data.encoding: 'idna' is not a text encoding Python reads files in",
    ),
    "no encoding to predict": (
        ["predict", "--input", "data/train.csv", "--output", "new.csv", "--encoding", "rot13"],
        "--encoding: 'rot13' is not a text encoding Python reads files in",
    ),
    "input as output": (
        ["predict", "--input", "data/train.csv", "--output", "data/../data/train.csv"],
        "--output: data/../data/train.csv is the input; name another file",
    ),
    "nothing to predict": (["predict", "--model", "three"], "predict: there is nothing to label: give texts, "),
    "texts and a file": (
        ["predict", "a", "--input", "a.csv", "--output", "b.csv"],
        "give either texts, or --input and",
    ),
    "input alone": (["predict", "--input", "a.csv"], "--input needs --output FILE, where its rows go (- for stdout)"),
    "output alone": (["predict", "--output", "a.csv"], "give --input too (- for what is piped in)"),
    "texts and output": (["predict", "a", "--output", "a.csv"], "give either texts, or --input and --output, not both"),
    "an option of files": (["predict", "a", "--on-bad-row", "fail"], "--on-bad-row is for files"),
    "JSON among rows": (["predict", "--input", "-", "--output", "-", "--json"], "--json would go where the rows"),
    "no threshold": (["predict", "a", "--threshold", "2"], "--threshold: '2' is no probability above 0 and up to 1"),
    "no input": (["predict", "--input", "a.csv", "--output", "b.csv"], "--input: there is no file a.csv"),
    "no output folder": (
        ["predict", "--input", "data/train.csv", "--output", "none/b.csv"],
        "--output: there is no folder ",
    ),
    "a model that is not there": (["predict", "a", "--model", "none"], "--model: there is no pushed model in none"),
    "a folder without a model": (["predict", "a", "--model", "data"], "--model: there is no pushed model in data"),
    "a model half there": (["predict", "a", "--model", "empty"], "--model: empty/1 has no saved_model.pb"),
    "a file and no model": (
        ["predict", "--input", "data/train.csv", "--output", "new.csv", "--model", "none"],
        "--model: there is no pushed model in none",
    ),
    "a threshold of three labels": (
        ["predict", "a", "--model", "three", "--threshold", "0.3"],
        "and the model has 3, ",
    ),
    "a column that is not there": (
        ["predict", "--input", "three/other.csv", "--output", "new.csv", "--model", "three"],
        "--input: 'comment' is not a column of three/other.csv (it has: body, label)",
    ),
}


@pytest.fixture(scope="module")
def folder(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / "data").mkdir()
    rows = "".join(f"you are number {row},{('good', 'bad')[row % 2]}\n" for row in range(40))
    (folder / "data/train.csv").write_text("text,label\n" + rows, encoding="utf-8")
    (folder / "foreign").mkdir()
    pd.DataFrame({"text": ["a", "b"], "label": ["good", "bad"]}).to_parquet(folder / "foreign/a.csv")
    (folder / "empty/1").mkdir(parents=True)
    # A folder that has all that a model has but for its contents: nothing here may try to open it.
    (folder / "three/1/variables").mkdir(parents=True)
    (folder / "three/1/assets.extra").mkdir()
    for name in ("saved_model.pb", "variables/variables.index", "variables/variables.data-00000-of-00001"):
        (folder / "three/1" / name).write_text("x", encoding="utf-8")
    (folder / "three/other.csv").write_text("body,label\nyou are,good\n", encoding="utf-8")
    about = About(labels=("a", "b", "c"), text_features=("text",), text_columns={"text": "comment"})
    (folder / "three/1" / ABOUT_FILE).write_text(about.to_json(), encoding="utf-8")
    (folder / "broken.yaml").write_text("a: b: c", encoding="utf-8")
    config = {
        "name": "small",
        "data": {"input_base": "data", "labels": ["good", "bad"]},
        "model": {"base": str(base), "max_length": 32},
        "gate": {"min_recall": {"good": 0.5, "bad": 0.5}},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def errors(folder: Path) -> dict[str, Answer]:
    (folder / "busy").mkdir()
    with FileLock(folder / "busy" / ROOT_LOCK):
        return dict(zip(ERRORS, answers(folder, [arguments for arguments, _ in ERRORS.values()]), strict=True))


@pytest.mark.parametrize("case", ERRORS)
def test_an_error_ends_with_code_2_and_one_line(errors: dict[str, Answer], case: str):
    answer = errors[case]
    assert answer.code == 2
    (line,) = answer.stderr.splitlines()
    assert line.startswith("fullbake: ")
    assert ERRORS[case][1] in line
    assert answer.stdout == ""


@pytest.mark.parametrize("case", ERRORS)
def test_an_error_does_not_wait_for_heavy_libraries(errors: dict[str, Answer], case: str):
    assert errors[case].heavy == []


def fullbake(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([FULLBAKE, *arguments], cwd=folder, capture_output=True, text=True, check=False)


def test_the_installed_script_gives_code_line_and_help(folder: Path):
    done = fullbake(folder, "run", "config.yaml", "--set", "training.epochs=none")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("fullbake: --set training.epochs=none: training.epochs: 'none' ")
    assert done.stderr.count("\n") == 1
    done = fullbake(folder, "run", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: fullbake run [OPTIONS] CONFIG")


@pytest.mark.parametrize(
    "arguments", [["run"], ["frobnicate"], ["run", "config.yaml", "--rot", "x"], ["init", "a.csv"]]
)
def test_a_command_that_is_not_one_ends_with_code_2_and_its_usage(folder: Path, arguments: list[str]):
    done = fullbake(folder, *arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("Usage: fullbake")
    assert "Traceback" not in done.stderr


def test_a_refused_run_leaves_nothing_behind(errors: dict[str, Answer], folder: Path):
    assert all(answer.code == 2 for answer in errors.values())
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        ["broken.yaml", "busy", "config.yaml", "data", "empty", "foreign", "three"]
    )
    assert [path.name for path in (folder / "busy").iterdir()] == [ROOT_LOCK]


def test_the_config_that_init_prints_is_one(folder: Path, tmp_path: Path):
    done = fullbake(folder, "init", "data/train.csv", "--text", "text", "--label", "label")
    assert (done.returncode, done.stderr) == (0, "")
    (tmp_path / "made.yaml").write_text(done.stdout, encoding="utf-8")
    config = load_config(tmp_path / "made.yaml")
    assert (config.data.input_base, config.data.pattern, config.name) == ("data", "train.csv", "train")
    assert config.data.labels == ("bad", "good")
    assert config.warnings() == []


def test_init_writes_the_config_where_it_is_told_and_only_once(folder: Path, tmp_path: Path):
    command = ["init", "data/train.csv", "--text", "text", "--label", "label", "--output", str(tmp_path / "made.yaml")]
    written, again = answers(folder, [command, command])
    assert (written.code, written.stderr) == (0, "")
    assert written.stdout == f"{tmp_path}/made.yaml: read it, then: fullbake run {tmp_path}/made.yaml\n"
    assert load_config(tmp_path / "made.yaml").data.labels == ("bad", "good")
    assert again.code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["made.yaml"]


def test_predicting_before_any_push_ends_with_code_2_and_one_line(folder: Path):
    done = fullbake(folder, "predict", "hello")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("fullbake: --model: no model has been pushed below runs/ yet; run the pipeline")
    assert done.stderr.count("\n") == 1
