import resource
import shutil
from pathlib import Path

import numpy as np
import pytest
import tf_keras

from fullbake.contract.errors import InputError
from tests.trainer.trainings import interrupted, make_spec, measures, train


def test_an_interrupted_training_makes_the_very_model_of_an_undisturbed_one(
    base: Path, splits, tmp_path: Path, monkeypatch, caplog
):
    caplog.set_level("INFO")
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
        caplog.clear()
        resumed, record = again()
        said = caplog.text
        assert ("epoch-2 is damaged and not used" in said, "goes on after epoch 2" in said) == (damaged, not damaged)
        assert all(np.array_equal(*pair) for pair in zip(whole.get_weights(), resumed.get_weights(), strict=True))
        assert measures(record) == measures(undisturbed)
        assert not unfinished.exists()
    assert [epoch.epoch for epoch in record.epochs] == [1, 2, 3]
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
        len(undisturbed.probe_epochs),
        undisturbed.best_epoch,
        len(undisturbed.epochs),
    )
    assert best + spec.early_stopping_patience == done < spec.epochs
    # In the probe, then in the epoch after the best one, counted from where the training goes on.
    interrupted(monkeypatch, 2, again)
    interrupted(monkeypatch, probed - 1 + best + 1, again)
    resumed, record = again()
    assert all(np.array_equal(*pair) for pair in zip(whole.get_weights(), resumed.get_weights(), strict=True))
    assert measures(record) == measures(undisturbed)
    assert record.best_epoch == best


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
