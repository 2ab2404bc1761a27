"""`fullbake lineage` and `fullbake tensorboard` on the metadata store of real runs, one after the other."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from fullbake.contract.results.push import Push, PushedMetrics
from tests.pipeline.conftest import command_line
from tests.pipeline.planted import LABELS, planted_rows, write_config, write_csv

FULLBAKE = Path(sys.executable).with_name("fullbake")
MAKERS = ["ConfigSchema", "CsvExampleGen", "Transform", "Trainer", "Evaluator", "ServableCheck", "Pusher"]


class Runs(NamedTuple):
    """The output root, what `lineage --json` said after each step, and the summaries of the runs."""

    root: Path
    after: dict[str, dict[str, Any]]
    summaries: dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def runs(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """A run, the same again from the cache, another model, and back to the first."""
    folder = tmp_path_factory.mktemp("lineage")
    root = folder / "out"
    write_csv(folder / "data/train.csv", ["id", "text", "label"], planted_rows()[:90])
    config = write_config(
        folder,
        str(base),
        data={"label_map": {0: "kind", 1: "rude", 2: "plain"}},
        model={"approach": "frozen"},
        training={"epochs": 1, "learning_rate": None},
        # Of two random encoders either may be the better one.
        gate={"allow_no_bounds": True, "allow_never_predicted": LABELS, "max_recall_drop": None},
    )
    after, summaries = {}, {}
    with pytest.MonkeyPatch.context() as patch:
        fullbake = command_line(patch)
        for step, options in (("first", []), ("cached", []), ("second", ["--set", "training.seed=7"])):
            done = fullbake("run", config, "--root", root, "--summary", folder / "summary.json", *options)
            assert done.exit_code == 0, done.output
            summaries[step] = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
            after[step] = json.loads(fullbake("lineage", root, "--json").stdout)
        assert fullbake("rollback", root).exit_code == 0
        after["back"] = json.loads(fullbake("lineage", root, "--json").stdout)
    return Runs(root, after, summaries)


def test_a_model_is_traced_to_its_data_config_base_and_executions(runs: Runs):
    found, summary = runs.after["first"], runs.summaries["first"]
    assert found["model"] == summary["model"]
    assert found["run"] == Path(summary["report"]).parent.name
    assert found["input_base"] == str(runs.root.parent / "data")
    assert "num_files:1" in found["data"]
    assert sum(found["examples"].values()) == 90
    assert (found["rejected"], found["approach"], found["note"]) == (0, "frozen", None)
    assert found["config"].startswith("name: planted\n")
    assert [step["component"] for step in found["steps"]] == MAKERS
    assert {step["run"] for step in found["steps"]} == {found["run"]}
    for step in found["steps"]:
        assert list((runs.root / "pipeline" / step["component"]).glob(f"*/{step['execution']}")), step


def test_a_run_from_the_cache_is_named_and_changes_nothing_else(runs: Runs):
    again = Path(runs.summaries["cached"]["report"]).parent.name
    assert runs.after["first"]["again"] == []
    assert runs.after["cached"] == {**runs.after["first"], "again": [again]}


def test_what_the_cache_spared_is_of_the_earlier_run(runs: Runs):
    first, second = runs.after["first"], runs.after["second"]
    of = {step["component"]: step["run"] for step in second["steps"]}
    assert (of["CsvExampleGen"], of["Trainer"]) == (first["run"], second["run"])
    assert second["version"] != first["version"]


def test_the_copy_of_a_rollback_has_the_lineage_of_its_original(runs: Runs):
    first, back = runs.after["cached"], runs.after["back"]
    assert back["copy_of"] == first["version"]
    assert (back["steps"], back["data"], back["run"]) == (first["steps"], first["data"], first["run"])


def test_a_model_without_its_root_says_what_its_files_know(runs: Runs, tmp_path: Path, fullbake):
    version = runs.after["first"]["version"]
    shutil.copytree(runs.root / "serving" / version, tmp_path / "elsewhere" / version)
    found = json.loads(fullbake("lineage", tmp_path / "elsewhere" / version, "--json").stdout)
    assert found["note"].startswith(f"there is no metadata.sqlite in {tmp_path}, so this is what the files beside")
    assert (found["data"], found["recipe"]) == (runs.after["first"]["data"], runs.after["first"]["recipe"])
    assert (found["steps"], found["config"]) == ([], None)
    named = fullbake("lineage", tmp_path / "elsewhere" / version, "--json", "--root", runs.root)
    assert json.loads(named.stdout)["steps"] == runs.after["first"]["steps"]


def test_an_accuracy_of_no_rows_is_unknown(tmp_path: Path, fullbake):
    (tmp_path / "1/assets.extra").mkdir(parents=True)
    (tmp_path / "1/saved_model.pb").touch()
    push = Push(metrics=PushedMetrics(examples=0, accuracy=float("nan")))
    (tmp_path / "1" / Push.FILE).write_text(push.to_json(), encoding="utf-8")
    assert json.loads(fullbake("lineage", tmp_path / "1", "--json").stdout)["accuracy"] is None


def test_the_tree_has_it_all_for_people(runs: Runs, fullbake):
    printed = fullbake("lineage", runs.root / "serving" / runs.after["first"]["version"]).stdout
    for words in (" train, ", "fingerprint split:", "Trainer, execution ", "name: planted", "found in the cache by"):
        assert words in printed


def test_tensorboard_serves_the_curves_of_the_newest_run(runs: Runs):
    server = subprocess.Popen(
        [FULLBAKE, "tensorboard", runs.root, "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert server.stdout is not None
    try:
        line = server.stdout.readline()
        url = re.search(r"http://\S+", line)
        assert url, line
        tags: dict[str, Any] = {}
        for _ in range(60):
            with urllib.request.urlopen(f"{url[0]}data/plugin/scalars/tags", timeout=30) as answer:  # noqa: S310
                tags = json.load(answer)
            if len(tags) == 2:
                break
            time.sleep(0.5)
        assert sorted(tags) == ["Trainer/train", "Trainer/validation"]
        assert "epoch_loss" in tags["Trainer/train"]
    finally:
        server.send_signal(signal.SIGINT)
        assert server.wait(timeout=30) == 130
        server.stdout.close()


def test_tensorboard_says_where_nothing_was_trained(tmp_path: Path, fullbake):
    done = fullbake("tensorboard", tmp_path)
    assert done.exit_code == 2
    assert "is no output root (it has no metadata.sqlite)" in done.stderr
