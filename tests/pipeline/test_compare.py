import json
import re
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import tensorflow as tf
import yaml

from fullbake.contract.errors import InputError
from fullbake.contract.names import HF_FOLDER
from fullbake.pipeline.comparison.runs import compare_approaches, fingerprint, variant
from fullbake.pipeline.config.config import Config
from fullbake.pipeline.config.loading import load_config
from fullbake.trainer.models.classifier import Classifier
from tests.pipeline.conftest import command_line
from tests.pipeline.planted import LABELS, executions, planted_rows, write_config, write_csv

SHARED = {"CsvExampleGen", "StatisticsGen", "ConfigSchema", "ExampleValidator", "DataGate", "Transform"}


class Compared(NamedTuple):
    """A folder with a config and the output root of its comparison, and what was printed and counted on the way."""

    folder: Path
    interrupted: Counter
    output: str
    states: Counter
    summary: dict[str, Any]


@pytest.fixture(scope="module")
def compared(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Compared:
    """Two approaches with two seeds each; one training was there from a comparison that got no further."""
    folder = tmp_path_factory.mktemp("compared")
    write_csv(folder / "data/train.csv", ["id", "text", "label"], planted_rows())
    config = write_config(
        folder,
        str(base),
        data={"label_map": {0: "kind", 1: "rude", 2: "plain"}},
        # So low a rate that fine-tuning leaves the encoder where further pre-training put it.
        training={"epochs": 1, "learning_rate": 1e-9},
        pretraining={"epochs": 1, "learning_rate": 1e-3},
    )
    with pytest.MonkeyPatch.context() as patch:
        fullbake = command_line(patch)
        result = fullbake("compare", config, "--root", folder / "out", "--approach", "frozen", "--seeds", 1)
        assert result.exit_code == 0, result.output
        interrupted = executions(folder / "out")
        result = fullbake(
            *("compare", config, "--root", folder / "out", "--seeds", 2, "--summary", folder / "summary.json"),
            *("--approach", "further_pretrain", "--approach", "frozen"),
        )
    assert result.exit_code == 0, result.output
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    return Compared(folder, interrupted, result.output, executions(folder / "out"), summary)


def test_what_trainings_share_is_made_once_and_each_training_once(compared: Compared):
    assert compared.interrupted["Trainer", "COMPLETE"] == 1
    for name in SHARED:
        assert compared.states[name, "COMPLETE"] == 1
    assert compared.states["Pretrainer", "COMPLETE"] == 2
    # Four in all, of which the one of the comparison before was not made again.
    assert compared.states["Trainer", "COMPLETE"] == 4
    assert compared.states["Trainer", "CACHED"] == 1
    assert {name for name, _ in compared.states} == SHARED | {"Pretrainer", "Trainer"}, "nothing is judged or pushed"


def test_the_further_pretrained_base_reaches_the_trainer(compared: Compared, base: Path):
    def encoder(folder: Path) -> dict[str, np.ndarray]:
        paths = Classifier.from_base(folder, "linear", ("a", "b")).paths()
        # Not the biases: that of attention's keys has no gradient.
        kernel = re.compile(r"encoder/.*layer_\._\d+/.*kernel")
        return {path: variable.numpy() for path, variable in paths.items() if kernel.fullmatch(path)}

    root = compared.folder / "out/pipeline"
    start = encoder(base)
    pretrained = [encoder(folder) for folder in root.glob("Pretrainer/model/*/Format-Serving")]
    served = [encoder(folder) for folder in root.glob(f"Trainer/model/*/Format-Serving/{HF_FOLDER}")]
    assert (len(start), len(pretrained), len(served)) == (12, 2, 4)
    for weights in pretrained:
        assert all(np.abs(weights[name] - start[name]).max() > 1e-4 for name in start), "every layer has moved"
        same = [model for model in served if all(np.abs(model[name] - weights[name]).max() < 1e-6 for name in start)]
        assert len(same) == 1, "one of the trained classifiers stands where this base was put"


def test_the_numbers_are_those_of_a_run_of_the_same_training(compared: Compared, fullbake):
    summary = compared.folder / "run.json"
    result = fullbake(
        *("run", compared.folder / "config.yaml", "--root", compared.folder / "out", "--summary", summary),
        *("--set", "model.approach=frozen", "--set", "training.learning_rate=null"),
    )
    assert result.exit_code in (0, 3), result.output
    found = json.loads(summary.read_text(encoding="utf-8"))
    assert "Trainer" in found["cached"]
    frozen = compared.summary["approaches"]["frozen"]
    assert found["metrics"]["accuracy"] == pytest.approx(frozen["accuracy"]["values"][0])
    for label in LABELS:
        assert found["metrics"]["recall"][label] == pytest.approx(frozen["recall"][label]["values"][0])
    assert found["parameters"]["trainable"] == frozen["trainable"]["mean"]


def test_table_and_files_tell_of_both_approaches(compared: Compared):
    approaches = compared.summary["approaches"]
    assert list(approaches) == ["further_pretrain", "frozen"]
    assert all(each["seeds"] == [0, 1] for each in approaches.values())
    assert approaches["further_pretrain"]["learning_rate"]["mean"] == 1e-9
    assert approaches["frozen"]["learning_rate"]["mean"] == 1e-2
    assert set(approaches["further_pretrain"]["seconds_by_component"]) == {"Pretrainer", "Trainer"}
    # Also of the training that was cached.
    assert all(seconds > 0 for seconds in approaches["frozen"]["seconds"]["values"])
    assert "recall of kind" in compared.output
    assert "further_pretrain, seed 1 (3 of 4)" in compared.output
    folder = compared.folder / "out/comparison"
    assert json.loads((folder / "comparison.json").read_text(encoding="utf-8")) == compared.summary
    assert "further_pretrain - frozen: " in (folder / "comparison.md").read_text(encoding="utf-8")
    assert "<svg" in (folder / "comparison.html").read_text(encoding="utf-8")


def test_an_approach_that_does_not_exist_ends_with_the_nearest(fullbake, base: Path, tmp_path: Path):
    write_csv(tmp_path / "data/train.csv", ["id", "text", "label"], planted_rows())
    config = write_config(tmp_path, str(base), data={})
    result = fullbake("compare", config, "--approach", "frosen", "--root", tmp_path / "out")
    assert result.exit_code == 2
    assert "--approach: 'frosen' is not an approach" in result.output
    assert "did you mean 'frozen'?" in result.output
    assert not (tmp_path / "out").exists()


def test_data_that_change_between_two_trainings_end_the_comparison(compared: Compared):
    """The first training is there already, of the comparison above."""
    file, outcome = compared.folder / "data/train.csv", compared.folder / "out/comparison/comparison.json"
    rows, before, begun = file.read_bytes(), outcome.read_bytes(), []

    def edit_before_the_second(approach: str, seed: int, number: int, count: int) -> None:
        begun.append(number)
        if number == 2:
            file.write_bytes(rows + b"new,an idiot again,1\n")

    try:
        with pytest.raises(
            InputError, match=r"data\.input_base: the files changed .* frozen with seed 1 .* run compare again"
        ):
            compare_approaches(
                load_config(compared.folder / "config.yaml"),
                compared.folder / "out",
                approaches=["frozen"],
                seeds=3,
                on_training=edit_before_the_second,
                on_component=lambda name, seconds: None,
                on_warning=lambda warning: None,
            )
    finally:
        file.write_bytes(rows)
    assert begun == [1, 2], "nothing more is trained"
    assert outcome.read_bytes() == before


def write_split(folder: Path, *shards: list[bytes]) -> str:
    folder.mkdir()
    for number, rows in enumerate(shards):
        with tf.io.TFRecordWriter(str(folder / f"data_tfrecord-{number:05d}.gz"), "GZIP") as writer:
            for row in rows:
                writer.write(row)
    return str(folder)


def test_rows_are_the_same_if_no_byte_and_no_place_is_another(tmp_path: Path):
    first = fingerprint([write_split(tmp_path / "first", [b"one", b"two"], [b"three"])])
    assert fingerprint([write_split(tmp_path / "shared_out_otherwise", [b"one"], [b"two", b"three"])]) == first
    others = {
        "edited": [b"one", b"twO", b"three"],
        "in_another_order": [b"two", b"one", b"three"],
        "one_more": [b"one", b"two", b"three", b"three"],
        "joined": [b"onetwo", b"three"],
        "none": [],
    }
    found = {fingerprint([write_split(tmp_path / name, rows)]) for name, rows in others.items()}
    assert len(found | {first}) == 1 + len(others)


@pytest.mark.parametrize(("first", "seeds"), [(2**32 - 1, 2), (0, 2**32 + 1)])
def test_seeds_beyond_the_greatest_are_refused_before_anything_is_done(config: Config, tmp_path: Path, first, seeds):
    great = variant(config, "fine_tune", first)
    with pytest.raises(InputError, match=rf"--seeds {seeds}: .*training\.seed \({first}\).* 4,294,967,295"):
        compare_approaches(
            great,
            tmp_path / "out",
            approaches=["fine_tune"],
            seeds=seeds,
            on_training=lambda *_: None,
            on_component=lambda *_: None,
            on_warning=lambda _: None,
        )
    assert not (tmp_path / "out").exists()


@pytest.fixture
def config(tmp_path: Path) -> Config:
    values = {
        "name": "v",
        "data": {"input_base": "x", "labels": ["a", "b"]},
        "model": {"head": "hf"},
        "training": {"learning_rate": 1e-4, "layer_decay": 0.9, "epochs": 7},
        "tuning": {"learning_rates": [1e-4, 2e-4]},
    }
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(values))
    return load_config(tmp_path / "c.yaml")


def test_an_approach_that_trains_the_base_too_keeps_the_rates_of_the_config(config: Config):
    found = variant(config, "further_pretrain", 5)
    assert (found.learning_rate, found.training.layer_decay, found.training.seed) == (1e-4, 0.9, 5)
    assert found.tuning == config.tuning
    assert found.head == "linear", "its own, for the config's head is that of the config's approach"


def test_an_approach_that_freezes_the_base_takes_its_own_rate(config: Config):
    found = variant(config, "frozen", 0)
    assert (found.learning_rate, found.training.layer_decay, found.tuning.learning_rates) == (1e-2, 1.0, ())
    assert (found.head, found.training.epochs) == ("mlp", 7)


def test_the_approach_of_the_config_is_the_config(config: Config):
    assert variant(config, "fine_tune", 0) == config
