import dataclasses
import os
import resource
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from fullbake.contract.errors import InputError
from fullbake.trainer.approaches import APPROACHES, Approach, Phase, Trains
from fullbake.trainer.data.frozen_features import KEPT_SPLITS, FrozenEncoder
from fullbake.trainer.data.input_pipeline import TokenizedSplit
from fullbake.trainer.devices.distribution import choose_placement
from fullbake.trainer.encoder.base_model import resolve_base
from fullbake.trainer.fine_tune import train_classifier
from fullbake.trainer.fine_tuning_phase import trained_variables
from fullbake.trainer.models.classifier import Classifier
from fullbake.trainer.spec import TrainingSpec
from fullbake.trainer.tasks.table import SINGLE_LABEL
from tests.trainer.tokenized import random_rows, read_split

LABELS = ("absent", "present")


def make_spec(base: Path, **changes) -> TrainingSpec:
    spec = TrainingSpec(
        base=str(base),
        revision=None,
        approach="fine_tune",
        head="hf",
        labels=LABELS,
        batch_size=8,
        epochs=1,
        learning_rate=1e-3,
        warmup_fraction=0.1,
        weight_decay=0.01,
        class_weights="none",
        early_stopping_patience=None,
        seed=0,
        mixed_precision="float32",
        distribution="none",
        text_columns={"text": "text"},
    )
    return dataclasses.replace(spec, **changes)


def train(spec: TrainingSpec, *splits: TokenizedSplit, **folders: Path):
    placement = choose_placement(spec.distribution, spec.mixed_precision, resolve_base(spec.base))
    return train_classifier(spec, placement, resolve_base(spec.base), *splits, **folders)


@pytest.fixture
def splits(tmp_path: Path) -> tuple[TokenizedSplit, TokenizedSplit]:
    return read_split(random_rows(90, seed=1), tmp_path / "train"), read_split(
        random_rows(30, seed=2), tmp_path / "eval"
    )


def values(classifier: Classifier) -> dict[str, np.ndarray]:
    return {path: variable.numpy() for path, variable in classifier.paths().items()}


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
    assert record["parameters"] == {"total": classifier.count_params(), "trainable": trainable}


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
    assert record["parameters"]["trainable"] == head_size


def test_a_probe_trains_the_head_alone_and_fine_tuning_goes_on_from_there(base: Path, splits, tmp_path: Path):
    tf_keras.utils.set_random_seed(0)
    start = values(Classifier.from_base(base, "linear", LABELS))
    spec = make_spec(base, approach="probe_then_fine_tune", head="linear", learning_rate=1e-4)
    # At so low a rate fine-tuning moves no weight by as much as float32 can tell.
    probed = values(train(dataclasses.replace(spec, learning_rate=1e-30), *splits, scratch=tmp_path)[0])
    classifier, record = train(spec, *splits, scratch=tmp_path)
    end = values(classifier)
    for path in start:
        assert (start[path].tobytes() == probed[path].tobytes()) is path.startswith("encoder/"), path
        assert probed[path].tobytes() != end[path].tobytes(), path
    assert len(record["probe_epochs"]) == APPROACHES["probe_then_fine_tune"].phases[0].epochs
    assert len(record["epochs"]) == 1
    assert record["learning_rate"] == 1e-4


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
    assert record["parameters"]["trainable"] == 2 * 32 * 32 + 32 * 2 + 2
    assert set(record["encoder_shift"]) == {"embeddings", "layer 1", "layer 2"}
    assert record["encoder_shift"]["embeddings"] == 0 < record["encoder_shift"]["layer 1"]


def test_how_far_the_encoder_moved_is_told_by_layer(base: Path, splits, tmp_path: Path):
    _, gentle = train(make_spec(base, learning_rate=1e-5), *splits, scratch=tmp_path)
    _, rough = train(make_spec(base, learning_rate=5e-2), *splits, scratch=tmp_path)
    assert list(gentle["encoder_shift"])[:3] == ["embeddings", "layer 1", "layer 2"]
    for layer in ("layer 1", "layer 2"):
        assert 0 < gentle["encoder_shift"][layer] < 0.02 < 0.5 < rough["encoder_shift"][layer]
    _, frozen = train(make_spec(base, approach="frozen", head="linear", learning_rate=1e-2), *splits, scratch=tmp_path)
    assert frozen["encoder_shift"] == {}


