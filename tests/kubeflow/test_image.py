"""The image and the manifests cannot be built and applied here; what can be known of them without is looked at."""

import itertools
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import yaml
from apache_beam.options.pipeline_options import FlinkRunnerOptions, PipelineOptions, SparkRunnerOptions
from apache_beam.portability import common_urns
from apache_beam.runners.portability.flink_runner import FlinkRunner
from apache_beam.runners.portability.spark_runner import SparkRunner

from fullbake.pipeline.beam_engine import beam_engine
from fullbake.pipeline.config.beam_config import BeamConfig

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "kubeflow/Dockerfile"
# KServe has a schema of its own: test_inference_service.py.
MANIFESTS = sorted(
    set((ROOT / "kubeflow/manifests").glob("*.yaml")) - {ROOT / "kubeflow/manifests/inference-service.yaml"}
)
JOB_SERVERS = ROOT / "kubeflow/job-servers"
MAVEN = {"m": "http://maven.apache.org/POM/4.0.0"}
VALIDATOR = "kubernetes-validate@1.37.0"
TOOLS = Path(sys.executable).parent


def instructions(stage: str | None = None) -> list[tuple[str, str]]:
    """The instructions of a stage of the Dockerfile, or of all of it, continued lines joined."""
    text = DOCKERFILE.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ").splitlines()
    found = [(line.split()[0], " ".join(line.split()[1:])) for line in joined if line.strip()]
    if stage is None:
        return found
    starts = [number for number, (name, _) in enumerate(found) if name == "FROM"] + [len(found)]
    (of_stage,) = [
        found[start:end] for start, end in itertools.pairwise(starts) if found[start][1].endswith(f" AS {stage}")
    ]
    return of_stage


def test_the_dockerfile_passes_the_linter():
    done = subprocess.run(
        [TOOLS / "hadolint", "--failure-threshold", "style", DOCKERFILE], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_the_image_runs_as_a_user_without_rights_and_leaves_the_command_to_the_package():
    found = dict(instructions("runtime"))
    assert found["USER"] == "1000"
    # Docker, and with it kfp.local's DockerRunner, would hand the package's command to an entrypoint as its arguments.
    assert not {"ENTRYPOINT", "CMD"} & {*found, *dict(instructions("cpu")), *dict(instructions("gpu"))}


def test_an_engines_workers_have_the_locked_beam():
    (beam,) = [rest for _, rest in instructions("beam-worker") if "--from=apache/beam" in rest]
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    (locked,) = re.findall(r"^apache-beam==(\S+) ; python_full_version < '3\.11'", lock, re.MULTILINE)
    assert beam.startswith(f"--from=apache/beam_python3.10_sdk:{locked} ")


def test_an_engines_workers_start_in_their_images_own_environment():
    stage = instructions("beam-worker")
    # Beam 2.61's boot.go makes an environment per worker unless told so, and asks `python -m pip` for apache-beam.
    assert ("ENV", "RUN_PYTHON_SDK_IN_DEFAULT_ENVIRONMENT=1") in stage
    (environment,) = [rest for _, rest in stage if rest.endswith("/opt/fullbake /opt/fullbake")]
    assert environment.startswith("--from=build-beam-worker ")


def test_uvs_environment_has_a_pip_once_the_images_command_has_run(tmp_path: Path):
    ((_, command),) = instructions("build-beam-worker")[1:]
    venv = tmp_path / "venv"
    subprocess.run(["sh", "tools/uv.sh", "venv", "--quiet", "--python", sys.executable, venv], cwd=ROOT, check=True)
    pip = [venv / "bin/python", "-m", "pip", "--version"]
    assert subprocess.run(pip, capture_output=True, check=False).returncode != 0
    subprocess.run(command.replace("/opt/fullbake", str(venv)).split(), capture_output=True, check=True)
    assert str(venv) in subprocess.run(pip, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("engine", ["flink", "spark"])
def test_the_jars_that_the_image_takes_are_those_that_a_job_server_is_made_of(engine: str):
    project = ElementTree.parse(JOB_SERVERS / f"{engine}.xml")  # noqa: S314 (a file of ours)
    named = [[part.text for part in one][1:3] for one in project.findall("./m:dependencies/m:dependency", MAVEN)]
    locked = (JOB_SERVERS / f"{engine}.sha256").read_text(encoding="utf-8").splitlines()
    assert all(re.fullmatch(r"[0-9a-f]{64}  lib/[\w.-]+\.jar", line) for line in locked)
    jars = [line.split("lib/")[1] for line in locked]
    assert jars == sorted(jars)
    assert named
    assert {f"{artifact}-{version}.jar" for artifact, version in named} <= set(jars)


def documented_arguments(runner: str) -> list[str]:
    """The guide's `beam.args` for this runner."""
    guide = (ROOT / "docs/kubeflow.md").read_text(encoding="utf-8")
    (block,) = [
        block for block in re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL) if f"- --runner={runner}\n" in block
    ]
    return list(BeamConfig.model_validate(yaml.safe_load(block)["beam"]).args)


@pytest.mark.parametrize("runner", [FlinkRunner(), SparkRunner()], ids=lambda runner: type(runner).__name__)
def test_the_documented_arguments_find_the_images_job_server_and_the_worker_pool(runner):
    arguments = documented_arguments(type(runner).__name__)
    with beam_engine(arguments) as args:
        options = PipelineOptions(args)
    jars = (
        options.view_as(FlinkRunnerOptions).flink_job_server_jar,
        options.view_as(SparkRunnerOptions).spark_job_server_jar,
    )
    assert [jar for jar in jars if jar] == ["/opt/job-server/job-server.jar"]
    assert ("COPY", "--from=job-server /opt/job-server /opt/job-server") in instructions("runtime")
    environment = runner.default_environment(options).to_runner_api(None)
    assert environment.urn == common_urns.environments.EXTERNAL.urn
    assert b"localhost:50000" in environment.payload
    assert args == arguments  # nothing is sent along: the pool's image has the code


def test_there_is_an_image_for_cpu_which_is_the_default_and_one_for_gpu():
    stages = {rest.split(" AS ")[1]: rest.split(" AS ")[0] for name, rest in instructions() if name == "FROM"}
    assert (stages["cpu"], stages["gpu"]) == ("runtime", "runtime")
    assert list(stages)[-1] == "cpu"


def test_every_package_of_the_project_is_in_the_image():
    copied = {rest.split()[0] for name, rest in instructions() if name == "COPY"}
    names = ["fullbake", *(link.name for link in (ROOT / "fullbake").iterdir() if link.is_symlink())]
    assert {"trainer", "command_line"} < set(names) <= copied
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {f"!{name}" for name in names} <= set(ignored)


def validate(manifest: Path) -> subprocess.CompletedProcess[str]:
    # In an environment of its own: where the Kubernetes client finds the validator, it imports it into every process of
    # ours, which takes seconds.
    command = ["sh", "tools/uv.sh", "tool", "run", VALIDATOR, "--strict", manifest]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda path: path.stem)
def test_a_manifest_is_what_kubernetes_expects(manifest: Path):
    done = validate(manifest)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_linter_of_manifests_sees_a_field_that_is_not_one(tmp_path: Path):
    (volume,) = [path for path in MANIFESTS if path.stem == "volume"]
    spoiled = tmp_path / "volume.yaml"
    spoiled.write_text(volume.read_text(encoding="utf-8").replace("accessModes", "accessMode"), encoding="utf-8")
    assert validate(spoiled).returncode == 1
