"""Dropout whose numbers depend on seed, step and layer only, so that a resumed training draws the same ones."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf
import tf_keras

# Named, because TensorFlow's own choice depends on the device.
_ALGORITHM = "philox"


class StepDropout:
    """Where the dropout layers of a network get their numbers from.

    Keras's own layers draw from the state of a kernel, which no checkpoint holds: a training that was interrupted drew
    other numbers after it. Here what is dropped depends only on the seed, the step, the part of the batch, the replica
    and the layer.

    Args:
        network: Its dropout layers draw from here from now on. They are numbered in the order of their names.
        seed: Of the training.
    """

    def __init__(self, network: tf_keras.Model, seed: int):
        self._seed = seed
        # A strategy traces each replica in a thread of its own.
        self._drawing = threading.local()
        layers = [layer for layer in network.submodules if isinstance(layer, tf_keras.layers.Dropout)]
        for number, layer in enumerate(layers):
            layer._random_generator = _LayerNumbers(self, number)

    @contextmanager
    def at(self, step: tf.Tensor, part: tf.Tensor) -> Iterator[None]:
        """While this lasts, layers draw the numbers of a step and of a part of its batch (int64 scalars, from 0)."""
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        key = tf.constant([self._seed, 0], tf.int64)
        for number in (step, part, replica):
            key = tf.random.experimental.stateless_fold_in(key, tf.cast(number, tf.int64), alg=_ALGORITHM)
        self._drawing.key = key
        try:
            yield
        finally:
            del self._drawing.key

    def seed_of(self, layer: int) -> tf.Tensor:
        """The seed of a layer's numbers, int64 `(2,)`."""
        return tf.random.experimental.stateless_fold_in(self._drawing.key, layer, alg=_ALGORITHM)


class _LayerNumbers:
    """Takes the place of a dropout layer's `tf_keras.backend.RandomGenerator`."""

    def __init__(self, source: StepDropout, layer: int):
        self._source = source
        self._layer = layer

    def _maybe_init(self) -> None:
        """Keras asks this when it builds a layer; there is nothing to make."""

    def dropout(self, inputs: tf.Tensor, rate: float, noise_shape: tf.Tensor | None = None) -> tf.Tensor:
        return tf.nn.experimental.stateless_dropout(
            inputs, rate, self._source.seed_of(self._layer), rng_alg=_ALGORITHM, noise_shape=noise_shape
        )
