"""Data that the preflight takes, and a config of it."""

from pathlib import Path

import pytest

from fullbake.pipeline.config.config import Config
from fullbake.pipeline.preflight import check_inputs
from tests.pipeline.preflight.refusal import ROWS


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/train.csv").write_text(ROWS, encoding="utf-8")
    return tmp_path / "data"


@pytest.fixture
def check(data: Path, base: Path):
    """Checks a config that is right but for what is given."""

    def run(model: dict | None = None, training: dict | None = None, pretraining: dict | None = None, **values) -> None:
        check_inputs(
            Config.model_validate(
                {
                    "name": "small",
                    "data": {"input_base": str(data), "labels": ["good", "bad"], **values},
                    "model": {"base": str(base), "max_length": 64, **(model or {})},
                    "training": training or {},
                    "pretraining": pretraining or {},
                }
            )
        )

    return run
