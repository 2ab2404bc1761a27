"""One vector for a row out of a frozen encoder: computed once, then every epoch reads them instead of the texts.

So does every later training on the same texts with the same encoder, if the vectors are kept.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

import numpy as np
import tensorflow as tf
import tf_keras

from trainer.classifier import Classifier
from trainer.input_pipeline import TokenizedSplit

# Rows that go through the encoder at once; they are sorted by length, so little of it is padding.
ENCODE_ROWS = 32
# Splits whose vectors are kept, those used last: of two encoders, or two states of the data, a train and an eval split
# each. A million rows of MiniLM take 1.5 GB in float32.
KEPT_SPLITS = 8
_SUFFIX = ".vectors"


class EncodedSplit:
    """A split as vectors.

    Attributes:
      vectors: float32 or float16 ``(rows, hidden_size)``, memory-mapped, in the order of the split's rows.
      labels: int32 ``(rows,)``.
    """

    def __init__(self, vectors: np.ndarray, labels: np.ndarray):
        self.vectors = vectors
        self.labels = labels

    @property
    def lengths(self) -> np.ndarray:
        """All alike: vectors need no sorting."""
        return np.zeros(len(self.labels), np.int64)

    def take(self, rows: np.ndarray, *, full_width: bool = False) -> np.ndarray:
        """The vectors of these rows: float32 ``(batch_size, hidden_size)``."""
        del full_width  # they always have one width
        return self.vectors[rows].astype(np.float32)

    def signature(self, batch_size: int | None, *, full_width: bool) -> tf.TensorSpec:
        """The shape and dtype of what ``take`` gives."""
        del full_width
        return tf.TensorSpec((batch_size, self.vectors.shape[1]), tf.float32)


class FrozenEncoder:
    """Finds the vectors of splits in a folder, or runs an encoder over them once and leaves the vectors there.

    The encoder is in inference mode (no dropout) and gets the longest rows first.

    Args:
      classifier: its encoder gives the vectors.
      folder: where vectors are kept, under a name that tells encoder, tokens and ``dtype``; of more than
        ``KEPT_SPLITS`` those that were used last.
      dtype: ``float32``, or ``float16``: half the space, and values rounded to 11 bits.
      verbose: as in Keras's ``fit``: 0 silent, 1 a progress bar, 2 a line.
    """

    def __init__(self, classifier: Classifier, folder: Path, *, dtype: str = "float32", verbose: int = 0):
        self._classifier = classifier
        self._folder = folder
        self._dtype = dtype
        self._verbose = verbose
        self._encode = tf.function(
            lambda batch: tf.cast(classifier.encode(batch, training=False), tf.float32),
            autograph=False,
        )

    def encode(self, split: TokenizedSplit) -> EncodedSplit:
        """Gives a split as vectors."""
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / (_fingerprint(self._classifier, split, self._dtype) + _SUFFIX)
        if file.exists():
            print(f"the vectors of {len(split):,} rows were kept by an earlier training", flush=True)
        else:
            self._write(split, file)
        os.utime(file)
        _drop_others(self._folder)
        return EncodedSplit(np.memmap(file, self._dtype, "r", shape=(len(split), self._hidden_size)), split.labels)

    @property
    def _hidden_size(self) -> int:
        size: int = self._classifier.backbone.config.hidden_size
        return size

    def _write(self, split: TokenizedSplit, file: Path) -> None:
        encode = self._encode.get_concrete_function(split.signature(None, full_width=False))
        order = np.argsort(-split.lengths, kind="stable")
        # Renamed when whole, and under a name of its own: an interruption leaves nothing, and two trainings may be at
        # it.
        handle, unfinished = tempfile.mkstemp(dir=file.parent, prefix=file.stem, suffix=".unfinished")
        os.close(handle)
        try:
            vectors = np.memmap(unfinished, self._dtype, "w+", shape=(len(split), self._hidden_size))
            progress = tf_keras.utils.Progbar(len(order), unit_name="row", verbose=self._verbose)
            for start in range(0, len(order), ENCODE_ROWS):
                rows = order[start : start + ENCODE_ROWS]
                vectors[rows] = encode({name: tf.constant(value) for name, value in split.take(rows).items()}).numpy()
                progress.update(start + len(rows))
            vectors.flush()
            os.replace(unfinished, file)
        finally:
            Path(unfinished).unlink(missing_ok=True)


def _fingerprint(classifier: Classifier, split: TokenizedSplit, dtype: str) -> str:
    """Tells all that decides the vectors: the encoder and its weights, its arithmetic, the tokens, and ``dtype``."""
    digest = hashlib.blake2b(digest_size=16)
    policy = tf_keras.mixed_precision.global_policy().name
    digest.update(f"{dtype} {policy} {classifier.pooling} {classifier.backbone.config.to_json_string()}".encode())
    for path, variable in sorted(classifier.paths().items()):
        if path.startswith("encoder/"):
            digest.update(path.encode())
            digest.update(np.ascontiguousarray(variable.numpy()).data)
    digest.update(split.offsets.data)
    for name, stream in sorted(split.streams.items()):
        digest.update(name.encode())
        digest.update(stream.data)
    return digest.hexdigest()


def _drop_others(folder: Path) -> None:
    kept = sorted(folder.glob(f"*{_SUFFIX}"), key=lambda file: file.stat().st_mtime, reverse=True)
    for file in kept[KEPT_SPLITS:]:
        file.unlink(missing_ok=True)
