"""What TensorFlow's DeBERTa of transformers needs to be traced and trained as the other encoders are."""

from __future__ import annotations

from types import MethodType
from typing import Any

import tensorflow as tf
import tf_keras
from transformers.models.deberta_v2.modeling_tf_deberta_v2 import (
    TFDebertaV2ConvLayer,
    TFDebertaV2DisentangledSelfAttention,
    TFDebertaV2StableDropout,
)


def adjust_deberta(model: Any) -> None:
    """Makes a DeBERTa one that can be traced without AutoGraph and in mixed precision, and whose dropout is Keras's.

    Its own dropout does the same, but draws from the state of a kernel (see `trainer.models.dropout`).

    Args:
        model: Of transformers, with a DeBERTa of version 2 or 3 as its encoder.
    """
    for layer in [model, *model.submodules]:
        if type(layer) in _REPLACED:
            method, function = _REPLACED[type(layer)]
            setattr(layer, method, MethodType(function, layer))
        for name, part in list(vars(layer).items()):
            if isinstance(part, TFDebertaV2StableDropout):
                setattr(layer, name, tf_keras.layers.Dropout(part.drop_prob, name=part.name))


def _convolve(
    layer: Any, hidden_states: tf.Tensor, residual_states: tf.Tensor, input_mask: tf.Tensor, training: bool = False
) -> tf.Tensor:
    """In the place of the layer's `call`, which in a graph mixes float32 with the arithmetic's own type.

    Args:
        layer: Has an odd number of tokens in its window.
        hidden_states: The embeddings, float `(batch_size, sequence_length, hidden_size)`.
        residual_states: What the first layer made of them, the same.
        input_mask: int `(batch_size, sequence_length)`, 0 at padding.
        training: Whether vectors are dropped.

    Returns:
        Float `(batch_size, sequence_length, hidden_size)`, 0 at padding.
    """
    mask = tf.cast(input_mask[:, :, tf.newaxis], hidden_states.dtype)
    convolved = tf.nn.conv1d(hidden_states, layer.conv_kernel, stride=1, padding="SAME") + layer.conv_bias
    convolved = layer.conv_act(layer.dropout(convolved * mask, training=training))
    normal: tf.Tensor = layer.LayerNorm(residual_states + convolved)
    return normal * mask


# By class, the method that is replaced, and by what.
_REPLACED = {
    # It asks in Python whether there are as many queries as keys, which in a graph are tensors; nothing else in the
    # class needs AutoGraph, with which nothing here is traced.
    TFDebertaV2DisentangledSelfAttention: (
        "disentangled_att_bias",
        tf.autograph.to_graph(TFDebertaV2DisentangledSelfAttention.disentangled_att_bias, recursive=False),
    ),
    TFDebertaV2ConvLayer: ("call", _convolve),
}
