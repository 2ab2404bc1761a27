import json

import pytest
import tensorflow as tf
from google.protobuf import text_format
from ml_metadata import metadata_store
from tensorflow_metadata.proto.v0 import schema_pb2
from tensorflow_transform.tf_metadata import schema_utils
from tfx import v1 as tfx
from tfx.utils import io_utils

from fullbake.components.nodes.config_schema import ConfigSchema, make_schema


def run(tmp_path, **settings):
    metadata = tfx.orchestration.metadata.sqlite_metadata_connection_config(str(tmp_path / "metadata.sqlite"))
    tfx.orchestration.LocalDagRunner().run(
        tfx.dsl.Pipeline("schema", str(tmp_path), metadata, components=[ConfigSchema(**settings)])
    )
    (artifact,) = metadata_store.MetadataStore(metadata).get_artifacts_by_type("Schema")
    return io_utils.SchemaReader().read(f"{artifact.uri}/schema.pbtxt")


@pytest.mark.parametrize(("text_pair", "names"), [(0, ["text", "label"]), (1, ["text", "text_pair", "label"])])
def test_the_component_writes_the_schema_of_the_config(tmp_path, text_pair, names):
    labels = ["non toxic", "très toxique 🙂"]
    schema = run(tmp_path, labels=json.dumps(labels), text_pair=text_pair)
    assert [feature.name for feature in schema.feature] == names
    assert [list(domain.value) for domain in schema.string_domain] == [labels]
    assert schema == make_schema(labels, bool(text_pair))


def test_every_feature_is_one_required_bytes_value_and_dense_to_transform():
    schema = make_schema(["good", "bad"], text_pair=True)
    for feature in schema.feature:
        assert (feature.type, feature.presence.min_fraction, feature.presence.min_count) == (schema_pb2.BYTES, 1.0, 1)
    spec = schema_utils.schema_as_feature_spec(schema).feature_spec
    assert spec == {name: tf.io.FixedLenFeature([1], tf.string) for name in ("text", "text_pair", "label")}


def test_the_label_has_the_labels_as_its_domain_in_their_order():
    schema = text_format.Parse(text_format.MessageToString(make_schema(["b", "a"], False)), schema_pb2.Schema())
    (label,) = (feature for feature in schema.feature if feature.name == "label")
    assert [list(domain.value) for domain in schema.string_domain if domain.name == label.domain] == [["b", "a"]]
