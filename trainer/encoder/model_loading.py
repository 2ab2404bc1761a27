"""Makes a model of transformers, new or with the weights of a folder, and makes sure that its encoder came whole."""

from __future__ import annotations

import contextlib
import inspect
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

from fullbake.contract.errors import InputError
from fullbake.trainer.encoder.base_model import read_base_config
from fullbake.trainer.encoder.base_weights import check_weights, plain_name, refuse_missing
from fullbake.trainer.encoder.families import family_of
from fullbake.trainer.encoder.layers import ENCODER


def new_model(model_class: Any, config: Any, *, pooler: bool = True) -> Any:
    """Makes a model with random weights.

    Args:
        model_class: A TensorFlow class of transformers.
        config: What it is.
        pooler: Whether the encoder has a pooler, where its family knows one.
    """
    model_class, build = _without_pooler(model_class, pooler)
    model = model_class(config, **build)
    model.build_in_name_scope()
    _adjust(model)
    return model


def load_model(
    model_class: Any,
    config: Any,
    folder: Path,
    paths_of: Callable[[Any], Mapping[str, tf.Variable]],
    *,
    pooler: bool = True,
    needs_pooler: bool = False,
) -> tuple[Any, list[str]]:
    """Loads a base model with all weights of its encoder.

    Args:
        model_class: A TensorFlow class of transformers.
        config: What it is.
        folder: The base model.
        paths_of: From the model to the variables of its encoder by path.
        pooler: Whether the encoder has a pooler, where its family knows one.
        needs_pooler: Whether the folder must hold the pooler, where its family knows one.

    Returns:
        The model, and the names of its weights that the folder does not hold and that are new: those of a head.

    Raises:
        InputError: Weights of the encoder are missing, damaged or do not fit it.
    """
    file = check_weights(folder, pooler=needs_pooler).file
    model_class, build = _without_pooler(model_class, pooler)
    with _quiet_transformers():
        try:
            model, found = model_class.from_pretrained(folder, config=config, output_loading_info=True, **build)
        except (OSError, ValueError, tf.errors.InvalidArgumentError) as error:
            raise InputError(
                "the weights in {folder} cannot be loaded: {reason}",
                field="base",
                folder=folder,
                reason=" ".join(str(error).split()),
            ) from error
    _check_loaded(folder, file, paths_of(model), found["missing_keys"])
    _adjust(model)
    return model, found["missing_keys"]


def _adjust(model: Any) -> None:
    """Changes how a model is traced and what it draws from, where that is needed; not what it computes."""
    if model.config.model_type == "deberta-v2":
        from fullbake.trainer.encoder.deberta import adjust_deberta

        adjust_deberta(model)


def _without_pooler(model_class: Any, pooler: bool) -> tuple[Any, dict[str, bool]]:
    """The class and the argument that leave out an encoder's pooler, where it is unwanted and there is one."""
    if pooler:
        return model_class, {}
    if "add_pooling_layer" in inspect.signature(model_class).parameters:
        return model_class, {"add_pooling_layer": False}

    def make(self: Any, config: Any, *inputs: Any, **settings: Any) -> None:
        model_class.__init__(self, config, *inputs, **settings)
        encoder = getattr(self, self.base_model_prefix)
        if getattr(encoder, "pooler", None) is not None:
            # MPNet's class calls what is there, and does not ask whether there is one.
            encoder.pooler = _NoPooler(name="pooler") if self.base_model_prefix == "mpnet" else None

    # RoBERTa's has one, and MPNet's even under a head; they take no argument. Under the same name, for that becomes the
    # name of its weights.
    bare_class = type(model_class.__name__, (model_class,), {"__init__": make})
    return bare_class, {}


class _NoPooler(tf_keras.layers.Layer):
    """Stands where a pooler was. What it returns is not read."""

    def call(self, hidden_states: tf.Tensor) -> tf.Tensor:
        return hidden_states


def _check_loaded(folder: Path, file: Path, variables: Mapping[str, tf.Variable], missing: Iterable[str]) -> None:
    """Raises InputError where a weight of the encoder did not come out of its file, or is not a number.

    transformers draws what is missing at random and goes on.
    """
    family = family_of(read_base_config(folder), str(folder))
    wanted = {plain_name(path.removeprefix(ENCODER), family) for path in variables}
    absent = sorted(wanted & {plain_name(name, family) for name in missing})
    if absent:
        refuse_missing(file, absent, len(wanted))
    broken = [path for path, variable in variables.items() if not np.isfinite(variable.numpy()).all()]
    if broken:
        raise InputError(
            "{count} weights in {file} hold infinities or what is no number (first: {first}); fetch the model again",
            field="base",
            count=len(broken),
            file=file,
            first=broken[0],
        )


@contextlib.contextmanager
def _quiet_transformers() -> Iterator[None]:
    """Silences what transformers warns of at each load: that a new head is new, and each weight of an old one."""
    logger = logging.getLogger("transformers")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
