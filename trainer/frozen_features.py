"""The ``[CLS]`` vectors of a frozen encoder: computed once, then every epoch reads them instead of the texts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf
import tf_keras

from trainer.classifier import Classifier
from trainer.input_pipeline import TokenizedSplit

# Rows that go through the encoder at once; they are sorted by length, so little of it is padding.
ENCODE_ROWS = 32


class EncodedSplit:
    """A split as vectors.

    Attributes:
      vectors: float32 ``(rows, hidden_size)``, memory-mapped, in the order of the split's rows.
      labels: int32 ``(rows,)``.
    """

    def __init__(self, vectors: np.ndarray, labels: np.ndarray):
        self.vectors = vectors
        self.labels = labels

    @classmethod
    def encode(cls, classifier: Classifier, split: TokenizedSplit, file: Path, *, verbose: int = 0) -> EncodedSplit:
        """Runs the encoder over all rows once, in inference mode (no dropout), longest rows first.

        Args:
          classifier: its encoder gives the vectors.
          split: the rows.
          file: where the vectors are kept.
          verbose: as in Keras's ``fit``: 0 silent, 1 a progress bar, 2 a line.
        """
        encode = tf.function(
            lambda batch: tf.cast(classifier.encode(batch, training=False), tf.float32),
            input_signature=[split.signature(None, full_width=False)],
            autograph=False,
        )
        order = np.argsort(-split.lengths, kind="stable")
        hidden_size = classifier.backbone.config.hidden_size
        vectors = np.memmap(file, np.float32, "w+", shape=(len(split), hidden_size))
        progress = tf_keras.utils.Progbar(len(order), unit_name="row", verbose=verbose)
        for start in range(0, len(order), ENCODE_ROWS):
            rows = order[start : start + ENCODE_ROWS]
            vectors[rows] = encode({name: tf.constant(value) for name, value in split.take(rows).items()}).numpy()
            progress.update(start + len(rows))
        vectors.flush()
        return cls(vectors, split.labels)

    @property
    def lengths(self) -> np.ndarray:
        """All alike: vectors need no sorting."""
        return np.zeros(len(self.labels), np.int64)

    def take(self, rows: np.ndarray, *, full_width: bool = False) -> np.ndarray:
        """The vectors of these rows: float32 ``(batch_size, hidden_size)``."""
        del full_width  # they always have one width
        return self.vectors[rows]

    def signature(self, batch_size: int | None, *, full_width: bool) -> tf.TensorSpec:
        """The shape and dtype of what ``take`` gives."""
        del full_width
        return tf.TensorSpec((batch_size, self.vectors.shape[1]), tf.float32)
