import json
import logging
from dataclasses import asdict

import pytest
from ml_metadata import metadata_store
from ml_metadata.proto import metadata_store_pb2
from tensorflow_metadata.proto.v0 import anomalies_pb2
from tfx import v1 as tfx

from fullbake.components.data.row_format import RowFormat
from fullbake.components.evaluation.gate import GateSpec
from fullbake.components.nodes.config_schema import ConfigSchema
from fullbake.components.nodes.data_gate import DataGate, anomalies_in
from fullbake.components.nodes.example_gen import CsvExampleGen
from fullbake.components.serving.making import NOTHING
from fullbake.components.tokenizer.tokenizer_spec import TokenizerSpec
from fullbake.contract.errors import InputError
from fullbake.trainer.windows import Windows
from tests.components.placed_models import place


def write(path, labels, text="text"):
    lines = "".join(f"{text} {number},{label}\n" for number, label in enumerate(labels))
    path.parent.mkdir(exist_ok=True)
    path.write_text("text,label\n" + lines)


@pytest.fixture
def run(tmp_path, base):
    """Runs the data half of a pipeline and returns the states of the gate's executions, by TFX's local runner."""
    metadata = tfx.orchestration.metadata.sqlite_metadata_connection_config(str(tmp_path / "metadata.sqlite"))

    def run_pipeline(
        rows,
        labels_of_schema,
        labels=("good", "bad"),
        text_pair=0,
        pattern="*.csv",
        gate=None,
        max_length=16,
        text="text",
        windows=None,
        **settings,
    ):
        if rows:
            write(tmp_path / "data.csv", rows, text)
        example_gen = CsvExampleGen(str(tmp_path), pattern, RowFormat("text", "label", labels), {"train": 1, "test": 1})
        examples = example_gen.outputs["examples"]
        statistics_gen = tfx.components.StatisticsGen(examples=examples)
        schema = ConfigSchema(labels=json.dumps(labels_of_schema), text_pair=text_pair)
        validator = tfx.components.ExampleValidator(
            statistics=statistics_gen.outputs["statistics"], schema=schema.outputs["schema"]
        )
        settings = {"serving_dir": str(tmp_path / "serving"), "baseline_key": NOTHING, **settings}
        data_gate = DataGate(
            examples=examples,
            anomalies=validator.outputs["anomalies"],
            gate=json.dumps(asdict(gate or GateSpec(labels))),
            text_features='["text"]',
            tokenizer=json.dumps(TokenizerSpec(str(base), None, max_length, "head", windows=windows).to_dict()),
            **settings,
        )
        components = [example_gen, statistics_gen, schema, validator, data_gate]
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


def test_a_small_test_split_is_warned_of_and_a_model_in_production_that_does_not_open_stops_the_run(
    run, tmp_path, caplog
):
    place(tmp_path / "serving", 7, labels=["good", "bad"])  # whole, as far as its files say
    gate = GateSpec(("good", "bad"), min_recall={"good": 0.9, "bad": 0.1}, max_recall_drop=0.0)
    with caplog.at_level(logging.WARNING, "fullbake"), pytest.raises(InputError) as stopped:
        run(["good", "bad"] * 20, ["good", "bad"], gate=gate, baseline_key="version 7")
    warnings = [record.getMessage() for record in caplog.records if record.name == "fullbake"]
    (warning,) = (text for text in warnings if text.startswith("min_recall: "))
    assert warning.startswith("min_recall: too few test rows to show with 0.95 confidence that a bound is met")
    assert " where 0.9 takes 35; add rows" in warning
    assert f"serving_dir: {tmp_path}/serving/7, the model in production, cannot be opened (" in str(stopped.value)


def test_texts_that_the_vocabulary_does_not_know_or_that_are_cut_are_warned_of_before_training(run, base, caplog):
    with caplog.at_level(logging.WARNING, "fullbake"):
        assert run(["good", "bad"] * 20, ["good", "bad"], text="오늘 점심은 정말", max_length=5) == ["COMPLETE"]
    unknown, cut = (record.getMessage() for record in caplog.records if record.name == "fullbake")
    assert unknown.startswith(
        f"base: the vocabulary of {base} does not fit: 100% of the tokens of Hangul texts are unknown; a multilingual"
    )
    assert cut == "max_length: 100% of the texts have more than 5 tokens and are cut"


