"""The model that is trained: a pre-trained encoder with a classification head."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import tensorflow as tf
import tf_keras

from fullbake.trainer.encoder.layers import HEAD
from fullbake.trainer.encoder.transformers_encoder import TransformersEncoder
from fullbake.trainer.models.heads import HEADS
from fullbake.trainer.tasks.table import SINGLE_LABEL, Task

# What a head of ours is put on: the first token's vector, or the mean of all, as Sentence-BERT's encoders are trained
# (Reimers and Gurevych 2019).
POOLINGS = ("cls", "mean")
# Kernel and bias of the layer that makes the logits: of our heads, of Hugging Face's with one layer or with two.
_LOGITS = re.compile(r"head/(?:logits|classifier|classifier/out_proj)/(?:kernel|bias)")
# Any two rows of two tokens, to make the variables.
_BUILD_IDS = ((1, 2), (1, 2))


class Classifier(tf_keras.Model):
    """Encoder and head as one Keras model.

    Call it with a dict of int32 tensors `input_ids` and `attention_mask` (and `token_type_ids` for pairs), each
    `(batch_size, sequence_length)`; it returns logits, float32 `(batch_size, num_labels)`.

    Args:
        encoder: The encoder, under Hugging Face's own classification head when `head` is None.
        head: A model from `(batch_size, hidden_size)` to logits, or None.
        pooling: What the head gets of the last hidden state, one of `POOLINGS`.
    """

    def __init__(self, encoder: TransformersEncoder, head: tf_keras.Model | None, pooling: str = "cls"):
        super().__init__(name="classifier")
        self.encoder = encoder
        self.head = head
        self.pooling = pooling
        ids = tf.constant(_BUILD_IDS, tf.int32)
        self({"input_ids": ids, "attention_mask": tf.ones_like(ids)})

    @classmethod
    def from_base(
        cls,
        folder: Path,
        head: str,
        labels: tuple[str, ...],
        *,
        pooling: str = "cls",
        pretrained: bool = True,
        task: Task = SINGLE_LABEL,
    ) -> Classifier:
        """Makes a classifier on a base model.

        The head is new, whatever head the base carries.

        Args:
            folder: The resolved base model (see `trainer.encoder.base_model.resolve_base`).
            head: A key of `trainer.models.heads.HEADS`.
            labels: The labels in the order of their class index.
            pooling: What a head of ours gets of the last hidden state, one of `POOLINGS`.
            pretrained: Whether to load the base's weights. False leaves them random, for a model whose weights are set
                next, such as an export.
            task: What the labels are to a row.

        Raises:
            InputError: The base is of no known family, or its weights are incomplete, damaged or do not fit it.
        """
        make_head = HEADS[head]
        make_encoder = TransformersEncoder.with_classification_head if make_head is None else TransformersEncoder.bare
        encoder = make_encoder(folder, labels, task.problem_type, pretrained=pretrained)
        return cls(encoder, make_head and make_head(encoder.hidden_size, len(labels)), pooling)

    def call(self, inputs: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """Returns logits, float32 `(batch_size, num_labels)`."""
        if self.head is None:
            logits = self.encoder.class_logits(inputs, training=training)
        else:
            logits = self.head(self.encode(inputs, training=training), training=training)
        return tf.cast(logits, tf.float32)

    def encode(self, inputs: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """Returns one vector for a row, `(batch_size, hidden_size)`.

        It is that of `[CLS]` in the last hidden state, or the mean of those of all tokens.
        """
        hidden = self.encoder.hidden_states(inputs, training=training)
        if self.pooling == "cls":
            return hidden[:, 0]
        # In float32: a sum of hundreds of bfloat16 loses most of its digits.
        mask = tf.cast(inputs["attention_mask"], tf.float32)[:, :, None]
        return tf.reduce_sum(tf.cast(hidden, tf.float32) * mask, axis=1) / tf.reduce_sum(mask, axis=1)

    def paths(self) -> dict[str, tf.Variable]:
        """All variables by path: `encoder/...` for the base, then `head/...` for the rest."""
        found = {**self.encoder.paths(), **self._head_paths()}
        if len(found) != len(self.variables):
            raise RuntimeError("two variables of the classifier share a path")
        return found

    def plain_weights(self) -> dict[str, np.ndarray]:
        """The weights by path, as a classifier that is only used holds them."""
        return {
            **self.encoder.plain_weights(),
            **{path: variable.numpy() for path, variable in self._head_paths().items()},
        }

    def divide_logits(self, temperature: float) -> None:
        """Divides the logits by a number, from now on and whoever computes them: it goes into the last layer's weights.

        Args:
            temperature: Above 0.

        Raises:
            RuntimeError: The head has no last layer of a name that is known.
        """
        last = {path: variable for path, variable in self._head_paths().items() if _LOGITS.fullmatch(path)}
        if len(last) != 2:
            raise RuntimeError(f"{', '.join(self._head_paths())}: which of these are the last layer's is not known")
        for variable in last.values():
            variable.assign(variable / temperature)

    def _head_paths(self) -> dict[str, tf.Variable]:
        if self.head is None:
            return self.encoder.head_paths()
        return {HEAD + v.name.removesuffix(":0").split("head/", 1)[-1]: v for v in self.head.variables}
