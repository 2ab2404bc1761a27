"""Says how far a training has got."""

from __future__ import annotations

import time

import tf_keras

from fullbake.contract.durations import duration_in_words
from fullbake.contract.progress import tell, tell_step


class FitProgress(tf_keras.callbacks.Callback):
    """Tells each step of a training, and what an epoch measured when it is over.

    Args:
        epochs: How many there are, those of before an interruption among them.
        steps: Optimiser steps of each.
    """

    # Keras would else fetch the measures of every step from the device.
    _supports_tf_logs = True

    def __init__(self, epochs: int, steps: int):
        super().__init__()
        self._epochs = epochs
        self._steps = steps
        self._epoch = 0

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Tells of the half minute before the first step."""
        tell("building the graph of the training")

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Notes when it began."""
        self._epoch = epoch
        self._started = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Tells the step."""
        done = self._epoch * self._steps + batch + 1
        tell_step(f"{self._name}, step {batch + 1:,} of {self._steps:,}", done, self._epochs * self._steps)

    def on_test_begin(self, logs: dict[str, float] | None = None) -> None:
        """Tells that no step is taken meanwhile."""
        done = (self._epoch + 1) * self._steps
        tell_step(f"{self._name}, measuring on the eval split", done, self._epochs * self._steps)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Tells what it measured."""
        measured = [f"{name.replace('val_', 'eval_')} {float(value):.4f}" for name, value in (logs or {}).items()]
        took = duration_in_words(time.monotonic() - self._started)
        tell(f"{self._name}: {', '.join([*measured, took])}".replace("_", " "))

    @property
    def _name(self) -> str:
        return f"epoch {self._epoch + 1} of {self._epochs}"
