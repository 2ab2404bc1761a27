"""The slices that rows are in: judged, written into examples by ExampleGen, and declared by the schema."""

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
import tensorflow as tf
import tensorflow_data_validation as tfdv

from fullbake.components.data.ingest.shards import _as_example
from fullbake.components.data.reading import read_rows
from fullbake.components.data.row_format import RowFormat
from fullbake.components.data.row_slices import MOST_SLICES, RowSlices
from fullbake.components.data.rows import BadRow, Row
from fullbake.components.nodes.config_schema import make_schema
from fullbake.components.nodes.data_gate import anomalies_in
from fullbake.contract.errors import InputError
from tests.components.ingested import FORMAT, ROWS, write

SLICES = RowSlices(("channel",), ("male", "female"), (5, 10))
SLICED = replace(FORMAT, slices=SLICES)


def rows_of(content: str, fmt: RowFormat = SLICED) -> list[Row | BadRow]:
    return list(read_rows(io.BytesIO(content.encode()), "a.csv", fmt))


def slices_of(row: str) -> tuple[str, ...]:
    (found,) = rows_of(f"text,label,channel,male,female\n{row}\n")
    assert isinstance(found, Row), found
    return found.slices


@pytest.mark.parametrize(
    ("row", "slices"),
    [
        ("four,good,forum,0.5,0.49", ("channel=forum", "male", "length<5")),
        ("fives,good, forum ,1,true", ("channel=forum", "male", "female", "length 5-9")),
        ("ten letters,good,,,", ("length>=10",)),
        ("groß,good,NULL,NaN,False", ("length<5",)),
        ('four,good,"two\nlines",1e-3,1.0', ("channel=two lines", "female", "length<5")),
    ],
)
def test_a_row_is_in_the_slices_of_its_cells_and_its_length(row: str, slices: tuple[str, ...]):
    assert slices_of(row) == slices


@pytest.mark.parametrize("cell", ["yes", "1.2", "-0.1", "inf", "1_0"])
def test_what_is_no_share_of_annotators_is_a_bad_row(cell: str):
    (found,) = rows_of(f"text,label,channel,male,female\nfour,good,forum,{cell},0\n")
    assert isinstance(found, BadRow)
    assert found.reason == f"'{cell}' in column 'male' is no number from 0 to 1, as identity_columns needs"
    assert found.kind == "identity is no number from 0 to 1"


def test_rows_with_several_labels_have_slices_too():
    fmt = replace(SLICED, label_map={}, label_columns=("is_good", "is_bad"))
    (row,) = rows_of("text,is_good,is_bad,channel,male,female\nfour,1,0,mail,1,0\n", fmt)
    assert (row.labels, row.slices) == (("good",), ("channel=mail", "male", "length<5"))


def test_a_column_of_slices_that_is_not_there_is_named_with_its_setting():
    with pytest.raises(InputError, match=r"^identity_columns: 'female' is not a column of a.csv \(it has: text, "):
        rows_of("text,label,channel,male\nfour,good,forum,1\n")


def test_files_without_labels_need_no_columns_of_slices():
    (row,) = rows_of("text\nfour\n", SLICED.unlabelled())
    assert row.slices == ()


def test_a_format_with_slices_survives_a_trip_through_json_and_new_names():
    assert RowFormat.from_dict(json.loads(json.dumps(SLICED.to_dict()))) == SLICED
    renamed = SLICED.renamed(["a", "b", "c", "d", "e"])
    assert (renamed.text_column, renamed.label_column) == ("a", "b")
    assert renamed.slices == RowSlices(("c",), ("d", "e"), (5, 10))


