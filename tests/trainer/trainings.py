"""Trainings as tests need them: a spec, a call, what comes of it, and an interruption in the middle."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tf_keras

from fullbake.contract.results.training import Epoch, Training
from fullbake.trainer.data.input_pipeline import TokenizedSplit
from fullbake.trainer.devices.distribution import choose_placement
from fullbake.trainer.encoder.base_model import resolve_base
from fullbake.trainer.fine_tune import train_classifier
from fullbake.trainer.models.classifier import Classifier
from fullbake.trainer.spec import TrainingSpec

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


def values(classifier: Classifier) -> dict[str, np.ndarray]:
    return {path: variable.numpy() for path, variable in classifier.paths().items()}


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


def measures(record: Training) -> list[Epoch]:
    """What a training measured of its model, and not of the time that it took."""
    return [epoch.model_copy(update={"seconds": 0}) for epoch in [*record.probe_epochs, *record.epochs]]
