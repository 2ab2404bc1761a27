"""The schema of the examples, made from the config: data is judged by what it should be, not by what it is."""

import json
import os

from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.dsl.component.experimental.annotations import OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types import standard_artifacts
from tfx.utils import io_utils

from fullbake.contract.names import LABEL, MASKED_LABEL, SLICE, TEXT, TEXT_PAIR

SCHEMA_FILE = "schema.pbtxt"
"""The name TFX looks for in a `Schema` artifact."""

LABELS_DOMAIN = "labels"
"""The string domain that lists the labels, in the order of their index."""


def make_schema(
    labels: list[str], text_pair: bool, multi_label: bool = False, sliced: bool = False
) -> schema_pb2.Schema:
    """Returns the schema of what `CsvExampleGen` writes.

    Every feature is one bytes value, present in every example, which makes it dense to TensorFlow Transform; but for
    the labels of multi-label examples, and those of which nobody knows, which are any number of them and sparse.

    Args:
        labels: The values `label` may have; TensorFlow Data Validation refuses any other.
        text_pair: Whether there is a second text.
        multi_label: Whether an example can have any number of labels.
        sliced: Whether an example says which slices it is in, any number of them.
    """
    schema = schema_pb2.Schema()
    schema.string_domain.add(name=LABELS_DOMAIN, value=labels)
    for name in [TEXT, TEXT_PAIR, LABEL] if text_pair else [TEXT, LABEL]:
        feature = schema.feature.add(name=name, type=schema_pb2.BYTES)
        if multi_label and name == LABEL:
            _allow_any_number(feature)
            _allow_any_number(schema.feature.add(name=MASKED_LABEL, type=schema_pb2.BYTES))
            continue
        feature.presence.min_fraction = 1.0
        feature.presence.min_count = 1
        feature.shape.dim.add(size=1)
        if name == LABEL:
            feature.domain = LABELS_DOMAIN
    if sliced:
        schema.feature.add(name=SLICE, type=schema_pb2.BYTES).value_count.min = 0
    return schema


def _allow_any_number(feature: schema_pb2.Feature) -> None:
    feature.domain = LABELS_DOMAIN
    feature.value_count.min = 0


@component
def ConfigSchema(  # noqa: N802, components are called as classes are
    schema: OutputArtifact[standard_artifacts.Schema],
    labels: Parameter[str],
    text_pair: Parameter[int] = 0,
    multi_label: Parameter[int] = 0,
    sliced: Parameter[int] = 0,
) -> None:
    """Writes the schema which the config asks for into a `Schema` artifact.

    Args:
        schema: Output: the artifact, which holds `schema.pbtxt`.
        labels: The labels in the order of their index, as a JSON list.
        text_pair: 1 if the examples have a `text_pair`, 0 if not.
        multi_label: 1 if an example can have any number of labels, 0 if not.
        sliced: 1 if an example says which slices it is in, 0 if not.
    """
    proto = make_schema(json.loads(labels), bool(text_pair), bool(multi_label), bool(sliced))
    io_utils.write_pbtxt_file(os.path.join(schema.uri, SCHEMA_FILE), proto)
