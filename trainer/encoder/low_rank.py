"""Low-rank adapters: small trained matrices beside the frozen projections of an encoder (Hu et al. 2021).

A projection `x W + b` becomes `x W + b + alpha / rank * dropout(x) A B`. `A` is drawn at random and `B` is zero, so
training starts from the encoder as it is. At export `W + alpha / rank * A B` takes the place of `W`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf
import tf_keras

from fullbake.trainer.approaches import Adapters

# By family (see `trainer.encoder.families`), what transformers calls the query and the value projection of a layer: the
# two that the paper adapts (section 4.2 and table 5).
PROJECTIONS = {
    "bert": ("query", "value"),
    "distilbert": ("q_lin", "v_lin"),
    "electra": ("query", "value"),
    "roberta": ("query", "value"),
    "albert": ("query", "value"),
    "xlm-roberta": ("query", "value"),
    "mpnet": ("q", "v"),
    "camembert": ("query", "value"),
    "deberta-v2": ("query_proj", "value_proj"),
}

_KERNEL, _DOWN, _UP = "kernel", "lora_a", "lora_b"


class LowRankDense(tf_keras.layers.Layer):
    """A dense layer with an adapter, in the place of the dense layer.

    Args:
        dense: The layer, built.
        adapters: Rank, scale and dropout.
    """

    def __init__(self, dense: tf_keras.layers.Dense, adapters: Adapters):
        super().__init__(name=dense.name)
        self.dense = dense
        self.scale = adapters.scale
        self.dropout = tf_keras.layers.Dropout(adapters.dropout)
        inputs, units = dense.kernel.shape
        # Beside the kernel by name, so that they are found in its layer.
        name = dense.kernel.name.removesuffix(f"{_KERNEL}:0")
        drawn = tf_keras.initializers.RandomNormal(stddev=inputs**-0.5)
        self.down = self.add_weight(name=name + _DOWN, shape=(inputs, adapters.rank), initializer=drawn)
        self.up = self.add_weight(name=name + _UP, shape=(adapters.rank, units), initializer="zeros")

    def call(self, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """Returns the projection of vectors `(..., inputs)`: `(..., units)`."""
        update = tf.tensordot(tf.tensordot(self.dropout(inputs, training=training), self.down, 1), self.up, 1)
        return self.dense(inputs) + self.scale * update


def add_adapters(encoder: tf_keras.layers.Layer, model_type: str, adapters: Adapters) -> None:
    """Puts an adapter beside the query and the value projection of every layer; call it under the strategy's scope.

    Args:
        encoder: The encoder of a model of transformers.
        model_type: Its family, a key of `PROJECTIONS`.
        adapters: Rank, scale and dropout.
    """
    for layer in list(encoder.submodules):
        for name in PROJECTIONS[model_type]:
            if isinstance(dense := getattr(layer, name, None), tf_keras.layers.Dense):
                setattr(layer, name, LowRankDense(dense, adapters))


def merged(weights: Mapping[str, np.ndarray], adapters: Adapters) -> dict[str, np.ndarray]:
    """Adds each adapter to the kernel beside it.

    Args:
        weights: Of the adapted encoder, by path.
        adapters: Rank, scale and dropout.

    Returns:
        The weights of a plain encoder that computes the same, by path.
    """
    plain = {path: value for path, value in weights.items() if not path.endswith((_DOWN, _UP))}
    for path in weights.keys() - plain.keys():
        beside, _, name = path.rpartition("/")
        if name == _DOWN:
            update = weights[path] @ weights[f"{beside}/{_UP}"]
            plain[f"{beside}/{_KERNEL}"] = plain[f"{beside}/{_KERNEL}"] + np.float32(adapters.scale) * update
    return plain
