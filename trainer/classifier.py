"""The model that is trained: a Hugging Face encoder with a classification head."""

from __future__ import annotations

import contextlib
import inspect
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf
import tf_keras
from transformers import AutoConfig, TFAutoModel, TFAutoModelForSequenceClassification, TFPreTrainedModel

from trainer.errors import InputError
from trainer.heads import HEADS

# What a head of ours is put on: the first token's vector, or the mean of all, as Sentence-BERT's encoders are trained
# (Reimers and Gurevych 2019).
POOLINGS = ("cls", "mean")
# Hugging Face's dummy input: any two rows of two tokens, to make the variables.
_BUILD_IDS = ((1, 2), (1, 2))


class Classifier(tf_keras.Model):
    """Encoder and head as one Keras model.

    Call it with a dict of int32 tensors ``input_ids`` and ``attention_mask`` (and ``token_type_ids`` for pairs), each
    ``(batch_size, sequence_length)``; it gives logits, float32 ``(batch_size, num_labels)``.

    Args:
      backbone: a Hugging Face TensorFlow model: an encoder, or a ``*ForSequenceClassification`` when ``head`` is None.
      head: a model from ``(batch_size, hidden_size)`` to logits, or None when the backbone brings its own.
      pooling: what the head gets of the last hidden state, one of ``POOLINGS``.
    """

    def __init__(self, backbone: TFPreTrainedModel, head: tf_keras.Model | None, pooling: str = "cls"):
        super().__init__(name="classifier")
        self.backbone = backbone
        self.head = head
        self.pooling = pooling
        self._accepted = accepted_inputs(backbone)
        ids = tf.constant(_BUILD_IDS, tf.int32)
        self({"input_ids": ids, "attention_mask": tf.ones_like(ids)})

    @classmethod
    def from_base(
        cls, folder: Path, head: str, labels: tuple[str, ...], *, pooling: str = "cls", pretrained: bool = True
    ) -> Classifier:
        """Makes a classifier on a base model.

        Args:
          folder: the resolved base model (see ``trainer.base_model.resolve_base``).
          head: a key of ``trainer.heads.HEADS``.
          labels: the labels in the order of their class index.
          pooling: what a head of ours gets of the last hidden state, one of ``POOLINGS``.
          pretrained: whether to load the base's weights. False leaves them random, for a model whose weights are set
            next, such as an export.

        Raises:
          InputError: transformers has no TensorFlow class for this base, or its weights do not fit it.
        """
        make_head = HEADS[head]
        options: dict[str, Any] = {}
        auto: Any = TFAutoModel
        if make_head is None:
            auto = TFAutoModelForSequenceClassification
            options["id2label"] = dict(enumerate(labels))
            options["label2id"] = {label: index for index, label in enumerate(labels)}
        backbone, _ = load_backbone(
            folder, auto, options, pretrained=pretrained, build={"add_pooling_layer": False} if make_head else {}
        )
        hidden_size: int = backbone.config.hidden_size
        return cls(backbone, make_head(hidden_size, len(labels)) if make_head else None, pooling)

    def call(self, inputs: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """Gives logits, float32 ``(batch_size, num_labels)``."""
        if self.head is None:
            logits = self._run_backbone(inputs, training).logits
        else:
            logits = self.head(self.encode(inputs, training=training), training=training)
        return tf.cast(logits, tf.float32)

    def encode(self, inputs: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """Gives one vector for a row, ``(batch_size, hidden_size)``.

        It is that of ``[CLS]`` in the last hidden state, or the mean of those of all tokens.
        """
        hidden = self._run_backbone(inputs, training).last_hidden_state
        if self.pooling == "cls":
            return hidden[:, 0]
        # In float32: a sum of hundreds of bfloat16 loses most of its digits.
        mask = tf.cast(inputs["attention_mask"], tf.float32)[:, :, None]
        return tf.reduce_sum(tf.cast(hidden, tf.float32) * mask, axis=1) / tf.reduce_sum(mask, axis=1)

    def paths(self) -> dict[str, tf.Variable]:
        """All variables by path: ``encoder/...`` for the base, then ``head/...`` for the rest."""
        found = encoder_paths(self.backbone)
        encoder = {id(variable) for variable in found.values()}
        for variable in self.variables:
            if id(variable) in encoder:
                continue
            name = variable.name.removesuffix(":0")
            if self.head is None:
                found["head/" + name.split(f"{self.backbone.name}/", 1)[-1]] = variable
            else:
                found["head/" + name.split("head/", 1)[-1]] = variable
        if len(found) != len(self.variables):
            raise RuntimeError("two variables of the classifier share a path")
        return found

    def _run_backbone(self, inputs: dict[str, tf.Tensor], training: bool) -> Any:
        known = {name: value for name, value in inputs.items() if name in self._accepted}
        return self.backbone(known, training=training)


def encoder_paths(backbone: TFPreTrainedModel) -> dict[str, tf.Variable]:
    """The variables of the encoder inside a Hugging Face model, by path: ``encoder/...``."""
    prefix = backbone.base_model_prefix
    # Keras prefixes a name with the models it was first called in, and these vary with what was built before.
    return {
        "encoder/" + variable.name.removesuffix(":0").split(f"{prefix}/", 1)[-1]: variable
        for variable in getattr(backbone, prefix).variables
    }


def accepted_inputs(backbone: TFPreTrainedModel) -> frozenset[str]:
    """The names of the features that a Hugging Face model can be called with."""
    return frozenset(inspect.signature(type(backbone).call).parameters)


def weights_left_out(base: Path, backbone: TFPreTrainedModel) -> dict[str, tf.Variable]:
    """The weights of a base's encoder that a model built on it lacks, by path: a masked LM has no pooler.

    Args:
      base: the base model's folder.
      backbone: a Hugging Face model of the same family.
    """
    whole, _ = load_backbone(base, TFAutoModel, {})
    has = encoder_paths(backbone)
    return {path: variable for path, variable in encoder_paths(whole).items() if path not in has}


def load_backbone(
    folder: Path,
    auto: Any,
    options: Mapping[str, Any],
    *,
    pretrained: bool = True,
    build: Mapping[str, Any] | None = None,
) -> tuple[TFPreTrainedModel, list[str]]:
    """Loads a base model in TensorFlow.

    Args:
      folder: the base model.
      auto: one of transformers' ``TFAutoModel*``.
      options: changes to its config.
      pretrained: whether to load its weights; False leaves them random.
      build: arguments of the model's class; those it does not take are left out.

    Returns:
      The model, and the names of its weights that the folder does not hold and that are new.

    Raises:
      InputError: transformers has no such TensorFlow class for this base, or its weights do not fit it.
    """
    with quiet_transformers():
        try:
            config = AutoConfig.from_pretrained(folder, trust_remote_code=False, **options)
            model_class = auto._model_mapping[type(config)]
        except (KeyError, ValueError) as error:
            raise InputError(
                f"model.base: {folder} is a model that transformers cannot load in TensorFlow ({error}); "
                "use a BERT-family encoder such as bert, distilbert or electra"
            ) from error
        # BERT's pooler is not on the way from the [CLS] vector to our heads; left in, it would count and never train.
        known = inspect.signature(model_class).parameters
        build = {name: value for name, value in (build or {}).items() if name in known}
        if not pretrained:
            return model_class(config, **build), []
        try:
            model, found = model_class.from_pretrained(folder, config=config, output_loading_info=True, **build)
        except (OSError, ValueError) as error:
            raise InputError(f"model.base: the weights in {folder} cannot be loaded: {error}") from error
    return model, found["missing_keys"]


@contextlib.contextmanager
def quiet_transformers() -> Iterator[None]:
    """Silences what transformers warns of at each load: that a new head is new, and each weight of an old one."""
    logger = logging.getLogger("transformers")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
