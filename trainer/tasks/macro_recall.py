"""The mean of the classes' recalls, as a Keras metric."""

from __future__ import annotations

import tensorflow as tf
import tf_keras


class MacroRecall(tf_keras.metrics.Metric):
    """The mean of the classes' recalls, which counts each class the same, however rare it is.

    A class without a row counts for nothing.

    Args:
        num_labels: Number of labels.
        name: What measures call it.
    """

    def __init__(self, num_labels: int, name: str = "macro_recall"):
        super().__init__(name=name)
        self.right = self.add_weight(name="right", shape=(num_labels,), initializer="zeros")
        self.rows = self.add_weight(name="rows", shape=(num_labels,), initializer="zeros")

    def update_state(self, labels: tf.Tensor, logits: tf.Tensor, sample_weight: None = None) -> None:
        """Counts a batch: labels int32 `(batch_size,)`, logits float32 `(batch_size, num_labels)`."""
        del sample_weight
        truth = tf.one_hot(labels, logits.shape[1])
        decided = tf.one_hot(tf.argmax(logits, axis=1), logits.shape[1])
        self.right.assign_add(tf.reduce_sum(truth * decided, axis=0))
        self.rows.assign_add(tf.reduce_sum(truth, axis=0))

    def reset_state(self) -> None:
        """Forgets what was counted."""
        self.right.assign(tf.zeros_like(self.right))
        self.rows.assign(tf.zeros_like(self.rows))

    def result(self) -> tf.Tensor:
        """Float32 scalar."""
        recalls = tf.math.divide_no_nan(self.right, self.rows)
        return tf.math.divide_no_nan(tf.reduce_sum(recalls), tf.reduce_sum(tf.cast(self.rows > 0, tf.float32)))
