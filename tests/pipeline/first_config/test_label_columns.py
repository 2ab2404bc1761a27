"""Configs of files that have a column for each label, as Jigsaw's, and of lists of labels, as GoEmotions'."""

import json
import random
from pathlib import Path

import pyarrow as pa
import pytest
import yaml

from fullbake.components.evaluation.class_sizes import judge_classes
from fullbake.components.evaluation.gate import GateSpec
from fullbake.contract.errors import InputError
from fullbake.contract.results.ingest import Ingest
from fullbake.pipeline.config.loading import load_config
from fullbake.pipeline.first_config.first_config import make_first_config
from tests.components.ingested import write
from tests.components.jigsaw import LABELS, make_rows, write_test, write_train

TWEETS = Path(__file__).parents[3] / "../shared/data/davidson_hate_speech.csv"


def first(tmp_path, path, text="comment_text", label=None, **places):
    """Makes a config, and returns it as the pipeline would read it, and as text."""
    content = make_first_config(path, text, label, **places)
    (tmp_path / "config.yaml").write_text(content, encoding="utf-8")
    return load_config(tmp_path / "config.yaml"), content


def ingested(config, base, tmp_path):
    """Runs the data half of a config's pipeline, after the preflight, and judges it; returns what became of rows."""
    from ml_metadata import metadata_store
    from tensorflow_metadata.proto.v0 import anomalies_pb2
    from tfx import v1 as tfx

    from fullbake.components.nodes.data_gate import anomalies_in
    from fullbake.pipeline.graph import create_components, input_locations
    from fullbake.pipeline.outline import Places
    from fullbake.pipeline.preflight import check_inputs
    from fullbake.trainer.locations import located

    config = config.model_copy(update={"model": config.model.model_copy(update={"base": str(base), "max_length": 16})})
    check_inputs(config)
    places = Places(str(tmp_path / "pipeline"), str(tmp_path / "serving"), None, None)
    metadata = tfx.orchestration.metadata.sqlite_metadata_connection_config(str(tmp_path / "metadata.sqlite"))
    with located(input_locations(config, base)):
        components = create_components(config, places, "nothing")[:4]  # to the ExampleValidator
        tfx.orchestration.LocalDagRunner().run(
            tfx.dsl.Pipeline("data", places.pipeline_root, metadata, components=components)
        )
    store = metadata_store.MetadataStore(metadata)
    (anomalies,) = store.get_artifacts_by_type("ExampleAnomalies")
    for file in Path(anomalies.uri).glob("Split-*/*"):
        assert anomalies_in(anomalies_pb2.Anomalies.FromString(file.read_bytes()), file.parent.name) == []
    (artifact,) = store.get_artifacts_by_type("Examples")
    ingest = Ingest.from_json((Path(artifact.uri) / "ingest.json").read_text())
    judge_classes(ingest, GateSpec(config.data.labels))
    return ingest


def test_columns_of_0_and_1_are_the_labels_where_no_column_is_named(tmp_path, base):
    rows = make_rows(3_000)
    write_train(tmp_path / "data/train.csv", rows)
    config, text = first(tmp_path, tmp_path / "data/train.csv")
    assert config.data.label_columns == config.data.labels == LABELS
    assert config.data.missing_label == "fail"
    assert set(config.gate.min_recall) == set(LABELS)
    assert config.training.class_weights == "balanced"
    for label in LABELS:
        count = sum(has[label] for _, _, has in rows)
        assert f"    - {label}  # {count} rows, {count / 3_000:.1%}\n" in text
    none = sum(not any(has.values()) for _, _, has in rows)
    assert f"a text can have several of these 6; {none / 3_000:.1%} of the rows have none\n" in text
    ingest = ingested(config, base, tmp_path)
    assert (ingest.used, ingest.rejected) == (3_000, 0)
    assert all(rows for split in ingest.labels.values() for rows in split.values())