def test_of_texts_that_are_read_in_windows_those_are_warned_of_that_are_cut_behind_the_last(run, caplog):
    rows, text = ["good", "bad"] * 20, "a very good kind of person"  # and a number
    with caplog.at_level(logging.WARNING, "fullbake"):
        run(rows, ["good", "bad"], text=text, max_length=5, windows=Windows(5, 1, 8, "max"))
        assert not [record for record in caplog.records if "are cut" in record.getMessage()]
        run(rows, ["good", "bad"], text=text, max_length=5, windows=Windows(5, 1, 2, "max"))
    (cut,) = (text for record in caplog.records if "are cut" in (text := record.getMessage()))
    assert cut == "max_windows: 100% of the texts have more than 7 tokens and are cut"


def test_texts_that_the_vocabulary_knows_are_not_warned_of(run, caplog):
    with caplog.at_level(logging.WARNING, "fullbake"):
        text = "a very good kind of person is not in the garden " * 4  # beside its number, which is unknown
        run(["good", "bad"] * 20, ["good", "bad"], text=text, max_length=64)
    assert [record.getMessage() for record in caplog.records if record.name == "fullbake"] == []


def test_a_label_the_schema_does_not_know_stops_the_run_and_says_so_in_one_line(run):
    with pytest.raises(InputError) as error:
        run(["good"] * 60 + ["bad"] * 40, ["good"])
    message = str(error.value)
    assert message.startswith(
        "data: feature 'label' of split 'train': Examples contain values missing from the schema: bad"
    )
    assert "feature 'label' of split 'test': " in message
    assert message.endswith("; fix the rows, or the columns and labels in the config")
    assert "\n" not in message


def test_a_feature_the_schema_asks_for_and_the_data_lack_stops_the_run(run):
    with pytest.raises(InputError) as error:
        run(["good", "bad"] * 20, ["good", "bad"], text_pair=1)
    assert str(error.value) == (
        "data: feature 'text_pair' of split 'train': Column is completely missing; "
        "feature 'text_pair' of split 'test': Column is completely missing; "
        "fix the rows, or the columns and labels in the config"
    )


def test_all_classes_without_an_example_in_a_split_stop_the_run_in_one_line(run):
    with pytest.raises(InputError) as error:
        run(["good", "bad"] * 50 + ["ugly"], ["good", "bad", "ugly", "odd"], labels=("good", "bad", "ugly", "odd"))
    assert str(error.value) == (
        "labels: 'ugly' (1 text, none in train), 'odd' (0 texts, none in train and test): fewer texts than the 2 "
        "splits they are for; add rows, or set rare_classes to drop or other"
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


@pytest.fixture
def drifted(run, tmp_path):
    """Judges two spans by bounds: a tenth more of the texts are bad, and all of them are longer."""
    write(tmp_path / "span-1/a.csv", ["good"] * 90 + ["bad"] * 10)
    write(tmp_path / "span-2/a.csv", ["good"] * 80 + ["bad"] * 20, text="a longer text")
    return lambda **bounds: run([], ["good", "bad"], pattern="span-{SPAN}/*.csv", **bounds)


def test_drift_without_a_bound_or_within_it_passes(drifted, caplog):
    with caplog.at_level(logging.INFO, "fullbake"):
        assert drifted() == ["COMPLETE"]
    assert "drift from span 1: labels 0.100 (share of 'bad' 0.100, now 0.200); text lengths 1.000" in caplog.text
    assert drifted(max_label_drift=0.11, max_length_drift=1.0) == ["COMPLETE", "COMPLETE"]


@pytest.mark.parametrize(
    ("bound", "message"),
    [
        (
            {"max_label_drift": 0.09},
            "max_label_drift: since span 1 the labels' shares have drifted by 0.100 (share of 'bad' 0.100, now "
            "0.200), and 0.09 is allowed; look into the new span",
        ),
        (
            {"max_length_drift": 0.5},
            "max_length_drift: since span 1 the texts' lengths have drifted by 1.000 (median 7, now 16 ch",
        ),
    ],
)
def test_drift_beyond_a_bound_stops_the_run(drifted, bound, message):
    with pytest.raises(InputError) as error:
        drifted(**bound)
    assert str(error.value).startswith(message)


def test_a_bound_is_not_passed_because_the_span_before_cannot_be_read(drifted, tmp_path):
    (tmp_path / "span-1/a.csv").write_text("other,columns\nx,good\n")
    assert drifted() == ["COMPLETE"]
    with pytest.raises(InputError, match=r"^max_label_drift: span 1, the one before, cannot be read: .*null$"):
        drifted(max_label_drift=0.5)
