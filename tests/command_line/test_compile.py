import json
from pathlib import Path

import yaml

from tests.command_line.on_cluster import fullbake
from tests.kubeflow.kfp_server import KfpServer


def test_compile_writes_a_package_and_warns_of_secrets_that_it_shows(
    server: KfpServer, cluster_project: Path, tmp_path: Path
):
    package = tmp_path / "pipeline.yaml"
    secrets = ["--set", "kubeflow.env.HUB_TOKEN=hush", "--set", "beam.args=[--kafka_password=hush]"]
    result = fullbake(server, cluster_project, "compile", "--output", str(package), *secrets)
    assert (result.exit_code, result.stdout) == (
        0,
        f"package: {package}\nruns on: Kubeflow Pipelines 2.0.5 and newer\n",
    )
    assert next(yaml.safe_load_all(package.read_text(encoding="utf-8")))["pipelineInfo"]["name"] == "nightly"
    assert [path.name for path in tmp_path.iterdir()] == ["pipeline.yaml"]
    assert server.requests == []
    env, beam = (line for line in result.stderr.splitlines() if line.startswith("warning: "))
    assert env.startswith("warning: kubeflow.env.HUB_TOKEN: everybody who may see the pipeline can read it")
    assert env.endswith("name that in kubeflow.secret_env")
    assert beam.startswith("warning: beam.args: it has a password or the like, and everybody")
    assert "hush" not in result.output


def test_as_json_compile_prints_one_document_and_quietly_nothing_else(
    server: KfpServer, cluster_project: Path, tmp_path: Path
):
    package = tmp_path / "pipeline.yaml"
    result = fullbake(server, cluster_project, "compile", "--output", str(package), "--json", "--quiet")
    assert json.loads(result.stdout) == {"package": str(package), "runs_on": "2.0.5", "because_of": None}
    assert result.stderr == ""
