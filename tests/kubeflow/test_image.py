"""The image and the manifests cannot be built and applied here; what can be known of them without is looked at."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from kubeflow.compiler import ENTRYPOINT

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "kubeflow/Dockerfile"
MANIFESTS = sorted((ROOT / "kubeflow/manifests").glob("*.yaml"))
TOOLS = Path(sys.executable).parent


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions, continued lines joined."""
    text = DOCKERFILE.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ").splitlines()
    return [(line.split()[0], " ".join(line.split()[1:])) for line in joined if line.strip()]


def test_the_dockerfile_passes_the_linter():
    done = subprocess.run(
        [TOOLS / "hadolint", "--failure-threshold", "style", DOCKERFILE], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_the_image_runs_the_packages_command_as_a_user_without_rights():
    found = dict(instructions())
    assert found["USER"] == "1000"
    assert yaml.safe_load(found["ENTRYPOINT"]) == list(ENTRYPOINT)


def test_there_is_an_image_for_cpu_and_one_for_gpu():
    stages = {rest.split(" AS ")[1]: rest.split(" AS ")[0] for name, rest in instructions() if name == "FROM"}
    assert (stages["cpu"], stages["gpu"]) == ("runtime", "runtime")


def test_every_package_of_the_project_is_in_the_image():
    copied = {rest.split()[0] for name, rest in instructions() if name == "COPY"}
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (packages,) = [line for line in pyproject.splitlines() if line.startswith("packages = [") and "trainer" in line][:1]
    names = yaml.safe_load(packages.removeprefix("packages = "))
    assert set(names) <= copied
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {f"!{name}" for name in names} <= set(ignored)


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda path: path.stem)
def test_a_manifest_is_what_kubernetes_expects(manifest: Path):
    done = subprocess.run(
        [TOOLS / "kubernetes-validate", "--strict", manifest], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_linter_of_manifests_sees_a_field_that_is_not_one(tmp_path: Path):
    (volume,) = [path for path in MANIFESTS if path.stem == "volume"]
    spoiled = tmp_path / "volume.yaml"
    spoiled.write_text(volume.read_text(encoding="utf-8").replace("accessModes", "accessMode"), encoding="utf-8")
    done = subprocess.run(
        [TOOLS / "kubernetes-validate", "--strict", spoiled], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
