import json
import re
from pathlib import Path

import pytest

from tests.command_line.on_cluster import check_caching_is_off, fullbake
from tests.kubeflow.kfp_server import KfpServer


def test_submit_runs_the_compiled_pipeline_once(server: KfpServer, cluster_project: Path):
    result = fullbake(server, cluster_project, "submit", "--set", "training.epochs=5")
    assert result.exit_code == 0, result.output
    (run,) = server.runs
    assert result.stdout.splitlines() == [
        "pipeline version: nightly",
        f"run: {server.host}/#/runs/details/{run['run_id']}",
    ]
    (body,) = server.sent("POST", "/runs")
    assert body["runtime_config"]["pipeline_root"] == "minio://bucket/root"
    parameters = body["runtime_config"]["parameters"]
    assert (parameters["epochs"], parameters["learning-rate"]) == (5, 0.0001)
    assert parameters["input-base"] == "/mnt/fullbake/data"
    assert body["service_account"] == "trainer"
    assert [experiment["display_name"] for experiment in server.experiments] == ["nightly"]
    assert {pipeline["namespace"] for pipeline in server.pipelines} == {"ann"}
    check_caching_is_off(server)


def test_as_json_submit_prints_one_document(server: KfpServer, cluster_project: Path):
    result = fullbake(server, cluster_project, "submit", "--json")
    (run,) = server.runs
    assert json.loads(result.stdout) == {
        "pipeline_version": "nightly",
        "run": run["run_id"],
        "url": f"{server.host}/#/runs/details/{run['run_id']}",
    }


@pytest.mark.parametrize("command", [["submit"], ["schedule", "--cron", "0 2 * * *"]])
def test_a_server_too_old_for_the_config_is_told_nothing(server: KfpServer, cluster_project: Path, command: list[str]):
    affinity = "kubeflow.node_affinity=[{match_expressions: [{key: a, operator: Exists}]}]"
    result = fullbake(server, cluster_project, *command, "--set", affinity)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        "fullbake: kubeflow.node_affinity: needs Kubeflow Pipelines 2.14.0 or newer, and the server is 2.5.0; leave it "
        "out, or have the server upgraded\n"
    )
    server.release = "1.8.22"
    result = fullbake(server, cluster_project, *command)
    assert (result.exit_code, result.stdout) == (2, "")
    told = "fullbake: FULLBAKE_KFP_HOST: the server is Kubeflow Pipelines 1.8.22; packages run from 2.0.5 on"
    assert result.stderr.startswith(told)
    assert server.pipelines == []


def test_a_server_that_names_no_release_is_taken_for_new_enough(server: KfpServer, cluster_project: Path):
    server.release = "unknown"
    assert fullbake(server, cluster_project, "submit", "--set", "kubeflow.image_pull_policy=Always").exit_code == 0


def test_retries_that_a_server_does_not_make_are_told(server: KfpServer, cluster_project: Path):
    server.release = "2.0.5"
    result = fullbake(server, cluster_project, "submit", "--set", "kubeflow.retries=1")
    assert result.exit_code == 0
    assert "warning: kubeflow.retries: Kubeflow Pipelines 2.0.5 does not try a step again, which 2.4.1" in result.stderr


def test_pipelines_have_names_that_kubernetes_takes(server: KfpServer, cluster_project: Path):
    """A server that keeps pipelines in Kubernetes (pipeline_store) refuses others."""
    for _ in range(2):
        assert fullbake(server, cluster_project, "submit", "--set", "name=Toxic_v2.1").exit_code == 0
    assert [pipeline["display_name"] for pipeline in server.pipelines] == ["toxic-v2-1"]
    names = [version["display_name"] for version in server.pipeline_versions]
    assert len(names) == 2
    assert all(re.fullmatch("[a-z0-9]([a-z0-9.-]*[a-z0-9])?", name) for name in names)


@pytest.mark.parametrize("arguments", [["submit"], ["schedule", "--cron", "0 2 * * *"], ["schedule", "--list"]])
def test_a_refusal_ends_with_code_2_and_one_line(server: KfpServer, cluster_project: Path, arguments: list[str]):
    for environment, reason, remedy in (
        ({"FULLBAKE_KFP_TOKEN": "wrong"}, "401 Unauthorized", "the token of FULLBAKE_KFP_TOKEN may have expired"),
        (
            {"FULLBAKE_KFP_NAMESPACE": "eve"},
            "403 Forbidden: User 'somebody' is not authorized in namespace 'eve'",
            "the token of FULLBAKE_KFP_TOKEN may not use namespace 'eve' (FULLBAKE_KFP_NAMESPACE); name your own",
        ),
    ):
        result = fullbake(server, cluster_project, *arguments, **environment)
        assert (result.exit_code, result.stdout) == (2, "")
        (line,) = (line for line in result.stderr.splitlines() if not line.startswith("loading "))
        assert line.startswith(f"fullbake: FULLBAKE_KFP_HOST: {server.host} refuses the request ({reason}")
        assert remedy in line
    assert server.runs == server.recurring_runs == server.pipelines == []


def test_a_config_that_cannot_work_on_a_cluster_uploads_nothing(server: KfpServer, cluster_project: Path):
    result = fullbake(server, cluster_project, "submit", "--set", "data.input_base=data")
    assert result.exit_code == 2
    assert "data.input_base: 'data' is not on the volume" in result.stderr
    assert server.pipelines == []
