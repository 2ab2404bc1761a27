"""The state of a training, kept after each epoch: an interrupted training goes on from there."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import tensorflow as tf
import tf_keras

from fullbake.contract.errors import InputError
from fullbake.contract.progress import tell
from fullbake.trainer.spec import PretrainingSpec, TrainingSpec

# Settings that decide nothing about what is trained.
_PLACES = ("base", "revision", "base_hash", "checkpoints", "vectors", "reading", "calibrate")
_PREFIX = "epoch-"
_INDEX = ".index"  # written last: where it is, TensorFlow was done with the files of an epoch


def checkpoint_folder(spec: TrainingSpec | PretrainingSpec, inputs: list[str]) -> Path | None:
    """A folder for the checkpoints of one training, named by all that decides what is trained.

    Args:
        spec: How it is trained, and where all checkpoints are kept; None is returned where nowhere.
        inputs: The contents of what is trained and of what it is trained on: another training has another folder.
    """
    if spec.checkpoints is None:
        return None
    # Names and places decide nothing: the same files may have another path tomorrow, and others have this one.
    settings = {name: value for name, value in spec.to_dict().items() if name not in _PLACES}
    return Path(spec.checkpoints, hashlib.sha256(json.dumps([settings, *inputs]).encode()).hexdigest()[:16])


def remove_checkpoints(folder: Path | None) -> None:
    """Removes what `checkpoint_folder` named: the trained model is kept elsewhere now."""
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


class Progress(tf.train.experimental.PythonState):
    """What a checkpoint holds beside the variables.

    Attributes:
        epochs: How many are done.
        found: The measures, in the order in which they were taken.
        best: The weights to come back to when training ends, or None: the last ones.
    """

    def __init__(self) -> None:
        self.epochs = 0
        self.found: list[dict[str, float]] = []
        self.best: list[np.ndarray] | None = None

    def serialize(self) -> bytes:
        """Asked by TensorFlow when it writes a checkpoint."""
        about = json.dumps({"epochs": self.epochs, "found": self.found, "best": self.best is not None})
        stream = io.BytesIO()
        np.savez(stream, np.frombuffer(about.encode(), np.uint8), *(self.best or []))
        return stream.getvalue()

    def deserialize(self, string_value: bytes) -> None:
        """Asked by TensorFlow when it restores a checkpoint."""
        with np.load(io.BytesIO(string_value), allow_pickle=False) as arrays:
            about, *best = (arrays[f"arr_{number}"] for number in range(len(arrays.files)))
        known = json.loads(about.tobytes())
        self.epochs, self.found = known["epochs"], known["found"]
        self.best = best if known["best"] else None


class EpochCheckpoints(tf_keras.callbacks.Callback):
    """Keeps the state of a training after each epoch, and finds it again.

    It must be the last of the callbacks: what those before it learn at the end of an epoch is kept with it. Files that
    were damaged are not trusted: TensorFlow keeps a checksum of each tensor.

    Args:
        folder: Where the state is kept, shared by all workers; None keeps none.
        model: Compiled, with all its variables and those of its optimiser.
        progress: What is known of it beside the variables.
    """

    def __init__(self, folder: Path | None, model: tf_keras.Model, progress: Progress):
        super().__init__()
        self._folder = folder
        self._strategy = model.distribute_strategy
        self._progress = progress
        self._checkpoint = tf.train.Checkpoint(model=model, progress=progress)

    def restore(self) -> None:
        """Brings back the newest state that is whole, if there is one."""
        for prefix in self._kept():
            try:
                _check(prefix)
            except (tf.errors.OpError, RuntimeError, ValueError):
                tell(f"the checkpoint {prefix} is damaged and not used; what it held is trained again")
                continue
            with self._strategy.scope():
                self._checkpoint.read(str(prefix)).assert_existing_objects_matched()
            tell(f"goes on after epoch {self._progress.epochs}, kept by a training that was interrupted")
            return

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Writes the state, then removes that of the epoch before."""
        self._progress.epochs = epoch + 1
        if self._folder is None:
            return
        if not self._strategy.extended.should_checkpoint:
            # Variables that each worker has a part of are put together by all workers; the first one keeps the result.
            with tempfile.TemporaryDirectory(prefix="fullbake-") as nowhere:
                self._checkpoint.write(str(Path(nowhere, _PREFIX)))
            return
        name = f"{_PREFIX}{self._progress.epochs}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._checkpoint.write(str(self._folder / name))
        except (OSError, tf.errors.OpError) as error:
            raise InputError(
                f"{self._folder}: the checkpoint of epoch {self._progress.epochs} cannot be written "
                f"({str(error).splitlines()[0]}); free some space and run again, which goes on after the epoch before"
            ) from error
        for other in self._folder.iterdir():
            if other.is_dir():
                shutil.rmtree(other)  # of a writing that was killed: TensorFlow begins in a folder of its own
            elif not other.name.startswith(f"{name}."):
                other.unlink()

    def _kept(self) -> list[Path]:
        if self._folder is None:
            return []
        indices = [file for file in self._folder.glob(f"{_PREFIX}*{_INDEX}") if _epoch(file) is not None]
        return [file.with_suffix("") for file in sorted(indices, key=lambda file: _epoch(file) or 0, reverse=True)]


def _epoch(index: Path) -> int | None:
    number = index.name.removeprefix(_PREFIX).removesuffix(_INDEX)
    return int(number) if number.isdecimal() else None


def _check(prefix: Path) -> None:
    """Reads every tensor, so that TensorFlow compares its checksum; raises an error where one is wrong."""
    reader = tf.train.load_checkpoint(str(prefix))
    for name in reader.get_variable_to_shape_map():
        reader.get_tensor(name)
