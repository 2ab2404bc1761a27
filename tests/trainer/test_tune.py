"""The learning-rate search, run by the executor of TFX's own Tuner."""

import dataclasses
import gc
import json
import types
from pathlib import Path

import pytest
import tensorflow as tf
import tf_keras
from tfx.components.tuner.executor import Executor
from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.types import standard_artifacts

from fullbake.contract.errors import InputError
from fullbake.contract.names import TUNER_RESULTS_FILE
from fullbake.contract.setting_names import settings_named
from fullbake.trainer.data.input_pipeline import WIDTH_STEP
from fullbake.trainer.fine_tune import run_fn
from fullbake.trainer.models.classifier import Classifier
from fullbake.trainer.spec import TrainingSpec
from tests.conftest import make_base, make_transform
from tests.trainer.tokenized import MAX_LENGTH, random_rows, write_rows
from tests.trainer.trainings import LABELS, make_spec

# So low that nothing is learned, one that learns, and one at which the loss is no number any more.
IDLE, GOOD, DIVERGING = 1e-9, 3e-3, 1e30


@pytest.fixture(scope="module")
def inputs(base: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list]:
    """Artifacts: examples with a train and an eval split, and the Transform graph."""
    folder = tmp_path_factory.mktemp("inputs")
    make_transform(base, folder / "graph", LABELS, MAX_LENGTH)
    for split, rows, seed in (("train", 1400, 1), ("eval", 250, 2)):
        (folder / f"examples/Split-{split}").mkdir(parents=True)
        # Short ones only, so that there is one width of batches, and TensorFlow traces each training once.
        short = [row for row in random_rows(rows, seed) if len(row[0]) <= WIDTH_STEP]
        write_rows(short, folder / f"examples/Split-{split}/rows.gz")
    examples, graph = standard_artifacts.Examples(), standard_artifacts.TransformGraph()
    examples.uri, graph.uri = str(folder / "examples"), str(folder / "graph")
    examples.split_names = '["train", "eval"]'
    return {"examples": [examples], "transform_graph": [graph]}


def search(inputs: dict[str, list], spec: TrainingSpec, rates: list[float], folder: Path) -> tuple[float, list[dict]]:
    """Runs the Tuner and gives what it wrote: the best rate, and the candidates."""
    best, results = standard_artifacts.HyperParameters(), standard_artifacts.TunerResults()
    best.uri, results.uri = str(folder / "best"), str(folder / "results")
    Executor(BaseExecutor.Context(tmp_dir=str(folder / "tmp"), unique_id="1")).Do(
        inputs,
        {"best_hyperparameters": [best], "tuner_results": [results]},
        {
            "tuner_fn": "fullbake.trainer.tune.tuner_fn",
            "train_args": "{}",
            "eval_args": "{}",
            "custom_config": json.dumps({"spec": spec.to_dict(), "learning_rates": rates}),
        },
    )
    found = json.loads((folder / "best/best_hyperparameters.txt").read_text())
    return found["values"]["learning_rate"], json.loads((folder / "results" / TUNER_RESULTS_FILE).read_text())


def quick_spec(base: Path, **changes) -> TrainingSpec:
    """A head on a frozen encoder: a second to train."""
    return make_spec(base, **{"approach": "frozen", "head": "linear", "batch_size": 50, **changes})


def fits(monkeypatch: pytest.MonkeyPatch, *, stop_at: int | None = None) -> list[int]:
    """Counts trainings, and interrupts one of them."""
    fit, begun = tf_keras.Model.fit, []

    def counted(self, *args, **kwargs):
        begun.append(len(begun) + 1)
        if len(begun) == stop_at:
            raise KeyboardInterrupt
        return fit(self, *args, **kwargs)

    monkeypatch.setattr(tf_keras.Model, "fit", counted)
    return begun


def classifiers() -> int:
    gc.collect()
    return sum(type(one) is Classifier for one in gc.get_objects())