def test_columns_that_are_named_are_the_labels_and_one_is_a_class(tmp_path):
    write_train(tmp_path / "data/train.csv", make_rows(2_000))
    config, _ = first(tmp_path, tmp_path / "data/train.csv", label=["obscene", "toxic"])
    assert config.data.label_columns == ("obscene", "toxic")
    config, _ = first(tmp_path, tmp_path / "data/train.csv", label="toxic")
    assert (config.data.label_columns, config.data.labels) == ((), ("0", "1"))
    for columns, said in (
        (["toxic", "toxic"], "^--label: 'toxic' is named twice"),
        (["toxic", "rude"], "label_columns: 'rude' is not a column of train.csv"),
    ):
        with pytest.raises(InputError, match=said):
            first(tmp_path, tmp_path / "data/train.csv", label=columns)


def test_hidden_labels_are_masked_and_labels_of_another_file_are_found_in_it(tmp_path, base):
    write_test(tmp_path / "data", make_rows(2_000), set(range(0, 2_000, 2)))
    files = {"labels_file": str(tmp_path / "data/test_labels.csv"), "id_column": "id"}
    config, text = first(tmp_path, tmp_path / "data/test.csv", **files)
    assert (config.data.labels_file, config.data.id_column) == ("test_labels.csv", "id")
    assert config.data.missing_label == "mask"
    assert "  # Not used, for all their labels are missing (empty or -1): 1,000 rows.\n" in text
    assert "  on_bad_row: fail  # every row of the file can be used\n" in text
    ingest = ingested(config, base, tmp_path)
    assert ingest.reasons == {"no label is known": 1_000}
    assert ingest.used == 1_000


def test_a_cell_may_be_missing_and_the_rarest_labels_are_left_out(tmp_path):
    rows = [
        (f"text {number}", number % 2, "" if number % 5 == 0 else number % 3 == 0, number < 2) for number in range(90)
    ]
    rows = [(text, a, b if b == "" else int(b), int(c)) for text, a, b, c in rows]
    write(tmp_path / "data/a.csv", rows, header=("text", "a", "b", "c"))
    config, text = first(tmp_path, tmp_path / "data/a.csv", "text")
    assert (config.data.label_columns, config.data.missing_label) == (("a", "b"), "mask")
    assert "  # Missing (empty or -1) in rows with other labels: 'b' in 18 rows.\n" in text
    assert "  # Left out: 'c' (2 rows): fewer than 3 different texts, too few to split.\n" in text


def test_columns_of_fractions_get_a_threshold(tmp_path, base):
    rng = random.Random(3)  # noqa: S311
    rows = [(f"text {number}", round(rng.random(), 3), round(rng.random() ** 3, 3)) for number in range(300)]
    write(tmp_path / "data/a.csv", rows, header=("text", "toxicity", "insult"))
    config, text = first(tmp_path, tmp_path / "data/a.csv", "text", ["toxicity", "insult"])
    assert config.data.label_threshold == 0.5
    assert "  label_threshold: 0.5  # the columns hold numbers, from 0 to " in text
    had = ingested(config, base, tmp_path).labels
    for place, label in enumerate(("toxicity", "insult"), 1):
        assert sum(counts[label] for counts in had.values()) == sum(row[place] >= 0.5 for row in rows)


def test_lists_of_classes_are_the_labels_by_frequency(tmp_path, base):
    names = ["admiration", "anger", "joy", "neutral"]
    classes = {"feature": {"names": names, "_type": "ClassLabel"}, "_type": "Sequence"}
    info = {"info": {"features": {"text": {"dtype": "string", "_type": "Value"}, "labels": classes}}}
    rng = random.Random(5)  # noqa: S311
    values = [sorted(rng.sample(range(4), rng.choice((1, 1, 1, 2)))) if number % 9 else [3] for number in range(400)]
    table = pa.table({"text": [f"text {number}" for number in range(400)], "labels": values})
    table = table.replace_schema_metadata({"huggingface": json.dumps(info)})
    (tmp_path / "data").mkdir()
    with pa.OSFile(str(tmp_path / "data/train.arrow"), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)
    config, _ = first(tmp_path, tmp_path / "data/train.arrow", "text", "labels")
    rows = {name: sum(place in row for row in values) for place, name in enumerate(names)}
    assert config.data.labels == tuple(sorted(names, key=lambda name: (-rows[name], name)))
    ingest = ingested(config, base, tmp_path)
    assert {name: sum(counts[name] for counts in ingest.labels.values()) for name in names} == rows


