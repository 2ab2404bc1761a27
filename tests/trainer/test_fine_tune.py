import dataclasses
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from fullbake.contract.errors import InputError
from fullbake.contract.results.training import Parameters
from fullbake.contract.setting_names import settings_named
from fullbake.trainer.approaches import APPROACHES, Approach, Phase, Trains
from fullbake.trainer.encoder.base_model import resolve_base
from fullbake.trainer.fine_tuning_phase import trained_variables
from fullbake.trainer.models.classifier import Classifier
from tests.trainer.tokenized import random_rows, read_split
from tests.trainer.trainings import LABELS, make_spec, train, values


@pytest.mark.parametrize(
    ("approach", "head"),
    [("fine_tune", "hf"), ("fine_tune", "linear"), ("fine_tune", "mlp"), ("further_pretrain", "linear")],
)
def test_fine_tuning_changes_every_layer(base: Path, splits, tmp_path: Path, approach: str, head: str):
    spec = make_spec(base, approach=approach, head=head)
    before = values(Classifier.from_base(base, head, LABELS))
    classifier, record = train(spec, *splits, scratch=tmp_path)
    after = values(classifier)
    unchanged = [path for path in before if path.startswith("encoder/") and np.array_equal(before[path], after[path])]
    assert unchanged == []
    trainable = sum(value.size for path, value in after.items() if "moving_" not in path)
    assert record.parameters == Parameters(total=classifier.count_params(), trainable=trainable)


@pytest.mark.parametrize("head", ["linear", "mlp"])
def test_a_frozen_base_does_not_change_by_a_byte_while_its_head_learns(base: Path, splits, tmp_path: Path, head: str):
    spec = make_spec(base, approach="frozen", head=head, learning_rate=1e-2, epochs=2)
    before = values(Classifier.from_base(base, head, LABELS))
    classifier, record = train(spec, *splits, scratch=tmp_path)
    after = values(classifier)
    for path in before:
        same = before[path].tobytes() == after[path].tobytes()
        assert same is path.startswith("encoder/"), path
    head_size = sum(v.size for path, v in after.items() if path.startswith("head/") and "moving_" not in path)
    assert record.parameters.trainable == head_size


def test_a_probe_trains_the_head_alone_and_fine_tuning_goes_on_from_there(base: Path, splits, tmp_path: Path):
    tf_keras.utils.set_random_seed(0)
    start = values(Classifier.from_base(base, "linear", LABELS))
    probe = APPROACHES["probe_then_fine_tune"].phases[0]
    alone = make_spec(base, approach="frozen", head="linear", learning_rate=probe.learning_rate, epochs=probe.epochs)
    probed = values(train(alone, *splits, scratch=tmp_path)[0])
    spec = make_spec(base, approach="probe_then_fine_tune", head="linear", learning_rate=1e-4)
    # At so low a rate fine-tuning moves a weight of the head by less than float32 can tell.
    at_rest = values(train(dataclasses.replace(spec, learning_rate=1e-30), *splits, scratch=tmp_path)[0])
    classifier, record = train(spec, *splits, scratch=tmp_path)
    end = values(classifier)
    for path in start:
        if path.startswith("head/"):
            assert at_rest[path].tobytes() == probed[path].tobytes(), path
        else:
            np.testing.assert_allclose(at_rest[path], start[path], rtol=0, atol=1e-20)
        assert (start[path].tobytes() == probed[path].tobytes()) is path.startswith("encoder/"), path
        assert probed[path].tobytes() != end[path].tobytes(), path
    assert len(record.probe_epochs) == APPROACHES["probe_then_fine_tune"].phases[0].epochs
    assert len(record.epochs) == 1
    assert record.learning_rate == 1e-4


def test_what_a_pattern_matches_is_trained_wherever_it_stands_in_the_path(
    base: Path, splits, tmp_path: Path, monkeypatch
):
    rules = ((r".*/query/kernel", True), (r"encoder/.*", False), (r"head/.*", True))
    row = Approach("queries", "linear", (Phase(Trains(rules, encoder="weights", words=""), 1e-3),))
    monkeypatch.setitem(APPROACHES, "queries", row)
    before = values(Classifier.from_base(base, "linear", LABELS))
    classifier, record = train(make_spec(base, approach="queries", head="linear"), *splits, scratch=tmp_path)
    after = values(classifier)
    changed = {path for path in before if before[path].tobytes() != after[path].tobytes()}
    assert {path for path in changed if path.startswith("encoder/")} == {
        f"encoder/encoder/layer_._{layer}/attention/self/query/kernel" for layer in (0, 1)
    }
    assert record.parameters.trainable == 2 * 32 * 32 + 32 * 2 + 2
    assert set(record.encoder_shift) == {"embeddings", "layer 1", "layer 2"}
    assert record.encoder_shift["embeddings"] == 0 < record.encoder_shift["layer 1"]


def test_how_far_the_encoder_moved_is_told_by_layer(base: Path, splits, tmp_path: Path):
    _, gentle = train(make_spec(base, learning_rate=1e-5), *splits, scratch=tmp_path)
    _, rough = train(make_spec(base, learning_rate=5e-2), *splits, scratch=tmp_path)
    assert list(gentle.encoder_shift)[:3] == ["embeddings", "layer 1", "layer 2"]
    for layer in ("layer 1", "layer 2"):
        assert 0 < gentle.encoder_shift[layer] < 0.02 < 0.5 < rough.encoder_shift[layer]
    _, frozen = train(make_spec(base, approach="frozen", head="linear", learning_rate=1e-2), *splits, scratch=tmp_path)
    assert frozen.encoder_shift == {}


