"""Trainings on rows that are read in windows."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fullbake.contract.errors import InputError
from fullbake.trainer.data.reading import windows_of
from fullbake.trainer.data.windowed_split import TokenizedWindows
from fullbake.trainer.decision import decide_thresholds, score_split
from fullbake.trainer.devices.distribution import Placement, choose_placement
from fullbake.trainer.fine_tune import train_classifier
from fullbake.trainer.models.window_pooling import over_windows
from fullbake.trainer.spec import PretrainingSpec, TrainingSpec
from tests.trainer.test_multi_label import multi_label_spec
from tests.trainer.test_multi_label import split_of as multi_label_rows
from tests.trainer.test_pretrain import SPEC as PRETRAINING
from tests.trainer.test_pretrain import run as pretrain
from tests.trainer.trainings import interrupted, make_spec, measures, train, values
from tests.trainer.windowed import ROW_LENGTH, WINDOWS, expected_windows, in_windows, long_rows, mixed_rows, packed

MEAN = dataclasses.replace(WINDOWS, pooling="mean")
# By approach, what learns the rows of `long_rows` on a random base.
LEARNS = {
    "fine_tune": {"head": "hf", "learning_rate": 3e-3, "epochs": 4},
    # The [CLS] vector of a random base says next to nothing of the other tokens; the mean of all does.
    "frozen": {"head": "mlp", "learning_rate": 1e-2, "epochs": 8, "pooling": "mean"},
    "probe_then_fine_tune": {"head": "linear", "learning_rate": 3e-3, "epochs": 3, "pooling": "mean"},
    "lora": {"head": "linear", "learning_rate": 2e-2, "epochs": 6, "pooling": "mean"},
}

# Two devices of one process; they must be made before TensorFlow starts.
DEVICES = """
import logging
import sys
from pathlib import Path
import tensorflow as tf
logging.basicConfig(stream=sys.stdout, level=logging.INFO)
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from fullbake.trainer.devices.distribution import choose_placement
from tests.trainer.test_windowed_training import train_on
base, folder = map(Path, sys.argv[1:])
train_on(base, folder, choose_placement("mirrored", "float32", base))
"""


@pytest.fixture(scope="module")
def long_splits(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("long")
    return in_windows(long_rows(320, 1), folder / "train"), in_windows(long_rows(80, 2), folder / "eval")


@pytest.fixture
def mixed_splits(tmp_path: Path):
    return in_windows(mixed_rows(90, 1), tmp_path / "train"), in_windows(mixed_rows(30, 2), tmp_path / "eval")


@pytest.mark.parametrize("windows", [WINDOWS, MEAN], ids=["max", "mean"])
@pytest.mark.parametrize("approach", LEARNS)
def test_what_is_in_the_last_window_alone_is_learned(
    base_without_dropout: Path, long_splits, tmp_path: Path, approach: str, windows
):
    spec = make_spec(base_without_dropout, approach=approach, windows=windows, **LEARNS[approach])
    classifier, record = train(spec, *long_splits, scratch=tmp_path)
    assert record.epochs[-1].eval_macro_recall > 0.9
    scores = score_split(over_windows(classifier, windows), long_splits[1])
    decided = (scores.argmax(axis=1) == long_splits[1].labels).mean()
    assert decided == pytest.approx(record.epochs[-1].eval_accuracy, abs=1e-6)


def test_with_the_head_alone_it_cannot_be_learned(base_without_dropout: Path, tmp_path: Path):
    splits = [packed(long_rows(rows, seed), WINDOWS.length) for rows, seed in ((320, 1), (80, 2))]
    _, record = train(make_spec(base_without_dropout, **LEARNS["fine_tune"]), *splits, scratch=tmp_path)
    assert record.epochs[-1].eval_macro_recall < 0.7


@pytest.mark.parametrize("approach", ["fine_tune", "frozen"])
def test_an_interrupted_training_makes_the_very_model_of_an_undisturbed_one(
    base: Path, mixed_splits, tmp_path: Path, monkeypatch, approach: str
):
    spec = make_spec(base, approach=approach, head="mlp", windows=WINDOWS, epochs=3, early_stopping_patience=3)

    def again():
        return train(spec, *mixed_splits, scratch=tmp_path, checkpoints=tmp_path / "kept")

    whole, undisturbed = train(spec, *mixed_splits, scratch=tmp_path)
    interrupted(monkeypatch, 3, again)
    resumed, record = again()
    assert all(np.array_equal(*pair) for pair in zip(whole.get_weights(), resumed.get_weights(), strict=True))
    assert measures(record) == measures(undisturbed)


def test_rows_of_one_window_are_learned_as_head_learns_them_bit_for_bit(base: Path, tmp_path: Path):
    rows = [row for row in mixed_rows(200, 3) if len(row[0]) <= WINDOWS.length]
    split = in_windows(rows, tmp_path / "windows")
    plain = packed(rows, WINDOWS.length)
    assert split.window_counts.max() == 1
    for approach, head in (("fine_tune", "hf"), ("frozen", "mlp")):
        spec = make_spec(base, approach=approach, head=head, epochs=2)
        kept = [
            (values(classifier), measures(record))
            for classifier, record in (
                train(spec, plain, plain, scratch=tmp_path),
                train(dataclasses.replace(spec, windows=WINDOWS), split, split, scratch=tmp_path),
            )
        ]
        assert kept[0][1] == kept[1][1]
        assert all(np.array_equal(kept[0][0][path], kept[1][0][path]) for path in kept[0][0])


def test_the_vectors_of_windows_are_found_again(base: Path, mixed_splits, tmp_path: Path, caplog):
    caplog.set_level("INFO")
    folder = tmp_path / "vectors"
    spec = make_spec(base, approach="frozen", head="mlp", vectors=str(folder), windows=WINDOWS)
    first = values(train(spec, *mixed_splits, scratch=tmp_path)[0])
    assert "were kept by an earlier training" not in caplog.text
    # How they are pooled has no part in them.
    other = values(train(dataclasses.replace(spec, windows=MEAN), *mixed_splits, scratch=tmp_path)[0])
    again = values(train(spec, *mixed_splits, scratch=tmp_path)[0])
    said = caplog.text
    for split in mixed_splits:
        assert said.count(f"the vectors of {len(split.windows):,} rows were kept by an earlier training") == 2
    assert all(np.array_equal(first[path], again[path]) for path in first)
    assert not all(np.array_equal(first[path], other[path]) for path in first)


def test_the_parts_of_a_batch_add_up_to_it(base_without_dropout: Path, mixed_splits, tmp_path: Path):
    spec = make_spec(base_without_dropout, head="linear", batch_size=8, learning_rate=1e-4, windows=WINDOWS)
    whole = values(train(spec, *mixed_splits, scratch=tmp_path)[0])
    parts = dataclasses.replace(spec, batch_size=2, gradient_accumulation_steps=4)
    added = values(train(parts, *mixed_splits, scratch=tmp_path)[0])
    for path in whole:
        np.testing.assert_allclose(added[path], whole[path], atol=2e-5, err_msg=path)


def train_on(base: Path, folder: Path, placement: Placement) -> None:
    """Trains with two approaches and keeps their weights and losses in a folder."""
    # 41 rows in batches of 8: the last batch, of one row, leaves a device without any.
    learned, measured = (in_windows(mixed_rows(rows, rows), folder / str(rows)) for rows in (41, 11))
    for approach in ("fine_tune", "frozen"):
        spec = make_spec(base, head="linear", approach=approach, learning_rate=1e-4, epochs=2, windows=WINDOWS)
        classifier, record = train_classifier(spec, placement, base, learned, measured, scratch=folder)
        np.savez(folder / approach, record.epochs[-1].eval_loss, *classifier.get_weights())


def test_two_devices_learn_what_one_does(base_without_dropout: Path, tmp_path: Path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    train_on(base_without_dropout, one, choose_placement("none", "float32", base_without_dropout))
    done = subprocess.run(
        [sys.executable, "-c", DEVICES, str(base_without_dropout), str(two)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert "2 mirrored CPUs" in done.stdout
    for approach in ("fine_tune", "frozen"):
        with np.load(one / f"{approach}.npz") as expected, np.load(two / f"{approach}.npz") as found:
            for name in expected.files:
                np.testing.assert_allclose(found[name], expected[name], atol=2e-5, err_msg=name)


def test_further_pre_training_learns_each_window_as_a_row(base: Path, mixed_splits, tmp_path: Path):
    train_rows, eval_rows = (
        [(window, 0) for ids, _ in mixed_rows(rows, seed) for window in expected_windows(ids)]
        for rows, seed in ((90, 1), (30, 2))
    )
    windows = [windows_of(split) for split in mixed_splits]
    expected = packed(train_rows, WINDOWS.length), packed(eval_rows, WINDOWS.length)
    for found, rows in zip(windows, expected, strict=True):
        np.testing.assert_array_equal(found.streams["input_ids"], rows.streams["input_ids"])
        np.testing.assert_array_equal(found.offsets, rows.offsets)
    model, record = pretrain(base, *windows, windows=WINDOWS, epochs=1, next_sentence=True)
    other, same = pretrain(base, *expected, epochs=1, next_sentence=True)
    assert record.evaluations == same.evaluations
    assert all(np.array_equal(*pair) for pair in zip(model.get_weights(), other.get_weights(), strict=True))


def test_labels_that_are_decided_each_by_itself_are_learned_wherever_their_windows_are(
    base_without_dropout: Path, tmp_path: Path
):
    splits = [
        TokenizedWindows.cut(multi_label_rows(rows, seed, tmp_path / f"rows-{seed}"), WINDOWS, tmp_path / f"cut-{seed}")
        for rows, seed in ((600, 1), (120, 2))
    ]
    assert splits[0].window_counts.max() > 1
    spec = multi_label_spec(
        base_without_dropout, head="linear", pooling="mean", windows=WINDOWS, decision_threshold=0.3
    )
    classifier, record = train(spec, *splits, scratch=tmp_path)
    assert record.epochs[-1].eval_macro_recall > 0.9
    thresholds = decide_thresholds(spec, lambda: classifier, splits[1])
    scores = score_split(over_windows(classifier, WINDOWS), splits[1], task=spec.task)
    for index, found in enumerate(thresholds.values()):
        has, decided = splits[1].labels[:, index], scores[:, index] >= np.float32(found.value)
        assert found.recall == decided[has == 1].mean()


def test_a_spec_comes_back_from_json(base: Path):
    spec = make_spec(base, windows=WINDOWS)
    assert TrainingSpec.from_dict(spec.to_dict()) == spec
    assert TrainingSpec.from_dict(make_spec(base).to_dict()) == make_spec(base)
    pretraining = dataclasses.replace(PRETRAINING, windows=MEAN)
    assert PretrainingSpec.from_dict(pretraining.to_dict()) == pretraining
    assert WINDOWS.row_length == ROW_LENGTH == 28


class Tpu(Placement):
    """Stands in for the one device that is not here."""

    static_shapes = True


def test_on_a_tpu_windows_are_refused_before_anything_is_trained(base: Path, mixed_splits, tmp_path: Path):
    one = choose_placement("none", "float32", base)
    tpu = Tpu(one.strategy, one.found, one.policy, one.policy_reason)
    with pytest.raises(InputError, match=r"^truncation: windows are not possible on a TPU.*; use head or"):
        train_classifier(make_spec(base, windows=WINDOWS), tpu, base, *mixed_splits, scratch=tmp_path)
