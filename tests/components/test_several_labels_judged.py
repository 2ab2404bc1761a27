"""Whether TensorFlow Data Validation and the data gate take examples with any number of labels for what they are."""

import json
from dataclasses import asdict

import pytest
import tensorflow as tf
from ml_metadata import metadata_store
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2
from tensorflow_transform.tf_metadata import schema_utils
from tfx import v1 as tfx

from fullbake.components.data.row_format import RowFormat
from fullbake.components.evaluation.class_sizes import judge_classes
from fullbake.components.evaluation.gate import GateSpec
from fullbake.components.nodes.config_schema import ConfigSchema, make_schema
from fullbake.components.nodes.data_gate import DataGate
from fullbake.components.nodes.example_gen import CsvExampleGen
from fullbake.components.serving.making import NOTHING
from fullbake.components.tokenizer.tokenizer_spec import TokenizerSpec
from fullbake.contract.errors import InputError
from fullbake.contract.results.ingest import Classes, Ingest
from tests.components.ingested import write

LABELS = ("anger", "joy", "pride")
CELLS = [("1", "0", "-1"), ("0", "1", "1"), ("0", "0", "0"), ("1", "1", "1"), ("0", "-1", "0")]
ROWS = [(f"text {number}", *cells) for number, cells in enumerate(CELLS * 30)]


@pytest.fixture
def run(tmp_path, base):
    """Runs the data half of a pipeline, and returns TFDV's statistics of the train split."""
    metadata = tfx.orchestration.metadata.sqlite_metadata_connection_config(str(tmp_path / "metadata.sqlite"))

    def run_pipeline(rows, labels_of_schema=LABELS):
        write(tmp_path / "data/a.csv", rows, header=("text", *LABELS))
        fmt = RowFormat("text", "", LABELS, label_columns=LABELS, missing_label="mask")
        example_gen = CsvExampleGen(str(tmp_path / "data"), "*", fmt, {"train": 2, "test": 1})
        examples = example_gen.outputs["examples"]
        statistics_gen = tfx.components.StatisticsGen(examples=examples)
        schema = ConfigSchema(labels=json.dumps(labels_of_schema), multi_label=1)
        validator = tfx.components.ExampleValidator(
            statistics=statistics_gen.outputs["statistics"], schema=schema.outputs["schema"]
        )
        data_gate = DataGate(
            examples=examples,
            anomalies=validator.outputs["anomalies"],
            gate=json.dumps(asdict(GateSpec(LABELS))),
            text_features='["text"]',
            tokenizer=json.dumps(TokenizerSpec(str(base), None, 16, "head").to_dict()),
            serving_dir=str(tmp_path / "serving"),
            baseline_key=NOTHING,
        )
        components = [example_gen, statistics_gen, schema, validator, data_gate]
        tfx.orchestration.LocalDagRunner().run(
            tfx.dsl.Pipeline("gate", str(tmp_path / "pipeline"), metadata, components=components)
        )
        (artifact,) = metadata_store.MetadataStore(metadata).get_artifacts_by_type("ExampleStatistics")
        (file,) = tf.io.gfile.glob(f"{artifact.uri}/Split-train/*")
        statistics = statistics_pb2.DatasetFeatureStatisticsList()
        with open(file, "rb") as content:
            statistics.ParseFromString(content.read())
        (features,) = (dataset.features for dataset in statistics.datasets)
        ingest = Ingest.from_json(next((tmp_path / "pipeline").rglob("ingest.json")).read_text())
        return {feature.path.step[0]: feature.string_stats for feature in features}, ingest

    return run_pipeline


def test_examples_without_labels_are_no_anomaly_and_statistics_count_each_label(run):
    statistics, ingest = run(ROWS)
    for feature, counted in (("label", ingest.labels), ("masked_label", ingest.masked)):
        found = {value.value: int(value.frequency) for value in statistics[feature].top_values}
        assert found == {label: rows for label, rows in counted["train"].items() if rows}
    assert statistics["label"].common_stats.num_non_missing == ingest.examples["train"]


def test_examples_without_masks_are_no_anomaly(run):
    statistics, _ = run([row for row in ROWS if "-1" not in row])
    assert "masked_label" not in statistics


def test_an_unknown_label_is_an_anomaly(run):
    with pytest.raises(
        InputError,
        match=r"^data: feature 'label' of split 'train': .*missing from the schema: pride .*; feature 'masked_label'",
    ):
        run(ROWS, LABELS[:2])


def test_a_label_that_no_row_has_stops_the_run(run):
    with pytest.raises(InputError, match=r"^labels: 'pride' \(0 texts, none in train and test\): a label needs texts"):
        run([(*row[:3], "0") for row in ROWS])


def test_labels_are_sparse_to_transform():
    schema = make_schema(list(LABELS), text_pair=False, multi_label=True)
    spec = schema_utils.schema_as_feature_spec(schema).feature_spec
    labels = tf.io.VarLenFeature(tf.string)
    assert spec == {"text": tf.io.FixedLenFeature([1], tf.string), "label": labels, "masked_label": labels}
    assert {feature.type for feature in schema.feature} == {schema_pb2.BYTES}


def judged(has, masked=None, splits=3, texts=50):
    """Returns what is said of labels that so many of ten rows have in train, eval and test."""
    names = ("train", "eval", "test")
    labels = {split: {label: counts[place] for label, counts in has.items()} for place, split in enumerate(names)}
    masks = {
        split: {label: (masked or {}).get(label, (0, 0, 0))[place] for label in has}
        for place, split in enumerate(names)
    }
    classes = Classes(splits=splits, texts=dict.fromkeys(has, texts))
    ingest = Ingest(read=30, used=30, examples=dict.fromkeys(names, 10), labels=labels, masked=masks, classes=classes)
    with pytest.raises(InputError) as error:
        judge_classes(ingest, GateSpec(tuple(has)))
    return str(error.value)


def test_a_label_needs_rows_in_each_split_and_rows_without_it():
    fine = (5, 5, 5)
    assert judged({"fine": fine, "rare": (2, 1, 0)}, texts=3) == (
        "labels: 'rare' (3 texts, none in test): a label needs texts in each split; add rows, or leave it out of labels"
    )
    everywhere = (
        "labels: 'english' (in train and test): every row of which it is known has it, so there is nothing to tell "
        "apart; add rows without it, or leave it out of labels"
    )
    assert judged({"fine": fine, "english": (10, 9, 10)}) == everywhere
    assert judged({"fine": fine, "english": (7, 9, 10)}, {"english": (3, 0, 0)}) == everywhere
    assert judged({"fine": fine, "rare": (5, 5, 0)}, splits=2) == (
        "labels: 'rare': no rows in test_base; add rows of them there"
    )
