"""A home without settings, a server, and what is launched on it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from fullbake.kubeflow.client import Launch
from tests.kubeflow.client.connection import PACKAGE, PARAMETERS
from tests.kubeflow.kfp_http import serve
from tests.kubeflow.kfp_server import KfpServer


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without anything in it; none of kfp's own settings."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    for variable in [name for name in os.environ if name.startswith(("KF_PIPELINES_", "FULLBAKE_KFP_"))]:
        monkeypatch.delenv(variable)
    return home


@pytest.fixture
def server() -> Iterator[KfpServer]:
    with serve(KfpServer()) as server:
        yield server


@pytest.fixture
def launch(tmp_path: Path) -> Callable[..., Launch]:
    package = tmp_path / "pipeline.yaml"
    package.write_text(yaml.safe_dump(PACKAGE), encoding="utf-8")

    def make(name: str = "nightly", **changes) -> Launch:
        values = {"experiment": "bert", "package": package, "parameters": PARAMETERS} | changes
        return Launch(name=name, pipeline=name, **values)

    return make
