"""From the logits of windows to those of the texts that they are of."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
import tf_keras

from fullbake.trainer.windows import Windows

_POOLINGS = {"max": tf.math.unsorted_segment_max, "mean": tf.math.unsorted_segment_mean}


def pool_windows(logits: tf.Tensor, row: tf.Tensor, rows: tf.Tensor, windows: Windows) -> tf.Tensor:
    """Pools the logits of each row's windows, label by label.

    The gradient of a maximum goes to the window that has it, of several to each its share; that of a mean to all alike.

    Args:
        logits: Of the windows, float32 `(windows, num_labels)`.
        row: The row that each is of, int `(windows,)`.
        rows: How many there are, int scalar; each has a window at least.
        windows: Says how to pool.

    Returns:
        Float32 `(rows, num_labels)`. Those of a row of one window are that window's, bit for bit.
    """
    return _POOLINGS[windows.pooling](logits, row, rows)


class WindowPooling(tf_keras.Model):
    """A network that reads windows, made one that reads rows of them.

    Call it with what `trainer.data.windowed_split.WindowedSplit.take` returns; it returns logits, float32
    `(batch_size, num_labels)`. The network gets the windows that there are, and no padding in their place.

    Args:
        network: Returns the logits of windows.
        windows: Says how they are pooled.
    """

    def __init__(self, network: tf_keras.Model, windows: Windows):
        super().__init__(name="window_pooling")
        self.network = network
        self._windows = windows

    def call(self, inputs: tuple[Any, tf.Tensor], training: bool = False) -> tf.Tensor:
        """Returns logits, float32 `(batch_size, num_labels)`."""
        laid, counts = inputs
        exists = tf.sequence_mask(counts, tf.shape(tf.nest.flatten(laid)[0])[1])
        found = tf.nest.map_structure(lambda values: tf.boolean_mask(values, exists), laid)
        logits = self.network(found, training=training)
        return pool_windows(logits, tf.where(exists)[:, 0], tf.size(counts), self._windows)


def over_windows(network: tf_keras.Model, windows: Windows | None) -> tf_keras.Model:
    """The network of rows that are read in windows; the network itself where they are not."""
    return network if windows is None else WindowPooling(network, windows)
