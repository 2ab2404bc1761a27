"""What is found in the cache: what was made of the same contents, and nothing else."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from fullbake.pipeline.config.config import Config
from fullbake.pipeline.config.loading import load_config
from fullbake.pipeline.graph import create_components, recipe
from fullbake.pipeline.local_runner import train_locally
from fullbake.pipeline.outline import Places
from fullbake.trainer.encoder.base_model import hash_base
from tests.conftest import make_base
from tests.pipeline.planted import planted_rows, write_config, write_csv

PLACES = Places("", "", None, None)


def config_in(folder: Path, **data: str) -> Config:
    """Relative paths, and the approach that trains least."""
    file = write_config(
        folder,
        "./base",
        data={"input_base": "data", "label_map": {0: "kind", 1: "rude", 2: "plain"}, **data},
        model={"approach": "frozen"},
        training={"epochs": 1, "learning_rate": None},
    )
    return load_config(file)


def test_a_run_elsewhere_finds_what_was_made_of_the_same_contents_and_another_base_at_the_same_path_does_not(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sys, "argv", ["fullbake"])  # TFX's Beam executors read it for flags of theirs
    here, there, root = tmp_path / "here", tmp_path / "there", tmp_path / "root"
    write_csv(here / "data/train.csv", ["id", "text", "label"], planted_rows()[:90])
    shutil.copytree(base, here / "base")
    config = config_in(here)
    monkeypatch.chdir(here)
    first = train_locally(config, root)
    assert first.cached == []
    shutil.move(here, there)
    monkeypatch.chdir(there)
    moved = train_locally(config, root)
    assert moved.cached == list(first.artifacts)
    # Another base by the same path, of the same sizes and times.
    for file in make_base(tmp_path / "another", seed=8).iterdir():
        kept = there / "base" / file.name
        before = kept.stat()
        shutil.copy(file, kept)
        os.utime(kept, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert kept.stat().st_size == before.st_size
    assert hash_base(there / "base") != hash_base(base)
    replaced = train_locally(config, root)
    assert set(first.artifacts) - set(replaced.cached) == {"DataGate", "Transform", "Trainer"}


def keys(config: Config, base_hash: str) -> dict[str, str]:
    components = create_components(config, PLACES, "", base_hash)
    return {component.id: str(sorted(component.exec_properties.items())) for component in components}


def test_every_key_of_what_opens_the_base_holds_its_hash_and_no_key_a_place(base: Path, tmp_path: Path):
    config = config_in(tmp_path)
    values = config.model_dump()
    values["model"] |= {"approach": "further_pretrain"}
    values["training"] |= {"learning_rate": None}
    values["tuning"] = {"learning_rates": [1e-5, 2e-5]}
    config = Config.model_validate(values)
    one, other = keys(config, "1" * 64), keys(config, "2" * 64)
    assert {name for name in one if one[name] != other[name]} == {
        "DataGate",
        "Transform",
        "Pretrainer",
        "Tuner",
        "Trainer",
        "Report",
        "Pusher",  # for its recipe
    }
    values["data"]["input_base"] = "/srv/data"
    values["model"]["base"] = "/srv/base"
    moved = Config.model_validate(values)
    # The report shows the config; all else is as it was.
    assert {name for name, key in keys(moved, "1" * 64).items() if key != one[name]} == {"Report"}
    assert recipe(moved, "1") == recipe(config, "1") != recipe(config, "2")
    values["data"]["pattern"] = "*.csv"
    assert recipe(Config.model_validate(values), "1") != recipe(config, "1")
