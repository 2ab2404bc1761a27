"""Single-label classification: each row has one label. Imports nothing heavy at the top; see `trainer.tasks.table`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from fullbake.contract.results.result import SINGLE_LABEL

if TYPE_CHECKING:
    import tensorflow as tf
    import tf_keras


class SingleLabel:
    """Softmax and cross-entropy; the likeliest label wins, or the second of two from a threshold on.

    The members are those of `trainer.tasks.table.Task`. Targets are class indices, int32 `(rows,)`.
    """

    name = SINGLE_LABEL
    problem_type = "single_label_classification"
    score = "macro_recall"

    def targets(self, feature: np.ndarray) -> np.ndarray:
        """Class indices, int32 `(rows,)`."""
        return feature.astype(np.int32)

    def class_weights(self, kind: str, targets: np.ndarray, num_labels: int) -> np.ndarray:
        """What a row of each class weighs, float64 `(num_labels,)`.

        `balanced` is `rows / (classes * rows of the class)`.
        """
        if kind == "none":
            return np.ones(num_labels)
        counts = np.bincount(targets, minlength=num_labels)
        return len(targets) / (num_labels * np.maximum(counts, 1))

    def losses(self, targets: tf.Tensor, logits: tf.Tensor, class_weights: tf.Tensor | None = None) -> tf.Tensor:
        """The cross-entropy in nats of each row, weighed by its class."""
        import tensorflow as tf

        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
        return losses if class_weights is None else losses * tf.gather(class_weights, targets)

    def probabilities(self, logits: tf.Tensor) -> tf.Tensor:
        """The softmax of the logits."""
        import tensorflow as tf

        return tf.nn.softmax(logits)

    def margins(self, targets: np.ndarray, logits: np.ndarray) -> np.ndarray:
        """How far each logit lies above that of the row's class, float64 `(rows, num_labels)`."""
        logits = np.asarray(logits, np.float64)
        return logits - np.take_along_axis(logits, targets[:, None].astype(np.int64), axis=1)

    def decide(self, probabilities: tf.Tensor, labels: Sequence[str], thresholds: Mapping[str, float]) -> tf.Tensor:
        """The likeliest label; or with a threshold of the second of two labels that one from there on, else the first.

        Raises:
            ValueError: There is a threshold, and not two labels.
        """
        import tensorflow as tf

        if not thresholds:
            decided = tf.argmax(probabilities, axis=1)
        elif len(labels) == 2:
            decided = tf.cast(probabilities[:, 1] >= thresholds[labels[1]], tf.int64)
        else:
            raise ValueError(f"a threshold decides between two labels, not {len(labels)}")
        return tf.gather(tf.constant(labels), decided)

    def thresholded(self, targets: np.ndarray, labels: Sequence[str]) -> dict[str, np.ndarray]:
        """The second of two labels."""
        return {labels[1]: (targets == 1).astype(np.int8)}

    def metrics(self, num_labels: int) -> list[tf_keras.metrics.Metric]:
        """Accuracy, and the macro recall of `score`."""
        import tf_keras

        from fullbake.trainer.tasks.macro_recall import MacroRecall

        return [
            tf_keras.metrics.SparseCategoricalAccuracy(name="accuracy"),
            MacroRecall(num_labels, name=self.score),
        ]
