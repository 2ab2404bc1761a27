"""The package in the newest kfp, its client and its orchestrator, which want an environment without TFX 1.16."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from fullbake.kubeflow.compiler import write_package
from fullbake.pipeline.config.config import Config
from tests.kubeflow.backend import start_warm
from tests.kubeflow.volume import Volume
from tests.warm import WarmProcess

ROOT = Path(__file__).parents[2]
NEWEST = ["kfp==2.17.3", "docker==7.1.0"]

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
    """The Python of an environment with that kfp."""
    folder = tmp_path_factory.mktemp("newest") / "venv"
    uv = ["sh", str(ROOT / "tools/uv.sh")]
    subprocess.run([*uv, "venv", "--quiet", "--python", "3.10", folder], cwd=ROOT, check=True)
    python = folder / "bin/python"
    subprocess.run([*uv, "pip", "install", "--quiet", "--python", python, *NEWEST], cwd=ROOT, check=True)
    return python


def test_the_file_loads_in_the_newest_client(python: Path, cluster_config: Callable[..., Config], tmp_path: Path):
    package = tmp_path / "pipeline.yaml"
    write_package(cluster_config("training.epochs=7"), package)
    done = subprocess.run(
        [python, "-W", "ignore", "-c", LOAD, package], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.split()) == (0, ["7", "/mnt/fullbake"]), done.stderr[-2000:]


def test_its_local_orchestrator_runs_the_package_to_a_pushed_model(
    python: Path, make_volume: Callable[[str], Volume], warm: WarmProcess, tmp_path: Path
):
    volume = make_volume("volume")
    volume.add_span(1)
    package = volume.package()
    (tmp_path / "pipeline.yaml").write_text(yaml.safe_dump_all(package, sort_keys=False, allow_unicode=True))
    start, script = start_warm(warm), ROOT / "tests/kubeflow/run_locally.py"
    codes = {}
    with (
        open(tmp_path / "log", "w+", encoding="utf-8") as log,
        subprocess.Popen(
            [python, "-W", "ignore", script, "pipeline.yaml", tmp_path / "artifacts", json.dumps({"epochs": 1})],
            cwd=tmp_path,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as orchestrator,
    ):
        assert orchestrator.stdin
        assert orchestrator.stdout
        for line in orchestrator.stdout:
            command = json.loads(line)
            code, told = start(command, {})
            codes[command[command.index("--component") + 1]] = code
            assert code == 0, told[-3000:]
            print(code, file=orchestrator.stdin, flush=True)
        assert orchestrator.wait() == 0
        log.seek(0)
        ended = log.read()
    assert codes == dict.fromkeys(package[0]["root"]["dag"]["tasks"], 0), ended[-3000:]
    assert len(volume.versions) == 1
    (page,) = (tmp_path / "artifacts").rglob("report_page")
    assert page.read_text().startswith("<!doctype html>")
    (summary,) = (tmp_path / "artifacts").rglob("report_summary")
    assert summary.read_text().startswith("## planted: Blessed: every bound met\n")