def test_lower_layers_move_less_under_layer_decay(base: Path, splits, tmp_path: Path):
    _, record = train(make_spec(base, learning_rate=1e-4, layer_decay=0.1, head="linear"), *splits, scratch=tmp_path)
    shift = record["encoder_shift"]
    assert shift["embeddings"] < 0.3 * shift["layer 1"] < 0.3 * 0.3 * shift["layer 2"]


def test_layers_that_have_not_joined_yet_do_not_change_by_a_byte(base: Path, splits, tmp_path: Path):
    before = values(Classifier.from_base(base, "linear", LABELS))
    spec = make_spec(base, head="linear", unfreeze_layers_per_epoch=1, epochs=2)
    after = values(train(spec, *splits, scratch=tmp_path)[0])
    # Layer 2 joins in the first epoch, layer 1 in the second, the embeddings would in a third.
    for path in before:
        assert (before[path].tobytes() == after[path].tobytes()) is path.startswith("encoder/embeddings"), path


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("float16", 4e-3)])
def test_the_vectors_of_a_frozen_base_are_those_without_dropout(base: Path, splits, tmp_path: Path, dtype, tolerance):
    rows, _ = splits
    classifier = Classifier.from_base(base, "linear", LABELS)
    encoded = FrozenEncoder(classifier, tmp_path / "vectors", dtype=dtype).encode(rows)
    assert (encoded.vectors.shape, encoded.vectors.dtype) == ((len(rows), 32), dtype)
    for row in (0, 17, 89):
        tokens = {name: tf.constant(value) for name, value in rows.take(np.array([row])).items()}
        expected = classifier.encode(tokens, training=False)[0]
        np.testing.assert_allclose(encoded.take(np.array([row]))[0], expected, atol=tolerance)


def test_the_mean_of_all_tokens_leaves_padding_out(base: Path, splits, tmp_path: Path):
    rows, _ = splits
    classifier = Classifier.from_base(base, "linear", LABELS, pooling="mean")
    row = np.array([17])
    length = int(rows.lengths[17])
    for full_width in (False, True):
        tokens = {name: tf.constant(value) for name, value in rows.take(row, full_width=full_width).items()}
        hidden = classifier.encoder.hidden_states(tokens)[0, :length]
        np.testing.assert_allclose(
            classifier.encode(tokens, training=False)[0], tf.reduce_mean(hidden, axis=0), atol=1e-5
        )
    encoded = FrozenEncoder(classifier, tmp_path / "vectors").encode(rows)
    np.testing.assert_allclose(encoded.vectors[17], tf.reduce_mean(hidden, axis=0), atol=1e-5)
    FrozenEncoder(Classifier.from_base(base, "linear", LABELS), tmp_path / "vectors").encode(rows)
    assert len(list((tmp_path / "vectors").iterdir())) == 2