def test_an_example_has_its_slices_and_without_any_it_is_what_it_was():
    row = Row(1, "a text", None, "good")
    plain = tf.train.Example()
    plain.features.feature["label"].bytes_list.value.append(b"good")
    plain.features.feature["text"].bytes_list.value.append(b"a text")
    assert _as_example(row, ("good",), (), False) == plain.SerializeToString(deterministic=True)
    sliced = tf.train.Example.FromString(_as_example(replace(row, slices=("a=ä", "male")), ("good",), (), False))
    assert list(sliced.features.feature["slice"].bytes_list.value) == ["a=ä".encode(), b"male"]


def test_example_gen_writes_slices_and_the_schema_has_room_for_them(run, tmp_path: Path):
    rows = [(*row, "forum" if number % 4 else "", number % 2) for number, row in enumerate(ROWS)]
    write(tmp_path / "data/a.csv", rows, header=("text", "label", "channel", "male"))
    ran = run(replace(FORMAT, slices=RowSlices(("channel",), ("male",))))
    expected = {
        text: (["channel=forum"] if channel else []) + (["male"] if male else []) for text, _, channel, male in rows
    }
    found = {}
    for split in ran.counts["examples"]:
        files = sorted(str(path) for path in (ran.folder / f"Split-{split}").iterdir())
        for record in tf.data.TFRecordDataset(files, compression_type="GZIP").as_numpy_iterator():
            features = tf.train.Example.FromString(record).features.feature
            text = features["text"].bytes_list.value[0].decode()
            found[text] = [value.decode() for value in features["slice"].bytes_list.value]
            assert sorted(features) == sorted(["text", "label", "slice"]) or not found[text]
        statistics = tfdv.generate_statistics_from_tfrecord(f"{ran.folder}/Split-{split}/*")
        anomalies = tfdv.validate_statistics(statistics, make_schema(["good", "bad"], False, sliced=True))
        assert anomalies_in(anomalies, split) == []
    assert found == expected


@pytest.mark.parametrize("files", [1, 3])
def test_a_column_with_a_value_of_its_own_in_each_row_is_refused_as_slices(run, tmp_path: Path, files: int):
    count = MOST_SLICES + 200
    rows = [(f"text {number}", "good" if number % 2 else "bad", f"user {number}") for number in range(count)]
    for number in range(files):
        write(tmp_path / f"data/{number}.csv", rows[number::files], header=("text", "label", "user"))
    with pytest.raises(InputError) as error:
        run(replace(FORMAT, slices=RowSlices(("user",))))
    values = MOST_SLICES + 1 if files == 1 else count
    assert str(error.value) == (
        f"slices: 'user' has {values:,} different values or more, and all slices together may be 1,000; take a column "
        "that many rows have in common"
    )


@pytest.mark.parametrize(
    ("slices", "told"),
    [
        (RowSlices(("channel",)), "slices: no row has a value in column 'channel'; is it the right one? take it out, "),
        (RowSlices((), ("male",)), "identity_columns: no row has 0.5 or more in column 'male'; is it the right one? t"),
    ],
)
def test_a_column_that_makes_no_slice_is_told_before_anything_is_trained(run, tmp_path: Path, slices, told: str):
    write(tmp_path / "data/a.csv", [(*row, "", 0.4) for row in ROWS], header=("text", "label", "channel", "male"))
    with pytest.raises(InputError) as error:
        run(replace(FORMAT, slices=slices))
    assert str(error.value).startswith(told)


def test_texts_without_columns_have_no_slices_of_columns(run, tmp_path: Path):
    for label in FORMAT.labels:
        (tmp_path / "data" / label).mkdir()
        for number in range(20):
            (tmp_path / "data" / label / f"{number}.txt").write_text(f"{label} text {number}")
    folders = {"pattern": "*/*", "label_from": "folder"}
    with pytest.raises(InputError, match=r"^slices: .* has no columns, and so no 'channel'; take it out, or make"):
        run(replace(FORMAT, slices=RowSlices(("channel",))), **folders)
    ran = run(replace(FORMAT, slices=RowSlices(lengths=(11,))), **folders)
    assert {example["slice"] for example in ran.examples("train")} == {"length<11", "length>=11"}
