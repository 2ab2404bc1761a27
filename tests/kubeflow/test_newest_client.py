"""The package in the newest client of Kubeflow, which cannot be in the same environment as TFX 1.16."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from kubeflow.compiler import write_package
from pipeline.config import Config

ROOT = Path(__file__).parents[2]
NEWEST = "kfp==2.17.3"

LOAD = """
import sys
from google.protobuf import json_format
from kfp.components import load_component_from_file
loaded = load_component_from_file(sys.argv[1])
platform = json_format.MessageToDict(loaded.platform_spec)["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
print(loaded.component_spec.inputs["epochs"].default, platform["exec-Trainer"]["pvcMount"][0]["mountPath"])
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with that client."""
    folder = tmp_path_factory.mktemp("newest") / "venv"
    uv = ["sh", str(ROOT / "tools/uv.sh")]
    subprocess.run([*uv, "venv", "--quiet", "--python", "3.10", folder], cwd=ROOT, check=True)
    python = folder / "bin/python"
    subprocess.run([*uv, "pip", "install", "--quiet", "--python", python, NEWEST], cwd=ROOT, check=True)
    return python


def test_the_file_loads_in_the_newest_client(python: Path, cluster_config: Callable[..., Config], tmp_path: Path):
    package = tmp_path / "pipeline.yaml"
    write_package(cluster_config("training.epochs=7"), package)
    done = subprocess.run(
        [python, "-W", "ignore", "-c", LOAD, package], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.split()) == (0, ["7", "/mnt/fullbake"]), done.stderr[-2000:]
