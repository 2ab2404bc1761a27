"""The command line in this process, which spares the imports, and Beam's own job server."""

import gzip
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from fullbake.command_line.main import main
from fullbake.pipeline.config.loading import load_config
from fullbake.pipeline.first_config.first_config import make_first_config


def command_line(patch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Gives a function that runs a command with these arguments."""
    # TFX's Beam executors read sys.argv for flags of theirs, and would take pytest's -v for one.
    patch.setattr(sys, "argv", ["fullbake"])
    return lambda *arguments: CliRunner().invoke(main, list(map(str, arguments)))


@pytest.fixture
def fullbake(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs a command."""
    return command_line(monkeypatch)


@pytest.fixture
def first_config(tmp_path):
    """Writes a CSV file, makes its config, and returns it as the pipeline would read it, and as text."""

    def make(content, name="train.csv", encoding="utf-8", columns=("text", "label")):
        data = content if isinstance(content, bytes) else content.encode(encoding)
        (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        text = make_first_config(tmp_path / name, *columns)
        (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
        return load_config(tmp_path / "config.yaml"), text

    return make


@pytest.fixture
def job_server(tmp_path: Path) -> Iterator[str]:
    """The address of Beam's own job server, a process that speaks what Flink's and Spark's speak."""
    port_file, log = tmp_path / "port", tmp_path / "job-server.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "apache_beam.runners.portability.local_job_service_main"),
                *("--port_file", port_file, "--staging_dir", tmp_path / "staging"),
            ],
            stdout=output,
            stderr=output,
        )
    try:
        deadline = time.monotonic() + 60
        while not port_file.exists():
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield f"localhost:{port_file.read_text()}"
    finally:
        server.terminate()
        server.wait()


@pytest.fixture(scope="package")
def transform(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The Transform graph of a tiny model."""
    from tests.conftest import make_transform
    from tests.pipeline.tiny_model import LABELS

    return make_transform(base, tmp_path_factory.mktemp("transform"), LABELS)


@pytest.fixture(scope="package")
def model(base: Path, transform: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A tiny exported model whose texts came from a column named comment."""
    from tests.pipeline.tiny_model import LABELS, export

    return export(base, transform, tmp_path_factory.mktemp("model"), LABELS)


@pytest.fixture(scope="package")
def predictor(model: str) -> Any:
    """The tiny model, opened, so that copies of it are too."""
    from fullbake.pipeline.prediction.predictor import Predictor

    found = Predictor(model)
    found.load()
    return found


@pytest.fixture
def label(predictor, tmp_path: Path):
    """Labels a file of this name and content; gives what became of it, and where it is."""

    def run(name: str, content: bytes, target: str) -> tuple[Any, Path]:
        from fullbake.pipeline.prediction.label_file import label_file

        (tmp_path / name).write_bytes(content)
        done = label_file(predictor, tmp_path / name, tmp_path / target, delimiter=",", encoding="utf-8")
        return done, tmp_path / target

    return run
