"""Whole runs with many options at once."""

import csv
import gzip
import html
import json
import shutil
from collections import Counter
from pathlib import Path

import pytest
import tensorflow as tf
import tensorflow_text  # noqa: F401  (the served graph holds its ops)

from fullbake.components.data.dialect import Dialect
from fullbake.components.data.row_format import NULL_VALUES
from fullbake.components.serving.pushed_models import read_about
from tests.pipeline.planted import COMPONENTS as IN_ORDER
from tests.pipeline.planted import LABELS, executions, planted_rows, write_config, write_csv

COMPONENTS = set(IN_ORDER)


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
    about = read_about(model)
    assert about is not None
    assert Dialect.from_dict(about.reading.dialect) == Dialect()
    assert (about.reading.null_values, about.reading.label_column) == (NULL_VALUES, "label")

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
    assert result.output.startswith("fullbake: predict: this model labels pairs of texts; give them as a file")


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
