"""A served model of two layers."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipeline.serving.server_process import ServerProcess

VERSION = 1700000000


@pytest.fixture
def root(model: str, tmp_path: Path) -> Path:
    """An output root with one version."""
    shutil.copytree(model, tmp_path / f"tiny/serving/{VERSION}")
    return tmp_path / "tiny"


@pytest.fixture(scope="package")
def server(model: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server of the tiny model, with a limit of rows that is quick to reach."""
    folder = tmp_path_factory.mktemp("served") / "tiny"
    shutil.copytree(model, folder / f"serving/{VERSION}")
    started = ServerProcess(folder, "--max-rows", "100")
    yield started
    assert started.stop() == 0
    assert "idiot" not in started.stderr(), "no text is logged"
