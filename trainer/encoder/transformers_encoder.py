"""The pre-trained encoder as the rest of the trainer sees it. The only module that names transformers' model classes.

What the layers of one of them need to be traced is in `deberta`. An encoder from another library is another class of
the same methods, in a module of its own.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
import tensorflow as tf
import tf_keras
from transformers import (
    CONFIG_MAPPING,
    PretrainedConfig,
    TFAutoModel,
    TFAutoModelForMaskedLM,
    TFAutoModelForSequenceClassification,
    TFPreTrainedModel,
)
from transformers.modeling_tf_pytorch_utils import TransposeType, convert_tf_weight_name_to_pt_weight_name

from fullbake.trainer.approaches import Adapters
from fullbake.trainer.encoder import layers
from fullbake.trainer.encoder.base_model import check_masked_lm, read_base_config
from fullbake.trainer.encoder.base_weights import check_weights
from fullbake.trainer.encoder.families import family_of
from fullbake.trainer.encoder.layers import ENCODER, HEAD
from fullbake.trainer.encoder.low_rank import add_adapters, merged
from fullbake.trainer.encoder.masked_lm_scores import SCORES
from fullbake.trainer.encoder.model_loading import load_model, new_model
from fullbake.trainer.encoder.tokenizer import copy_tokenizer


class TransformersEncoder(tf_keras.layers.Layer):
    """An encoder of Hugging Face's transformers, alone or under one of Hugging Face's own heads.

    Features are a dict of int32 tensors `(batch_size, sequence_length)`: `input_ids` and `attention_mask`, and
    `token_type_ids` for pairs. Those that the encoder does not know are left out.

    Args:
        model: A TensorFlow model of transformers: an encoder, or a `*ForSequenceClassification` or `*ForMaskedLM`.
        new_head: Whether its head is untrained.

    Attributes:
        model: The same.
        new_head: The same.
        adapters: The low-rank adapters that it has, if any.
    """

    def __init__(self, model: TFPreTrainedModel, *, new_head: bool = True):
        super().__init__(name="encoder")
        self.model = model
        self.new_head = new_head
        self.adapters: Adapters | None = None
        self._accepted = frozenset(inspect.signature(type(model).call).parameters)
        self.built = True

    @staticmethod
    def bare(
        folder: Path, labels: tuple[str, ...] = (), problem_type: str = "", *, pretrained: bool = True
    ) -> TransformersEncoder:
        """Loads an encoder without a head.

        It has no pooler: BERT's is not on the way from a token's vector to our heads; left in, it would count and never
        train.

        Args:
            folder: The resolved base model (see `trainer.encoder.base_model.resolve_base`).
            labels: What the config says of the task it is for: its labels, in the order of their class index.
            problem_type: What Hugging Face calls that task.
            pretrained: Whether to load the base's weights. False leaves them random, for weights that are set next.

        Raises:
            InputError: The base is of no known family, or its weights are incomplete, damaged or do not fit it.
        """
        config = _plain_config(folder, labels, problem_type)
        if pretrained:
            return _load(folder, TFAutoModel, config, pooler=False)
        return _new(TFAutoModel, config, pooler=False)

    @staticmethod
    def with_classification_head(
        folder: Path, labels: tuple[str, ...], problem_type: str, *, pretrained: bool = True
    ) -> TransformersEncoder:
        """Loads an encoder under a new head of Hugging Face's `*ForSequenceClassification`.

        Args:
            folder: The resolved base model.
            labels: As in `bare`.
            problem_type: As in `bare`.
            pretrained: As in `bare`.

        Raises:
            InputError: As in `bare`, or the base lacks the pooler that the head reads.
        """
        pooler = family_of(read_base_config(folder), str(folder)).pooler
        made = _new(TFAutoModelForSequenceClassification, _plain_config(folder, labels, problem_type), pooler=pooler)
        if pretrained:
            # Not by loading the classifier: if the base is one, its own head would come along, or fail to fit.
            loaded = _load(folder, TFAutoModel, _plain_config(folder), pooler=pooler).paths()
            for path, variable in made.paths().items():
                variable.assign(loaded[path])
        return made

    @staticmethod
    def with_masked_lm_head(folder: Path) -> TransformersEncoder:
        """Loads an encoder under the masked-LM head that the base carries, or a new one where it carries none.

        Raises:
            InputError: The base has another masked-LM head than is known here, or its weights do not fit it.
        """
        check_masked_lm(folder)
        return _load(folder, TFAutoModelForMaskedLM, _plain_config(folder), pooler=False)

    @staticmethod
    def one_layer(folder: Path) -> TransformersEncoder:
        """Makes an encoder of one layer of a base model, with random weights, to measure how fast it computes."""
        config = _plain_config(folder)
        config.num_hidden_layers = 1
        return _new(TFAutoModel, config)

    def adapt(self, adapters: Adapters) -> None:
        """Gives every layer low-rank adapters, which change nothing until they are trained."""
        add_adapters(self._encoder, self.model.config.model_type, adapters)
        self.adapters = adapters

    def hidden_states(self, features: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """Returns the last layer's vectors, `(batch_size, sequence_length, hidden_size)`, by the encoder alone."""
        return self._encoder(self._known(features), training=training).last_hidden_state

    def class_logits(self, features: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """Returns the logits of Hugging Face's classification head, `(batch_size, num_labels)`."""
        return self.model(self._known(features), training=training).logits

    def vocabulary_scores(self, vectors: tf.Tensor) -> tf.Tensor:
        """Returns what the masked-LM head makes of vectors `(..., hidden_size)`: `(..., vocabulary_size)`."""
        return SCORES[self.model.config.model_type](self.model, vectors)

    @property
    def hidden_size(self) -> int:
        """Width of the vectors."""
        size: int = self.model.config.hidden_size
        return size

    @property
    def description(self) -> str:
        """The config as JSON: all but the weights that decides what the encoder computes."""
        text: str = self.model.config.to_json_string()
        return text

    @property
    def depth(self) -> int:
        """Number of layers."""
        return layers.count_layers(self.paths())

    def below_top(self, path: str) -> int | None:
        """The number of layers above the one that holds this variable; see `trainer.encoder.layers.below_top`."""
        return layers.below_top(path, self.depth)

    def paths(self) -> dict[str, tf.Variable]:
        """The variables of the encoder by path, `encoder/...`, without those of a head."""
        # Keras prefixes a name with the models it was first called in, and these vary with what was built before.
        prefix = f"{self.model.base_model_prefix}/"
        return {ENCODER + _name(variable).split(prefix, 1)[-1]: variable for variable in self._encoder.variables}

    def head_paths(self) -> dict[str, tf.Variable]:
        """The variables of Hugging Face's own head by path, `head/...`."""
        encoder = {id(variable) for variable in self._encoder.variables}
        prefix = f"{self.model.name}/"
        return {
            HEAD + _name(variable).split(prefix, 1)[-1]: variable
            for variable in self.model.variables
            if id(variable) not in encoder
        }

    def plain_weights(self) -> dict[str, np.ndarray]:
        """The weights of the encoder by path, as a model of transformers holds them: adapters are merged into them."""
        weights = {path: variable.numpy() for path, variable in self.paths().items()}
        return merged(weights, self.adapters) if self.adapters else weights

    def left_out(self, base: Path) -> dict[str, tf.Variable]:
        """The weights of a base's encoder that this one lacks, by path: one under a masked-LM head has no pooler.

        Args:
            base: The base model's folder.
        """
        if not check_weights(base).has_pooler:
            return {}
        whole, has = _load(base, TFAutoModel, _plain_config(base)), self.paths()
        return {path: variable for path, variable in whole.paths().items() if path not in has}

    def write(self, base: Path, folder: Path, *, more: Mapping[str, tf.Variable] | None = None) -> None:
        """Writes encoder and head in Hugging Face's format: config, tokenizer, safetensors under PyTorch's names.

        PyTorch's names, because both PyTorch and TensorFlow load them, each without the other installed. The decoder of
        a masked-LM head is tied to the embeddings, and whoever loads the folder ties them again.

        Args:
            base: The base model's folder, for its tokenizer.
            folder: Made if missing.
            more: By path, weights of the encoder that this one lacks (see `left_out`).
        """
        folder.mkdir(parents=True, exist_ok=True)
        prefix = self.model.base_model_prefix
        inside = {_name(variable).split(f"{self.model.name}/", 1)[-1]: variable for variable in self.model.variables}
        inside |= {f"{prefix}/{path.removeprefix(ENCODER)}": variable for path, variable in (more or {}).items()}
        tensors: dict[str, np.ndarray] = {}
        for name, variable in inside.items():
            name, transpose = convert_tf_weight_name_to_pt_weight_name(
                f"{self.model.name}/{name}:0", tf_weight_shape=variable.shape
            )
            value = variable.numpy()
            tensors[name] = np.ascontiguousarray(value if transpose is TransposeType.NO else value.T)
        if len(tensors) != len(self.model.variables) + len(more or {}):
            raise RuntimeError("two variables of the model share a name in PyTorch")
        if (bias := tensors.get("predictions.decoder.bias")) is not None:
            # ALBERT's, which PyTorch ties to the other; TensorFlow keeps two, and trains only this one.
            tensors["predictions.bias"] = bias
        safetensors.numpy.save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
        config = self.model.config  # without what an earlier task left in it (see `_plain_config`)
        config.architectures = [type(self.model).__name__.removeprefix("TF")]
        config.save_pretrained(folder)
        copy_tokenizer(base, folder)

    @property
    def _encoder(self) -> Any:
        """The part of the model below its head."""
        return getattr(self.model, self.model.base_model_prefix)

    def _known(self, features: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        return {name: value for name, value in features.items() if name in self._accepted}


def _name(variable: tf.Variable) -> str:
    name: str = variable.name
    return name.removesuffix(":0")


def _plain_config(folder: Path, labels: tuple[str, ...] = (), problem_type: str = "") -> PretrainedConfig:
    """A base model's config without what an earlier task left in it.

    That is what decides how Hugging Face's pipeline reads the model, such as `problem_type`, `torch_dtype` and
    `task_specific_params`, and what it returns. What describes the encoder is kept, and nothing else.

    Args:
        folder: The base model.
        labels: The labels of the new task, if it has any, in the order of their class index.
        problem_type: What Hugging Face calls that task.

    Raises:
        InputError: The base is of no known family.
    """
    said = read_base_config(folder)
    family = family_of(said, str(folder))
    config_class = CONFIG_MAPPING[family.model_type]
    # DeBERTa's takes some of what it is from whatever else it is given.
    kept = {*inspect.signature(config_class.__init__).parameters, *config_class.attribute_map}
    kept |= {*family.settings, *family.stated}
    task: dict[str, Any] = {}
    if labels:
        task["id2label"] = dict(enumerate(labels))
        task["label2id"] = {label: index for index, label in enumerate(labels)}
        task["problem_type"] = problem_type
    return config_class(**{key: value for key, value in said.items() if key in kept}, **task, torch_dtype="float32")


def _new(auto: Any, config: PretrainedConfig, *, pooler: bool = True) -> TransformersEncoder:
    """Makes one with random weights; the arguments are those of `_load`."""
    return TransformersEncoder(new_model(auto._model_mapping[type(config)], config, pooler=pooler))


def _load(folder: Path, auto: Any, config: PretrainedConfig, *, pooler: bool = True) -> TransformersEncoder:
    """Loads one.

    Args:
        folder: The base model.
        auto: One of transformers' `TFAutoModel*`.
        config: Its config (see `_plain_config`).
        pooler: Whether the encoder has a pooler, where its family knows one; then, without a head, the folder must hold
            it.

    Raises:
        InputError: Weights of the encoder are missing, damaged or do not fit it.
    """
    model, new = load_model(
        auto._model_mapping[type(config)],
        config,
        folder,
        lambda model: TransformersEncoder(model).paths(),
        pooler=pooler,
        needs_pooler=pooler and auto is TFAutoModel,
    )
    return TransformersEncoder(model, new_head=bool(new))
