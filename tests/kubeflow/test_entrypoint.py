"""What the emulation cannot show: engines that work on a bucket itself, steps tried again, and changed bases."""

import json
import logging
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from tfx.types import standard_artifacts

from fullbake.contract.errors import InputError
from fullbake.contract.names import PUSH_FILE
from fullbake.kubeflow import entrypoint, verdict
from fullbake.kubeflow.carried_config import carried_config
from fullbake.kubeflow.cluster_places import PRODUCTION, cluster_places
from fullbake.kubeflow.compiler import ENTRYPOINT
from fullbake.kubeflow.notice import ADDRESS_VARIABLE
from fullbake.kubeflow.parameters import CONFIG_PARAMETER
from fullbake.kubeflow.step import RefusedError, check_same_base, place_of_artifacts, run_component
from fullbake.pipeline.config.config import Config
from fullbake.pipeline.config.loading import load_config
from fullbake.pipeline.graph import create_components, recipe
from fullbake.trainer.encoder.base_model import hash_base
from tests.components.placed_models import place
from tests.kubeflow.backend import start_warm
from tests.kubeflow.webhook import webhook
from tests.pipeline.planted import LABELS, planted_rows, write_config, write_csv
from tests.warm import WarmProcess

URI = "gs://bucket/v2/artifacts/x"
FLINK = ["beam.args=[--runner=FlinkRunner]", "kubeflow.pipeline_root=gs://bucket"]


@pytest.mark.parametrize(
    ("component", "overrides", "place"),
    [
        ("Transform", [], "/gcs/bucket/v2/artifacts/x"),
        ("Transform", ["beam.args=[--direct_running_mode=multi_processing]"], "/gcs/bucket/v2/artifacts/x"),
        ("Transform", FLINK, URI),
        ("CsvExampleGen", FLINK, URI),
        ("Evaluator", FLINK, URI),
        ("Trainer", FLINK, "/gcs/bucket/v2/artifacts/x"),
        ("Pusher", FLINK, "/gcs/bucket/v2/artifacts/x"),
    ],
)
def test_what_workers_elsewhere_have_to_see_is_not_in_a_folder_of_the_container(
    cluster_config, component: str, overrides: list[str], place: str
):
    config = cluster_config(*overrides)
    components = create_components(config, cluster_places(config), PRODUCTION)
    (node,) = [node for node in components if node.id == component]
    assert place_of_artifacts(node, config)(URI) == place


def example_gen_step(config: Config, folder: Path) -> dict[str, Any]:
    """What the launcher asks of ExampleGen's step."""
    examples = {"uri": str(folder / "examples"), "metadata": {}}
    return {
        "inputs": {"parameterValues": {CONFIG_PARAMETER: carried_config(config)}},
        "outputs": {"artifacts": {"examples": {"artifacts": [examples]}}, "outputFile": str(folder / "output.json")},
    }


def test_nothing_is_new_only_where_production_was_made_of_the_same_base_and_data(base: Path, tmp_path: Path):
    shutil.copytree(base, tmp_path / "base")
    write_csv(tmp_path / "data/rows.csv", ["id", "text", "label"], planted_rows()[:90])
    file = write_config(
        tmp_path,
        str(tmp_path / "base"),
        data={"label_map": {0: "kind", 1: "rude", 2: "plain"}},
        push={"serving_dir": str(tmp_path / "serving")},
        kubeflow={"image": "fullbake:test", "volume": {"claim": "any", "mount_path": str(tmp_path)}},
    )
    config = load_config(file)
    step = example_gen_step(config, tmp_path)
    assert run_component("CsvExampleGen", step) is None
    (written,) = json.loads((tmp_path / "output.json").read_text())["artifacts"]["examples"]["artifacts"]
    push = Path(place(tmp_path / "serving", 1, labels=LABELS), PUSH_FILE)
    made = {"recipe": recipe(config, hash_base(base)), "data": written["metadata"]["input_fingerprint"]}
    push.write_text(json.dumps(made))
    assert run_component("CsvExampleGen", step) == (
        f"{tmp_path}/serving/1, the model in production, was made of the same files in the same way"
    )
    # Shards of a failed attempt must not stay among those of the next.
    shards = sorted((tmp_path / "examples").rglob("*.gz"))
    stale = shards[0].with_name("data_tfrecord-99999-00000.gz")
    shutil.copy(shards[0], stale)
    weights = tmp_path / "base/model.safetensors"
    content, before = bytearray(weights.read_bytes()), weights.stat()
    content[-1] ^= 1
    weights.write_bytes(content)
    os.utime(weights, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert run_component("CsvExampleGen", step) is None
    assert sorted((tmp_path / "examples").rglob("*.gz")) == shards


def test_a_crash_is_told_with_its_reason_and_its_trace_is_in_the_log(cluster_config, warm: WarmProcess):
    request = {
        "inputs": {"parameterValues": {CONFIG_PARAMETER: carried_config(cluster_config())}},
        "outputs": {"outputFile": "/nowhere"},
    }
    with webhook() as hook:
        command = [*ENTRYPOINT, "--component", "StatisticsGen", "--executor-input", json.dumps(request)]
        code, log = start_warm(warm)(command, {"PATH": os.environ["PATH"], ADDRESS_VARIABLE: hook.address})
    assert code == 1
    assert "StatisticsGen: failed\nTraceback" in log
    (notice,) = hook.posts
    assert (notice["step"], notice["verdict"], notice["run"]) == ("StatisticsGen", "failed", None)
    assert notice["reason"] == log.rstrip().splitlines()[-2]  # the exception's own line; the last tells of the notice


def test_steps_that_opened_another_base_stop_the_pipeline():
    seen, made = standard_artifacts.TransformGraph(), standard_artifacts.Model()
    check_same_base({"transform_graph": [seen]}, {"model": [made]}, "1")
    assert made.get_string_custom_property("base_hash") == "1"
    with pytest.raises(InputError, match=r"^model\.base: its files changed after this pipeline began"):
        check_same_base({"model": [made]}, {}, "2")


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (InputError("data.labels: 'x' is no label"), 2, "Pusher: stopped: data.labels: 'x' is no label"),
        (RefusedError("recall " * 999, ["recall"]), 3, "Pusher: refused, the model was not pushed: recall recall"),
    ],
)
def test_the_reason_of_a_step_that_stops_is_its_termination_message_and_is_found_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, code: int, words: str
):
    def stop(name: str, executor_input: dict[str, Any]) -> None:
        logging.getLogger("absl").error("an error that a library gets over")
        raise error

    def leave(code: int) -> None:
        raise SystemExit(code)

    file = tmp_path / "termination-log"
    for module in (entrypoint, verdict):
        monkeypatch.setattr(module, "TERMINATION_LOG", file)
    monkeypatch.setattr(entrypoint, "run_component", stop)
    monkeypatch.setattr(entrypoint, "leave", leave)  # it ends the process
    monkeypatch.setattr(logging.root, "handlers", [])  # those of the tests are back afterwards
    for exists in (False, True):
        if exists:
            file.touch()  # as Kubernetes does, in each container
        with pytest.raises(SystemExit) as end:
            entrypoint.main.callback("Pusher", "{}")
        assert (end.value.code, file.exists()) == (code, exists)
    message = file.read_text(encoding="utf-8")
    assert len(message) <= 4096
    found = verdict.find_verdict(f"Error (exit code 1): {message}")
    assert found
    assert found.code == code
    assert found.line.startswith(words)
