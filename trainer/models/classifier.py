"""The model that is trained: a Hugging Face encoder with a classification head."""

from __future__ import annotations

import contextlib
import inspect
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras
from transformers import (
    CONFIG_MAPPING,
    PretrainedConfig,
    TFAutoModel,
    TFAutoModelForSequenceClassification,
    TFPreTrainedModel,
)

from fullbake.contract.errors import InputError
from fullbake.trainer.encoder.base_model import read_base_config
from fullbake.trainer.encoder.base_weights import check_weights, plain_name, refuse_missing
from fullbake.trainer.encoder.families import family_of
from fullbake.trainer.models.heads import HEADS

# What a head of ours is put on: the first token's vector, or the mean of all, as Sentence-BERT's encoders are trained
# (Reimers and Gurevych 2019).
POOLINGS = ("cls", "mean")
# Hugging Face's dummy input: any two rows of two tokens, to make the variables.
_BUILD_IDS = ((1, 2), (1, 2))


class Classifier(tf_keras.Model):
    """Encoder and head as one Keras model.

    Call it with a dict of int32 tensors `input_ids` and `attention_mask` (and `token_type_ids` for pairs), each
    `(batch_size, sequence_length)`; it gives logits, float32 `(batch_size, num_labels)`.

    Args:
        backbone: A Hugging Face TensorFlow model: an encoder, or a `*ForSequenceClassification` when `head` is None.
        head: A model from `(batch_size, hidden_size)` to logits, or None when the backbone brings its own.
        pooling: What the head gets of the last hidden state, one of `POOLINGS`.
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

        The head is new, whatever head the base carries.

        Args:
            folder: The resolved base model (see `trainer.encoder.base_model.resolve_base`).
            head: A key of `trainer.models.heads.HEADS`.
            labels: The labels in the order of their class index.
            pooling: What a head of ours gets of the last hidden state, one of `POOLINGS`.
            pretrained: Whether to load the base's weights. False leaves them random, for a model whose weights are set
                next, such as an export.

        Raises:
            InputError: The base is of no known family, or its weights are incomplete, damaged or do not fit it.
        """
        make_head = HEADS[head]
        config = plain_config(folder, labels)
        if make_head is not None:
            # BERT's pooler is not on the way from a token's vector to our heads; left in, it would count and never
            # train.
            backbone = (
                load_backbone(folder, TFAutoModel, config, pooler=False)[0]
                if pretrained
                else new_backbone(TFAutoModel, config, pooler=False)
            )
            return cls(backbone, make_head(config.hidden_size, len(labels)), pooling)
        backbone = new_backbone(TFAutoModelForSequenceClassification, config)
        if pretrained:
            # Not by loading the classifier: if the base is one, its own head would come along, or fail to fit.
            loaded = encoder_paths(load_backbone(folder, TFAutoModel, config)[0])
            for path, variable in encoder_paths(backbone).items():
                variable.assign(loaded[path])
        return cls(backbone, None, pooling)

    def call(self, inputs: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """Gives logits, float32 `(batch_size, num_labels)`."""
        if self.head is None:
            logits = self._run_backbone(inputs, training).logits
        else:
            logits = self.head(self.encode(inputs, training=training), training=training)
        return tf.cast(logits, tf.float32)

    def encode(self, inputs: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """Gives one vector for a row, `(batch_size, hidden_size)`.

        It is that of `[CLS]` in the last hidden state, or the mean of those of all tokens.
        """
        hidden = self._run_backbone(inputs, training).last_hidden_state
        if self.pooling == "cls":
            return hidden[:, 0]
        # In float32: a sum of hundreds of bfloat16 loses most of its digits.
        mask = tf.cast(inputs["attention_mask"], tf.float32)[:, :, None]
        return tf.reduce_sum(tf.cast(hidden, tf.float32) * mask, axis=1) / tf.reduce_sum(mask, axis=1)

    def paths(self) -> dict[str, tf.Variable]:
        """All variables by path: `encoder/...` for the base, then `head/...` for the rest."""
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
    """The variables of the encoder inside a Hugging Face model, by path: `encoder/...`."""
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
        base: The base model's folder.
        backbone: A Hugging Face model of the same family.
    """
    if not check_weights(base).has_pooler:
        return {}
    whole, _ = load_backbone(base, TFAutoModel, plain_config(base))
    has = encoder_paths(backbone)
    return {path: variable for path, variable in encoder_paths(whole).items() if path not in has}


def plain_config(folder: Path, labels: tuple[str, ...] = ()) -> PretrainedConfig:
    """A base model's config without what an earlier task left in it.

    That is what decides how Hugging Face's pipeline reads the model, such as `problem_type`, `torch_dtype` and
    `task_specific_params`, and what it returns. What describes the encoder is kept, and nothing else.

    Args:
        folder: The base model.
        labels: The labels of the new task, if it has any, in the order of their class index.

    Raises:
        InputError: The base is of no known family.
    """
    said = read_base_config(folder)
    config_class = CONFIG_MAPPING[family_of(said, str(folder)).model_type]
    kept = {*inspect.signature(config_class.__init__).parameters, *config_class.attribute_map}
    task: dict[str, Any] = {}
    if labels:
        task["id2label"] = dict(enumerate(labels))
        task["label2id"] = {label: index for index, label in enumerate(labels)}
        task["problem_type"] = "single_label_classification"
    return config_class(**{key: value for key, value in said.items() if key in kept}, **task, torch_dtype="float32")


def new_backbone(auto: Any, config: PretrainedConfig, *, pooler: bool = True) -> TFPreTrainedModel:
    """Makes a Hugging Face TensorFlow model with random weights.

    Args:
        auto: One of transformers' `TFAutoModel*`.
        config: What it is.
        pooler: Whether a bare encoder has a pooler, where its family knows one.
    """
    model_class = auto._model_mapping[type(config)]
    model = model_class(config, **_without_pooler(model_class, pooler))
    model.build_in_name_scope()
    return model


def _without_pooler(model_class: type[TFPreTrainedModel], pooler: bool) -> dict[str, bool]:
    """The argument that leaves out a bare encoder's pooler, where it is unwanted and its class knows one."""
    knows_one = "add_pooling_layer" in inspect.signature(model_class).parameters
    return {"add_pooling_layer": False} if knows_one and not pooler else {}


def load_backbone(
    folder: Path, auto: Any, config: PretrainedConfig, *, pooler: bool = True
) -> tuple[TFPreTrainedModel, list[str]]:
    """Loads a base model in TensorFlow, with all weights of its encoder.

    Args:
        folder: The base model.
        auto: One of transformers' `TFAutoModel*`.
        config: Its config (see `plain_config`).
        pooler: Whether a bare encoder has a pooler, where its family knows one; then the folder must hold it.

    Returns:
        The model, and the names of its weights that the folder does not hold and that are new: those of a head.

    Raises:
        InputError: Weights of the encoder are missing, damaged or do not fit it.
    """
    held = check_weights(folder, pooler=pooler and auto is TFAutoModel)
    model_class = auto._model_mapping[type(config)]
    build = _without_pooler(model_class, pooler)
    with quiet_transformers():
        try:
            model, found = model_class.from_pretrained(folder, config=config, output_loading_info=True, **build)
        except (OSError, ValueError, tf.errors.InvalidArgumentError) as error:
            raise InputError(
                f"model.base: the weights in {folder} cannot be loaded: {' '.join(str(error).split())}"
            ) from error
    family = family_of(read_base_config(folder), str(folder))
    wanted = {plain_name(path.removeprefix("encoder/"), family) for path in encoder_paths(model)}
    missing = sorted(wanted & {plain_name(name, family) for name in found["missing_keys"]})
    if missing:
        refuse_missing(held.file, missing, len(wanted))
    broken = [path for path, variable in encoder_paths(model).items() if not np.isfinite(variable.numpy()).all()]
    if broken:
        raise InputError(
            f"model.base: {len(broken)} weights in {held.file} hold infinities or what is no number (first: "
            f"{broken[0]}); fetch the model again"
        )
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