def test_lower_layers_move_less_under_layer_decay(base: Path, splits, tmp_path: Path):
    _, record = train(make_spec(base, learning_rate=1e-4, layer_decay=0.1, head="linear"), *splits, scratch=tmp_path)
    shift = record.encoder_shift
    assert shift["embeddings"] < 0.3 * shift["layer 1"] < 0.3 * 0.3 * shift["layer 2"]


def test_layers_that_have_not_joined_yet_do_not_change_by_a_byte(base: Path, splits, tmp_path: Path):
    before = values(Classifier.from_base(base, "linear", LABELS))
    spec = make_spec(base, head="linear", unfreeze_layers_per_epoch=1, epochs=2)
    after = values(train(spec, *splits, scratch=tmp_path)[0])
    # Layer 2 joins in the first epoch, layer 1 in the second, the embeddings would in a third.
    for path in before:
        assert (before[path].tobytes() == after[path].tobytes()) is path.startswith("encoder/embeddings"), path


def test_what_can_be_learned_is_learned(base: Path, tmp_path: Path):
    learned = read_split(random_rows(600, seed=1), tmp_path / "learned")
    measured = read_split(random_rows(90, seed=2), tmp_path / "measured")
    _, record = train(make_spec(base, epochs=8, learning_rate=3e-3), learned, measured, scratch=tmp_path)
    assert record.epochs[-1].eval_macro_recall > 0.95
    assert [epoch.epoch for epoch in record.epochs] == list(range(1, 9))
    assert record.best_epoch == 8


def test_another_seed_gives_other_weights(base: Path, splits, tmp_path: Path):
    # That the same one gives the same weights is seen where a training is interrupted.
    weights = [train(make_spec(base, seed=seed), *splits, scratch=tmp_path)[0].get_weights() for seed in (3, 4)]
    assert not all(np.array_equal(a, b) for a, b in zip(*weights, strict=True))


def test_early_stopping_restores_the_epoch_with_the_best_macro_recall(base: Path, splits, tmp_path: Path):
    # So high a rate that the model gets worse after it was good.
    spec = make_spec(base, epochs=30, learning_rate=5e-3, early_stopping_patience=3)
    classifier, record = train(spec, *splits, scratch=tmp_path)
    recalls = [epoch.eval_macro_recall for epoch in record.epochs]
    assert record.best_epoch == int(np.argmax(recalls)) + 1
    _, evaluate = splits
    batch = {name: tf.constant(value) for name, value in evaluate.take(np.arange(len(evaluate))).items()}
    decided = tf.argmax(classifier(batch, training=False), axis=1).numpy()
    recall = np.mean([(decided[evaluate.labels == label] == label).mean() for label in (0, 1)])
    assert recall == pytest.approx(max(recalls), abs=1e-6)
    assert len(recalls) == min(30, record.best_epoch + 3)


def test_the_best_weights_are_kept_also_where_all_epochs_were_trained(base: Path, splits, tmp_path: Path):
    learned, evaluate = splits
    evaluate.labels = 1 - evaluate.labels  # so that what is learned makes it worse
    patient = make_spec(base, epochs=5, learning_rate=1e-2, early_stopping_patience=30)
    classifier, record = train(patient, learned, evaluate, scratch=tmp_path)
    recalls = [epoch.eval_macro_recall for epoch in record.epochs]
    assert len(recalls) == 5
    assert recalls[record.best_epoch - 1] > recalls[-1]
    batch = {name: tf.constant(value) for name, value in evaluate.take(np.arange(len(evaluate))).items()}
    decided = tf.argmax(classifier(batch, training=False), axis=1).numpy()
    recall = np.mean([(decided[evaluate.labels == label] == label).mean() for label in (0, 1)])
    assert recall == pytest.approx(max(recalls), abs=1e-6)


def test_mixed_precision_trains_and_leaves_float32_weights(base: Path, splits, tmp_path: Path):
    spec = make_spec(base, mixed_precision="bfloat16")
    classifier, record = train(spec, *splits, scratch=tmp_path)
    assert record.precision == "mixed_bfloat16"
    assert {variable.dtype for variable in classifier.variables} == {tf.float32}
    assert tf_keras.mixed_precision.global_policy().name == "float32"
    assert np.isfinite(record.epochs[0].loss)


def test_trained_variables_leave_statistics_out(base: Path):
    classifier = Classifier.from_base(resolve_base(str(base)), "mlp", LABELS)
    paths = trained_variables(classifier, APPROACHES["fine_tune"].phases[-1])
    assert "head/dense_0/kernel" in paths
    assert not [path for path in paths if "moving_" in path]


def test_a_training_that_diverges_is_stopped_with_a_remedy(base: Path, splits, tmp_path: Path):
    with pytest.raises(InputError, match=r"the loss is nan in epoch 1.*lower the rate"):
        train(make_spec(base, learning_rate=1e30), *splits, scratch=tmp_path)


def test_a_head_of_an_earlier_task_is_not_learned_from_and_the_record_says_so(base: Path, splits, tmp_path: Path):
    earlier = Classifier.from_base(base, "hf", ("happy", "sad", "neither"))
    earlier.encoder.write(base, tmp_path / "emotion")
    with settings_named({"base": "model.base"}):
        _, record = train(make_spec(tmp_path / "emotion", head="linear", learning_rate=1e-4), *splits, scratch=tmp_path)
    assert list(record.warnings) == [
        "model.base: it carries an earlier task's classification head (for happy, sad, neither), which is left out: "
        "a new one is trained"
    ]