def test_the_rate_that_learns_wins_and_the_trainer_makes_a_model_that_serves_with_it(
    base: Path, inputs, tmp_path: Path, caplog
):
    caplog.set_level("INFO")
    spec = make_spec(base, epochs=4, batch_size=16)
    alive = classifiers()
    with settings_named({"training_learning_rate": "training.learning_rate"}):
        best, results = search(inputs, spec, [DIVERGING, GOOD, IDLE], tmp_path)
    assert classifiers() == alive, "a candidate's model is still in memory"
    assert best == GOOD
    assert [row["learning_rate"] for row in results] == [GOOD, IDLE, DIVERGING]
    scores = [row["score"] for row in results]
    assert scores[0] > 0.7 > scores[1] > scores[2] == 0.0
    said = caplog.text
    assert f"learning rate 0.003 (2 of 3): macro recall {scores[0]:.4f}, " in said
    assert "learning rate 1e+30 (3 of 3): training.learning_rate: the loss is" in said

    # With keras-tuner, and by it Keras 3, in this process.
    examples, graph = inputs["examples"][0].uri, inputs["transform_graph"][0].uri
    run_fn(
        types.SimpleNamespace(
            custom_config={"spec": spec.to_dict()},
            hyperparameters={"values": {"learning_rate": best}},
            base_model=None,
            train_files=[f"{examples}/Split-train/*"],
            eval_files=[f"{examples}/Split-eval/*"],
            transform_output=graph,
            model_run_dir=str(tmp_path / "run"),
            serving_model_dir=str(tmp_path / "model"),
        )
    )
    record = json.loads((tmp_path / "run/training.json").read_text())
    assert record["learning_rate"] == GOOD
    # The same start and the same seed: what the search measured is what the Trainer makes.
    assert record["epochs"][-1]["eval_macro_recall"] == pytest.approx(scores[0], abs=1e-6)
    served = tf.saved_model.load(str(tmp_path / "model")).signatures["serving_default"]
    answer = served(text=tf.constant(["you are a good person", "idiot"]))
    assert set(answer["label"].numpy().tolist()) <= {label.encode() for label in LABELS}


def test_the_rate_of_adapters_is_searched_for_like_any_other(base: Path, inputs, tmp_path: Path):
    spec = make_spec(base, approach="lora", head="linear", batch_size=16, epochs=2)
    best, results = search(inputs, spec, [IDLE, 2e-2], tmp_path)
    assert best == 2e-2
    assert results[0]["score"] > results[1]["score"] > 0


def test_of_equal_scores_the_lower_rate_wins(base: Path, inputs, tmp_path: Path):
    # Neither moves a weight by as much as float32 can tell, so both measure the model that they start from.
    best, results = search(inputs, quick_spec(base), [2e-30, 1e-30], tmp_path)
    assert results[0]["score"] == results[1]["score"]
    assert best == 1e-30


def test_a_search_in_which_every_rate_diverges_fails_with_the_remedy(base: Path, inputs, tmp_path: Path):
    spec = quick_spec(base, head="mlp", checkpoints=str(tmp_path / "checkpoints"))
    with pytest.raises(InputError, match=r"the loss is nan in epoch 1.*lower the rate"):
        search(inputs, spec, [1e30, 1e31], tmp_path)
    assert not list((tmp_path / "checkpoints").glob("*"))


def test_an_error_that_is_no_divergence_ends_the_search(base: Path, inputs, tmp_path: Path):
    with pytest.raises(RuntimeError, match="TypeError"):
        search(inputs, quick_spec(base, warmup_fraction="half"), [1e-30, 2e-30], tmp_path)


def test_checkpoints_that_cannot_be_kept_are_told_and_not_taken_for_a_bad_rate(base: Path, inputs, tmp_path: Path):
    (tmp_path / "file").touch()
    spec = quick_spec(base, checkpoints=str(tmp_path / "file"))
    with pytest.raises(InputError, match=r"checkpoints cannot be kept there \(Not a directory\)"):
        search(inputs, spec, [1e-30, 2e-30], tmp_path)


def test_the_search_starts_from_the_base_that_was_pre_trained_further(inputs, tmp_path: Path):
    make_base(tmp_path / "model/Format-Serving")
    model = standard_artifacts.Model()
    model.uri = str(tmp_path / "model")
    spec = quick_spec(tmp_path / "nowhere")
    with pytest.raises(InputError, match="nowhere"):
        search(inputs, spec, [1e-2], tmp_path)
    best, _ = search({**inputs, "base_model": [model]}, spec, [1e-2], tmp_path)
    assert best == 1e-2


def test_an_interrupted_search_repeats_only_what_was_not_finished_or_damaged_since(
    base: Path, inputs, tmp_path: Path, monkeypatch
):
    spec = quick_spec(base, checkpoints=str(tmp_path / "checkpoints"))
    rates = [1e-30, 1e-3, 1e-2]
    with monkeypatch.context() as patch:
        fits(patch, stop_at=3)
        with pytest.raises(KeyboardInterrupt):
            search(inputs, spec, rates, tmp_path / "first")
    damaged, _ = (tmp_path / "checkpoints").glob("*/score.json")
    damaged.write_text("", encoding="utf-8")
    with monkeypatch.context() as patch:
        begun = fits(patch)
        resumed = search(inputs, spec, rates, tmp_path / "second")
        assert len(begun) == 2
    assert resumed == search(inputs, dataclasses.replace(spec, checkpoints=None), rates, tmp_path / "whole")
    assert list((tmp_path / "checkpoints").iterdir()) == []
