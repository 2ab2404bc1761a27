"""How far a training has come and what it has measured so far, kept beside its checkpoints."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import tensorflow as tf
import tf_keras


class Progress:
    """The measures of a training, found again when it goes on after an interruption.

    Args:
      file: where they are kept, or None to keep them in memory alone.

    Attributes:
      found: the measures, in the order in which they were taken.
    """

    def __init__(self, file: Path | None):
        self._file = file
        self.found: list[dict[str, float]] = []
        if file is not None and file.is_file():
            self.found = json.loads(file.read_text(encoding="utf-8"))

    def add(self, measured: dict[str, float]) -> None:
        """Keeps one more."""
        self.found.append(measured)
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            # Renamed when whole: an interruption leaves the measures of before.
            unfinished = self._file.with_suffix(".unfinished")
            unfinished.write_text(json.dumps(self.found), encoding="utf-8")
            unfinished.replace(self._file)

    def keep(self, wanted: Callable[[dict[str, float]], bool]) -> None:
        """Drops what was measured after the state that a training goes on from."""
        self.found = [measured for measured in self.found if wanted(measured)]

    def forget(self) -> None:
        """Removes the file: the training is complete."""
        if self._file is not None:
            self._file.unlink(missing_ok=True)


class Dealt:
    """How many batches a training had dealt before it was interrupted; 0 for one that begins.

    It knows nothing of the model: ``tf.data`` keeps what a generator holds for as long as the process lives.
    """

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> int:
        """Gives the count."""
        return self.count


class CountDealt(tf_keras.callbacks.Callback):
    """Takes the count from the optimiser's steps when training begins; it must stand behind what restores them.

    The optimiser cannot be asked later: within the first step its count goes up before the first batch is there.
    """

    def __init__(self, dealt: Dealt):
        super().__init__()
        self._dealt = dealt

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Reads the restored count."""
        self._dealt.count = int(tf.convert_to_tensor(self.model.optimizer.iterations))
