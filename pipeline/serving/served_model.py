"""A version of a pushed model, opened to be served."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import tensorflow as tf
import tensorflow_text  # noqa: F401  (the served graph holds its ops)
from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import saved_model_pb2

from fullbake.components.serving.file_system import file_system
from fullbake.components.serving.plain_path import plain_path
from fullbake.components.serving.pushed_models import Version, fault, read_about
from fullbake.contract.names import (
    ABOUT_FILE,
    EXAMPLES_SIGNATURE,
    LABEL_OUTPUT,
    PROBABILITIES_OUTPUT,
    TEXT_SIGNATURE,
)
from fullbake.contract.results.result import MULTI_LABEL
from fullbake.pipeline.serving.predict_request import Columns


class Answers(NamedTuple):
    """What the model says, row by row.

    Attributes:
        labels: What it decides.
        probabilities: Of each label in the model's order.
    """

    labels: list[str]
    probabilities: list[list[float]]

    def rows(self, start: int, stop: int) -> Answers:
        """Returns some of the rows."""
        return Answers(self.labels[start:stop], self.probabilities[start:stop])


class UnusableVersionError(Exception):
    """A version cannot be opened; its text is the rest of a sentence that begins with the version."""


class ServedModel:
    """A version, opened.

    Args:
        version: Which.

    Attributes:
        version: Which.
        labels: In the order of their class index.
        text_features: `text` and maybe `text_pair`.
        multi_label: Whether a text can have any number of labels.
        leases: Requests that wait for its answer; changed in the event loop alone.

    Raises:
        UnusableVersionError: It cannot be opened.
    """

    def __init__(self, version: Version):
        if reason := fault(version.path, thorough=False):
            raise UnusableVersionError(reason)
        about = read_about(version.path)
        if about is None:
            raise UnusableVersionError(f"has no usable {ABOUT_FILE}")
        self.version = version
        self.labels = list(about.labels)
        self.text_features = list(about.text_features)
        self.multi_label = about.task == MULTI_LABEL
        self.leases = 0
        try:
            with plain_path(version.path) as plain:
                self._model = tf.saved_model.load(plain)  # kept: its variables live as long as it does
            self._signatures = self._model.signatures
            self._definitions = _signature_definitions(version.path)
            self._warm_up()
        except (tf.errors.OpError, OSError, ValueError) as error:
            raise UnusableVersionError(f"cannot be opened: {str(error).splitlines()[0]}") from error

    def inputs(self, signature: str | None) -> list[str] | None:
        """Returns the names of a signature's inputs, or None if there is no such signature.

        Args:
            signature: Its name; None: the default one.
        """
        found = self._definitions.get(signature or TEXT_SIGNATURE)
        return sorted(found["inputs"]) if found and found["inputs"] else None

    def run(self, signature: str | None, columns: Columns) -> Answers:
        """Labels some rows.

        Args:
            signature: Which to call; None: the default one.
            columns: Its inputs.
        """
        called = self._signatures[signature or TEXT_SIGNATURE]
        answer = called(**{name: tf.constant(column, tf.string) for name, column in columns.items()})
        labels = [label.decode("utf-8", "replace") for label in answer[LABEL_OUTPUT].numpy()]
        return Answers(labels, answer[PROBABILITIES_OUTPUT].numpy().tolist())

    def metadata(self, name: str) -> dict[str, Any]:
        """Returns what TensorFlow Serving says of a model's signatures.

        Args:
            name: The model's.
        """
        return {
            "model_spec": {"name": name, "signature_name": "", "version": str(self.version.number)},
            "metadata": {"signature_def": {"signature_def": self._definitions}},
        }

    def _warm_up(self) -> None:
        # The first call of a graph optimizes it, which takes longer than the call.
        self.run(TEXT_SIGNATURE, {name: [b"a", b"b " * 100] for name in self.text_features})
        features = {name: _bytes_feature(b"a") for name in self.text_features}
        example = tf.train.Example(features=tf.train.Features(feature=features))
        self.run(EXAMPLES_SIGNATURE, {"examples": [example.SerializeToString()]})


def _bytes_feature(value: bytes) -> tf.train.Feature:
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))


def _signature_definitions(model: str) -> dict[str, dict[str, Any]]:
    """Returns by name the signatures that a SavedModel has, as protocol buffers are written in JSON."""
    saved = saved_model_pb2.SavedModel.FromString(file_system(model).read(os.path.join(model, "saved_model.pb")))
    return {
        name: {
            "inputs": _tensors(signature.inputs),
            "outputs": _tensors(signature.outputs),
            "method_name": signature.method_name,
        }
        for name, signature in sorted(saved.meta_graphs[0].signature_def.items())
    }


def _tensors(tensors: Any) -> dict[str, Any]:
    return {
        name: {
            "dtype": types_pb2.DataType.Name(info.dtype),
            "tensor_shape": {
                "dim": _dimensions(info.tensor_shape.dim),
                "unknown_rank": info.tensor_shape.unknown_rank,
            },
            "name": info.name,
        }
        for name, info in sorted(tensors.items())
    }


def _dimensions(dimensions: Sequence[Any]) -> list[dict[str, str]]:
    return [{"size": str(dimension.size), "name": dimension.name} for dimension in dimensions]
