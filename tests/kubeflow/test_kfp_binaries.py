"""The compiled package in KFP's own code: API server, driver and launcher of several releases.

Skipped without their binaries; ``tests/kubeflow/kfp_binaries.py`` says which.
"""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.kubeflow.kfp_binaries import BINARIES_VARIABLE, Argo, Run, compile_workflow
from tests.kubeflow.kubernetes_services import Services, services
from tests.kubeflow.volume import Package, Volume

_FOLDER = os.environ.get(BINARIES_VARIABLE)
RELEASES = sorted(path.name for path in Path(_FOLDER).iterdir()) if _FOLDER else []

pytestmark = pytest.mark.skipif(not RELEASES, reason=f"{BINARIES_VARIABLE} names no folder of KFP's binaries")


@pytest.fixture(scope="module", params=RELEASES)
def release(request: pytest.FixtureRequest) -> Path:
    return Path(str(_FOLDER), request.param)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    with services(tmp_path_factory.mktemp("services")) as started:
        yield started


def written(package: Package, folder: Path) -> Path:
    file = folder / "package.yaml"
    file.write_text(yaml.safe_dump_all(package, sort_keys=False, allow_unicode=True))
    return file


def everything_done(package: Package) -> dict[str, int]:
    return dict.fromkeys(package[0]["root"]["dag"]["tasks"], 0)


def told(run: Run) -> str:
    failed = [f"{step.name}: {step.log[-3000:]}" for step in run.steps.values() if step.code]
    return "\n".join(failed or [log[-3000:] for log in run.drivers.values()][-1:])


def test_spans_become_pushed_models(
    release: Path, cluster: Services, make_volume: Callable[[str], Volume], tmp_path: Path
):
    volume = make_volume(f"volume-{release.name}")
    volume.add_span(1)
    argo = Argo(release, cluster)
    run = argo.run(compile_workflow(release, written(volume.package(), tmp_path), epochs=1))
    assert run.codes == everything_done(volume.package()), told(run)
    assert len(volume.versions) == 1
