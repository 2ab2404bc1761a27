"""One vector for each row from a frozen encoder: computed once, and read by every epoch instead of the texts.

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

from fullbake.contract.errors import InputError
from fullbake.contract.progress import tell, tell_step
from fullbake.trainer.data.input_pipeline import TokenizedSplit
from fullbake.trainer.models.classifier import Classifier

# Rows that go through the encoder at once; they are sorted by length, so little of it is padding.
ENCODE_ROWS = 32
# Splits whose vectors are kept, those used last: of two encoders, or two states of the data, a train and an eval split
# each. A million rows of MiniLM take 1.5 GB in float32.
KEPT_SPLITS = 8
_SUFFIX = ".vectors"
_UNFINISHED = ".unfinished"
# What a file of vectors ends with: a digest of all before it.
_DIGEST_BYTES = 16
_READ_BYTES = 1 << 20


class EncodedSplit:
    """A split as vectors.

    Attributes:
        vectors: float32 or float16 `(rows, hidden_size)`, memory-mapped, in the order of the split's rows.
        labels: The targets, a row each.
    """

    def __init__(self, vectors: np.ndarray, labels: np.ndarray):
        self.vectors = vectors
        self.labels = labels

    @property
    def lengths(self) -> np.ndarray:
        """All zero: vectors need no sorting."""
        return np.zeros(len(self.labels), np.int64)

    @property
    def window_counts(self) -> np.ndarray:
        """One of each row."""
        return np.ones(len(self.labels), np.int64)

    def take(self, rows: np.ndarray, *, full_width: bool = False) -> np.ndarray:
        """The vectors of these rows: float32 `(batch_size, hidden_size)`."""
        del full_width  # they always have one width
        return self.vectors[rows].astype(np.float32)

    def signature(self, batch_size: int | None, *, full_width: bool) -> tf.TensorSpec:
        """The shape and dtype of what `take` returns."""
        del full_width
        return tf.TensorSpec((batch_size, self.vectors.shape[1]), tf.float32)


class FrozenEncoder:
    """Finds the vectors of splits in a folder, or runs an encoder over them once and leaves the vectors there.

    The encoder is in inference mode (no dropout) and gets the longest rows first.

    Args:
        classifier: Its encoder computes the vectors.
        folder: Where vectors are kept, under a name made from encoder, tokens and `dtype`; of more than
            `KEPT_SPLITS` those that were used last. A file that was damaged is made anew.
        dtype: `float32`, or `float16`: half the space, and values rounded to 11 bits.
    """

    def __init__(self, classifier: Classifier, folder: Path, *, dtype: str = "float32"):
        self._classifier = classifier
        self._folder = folder
        self._dtype = dtype
        self._encode = tf.function(
            lambda batch: tf.cast(classifier.encode(batch, training=False), tf.float32),
            autograph=False,
        )

    def encode(self, split: TokenizedSplit) -> EncodedSplit:
        """Returns a split as vectors.

        Raises:
            InputError: They cannot be written.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / (_fingerprint(self._classifier, split, self._dtype) + _SUFFIX)
        if _is_whole(file, self._size(split)):
            tell(f"the vectors of {len(split):,} rows were kept by an earlier training")
        else:
            if file.exists():
                tell(f"the vectors in {file} are damaged and made anew")
            try:
                self._write(split, file)
            except OSError as error:
                raise InputError(
                    "{folder}: the vectors of the frozen base, {size:,.0f} MiB, cannot be written ({reason}); free "
                    "some space, or set {frozen_vectors} to float16, which takes half",
                    folder=self._folder,
                    size=self._size(split) / 2**20,
                    reason=error.strerror,
                ) from error
        os.utime(file)
        _drop_others(self._folder)
        return EncodedSplit(np.memmap(file, self._dtype, "r", shape=(len(split), self._hidden_size)), split.labels)

    @property
    def _hidden_size(self) -> int:
        return self._classifier.encoder.hidden_size

    def _size(self, split: TokenizedSplit) -> int:
        return len(split) * self._hidden_size * np.dtype(self._dtype).itemsize

    def _write(self, split: TokenizedSplit, file: Path) -> None:
        encode = self._encode.get_concrete_function(split.signature(None, full_width=False))
        order = np.argsort(-split.lengths, kind="stable")
        # Renamed when whole, and under a name of its own: an interruption leaves nothing, and two trainings may be at
        # it.
        handle, unfinished = tempfile.mkstemp(dir=file.parent, prefix=file.stem, suffix=_UNFINISHED)
        try:
            # Its room is taken now: that there is none should not be found after an hour.
            os.posix_fallocate(handle, 0, self._size(split) + _DIGEST_BYTES)
            tell(f"running the frozen base over {len(order):,} rows")
            for start in range(0, len(order), ENCODE_ROWS):
                rows = order[start : start + ENCODE_ROWS]
                vectors = encode({name: tf.constant(value) for name, value in split.take(rows).items()}).numpy()
                # Written, not mapped: a disk that is full is an error then, not the end of the process (SIGBUS).
                for row, vector in zip(rows.tolist(), vectors.astype(self._dtype), strict=True):
                    os.pwrite(handle, vector.data, row * vector.nbytes)
                done = start + len(rows)
                tell_step(f"running the frozen base over row {done:,} of {len(order):,}", done, len(order))
            os.pwrite(handle, _digest(Path(unfinished), self._size(split)), self._size(split))
            os.replace(unfinished, file)
        finally:
            os.close(handle)
            Path(unfinished).unlink(missing_ok=True)


def drop_unfinished(folder: Path) -> None:
    """Removes what a killed process had begun to write here; no training may be at work in the folder."""
    for file in folder.glob(f"*{_UNFINISHED}"):
        file.unlink(missing_ok=True)


def _fingerprint(classifier: Classifier, split: TokenizedSplit, dtype: str) -> str:
    """A digest of all that decides the vectors: encoder and weights, arithmetic, tokens, and `dtype`."""
    digest = hashlib.blake2b(digest_size=16)
    policy = tf_keras.mixed_precision.global_policy().name
    digest.update(f"{dtype} {policy} {classifier.pooling} {classifier.encoder.description}".encode())
    for path, weight in sorted(classifier.encoder.plain_weights().items()):
        digest.update(path.encode())
        digest.update(np.ascontiguousarray(weight).data)
    digest.update(split.offsets.data)
    for name, stream in sorted(split.streams.items()):
        digest.update(name.encode())
        digest.update(stream.data)
    return digest.hexdigest()


def _is_whole(file: Path, size: int) -> bool:
    """Whether a file holds so many bytes of vectors, and the digest of those very bytes."""
    if not file.is_file() or file.stat().st_size != size + _DIGEST_BYTES:
        return False
    with file.open("rb") as stream:
        stream.seek(size)
        return stream.read() == _digest(file, size)


def _digest(file: Path, size: int) -> bytes:
    digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    with file.open("rb") as stream:
        while part := stream.read(min(size, _READ_BYTES)):
            digest.update(part)
            size -= len(part)
    return digest.digest()


def _drop_others(folder: Path) -> None:
    kept = sorted(folder.glob(f"*{_SUFFIX}"), key=lambda file: file.stat().st_mtime, reverse=True)
    for file in kept[KEPT_SPLITS:]:
        file.unlink(missing_ok=True)