def test_numbers_of_labels_in_a_file_without_a_header_are_no_numbers_with_a_decimal_comma(tmp_path, base):
    rng = random.Random(9)  # noqa: S311
    rows = [
        (f'a "text" {n}', sorted(rng.sample(range(12), rng.choice((1, 1, 1, 1, 2, 3)))), f"e{n:x}") for n in range(900)
    ]
    content = "".join(f"{text}\t{','.join(map(str, labels))}\t{row_id}\n" for text, labels, row_id in rows)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/train.tsv").write_text(content)
    config, _ = first(tmp_path, tmp_path / "data/train.tsv", "1", "2")
    assert (config.data.columns, config.data.label_separator) == (("text", "label", "_"), ",")
    counts = {str(label): sum(label in labels for _, labels, _ in rows) for label in range(12)}
    assert set(config.data.labels) == set(counts)
    ingest = ingested(config, base, tmp_path)
    assert {label: sum(had[label] for had in ingest.labels.values()) for label in counts} == counts


def test_json_has_lists_too(tmp_path):
    lines = "".join(
        json.dumps({"text": f"text {n}", "label": [["joy"], ["joy", "fear"], []][n % 3]}) + "\n" for n in range(60)
    )
    (tmp_path / "a.jsonl").write_text(lines)
    config, text = first(tmp_path, tmp_path / "a.jsonl", "text", "label")
    assert (config.data.labels, config.data.label_separator) == (("joy", "fear"), ",")
    assert "class_weights: none  # the rarest label is in 33.3% of the rows; balanced below 12.5%\n" in text
    assert "33.3% of the rows have none" in text


def test_columns_without_a_header_get_names(tmp_path):
    content = "".join(f"text number {n}\t{int(n % 2 == 0)}\t{int(n % 3 == 0)}\n" for n in range(90))
    (tmp_path / "a.tsv").write_text(content)
    config, _ = first(tmp_path, tmp_path / "a.tsv", "1", ["2", "3"])
    assert (config.data.columns, config.data.label_columns) == (("text", "label_2", "label_3"), ("label_2", "label_3"))


def test_the_command_takes_label_several_times_or_not_at_all(tmp_path, fullbake):
    write_train(tmp_path / "data/train.csv", make_rows(2_000))
    options = ("init", tmp_path / "data/train.csv", "--text", "comment_text")
    found = fullbake(*options)
    assert found.exit_code == 0
    assert yaml.safe_load(found.stdout)["data"]["label_columns"] == list(LABELS)
    named = fullbake(*options, "--label", "toxic", "--label", "insult")
    assert yaml.safe_load(named.stdout)["data"]["label_columns"] == ["toxic", "insult"]
    one = fullbake(*options, "--label", "toxic")
    assert yaml.safe_load(one.stdout)["data"]["label_column"] == "toxic"


@pytest.mark.parametrize("total", ["count", None])
def test_columns_that_count_votes_are_told(tmp_path, total):
    rows = [(f"text {n}", 3, n % 3, 3 - n % 3, 0, (2, 1, 1)[n % 3]) for n in range(90)]
    header = ("tweet", "count", "hate", "rude", "neither", "class")
    if total is None:
        rows, header = [(row[0], *row[2:]) for row in rows], ("tweet", *header[2:])
    write(tmp_path / "a.csv", rows, header=header)
    _, text = first(tmp_path, tmp_path / "a.csv", "tweet", "class")
    assert (
        "  # 'hate', 'rude', 'neither' seem to count votes: data.votes takes the label with the most of them.\n" in text
    )


@pytest.mark.skipif(not TWEETS.is_file(), reason="the tweets are not part of the project")
def test_real_votes_are_told(tmp_path):
    _, text = first(tmp_path, TWEETS, "tweet", "class")
    assert "  # 'hate_speech', 'offensive_language', 'neither' seem to count votes: data.votes takes" in text