def test_vectors_are_found_again_where_encoder_and_tokens_are_the_same(base: Path, splits, tmp_path: Path, capsys):
    folder = tmp_path / "vectors"
    spec = make_spec(base, approach="frozen", head="mlp", vectors=str(folder))
    first = values(train(spec, *splits, scratch=tmp_path)[0])
    made = {file: file.read_bytes() for file in folder.iterdir()}
    assert len(made) == 2
    assert "were kept by an earlier training" not in capsys.readouterr().out
    for file in made:
        file.chmod(0o400)
    again = values(train(spec, *splits, scratch=tmp_path)[0])
    assert capsys.readouterr().out.count("were kept by an earlier training") == 2
    assert {file: file.read_bytes() for file in folder.iterdir()} == made
    assert all(np.array_equal(again[path], first[path]) for path in first)

    classifier = Classifier.from_base(base, "linear", LABELS)
    FrozenEncoder(classifier, folder).encode(splits[0])
    assert set(folder.iterdir()) == set(made)  # the head has no part in them
    FrozenEncoder(classifier, folder, dtype="float16").encode(splits[0])
    others = read_split(random_rows(90, seed=3), tmp_path / "others")
    FrozenEncoder(classifier, folder).encode(others)
    assert len(list(folder.iterdir())) == 4
    kernel = next(variable for path, variable in classifier.paths().items() if "query/kernel" in path)
    kernel.assign_add(tf.fill(kernel.shape, 1e-3))
    moved = FrozenEncoder(classifier, folder).encode(splits[0])
    assert len(list(folder.iterdir())) == 5
    tokens = {name: tf.constant(value) for name, value in splits[0].take(np.array([5])).items()}
    np.testing.assert_allclose(moved.vectors[5], classifier.encode(tokens, training=False)[0], atol=1e-5)


def test_vectors_that_were_damaged_are_made_anew(base: Path, splits, tmp_path: Path, capsys):
    encoder = FrozenEncoder(Classifier.from_base(base, "linear", LABELS), tmp_path / "vectors")
    _, rows = splits
    right = np.array(encoder.encode(rows).vectors)
    (file,) = (tmp_path / "vectors").iterdir()
    whole = file.read_bytes()
    flipped = bytearray(whole)
    flipped[100] ^= 1
    for damaged in (b"\0" * len(whole), whole[:-1], whole[: len(whole) // 2], b"", whole + b"\0", bytes(flipped)):
        file.write_bytes(damaged)
        np.testing.assert_array_equal(encoder.encode(rows).vectors, right)
        assert "are damaged and made anew" in capsys.readouterr().out
        assert file.read_bytes() == whole
    encoder.encode(rows)
    assert "damaged" not in capsys.readouterr().out


def test_no_room_for_vectors_is_told_before_the_first_is_computed(base: Path, splits, tmp_path: Path):
    encoder = FrozenEncoder(Classifier.from_base(base, "linear", LABELS), tmp_path / "vectors")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    # A limit on files is what an account without root can have of a full disk: writing beyond it is EFBIG.
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limits[1]))
    try:
        with pytest.raises(InputError, match=r"the vectors of the frozen base, 0 MiB, cannot be written \(File"):
            encoder.encode(splits[0])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list((tmp_path / "vectors").iterdir()) == []


def test_the_vectors_that_were_used_last_are_kept(base: Path, splits, tmp_path: Path):
    folder = tmp_path / "vectors"
    folder.mkdir()
    for age in range(KEPT_SPLITS):
        file = folder / f"{age}.vectors"
        file.touch()
        os.utime(file, (1000 - age, 1000 - age))
    FrozenEncoder(Classifier.from_base(base, "linear", LABELS), folder).encode(splits[1])
    names = {file.stem for file in folder.iterdir()}
    assert len(names) == KEPT_SPLITS
    assert {str(age) for age in range(KEPT_SPLITS - 1)} < names


def test_what_can_be_learned_is_learned(base: Path, tmp_path: Path):
    learned = read_split(random_rows(600, seed=1), tmp_path / "learned")
    measured = read_split(random_rows(90, seed=2), tmp_path / "measured")
    _, record = train(make_spec(base, epochs=8, learning_rate=3e-3), learned, measured, scratch=tmp_path)
    assert record["epochs"][-1]["eval_macro_recall"] > 0.95
    assert [epoch["epoch"] for epoch in record["epochs"]] == list(range(1, 9))
    assert record["best_epoch"] == 8


def test_another_seed_gives_other_weights(base: Path, splits, tmp_path: Path):
    # That the same one gives the same weights is seen where a training is interrupted.
    weights = [train(make_spec(base, seed=seed), *splits, scratch=tmp_path)[0].get_weights() for seed in (3, 4)]
    assert not all(np.array_equal(a, b) for a, b in zip(*weights, strict=True))


