"""The image and the manifests cannot be built and applied here; what can be known of them without is looked at."""

import itertools
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "kubeflow/Dockerfile"
# KServe has a schema of its own: test_inference_service.py.
MANIFESTS = sorted(
    set((ROOT / "kubeflow/manifests").glob("*.yaml")) - {ROOT / "kubeflow/manifests/inference-service.yaml"}
)
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


def test_there_is_an_image_for_cpu_which_is_the_default_and_one_for_gpu():
    stages = {rest.split(" AS ")[1]: rest.split(" AS ")[0] for name, rest in instructions() if name == "FROM"}
    assert (stages["cpu"], stages["gpu"]) == ("runtime", "runtime")
    assert list(stages)[-1] == "cpu"


def test_every_package_of_the_project_is_in_the_image():
    copied = {rest.split()[0] for name, rest in instructions() if name == "COPY"}
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (packages,) = [line for line in pyproject.splitlines() if line.startswith("packages = [") and "trainer" in line][:1]
    names = yaml.safe_load(packages.removeprefix("packages = "))
    assert set(names) <= copied
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
