"""Configs written to a file and loaded."""

from pathlib import Path

import pytest
import yaml

from fullbake.pipeline.config.config import Config
from fullbake.pipeline.config.loading import load_config
from tests.pipeline.config.refusal import MINIMAL


@pytest.fixture
def load(tmp_path: Path):
    """Writes a config and loads it."""

    def make(text: str = yaml.safe_dump(MINIMAL), *overrides: str) -> Config:
        (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
        return load_config(tmp_path / "config.yaml", overrides)

    return make
