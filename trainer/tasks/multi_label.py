"""Multi-label classification: each row has any number of labels. Imports nothing heavy at the top."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from fullbake.contract.names import LABELS_SEPARATOR
from fullbake.contract.results.result import MULTI_LABEL

if TYPE_CHECKING:
    import tensorflow as tf
    import tf_keras

HALF = 0.5
"""The threshold of a label that has no other: the likelier of having it and not having it is decided."""


class MultiLabel:
    """A sigmoid and binary cross-entropy for each label, each decided by itself.

    The members are those of `trainer.tasks.table.Task`. Targets are int8 `(rows, num_labels)`: 1 where a row has the
    label, 0 where it has not, -1 where nobody knows. Of what nobody knows nothing is learned or measured.
    """

    name = MULTI_LABEL
    problem_type = "multi_label_classification"
    score = "macro_recall"

    def targets(self, feature: np.ndarray) -> np.ndarray:
        """The feature as it is, int8 `(rows, num_labels)`."""
        return feature.astype(np.int8)

    def class_weights(self, kind: str, targets: np.ndarray, num_labels: int) -> np.ndarray:
        """What a row without and with each label weighs, float64 `(2, num_labels)`.

        `balanced` is, of each label, `known rows / (2 * rows of the kind)`: what the two-class case has.
        """
        if kind == "none":
            return np.ones((2, num_labels))
        counts = np.array([(targets == value).sum(axis=0) for value in (0, 1)])
        return counts.sum(axis=0) / (2 * np.maximum(counts, 1))

    def losses(self, targets: tf.Tensor, logits: tf.Tensor, class_weights: tf.Tensor | None = None) -> tf.Tensor:
        """The binary cross-entropy in nats of each row: the mean over all labels, in which a masked one counts 0.

        Without masks it is the loss of Hugging Face's models with `multi_label_classification`. The mean is over all
        labels, not over the known ones, so that each known label weighs the same however many others are known.
        """
        import tensorflow as tf

        known = tf.cast(targets >= 0, logits.dtype)
        truth = tf.cast(targets > 0, logits.dtype)
        losses = known * tf.nn.sigmoid_cross_entropy_with_logits(truth, logits)
        if class_weights is not None:
            losses *= tf.where(targets > 0, class_weights[1], class_weights[0])
        return tf.reduce_mean(losses, axis=1)

    def probabilities(self, logits: tf.Tensor) -> tf.Tensor:
        """The sigmoid of each logit."""
        import tensorflow as tf

        return tf.nn.sigmoid(logits)

    def margins(self, targets: np.ndarray, logits: np.ndarray) -> np.ndarray:
        """How far each known answer and its opposite lie above the true one, float64 `(known, 2)`."""
        known = targets >= 0
        signed = np.where(targets[known] > 0, 1.0, -1.0) * np.asarray(logits, np.float64)[known]
        return np.stack([np.zeros_like(signed), -signed], axis=1)

    def decide(self, probabilities: tf.Tensor, labels: Sequence[str], thresholds: Mapping[str, float]) -> tf.Tensor:
        """The labels whose probabilities are at least their thresholds, joined; empty where none is."""
        import tensorflow as tf

        bounds = [thresholds.get(label, HALF) for label in labels]
        decided = probabilities >= tf.constant(bounds, probabilities.dtype)
        # Each label brings the separator before it, so the first separator is one too many.
        parts = tf.where(decided, tf.constant([LABELS_SEPARATOR + label for label in labels]), "")
        joined = tf.strings.reduce_join(parts, axis=1)
        return tf.strings.substr(joined, tf.where(tf.strings.length(joined) > 0, 1, 0), tf.strings.length(joined))

    def thresholded(self, targets: np.ndarray, labels: Sequence[str]) -> dict[str, np.ndarray]:
        """Every label."""
        return dict(zip(labels, targets.T, strict=True))

    def metrics(self, num_labels: int) -> list[tf_keras.metrics.Metric]:
        """Accuracy, the share of rows of which every known label is right, and the macro recall of `score`."""
        from fullbake.trainer.tasks.label_metrics import LabelMacroRecall, SubsetAccuracy

        return [SubsetAccuracy(name="accuracy"), LabelMacroRecall(num_labels, name=self.score)]
