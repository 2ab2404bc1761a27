from pathlib import Path

import pytest

from fullbake.trainer.data.input_pipeline import TokenizedSplit
from tests.trainer.tokenized import random_rows, read_split


@pytest.fixture
def splits(tmp_path: Path) -> tuple[TokenizedSplit, TokenizedSplit]:
    return read_split(random_rows(90, seed=1), tmp_path / "train"), read_split(
        random_rows(30, seed=2), tmp_path / "eval"
    )
