"""What an epoch measures of labels that are decided each by itself, as Keras metrics; masked ones count for nothing."""

from __future__ import annotations

import tensorflow as tf
import tf_keras


class SubsetAccuracy(tf_keras.metrics.Metric):
    """The share of rows of which every known label is decided rightly, from a probability of one half on."""

    def __init__(self, name: str = "accuracy"):
        super().__init__(name=name)
        self.right = self.add_weight(name="right", initializer="zeros")
        self.rows = self.add_weight(name="rows", initializer="zeros")

    def update_state(self, targets: tf.Tensor, logits: tf.Tensor, sample_weight: None = None) -> None:
        """Counts a batch: targets int8 and logits float32, each `(batch_size, num_labels)`."""
        del sample_weight
        right = tf.logical_or(targets < 0, tf.equal(targets > 0, logits >= 0))
        self.right.assign_add(tf.reduce_sum(tf.cast(tf.reduce_all(right, axis=1), tf.float32)))
        self.rows.assign_add(tf.cast(tf.shape(targets)[0], tf.float32))

    def result(self) -> tf.Tensor:
        """Float32 scalar."""
        return tf.math.divide_no_nan(self.right, self.rows)


class LabelMacroRecall(tf_keras.metrics.Metric):
    """The mean over labels of the recall of rows that have the label and of rows that have it not.

    So it is, of each label, what `MacroRecall` is of two classes. The recall of the rows that have a label would be
    perfect for a model that gives it to all rows, which a diverged training may do.

    A label without a row of one kind counts by the other.

    Args:
        num_labels: Number of labels.
        name: What measures call it.
    """

    def __init__(self, num_labels: int, name: str = "macro_recall"):
        super().__init__(name=name)
        self.right = self.add_weight(name="right", shape=(2, num_labels), initializer="zeros")
        self.rows = self.add_weight(name="rows", shape=(2, num_labels), initializer="zeros")

    def update_state(self, targets: tf.Tensor, logits: tf.Tensor, sample_weight: None = None) -> None:
        """Counts a batch: targets int8 and logits float32, each `(batch_size, num_labels)`."""
        del sample_weight
        decided = logits >= 0
        kinds = tf.stack([tf.equal(targets, 0), tf.equal(targets, 1)])
        right = tf.logical_and(kinds, tf.stack([tf.logical_not(decided), decided]))
        self.right.assign_add(tf.reduce_sum(tf.cast(right, tf.float32), axis=1))
        self.rows.assign_add(tf.reduce_sum(tf.cast(kinds, tf.float32), axis=1))

    def reset_state(self) -> None:
        """Forgets what was counted."""
        self.right.assign(tf.zeros_like(self.right))
        self.rows.assign(tf.zeros_like(self.rows))

    def result(self) -> tf.Tensor:
        """Float32 scalar."""
        recalls = tf.math.divide_no_nan(self.right, self.rows)
        kinds = tf.reduce_sum(tf.cast(self.rows > 0, tf.float32), axis=0)
        of_labels = tf.math.divide_no_nan(tf.reduce_sum(recalls, axis=0), kinds)
        return tf.math.divide_no_nan(tf.reduce_sum(of_labels), tf.reduce_sum(tf.cast(kinds > 0, tf.float32)))