def test_early_stopping_restores_the_epoch_with_the_best_macro_recall(base: Path, splits, tmp_path: Path):
    # So high a rate that the model gets worse after it was good.
    spec = make_spec(base, epochs=30, learning_rate=5e-3, early_stopping_patience=3)
    classifier, record = train(spec, *splits, scratch=tmp_path)
    recalls = [epoch["eval_macro_recall"] for epoch in record["epochs"]]
    assert record["best_epoch"] == int(np.argmax(recalls)) + 1
    _, evaluate = splits
    batch = {name: tf.constant(value) for name, value in evaluate.take(np.arange(len(evaluate))).items()}
    decided = tf.argmax(classifier(batch, training=False), axis=1).numpy()
    recall = np.mean([(decided[evaluate.labels == label] == label).mean() for label in (0, 1)])
    assert recall == pytest.approx(max(recalls), abs=1e-6)
    assert len(recalls) == min(30, record["best_epoch"] + 3)


def test_balanced_weights_make_classes_weigh_alike():
    labels = np.array([0] * 90 + [1] * 10, np.int32)
    weights = SINGLE_LABEL.class_weights("balanced", labels, 2)
    assert weights[0] * 90 == pytest.approx(weights[1] * 10) == pytest.approx(50)
    assert SINGLE_LABEL.class_weights("none", labels, 2) == [1.0, 1.0]


class StopEarlyError(Exception):
    """Stands in for whatever ends a training."""


class Interrupt(tf_keras.callbacks.Callback):
    """Ends a training in the middle of an epoch: its number among all epochs of a call, those of a probe included."""

    def __init__(self, epoch: int) -> None:
        super().__init__()
        self.left = epoch

    def on_epoch_begin(self, epoch, logs=None):
        self.left -= 1

    def on_train_batch_end(self, batch, logs=None):
        if not self.left and batch == 3:
            raise StopEarlyError


def interrupted(patch: pytest.MonkeyPatch, epoch: int, train: Callable[[], object]) -> None:
    """Runs a training up to the middle of an epoch."""
    fit, interrupt = tf_keras.Model.fit, Interrupt(epoch)

    def watched(self, *args, callbacks, **kwargs):
        return fit(self, *args, callbacks=[interrupt, *callbacks], **kwargs)

    with patch.context() as here:
        here.setattr(tf_keras.Model, "fit", watched)
        with pytest.raises(StopEarlyError):
            train()


def measures(record: dict) -> list[dict]:
    """What a training measured of its model, and not of the time that it took."""
    return [{**epoch, "seconds": 0} for epoch in [*record["probe_epochs"], *record["epochs"]]]


