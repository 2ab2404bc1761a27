"""The classification heads: from the encoder's one vector for a row to one logit for each label."""

from __future__ import annotations

from collections.abc import Callable

import tf_keras

# The original head of the third approach: dropout 0.15, L2 0.01 on the softmax layer.
MLP_DROPOUT = 0.15
MLP_L2 = 0.01
MLP_LAYERS = 2


def linear_head(hidden_size: int, num_labels: int) -> tf_keras.Model:
    """A softmax layer alone.

    Args:
        hidden_size: Width of the encoder's vectors.
        num_labels: Number of labels.

    Returns:
        A model from float32 `(batch_size, hidden_size)` to logits, float32 `(batch_size, num_labels)`.
    """
    cls_vector = tf_keras.Input((hidden_size,), name="cls")
    logits = tf_keras.layers.Dense(num_labels, dtype="float32", name="logits")(cls_vector)
    return tf_keras.Model(cls_vector, logits, name="head")


def mlp_head(hidden_size: int, num_labels: int) -> tf_keras.Model:
    """Dropout, two blocks of dense, batch normalisation and ReLU, then a softmax layer with L2 regularisation.

    Shapes are those of `linear_head`.
    """
    cls_vector = tf_keras.Input((hidden_size,), name="cls")
    hidden = tf_keras.layers.Dropout(MLP_DROPOUT, name="dropout")(cls_vector)
    for block in range(MLP_LAYERS):
        hidden = tf_keras.layers.Dense(hidden_size, kernel_initializer="glorot_uniform", name=f"dense_{block}")(hidden)
        hidden = tf_keras.layers.BatchNormalization(name=f"batch_normalization_{block}")(hidden)
        hidden = tf_keras.layers.ReLU(name=f"relu_{block}")(hidden)
    regularizer = tf_keras.regularizers.L2(MLP_L2)
    logits = tf_keras.layers.Dense(num_labels, kernel_regularizer=regularizer, dtype="float32", name="logits")(hidden)
    return tf_keras.Model(cls_vector, logits, name="head")


# None: the head is that of Hugging Face's own *ForSequenceClassification, which comes with the encoder in one model.
HEADS: dict[str, Callable[[int, int], tf_keras.Model] | None] = {"hf": None, "linear": linear_head, "mlp": mlp_head}
