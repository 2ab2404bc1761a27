"""The body of a classify request: examples of named features, as TensorFlow Serving makes `tf.Example` of them."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from fullbake.pipeline.serving.api_error import bad_request
from fullbake.pipeline.serving.json_document import decoded_base64, is_base64, quoted, text_bytes, type_name

_EXAMPLES_KEY = "examples"
_CONTEXT_KEY = "context"
_INT64 = range(-(2**63), 2**63)


def read_classify_request(document: dict[str, Any]) -> list[bytes]:
    """Returns the examples of a request, serialized, each with the features of the request's context.

    Raises:
        ApiError: They are not as they should be.
    """
    context = _example(document[_CONTEXT_KEY]) if _CONTEXT_KEY in document else tf.train.Example()
    if _EXAMPLES_KEY not in document:
        wrong = f"When method is classify, key '{_EXAMPLES_KEY}' is expected and was not found"
        raise bad_request(f"JSON Value: {quoted(document)} {wrong}")
    examples = document[_EXAMPLES_KEY]
    if not isinstance(examples, list):
        raise bad_request(f"JSON Value: {quoted(document)} Expecting '{_EXAMPLES_KEY}' value to be an list/array")
    if not examples:
        raise bad_request(f"JSON Value: {quoted(document)} '{_EXAMPLES_KEY}' value is an empty array")
    serialized = []
    for example in map(_example, examples):
        example.MergeFrom(context)
        serialized.append(example.SerializeToString())
    return serialized


def _example(value: Any) -> tf.train.Example:
    if not isinstance(value, dict):
        raise bad_request(f"Example must be JSON object but got JSON {type_name(value)}")
    example = tf.train.Example()
    for name, content in value.items():
        feature = tf.train.Feature()
        for one in content if isinstance(content, list) else [content]:
            _add(feature, text_bytes(name).decode("utf-8", "replace"), one)
        example.features.feature[text_bytes(name).decode("utf-8", "replace")].CopyFrom(feature)
    return example


def _add(feature: tf.train.Feature, name: str, value: Any) -> None:
    plain: bytes | int | float
    if isinstance(value, str) or is_base64(value):
        kind, plain = "bytes_list", text_bytes(value) if isinstance(value, str) else decoded_base64(value)
    elif isinstance(value, (bool, int)):
        kind, plain = "int64_list", int(value)
        if plain not in _INT64:
            raise bad_request(f"Feature: {name} has uint64 element. Only int64 is supported.")
    elif isinstance(value, float):
        kind, plain = "float_list", value
    else:
        raise bad_request(f"Feature: {name} has element with unexpected JSON type: {type_name(value)}")
    of = feature.WhichOneof("kind")
    if of not in (None, kind):
        # It names the type that the feature has so far.
        raise bad_request(f"Unexpected element type in feature: {name} expecting type: {of.removesuffix('_list')}")
    getattr(feature, kind).value.append(plain)