def test_an_interrupted_training_makes_the_very_model_of_an_undisturbed_one(
    base: Path, splits, tmp_path: Path, monkeypatch, capsys
):
    spec = make_spec(base, epochs=3)

    def again():
        return train(spec, *splits, scratch=tmp_path, checkpoints=tmp_path / "kept")

    whole, undisturbed = train(spec, *splits, scratch=tmp_path)
    interrupted(monkeypatch, 3, again)
    (data,) = (tmp_path / "kept").rglob("epoch-2.data*")
    # As TensorFlow leaves it where it is killed while it writes.
    unfinished = data.parent / "epoch-3_temp"
    unfinished.mkdir()
    (unfinished / "part-00000-of-00001.index").touch()
    shutil.copytree(tmp_path / "kept", tmp_path / "damaged")
    for damaged in (False, True):
        if damaged:
            shutil.rmtree(tmp_path / "kept")
            shutil.copytree(tmp_path / "damaged", tmp_path / "kept")
            content = bytearray(data.read_bytes())
            content[len(content) // 2] ^= 1
            data.write_bytes(content)
        capsys.readouterr()
        resumed, record = again()
        said = capsys.readouterr().out
        assert ("epoch-2 is damaged and not used" in said, "goes on after epoch 2" in said) == (damaged, not damaged)
        assert all(np.array_equal(*pair) for pair in zip(whole.get_weights(), resumed.get_weights(), strict=True))
        assert measures(record) == measures(undisturbed)
        assert not unfinished.exists()
    assert [epoch["epoch"] for epoch in record["epochs"]] == [1, 2, 3]
    # What is complete and yet asked for again, because exporting was interrupted, is not trained again.
    monkeypatch.delattr(tf_keras.Model, "fit")
    assert measures(again()[1]) == measures(undisturbed)


def test_a_probe_and_early_stopping_go_on_too(base: Path, splits, tmp_path: Path, monkeypatch):
    # So high a rate that the model gets worse after it was good.
    spec = make_spec(
        base,
        approach="probe_then_fine_tune",
        head="mlp",
        early_stopping_patience=2,
        epochs=9,
        learning_rate=5e-3,
    )

    def again():
        return train(spec, *splits, scratch=tmp_path, checkpoints=tmp_path / "kept")

    whole, undisturbed = train(spec, *splits, scratch=tmp_path)
    probed, best, done = (
        len(undisturbed["probe_epochs"]),
        undisturbed["best_epoch"],
        len(undisturbed["epochs"]),
    )
    assert best + spec.early_stopping_patience == done < spec.epochs
    # In the probe, then in the epoch after the best one, counted from where the training goes on.
    interrupted(monkeypatch, 2, again)
    interrupted(monkeypatch, probed - 1 + best + 1, again)
    resumed, record = again()
    assert all(np.array_equal(*pair) for pair in zip(whole.get_weights(), resumed.get_weights(), strict=True))
    assert measures(record) == measures(undisturbed)
    assert record["best_epoch"] == best


def test_the_best_weights_are_kept_also_where_all_epochs_were_trained(base: Path, splits, tmp_path: Path):
    learned, evaluate = splits
    evaluate.labels = 1 - evaluate.labels  # so that what is learned makes it worse
    patient = make_spec(base, epochs=5, learning_rate=1e-2, early_stopping_patience=30)
    classifier, record = train(patient, learned, evaluate, scratch=tmp_path)
    recalls = [epoch["eval_macro_recall"] for epoch in record["epochs"]]
    assert len(recalls) == 5
    assert recalls[record["best_epoch"] - 1] > recalls[-1]
    batch = {name: tf.constant(value) for name, value in evaluate.take(np.arange(len(evaluate))).items()}
    decided = tf.argmax(classifier(batch, training=False), axis=1).numpy()
    recall = np.mean([(decided[evaluate.labels == label] == label).mean() for label in (0, 1)])
    assert recall == pytest.approx(max(recalls), abs=1e-6)


def test_mixed_precision_trains_and_leaves_float32_weights(base: Path, splits, tmp_path: Path):
    spec = make_spec(base, mixed_precision="bfloat16")
    classifier, record = train(spec, *splits, scratch=tmp_path)
    assert record["precision"] == "mixed_bfloat16"
    assert {variable.dtype for variable in classifier.variables} == {tf.float32}
    assert tf_keras.mixed_precision.global_policy().name == "float32"
    assert np.isfinite(record["epochs"][0]["loss"])


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
    _, record = train(make_spec(tmp_path / "emotion", head="linear", learning_rate=1e-4), *splits, scratch=tmp_path)
    assert record["warnings"] == [
        "model.base: it carries an earlier task's classification head (for happy, sad, neither), which is left out: "
        "a new one is trained"
    ]


def test_a_checkpoint_that_cannot_be_written_ends_the_training_with_a_remedy(base: Path, splits, tmp_path: Path):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    spec = make_spec(base, approach="frozen", head="mlp")
    # See the test of vectors: writing beyond the limit is what a full disk is. The vectors take 12 kB.
    resource.setrlimit(resource.RLIMIT_FSIZE, (16_000, limits[1]))
    try:
        with pytest.raises(InputError, match=r"the checkpoint of epoch 1 cannot be written .*free some space"):
            train(spec, *splits, scratch=tmp_path, checkpoints=tmp_path / "kept")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
