import json

import pytest
from ml_metadata import metadata_store
from ml_metadata.proto import metadata_store_pb2
from tensorflow_metadata.proto.v0 import anomalies_pb2
from tfx import v1 as tfx

from components.csv_rows import CsvFormat
from components.data_gate import DataGate, anomalies_in
from components.example_gen import CsvExampleGen
from components.schema import ConfigSchema
from trainer.errors import InputError


@pytest.fixture
def run(tmp_path):
    """Runs the data half of a pipeline and returns the states of the gate's executions, by TFX's local runner."""
    metadata = tfx.orchestration.metadata.sqlite_metadata_connection_config(str(tmp_path / "metadata.sqlite"))

    def run_pipeline(rows, labels_of_schema, labels=("good", "bad"), text_pair=0):
        if rows:
            lines = "".join(f"text {number},{label}\n" for number, label in enumerate(rows))
            (tmp_path / "data.csv").write_text("text,label\n" + lines)
        example_gen = CsvExampleGen(str(tmp_path), "*.csv", CsvFormat("text", "label", labels), {"train": 1, "test": 1})
        examples = example_gen.outputs["examples"]
        statistics_gen = tfx.components.StatisticsGen(examples=examples)
        schema = ConfigSchema(labels=json.dumps(labels_of_schema), text_pair=text_pair)
        validator = tfx.components.ExampleValidator(
            statistics=statistics_gen.outputs["statistics"], schema=schema.outputs["schema"]
        )
        gate = DataGate(examples=examples, anomalies=validator.outputs["anomalies"])
        components = [example_gen, statistics_gen, schema, validator, gate]
        tfx.orchestration.LocalDagRunner().run(
            tfx.dsl.Pipeline("gate", str(tmp_path / "pipeline"), metadata, components=components, enable_cache=True)
        )
        store = metadata_store.MetadataStore(metadata)
        (gate_type,) = (kind.name for kind in store.get_execution_types() if kind.name.endswith("DataGate"))
        states = metadata_store_pb2.Execution.State.Name
        return [states(execution.last_known_state) for execution in store.get_executions_by_type(gate_type)]

    return run_pipeline


def test_good_data_passes_and_is_not_judged_twice(run):
    rows = ["good", "bad"] * 50
    assert run(rows, ["good", "bad"]) == ["COMPLETE"]
    assert run([], ["good", "bad"]) == ["COMPLETE", "CACHED"]


def test_a_label_the_schema_does_not_know_stops_the_run_and_says_so_in_one_line(run):
    with pytest.raises(InputError) as error:
        run(["good"] * 60 + ["bad"] * 40, ["good"])
    message = str(error.value)
    assert message.startswith(
        "data: feature 'label' of split 'train': Examples contain values missing from the schema: bad"
    )
    assert "feature 'label' of split 'test': " in message
    assert message.endswith("; mend the rows, or the columns and labels in the config")
    assert "\n" not in message


def test_a_feature_the_schema_asks_for_and_the_data_lack_stops_the_run(run):
    with pytest.raises(InputError) as error:
        run(["good", "bad"] * 20, ["good", "bad"], text_pair=1)
    assert str(error.value) == (
        "data: feature 'text_pair' of split 'train': Column is completely missing; "
        "feature 'text_pair' of split 'test': Column is completely missing; "
        "mend the rows, or the columns and labels in the config"
    )


def test_a_class_without_an_example_in_a_split_stops_the_run(run):
    with pytest.raises(InputError) as error:
        run(["good", "bad"] * 50 + ["ugly"], ["good", "bad", "ugly", "odd"], labels=("good", "bad", "ugly", "odd"))
    assert str(error.value) == (
        "data.labels: no train example of class 'ugly', no train example of class 'odd', "
        "no test example of class 'odd'; add rows of it, give the split a larger share in data.split, "
        "or take the class out of data.labels"
    )


def test_every_kind_of_anomaly_is_told_and_long_lists_are_cut():
    anomalies = anomalies_pb2.Anomalies(data_missing=True)
    anomalies.anomaly_info["text"].description = "first\nsecond"
    anomalies.dataset_anomaly_info.description = "too few"
    assert anomalies_in(anomalies, "eval") == [
        "feature 'text' of split 'eval': first second",
        "split 'eval': there are no examples",
        "split 'eval': too few",
    ]
