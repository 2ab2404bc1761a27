import csv
import gzip
import itertools
import json
import os
import threading
import time
from pathlib import Path

import pytest
import tensorflow as tf
from ml_metadata import metadata_store
from tfx import v1 as tfx

from fullbake.components.data.ingest import shards
from fullbake.components.data.ingest.splitting import split_of
from fullbake.components.data.row_format import RowFormat
from fullbake.components.nodes.example_gen import CsvExampleGen, Driver, Executor
from fullbake.contract.errors import InputError
from fullbake.trainer.locations import located

FORMAT = RowFormat("text", "label", ("good", "bad"), label_map={"1": "good", "0": "bad"})
SPLIT = {"train": 8, "eval": 1, "test": 1}
ROWS = [(f"text number {number}", "good" if number % 3 else "bad") for number in range(200)]


class Ran:
    """The one artifact a run left, and what is in it."""

    def __init__(self, artifact):
        self.artifact = artifact
        self.folder = Path(artifact.uri)
        self.properties = {
            name: getattr(value, value.WhichOneof("value"))
            for name, value in [*artifact.properties.items(), *artifact.custom_properties.items()]
        }
        self.counts = json.loads((self.folder / "ingest.json").read_text())
        with (self.folder / "rejected.csv").open(newline="") as file:
            self.rejected = list(csv.DictReader(file))

    def examples(self, split):
        files = sorted(str(path) for path in (self.folder / f"Split-{split}").iterdir())
        for record in tf.data.TFRecordDataset(files, compression_type="GZIP").as_numpy_iterator():
            features = tf.train.Example.FromString(record).features.feature
            yield {name: feature.bytes_list.value[0].decode() for name, feature in features.items()}

    def texts(self):
        return {split: [example["text"] for example in self.examples(split)] for split in self.counts["examples"]}

    def all_texts(self):
        return sorted(itertools.chain.from_iterable(self.texts().values()))


@pytest.fixture
def run(tmp_path):
    """Runs CsvExampleGen on `data` below tmp_path, by TFX's local runner with metadata in SQLite."""
    metadata = tfx.orchestration.metadata.sqlite_metadata_connection_config(str(tmp_path / "metadata.sqlite"))

    def run_pipeline(fmt=FORMAT, pattern="*", split=SPLIT, input_base=None, **settings):
        example_gen = CsvExampleGen(input_base or str(tmp_path / "data"), pattern, fmt, split, **settings)
        tfx.orchestration.LocalDagRunner().run(
            tfx.dsl.Pipeline(
                pipeline_name="ingest",
                pipeline_root=str(tmp_path / "pipeline"),
                metadata_connection_config=metadata,
                components=[example_gen],
                enable_cache=True,
            )
        )
        artifacts = metadata_store.MetadataStore(metadata).get_artifacts_by_type("Examples")
        return Ran(max(artifacts, key=lambda artifact: artifact.id))

    (tmp_path / "data").mkdir()
    return run_pipeline


def write(path, rows=ROWS, header=("text", "label"), encoding="utf-8", **dialect):
    path.parent.mkdir(parents=True, exist_ok=True)
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "wt", encoding=encoding, newline="") as file:
        csv.writer(file, **dialect).writerows([header, *rows])


def test_every_row_of_several_files_becomes_an_example_in_the_split_of_its_text(run, tmp_path):
    write(tmp_path / "data/a.csv", ROWS[:100])
    write(tmp_path / "data/b.csv.gz", ROWS[100:], lineterminator="\n")
    (tmp_path / "data/_SUCCESS").touch()
    (tmp_path / "data/.hidden").touch()
    ran = run()
    texts = ran.texts()
    assert ran.all_texts() == sorted(text for text, _ in ROWS)
    assert all(split_of(text, SPLIT) == split for split, members in texts.items() for text in members)
    labels = dict(ROWS)
    for split in SPLIT:
        examples = list(ran.examples(split))
        assert all(example == {"text": example["text"], "label": labels[example["text"]]} for example in examples)
        assert ran.counts["labels"][split] == {
            label: sum(example["label"] == label for example in examples) for label in FORMAT.labels
        }
    assert (ran.counts["read"], ran.counts["used"], ran.counts["rejected"]) == (200, 200, 0)
    assert ran.counts["examples"] == {split: len(members) for split, members in texts.items()}
    assert ran.rejected == []
    assert sorted(os.listdir(ran.folder)) == ["Split-eval", "Split-test", "Split-train", "ingest.json", "rejected.csv"]


def test_the_artifact_has_the_properties_tfx_gives_its_own(run, tmp_path):
    write(tmp_path / "data/a.csv")
    properties = run().properties
    assert json.loads(properties["split_names"]) == ["train", "eval", "test"]
    assert properties["payload_format"] == "FORMAT_TF_EXAMPLE"
    assert properties["file_format"] == "tfrecords_gzip"
    assert properties["span"] == 0
    assert properties["input_fingerprint"].startswith("split:single_split,num_files:1,")
    assert (properties["read"], properties["used"], properties["rejected"]) == (200, 200, 0)


BAD_LINES = {
    b",good": "missing text",
    b"no label,": "missing label",
    b"odd label,odd": "unknown label",
    b"too,many,good": "wrong number of fields",
    b"caf\xe9,good": "undecodable bytes",
    b'"broken"quote,too,good': "malformed quoting",
}


def test_quarantine_writes_every_bad_row_aside_and_the_counts_add_up(run, tmp_path):
    bad_lines = b"\n".join(BAD_LINES)
    write(tmp_path / "data/a.csv", ROWS[:100])
    write(tmp_path / "data/b.csv", ROWS[100:])
    with (tmp_path / "data/b.csv").open("ab") as file:
        file.write(bad_lines + b"\n,bad\n")
    ran = run(on_bad_row="quarantine", max_bad_fraction=0.04)
    assert ran.counts["read"] == 207
    assert ran.counts["used"] == sum(ran.counts["examples"].values()) == 200
    assert ran.counts["rejected"] == sum(ran.counts["reasons"].values()) == len(ran.rejected) == 7
    assert ran.counts["reasons"] == {**dict.fromkeys(BAD_LINES.values(), 1), "missing text": 2}
    assert [(row["file"], int(row["line"])) for row in ran.rejected] == [("b.csv", 102 + number) for number in range(7)]
    assert ran.rejected[2]["reason"] == "label 'odd' is neither in data.labels nor in data.label_map"
    assert json.loads(ran.rejected[2]["fields"]) == ["odd label", "odd"]
    assert json.loads(ran.rejected[4]["fields"]) == ["caf\udce9", "good"]
    assert ran.all_texts() == sorted(text for text, _ in ROWS)
    assert ran.properties["rejected"] == 7
    assert ran.counts["lines"] == {"total": 209, "header": 2, "blank": 0, "used": 200, "rejected": 7}


def test_rows_that_a_stray_quote_would_swallow_are_all_used(run, tmp_path):
    rows = list(ROWS)
    rows[20], rows[150] = (f'"{rows[20][0]}', rows[20][1]), (f'{rows[150][0]} "', rows[150][1])
    content = "text\tlabel\n" + "".join(f"{text}\t{label}\n" for text, label in rows)
    (tmp_path / "data/a.tsv").write_text(content)
    write(tmp_path / "data/b.tsv", [("two\nlines", "good"), ("", "bad")], delimiter="\t")
    fmt = RowFormat("text", "label", ("good", "bad"), delimiter="\t")
    ran = run(fmt, on_bad_row="quarantine")
    assert ran.all_texts() == sorted([*(text for text, _ in rows), "two\nlines"])
    assert ran.counts["ordinary_quotes"] == ["a.tsv"]
    assert ran.counts["lines"] == {"total": 205, "header": 2, "blank": 0, "used": 202, "rejected": 1}
    assert ran.counts["notes"] == ["double quotes are characters like any other in a.tsv, for else they join rows"]

    # Where another row does quote, the swallowed lines are named instead.
    (tmp_path / "data/a.tsv").write_text(content + '\n"three\n\nlines"\tgood\n')
    ran = run(fmt, on_bad_row="quarantine", max_bad_fraction=0.8)
    assert ran.counts["reasons"] == {"lines joined by a quote": 131, "missing text": 1}
    assert [int(row["line"]) for row in ran.rejected] == [*range(22, 153), 4]
    assert ran.counts["lines"] == {"total": 209, "header": 2, "blank": 1, "used": 74, "rejected": 132}
    with pytest.raises(InputError, match=r"^data\.on_bad_row: a\.tsv line 22: .* goes on to line 152 by its quotes, "):
        run(fmt)


REPEATING = [("a text", "good"), ("a text", "bad"), ("twice", "good"), ("Twice", "bad"), ("thrice", "good")]


def test_rows_that_repeat_or_contradict_others_are_found_in_all_files_and_kept_dropped_or_refused(
    run, tmp_path, caplog
):
    write(tmp_path / "data/a.csv", [*REPEATING, *ROWS])
    write(
        tmp_path / "data/b.csv", [("thrice", "good"), (" twice\u200b", "good"), ("a text", "good"), ("thrice", "good")]
    )
    write(tmp_path / "test/t.csv", [("held out", "good"), ("held out", "bad"), ("held out", "good")])
    write(tmp_path / "data/c.csv", [("held out", "bad")])
    settings = {"split": TWO_SPLITS, "test_base": str(tmp_path / "test")}
    held_out = {"also in data.test_base": 1}
    ran = run(**settings)
    conflict = "a.csv line 2 ('good') and a.csv line 3 ('bad')"
    assert ran.counts["repeats"] == {
        "duplicates": 5,
        "first_duplicate": "a.csv line 6 and b.csv line 2",
        "conflicting_texts": 2,
        "conflicting_rows": 6,
        "first_conflict": conflict,
    }
    assert (ran.counts["used"], ran.counts["reasons"]) == (212, held_out)
    assert ran.counts["notes"][0] == f"2 texts have several labels, in 6 rows: {conflict}"
    assert f"data: {ran.counts['notes'][0]}" in [record.getMessage() for record in caplog.records]

    ran = run(**settings, on_duplicate="drop")
    assert ran.counts["reasons"] == {"repeats an earlier row": 5, **held_out}
    assert sorted(ran.all_texts()) == sorted(
        ["held out", "held out", "a text", "a text", "twice", "Twice", "thrice", *(text for text, _ in ROWS)]
    )
    assert [(row["file"], row["line"]) for row in ran.rejected if "earlier" in row["reason"]] == [
        *(("b.csv", str(line)) for line in (2, 3, 4, 5)),
        (f"{tmp_path}/test/t.csv", "4"),
    ]

    ran = run(**{**settings, "test_base": None}, on_duplicate="drop", on_conflict="drop")
    assert ran.counts["reasons"] == {"its text has other labels too": 3, "repeats an earlier row": 3}
    assert ran.counts["repeats"]["duplicates"] == 3
    assert ran.all_texts() == sorted(["twice", "Twice", "thrice", "held out", *(text for text, _ in ROWS)])

    with pytest.raises(InputError) as error:
        run(**settings, on_conflict="fail")
    assert str(error.value) == (
        f"data.on_conflict: 2 texts have several labels, in 6 rows: {conflict}; "
        "correct the labels, or set it to drop or keep"
    )


def test_of_pairs_both_texts_must_be_equal_to_repeat_or_contradict(run, tmp_path):
    fmt = RowFormat("text", "label", ("good", "bad"), text_pair_column="reply")
    rows = [("a", "good", "x"), ("a", "bad", "y"), ("a", "good", "x"), ("b", "good", "x"), ("b", "bad", "x")]
    rows += [(text, label, "x") for text, label in ROWS]
    write(tmp_path / "data/a.csv", rows, header=("text", "label", "reply"))
    repeats = run(fmt).counts["repeats"]
    assert (repeats["duplicates"], repeats["conflicting_texts"], repeats["conflicting_rows"]) == (1, 1, 2)


def test_a_window_takes_the_newest_spans_that_are_there(run, tmp_path):
    for span in (1, 2, 4, 5):
        write(tmp_path / f"data/span-{span}/a.csv", [(f"{text} of span {span}", label) for text, label in ROWS])
    ran = run(pattern="span-{SPAN}/*", window=4)
    assert ran.properties["span"] == 5
    assert ran.all_texts() == sorted(f"{text} of span {span}" for text, _ in ROWS for span in (2, 4, 5))
    assert run(pattern="span-{SPAN}/*", window=4).artifact.id == ran.artifact.id  # the cache
    write(tmp_path / "data/span-4/a.csv", [(f"another {text}", label) for text, label in ROWS])
    again = run(pattern="span-{SPAN}/*", window=4)
    assert again.properties["span"] == 5
    assert sum(text.startswith("another") for text in again.all_texts()) == len(ROWS)


def test_drift_is_measured_from_the_span_before_whether_or_not_the_window_has_it(run, tmp_path):
    write(tmp_path / "data/span-1/a.csv", [(f"{text} was long ago", "bad") for text, _ in ROWS])
    write(tmp_path / "data/span-4/a.csv", [(f"text {n:05}", "good" if n % 4 else "bad") for n in range(100)])
    with (tmp_path / "data/span-4/b.csv").open("w") as file:
        file.write("text,label\n,good\nodd,odd\n")  # whose bad rows were judged in their time
    write(tmp_path / "data/span-7/a.csv", [(f"text {n:05} and more", "good" if n % 2 else "bad") for n in range(200)])
    ran = run(pattern="span-{SPAN}/*")
    assert ran.counts["read"] == 200
    assert ran.counts["drift"] == {
        "before": 4,
        "rows_before": 100,
        "label_distance": 0.25,
        "label": "bad",
        "share_before": 0.25,
        "share": 0.5,
        "length_distance": 1.0,
        "median_length_before": 10,
        "median_length": 19,
    }
    windowed = run(pattern="span-{SPAN}/*", window=4, on_bad_row="quarantine")
    assert windowed.counts["read"] == 302
    assert windowed.counts["drift"] == ran.counts["drift"]


def test_drift_of_dated_and_versioned_spans(run, tmp_path):
    write(tmp_path / "data/2026-02-26/v9/a.csv", [("a text", "good")])
    write(tmp_path / "data/2026-02-27/v1/a.csv", [("wrong", "good")])
    write(tmp_path / "data/2026-02-27/v2/a.csv", [("a text", "bad")])
    write(tmp_path / "data/2026-03-02/v1/a.csv", [(f"text {n:02}", "good") for n in range(50)])
    drift = run(pattern="{YYYY}-{MM}-{DD}/v{VERSION}/*").counts["drift"]
    assert (drift["rows_before"], drift["share_before"], drift["share"]) == (1, 0.0, 1.0)


def test_no_drift_without_a_span_before(run, tmp_path):
    write(tmp_path / "data/span-3/a.csv")
    ran = run(pattern="span-{SPAN}/*")
    assert (ran.counts["drift"], ran.counts["drift_unknown"]) == (None, None)
    assert run(pattern="*/*").counts["drift"] is None


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"comment,label\nx,good\n", "span 2, the one before, cannot be read: data.text_column: "),
        (b"text,label\nx,odd\n", "span 2, the one before, has no row that can be used"),
    ],
)
def test_a_span_before_that_is_of_no_use_is_told_and_stops_nothing(run, tmp_path, content, why):
    write(tmp_path / "data/span-2/a.csv")
    (tmp_path / "data/span-2/a.csv").write_bytes(content)
    write(tmp_path / "data/span-3/a.csv")
    ran = run(pattern="span-{SPAN}/*")
    assert ran.counts["drift"] is None
    assert ran.counts["drift_unknown"].startswith(why)


@pytest.mark.parametrize("line", BAD_LINES)
def test_fail_stops_at_a_bad_row_and_names_file_line_and_reason(run, tmp_path, line):
    write(tmp_path / "data/a.csv", ROWS)
    (tmp_path / "data/b.csv").write_bytes(b"text,label\nfine,good\n" + line + b"\nfine too,good\n")
    with pytest.raises(InputError) as error:
        run()
    message = str(error.value)
    assert message.startswith("data.on_bad_row: b.csv line 3: ")
    assert message.endswith("; mend the row, or set data.on_bad_row to quarantine")
    assert "\n" not in message


def test_fail_names_the_first_of_several_bad_files(run, tmp_path):
    write(tmp_path / "data/a.csv", [*ROWS, ("too", "many", "good")])
    write(tmp_path / "data/b.csv", [("", "good"), *ROWS])
    with pytest.raises(InputError, match=r"^data\.on_bad_row: a\.csv line 202: 3 fields where the header has 2; "):
        run()


def test_more_bad_rows_than_the_bound_stop_the_run_with_numbers_and_examples(run, tmp_path):
    write(tmp_path / "data/a.csv", [*ROWS, ("a", "odd"), ("b", "strange"), ("", "good")])
    with pytest.raises(InputError) as error:
        run(on_bad_row="quarantine", max_bad_fraction=0.01)
    assert str(error.value) == (
        "data.max_bad_fraction: 3 of 203 rows (1.48%) cannot be used, and 1.00% may be: "
        "2 x unknown label, as a.csv line 202: label 'odd' is neither in data.labels nor in data.label_map; "
        "1 x missing text, as a.csv line 204: no text in column 'text'; mend the rows or raise the bound"
    )


def test_a_text_and_its_trivial_copies_are_in_one_split(run, tmp_path):
    copies = [
        (copy, "good")
        for number in range(40)
        for text in [f"Déjà vu number {number}"]
        for copy in (
            text,
            text.upper(),
            f"  {text.replace(' ', chr(9))}\n",
            text.replace("é", "e\u0301"),
            text.replace("j", "j\u200b\u00ad"),
            f"\ufeff{text.replace('é', '&eacute;')}",
        )
    ]
    write(tmp_path / "data/a.csv", copies[::2])
    write(tmp_path / "data/b.csv", [*copies[1::2], ("another", "bad")])
    sides = {}
    for split, texts in run(split={"train": 1, "eval": 1}).texts().items():
        for text in texts:
            sides.setdefault(text.split()[-1], set()).add(split)
    assert len(sides) == 41
    assert all(len(splits) == 1 for splits in sides.values())


def test_the_splits_have_the_shares_asked_for_and_never_change():
    texts = [f"text number {number}" for number in range(20_000)]
    splits = [split_of(text, SPLIT) for text in texts]
    assert [round(splits.count(split) / len(texts), 2) for split in SPLIT] == [0.8, 0.1, 0.1]
    texts = ["x", "y", "z", "ß", "SS", "so kind", "so “kind”", "né"]
    assert [split_of(text, {"a": 1, "b": 1}) for text in texts] == [*"bbabbaab"]


@pytest.mark.parametrize(
    ("fmt", "encoding", "dialect"),
    [
        (RowFormat("text", "label", ("good", "bad"), delimiter=";", encoding="cp1252"), "cp1252", {"delimiter": ";"}),
        (RowFormat("text", "label", ("good", "bad"), delimiter="\t"), "utf-16", {"delimiter": "\t"}),
        (RowFormat("text", "label", ("good", "bad")), "utf-8-sig", {"lineterminator": "\r"}),
    ],
)
def test_text_arrives_unchanged_from_any_dialect(run, tmp_path, fmt, encoding, dialect):
    odd = ["naïve, “quoted”; tab\t", "two\r\nlines", "long " * 300_000, '"', " padded "]
    write(tmp_path / "data/a.csv", [*((text, "good") for text in odd), *ROWS], encoding=encoding, **dialect)
    assert run(fmt).all_texts() == sorted([*odd, *(text for text, _ in ROWS)])


def test_a_nul_character_arrives_unchanged(run, tmp_path):
    write(tmp_path / "data/a.csv")
    with (tmp_path / "data/a.csv").open("a") as file:
        file.write("a\0b 🙂,good\n")
    assert "a\0b 🙂" in run().all_texts()


def test_pairs_have_both_texts_and_mapped_labels_their_canonical_name(run, tmp_path):
    fmt = RowFormat("text", "label", ("good", "bad"), text_pair_column="reply", label_map={"1": "good", "0": "bad"})
    rows = [(f"text {number}", number % 2, f"reply {number}") for number in range(50)]
    write(tmp_path / "data/a.csv", rows, header=("text", "label", "reply"))
    ran = run(fmt, split={"train": 1, "eval": 1})
    examples = [example for split in ("train", "eval") for example in ran.examples(split)]
    assert all(example.keys() == {"text", "text_pair", "label"} for example in examples)
    assert sorted((example["text"], example["label"], example["text_pair"]) for example in examples) == sorted(
        (text, ("bad", "good")[label], reply) for text, label, reply in rows
    )


def test_the_newest_span_and_version_are_taken(run, tmp_path):
    write(tmp_path / "data/span-1/v1/a.csv", [("old", "good")])
    write(tmp_path / "data/span-2/v1/a.csv", [("wrong", "good")])
    write(tmp_path / "data/span-2/v2/a.csv")
    write(tmp_path / "data/span-2/v2/b.csv", [("new", "good")])
    ran = run(pattern="span-{SPAN}/v{VERSION}/*")
    texts = ran.all_texts()
    assert len(texts) == 201
    assert "new" in texts
    assert (ran.properties["span"], ran.properties["version"]) == (2, 2)


def test_the_same_files_are_not_ingested_twice_and_changed_ones_are(run, tmp_path):
    write(tmp_path / "data/a.csv")
    first, again = run(), run()
    assert again.artifact.id == first.artifact.id
    write(tmp_path / "data/b.csv", [("new", "good")])
    assert run().counts["read"] == 201
    assert run(split={"train": 9, "test": 1}).counts["examples"].keys() == {"train", "test"}


def test_changed_files_of_equal_size_and_time_are_ingested_again(run, tmp_path):
    file = tmp_path / "data/a.csv"
    write(file)
    first, time = run(), file.stat().st_mtime_ns
    write(file, [(text.replace("text", "news"), label) for text, label in ROWS])
    os.utime(file, ns=(time, time))  # as rsync -t and cp -p do
    again = run()
    assert again.artifact.id != first.artifact.id
    assert again.all_texts() == sorted(text.replace("text", "news") for text, _ in ROWS)
    file.rename(tmp_path / "data/b.csv")  # the order of rows follows the names
    assert run().artifact.id != again.artifact.id


def test_the_files_are_what_they_hold_not_where_they_are(run, tmp_path):
    write(tmp_path / "data/a.csv")
    write(tmp_path / "test/a.csv", TEST_ROWS)

    def run_at(folder):
        with located({"data.input_base": str(folder / "data"), "data.test_base": str(folder / "test")}):
            return run(input_base="data.input_base", test_base="data.test_base", split=TWO_SPLITS)

    first = run_at(tmp_path)
    assert first.properties["input_base"] == str(tmp_path / "data")
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    (tmp_path / "data").rename(moved / "data")
    (tmp_path / "test").rename(moved / "test")
    assert run_at(moved).artifact.id == first.artifact.id
    for name in ("data", "test"):
        write(moved / name / "a.csv", [("another", "good"), *(TEST_ROWS if name == "test" else ROWS)])
        changed = run_at(moved)
        assert changed.counts["read"] > first.counts["read"]
        assert changed.artifact.id > first.artifact.id
        first = changed


def test_a_span_before_that_was_put_right_is_compared_with_again(run, tmp_path):
    write(tmp_path / "data/span-1/a.csv", [(text, "bad") for text, _ in ROWS])
    write(tmp_path / "data/span-2/a.csv")
    assert run(pattern="span-{SPAN}/*").counts["drift"]["label_distance"] > 0.3
    write(tmp_path / "data/span-1/a.csv")
    assert run(pattern="span-{SPAN}/*").counts["drift"]["label_distance"] == 0


def test_files_that_change_while_they_are_read_stop_the_run(tmp_path):
    write(tmp_path / "data/a.csv")
    component = CsvExampleGen(str(tmp_path / "data"), "*", FORMAT, SPLIT)
    settings = {key: value for key, value in component.exec_properties.items() if value is not None}
    resolved = Driver(metadata_handle=None).resolve_exec_properties(settings, None, None)
    write(tmp_path / "data/a.csv", ROWS[1:])
    examples = component.outputs["examples"].type()
    examples.uri = str(tmp_path / "examples")
    with pytest.raises(
        InputError, match=r"^data\.input_base: the files in .*/data changed while they were read; leave"
    ):
        Executor().Do({}, {"examples": [examples]}, resolved)


def test_a_new_shard_begins_every_so_many_rows_and_holds_the_rows_in_order(run, tmp_path, monkeypatch):
    monkeypatch.setattr(shards, "ROWS_PER_SHARD", 30)
    write(tmp_path / "data/a.csv")
    ran = run(split={"train": 1})
    assert sorted(os.listdir(ran.folder / "Split-train")) == [f"data_tfrecord-00000-{n:05d}.gz" for n in range(7)]
    assert ran.texts() == {"train": [text for text, _ in ROWS]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "data.input_base: a.csv is empty; "),
        (b"text,label\n", "data.input_base: a.csv has a header but no rows; "),
        (b"texts,label\na,good\n", "data.text_column: 'text' is not a column of a.csv (it has: texts, label); did you"),
        (b"text,label\nthe only row,good\n", "data.split: none of the 1 usable rows fell into "),
    ],
)
def test_a_file_that_is_no_data_set_stops_the_run(run, tmp_path, content, message):
    (tmp_path / "data/a.csv").write_bytes(content)
    with pytest.raises(InputError) as error:
        run()
    assert str(error.value).startswith(message)


def test_a_broken_gzip_file_stops_the_run(run, tmp_path):
    whole = gzip.compress(b"text,label\n" + os.urandom(50_000).hex().encode())
    (tmp_path / "data/a.csv.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"^data.input_base: a.csv.gz is not a whole gzip file \("):
        run()
    (tmp_path / "data/a.csv.gz").write_bytes(b"text,label\n")
    with pytest.raises(InputError, match=r"^data.input_base: a.csv.gz is not a whole gzip file \("):
        run()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"pattern": "*.tsv"}, "data.input_base: no file matches "),
        ({"input_base": "/no/such/folder"}, "data.input_base: no file matches /no/such/folder/*; "),
        ({"pattern": "span-{SPAN}/*"}, "data.pattern: no span or version can be found in "),
    ],
)
def test_no_file_stops_the_run(run, tmp_path, settings, message):
    write(tmp_path / "data/a.csv")
    with pytest.raises(InputError) as error:
        run(**settings)
    assert str(error.value).startswith(message)


TWO_SPLITS = {"train": 8, "eval": 2}
TEST_ROWS = [(f"test text {number}", "good" if number % 2 else "bad") for number in range(30)]


def test_the_test_folder_is_the_test_split_and_the_other_rows_are_split_as_without_it(run, tmp_path):
    write(tmp_path / "data/a.csv")
    alone = run(split=TWO_SPLITS).texts()
    write(tmp_path / "test/a.csv", TEST_ROWS[:20])
    write(tmp_path / "test/b.csv.gz", TEST_ROWS[20:])
    (tmp_path / "test/_SUCCESS").touch()
    ran = run(split=TWO_SPLITS, test_base=str(tmp_path / "test"))
    assert ran.texts() == {**alone, "test": [text for text, _ in TEST_ROWS]}
    assert [example["label"] for example in ran.examples("test")] == [label for _, label in TEST_ROWS]
    assert json.loads(ran.properties["split_names"]) == ["train", "eval", "test"]
    assert (ran.counts["read"], ran.counts["used"], ran.counts["rejected"]) == (230, 230, 0)
    assert ran.counts["labels"]["test"] == {"good": 15, "bad": 15}
    assert sorted(os.listdir(ran.folder)) == ["Split-eval", "Split-test", "Split-train", "ingest.json", "rejected.csv"]


def test_a_text_of_the_test_folder_is_kept_out_of_training_and_is_no_bad_row(run, tmp_path):
    copies = [("test text 3", "good"), ("TEST  text\n4", "good"), ("\tTest text 29", "bad")]
    write(tmp_path / "data/a.csv", [*copies, *ROWS])
    write(tmp_path / "data/b.csv", [("test text 3", "bad")])
    write(tmp_path / "test/a.csv", TEST_ROWS[:20])
    write(tmp_path / "test/b.csv", TEST_ROWS[20:])
    ran = run(split=TWO_SPLITS, on_bad_row="fail", max_bad_fraction=0.0, test_base=str(tmp_path / "test"))
    texts = ran.texts()
    assert sorted(texts["train"] + texts["eval"]) == sorted(text for text, _ in ROWS)
    assert texts["test"] == [text for text, _ in TEST_ROWS]
    assert [(row["file"], row["line"], row["reason"], json.loads(row["fields"])) for row in ran.rejected] == [
        ("a.csv", "2", "this text is in data.test_base too", list(copies[0])),
        ("a.csv", "3", "this text is in data.test_base too", list(copies[1])),
        ("a.csv", "5", "this text is in data.test_base too", list(copies[2])),
        ("b.csv", "2", "this text is in data.test_base too", ["test text 3", "bad"]),
    ]
    assert (ran.counts["read"], ran.counts["used"], ran.counts["rejected"]) == (234, 230, 4)
    assert ran.counts["reasons"] == {"also in data.test_base": 4}


def test_a_text_in_both_folders_does_not_use_up_the_bound_on_bad_rows(run, tmp_path):
    write(tmp_path / "data/a.csv", [*ROWS, *TEST_ROWS, ("", "good")])
    write(tmp_path / "test/a.csv", TEST_ROWS)
    settings = {"split": TWO_SPLITS, "on_bad_row": "quarantine", "test_base": str(tmp_path / "test")}
    ran = run(**settings, max_bad_fraction=0.004)
    assert ran.counts["reasons"] == {"also in data.test_base": 30, "missing text": 1}
    assert len(ran.rejected) == 31
    with pytest.raises(
        InputError, match=r"^data\.max_bad_fraction: 1 of 261 rows \(0\.38%\) cannot be used, .* as a\.csv"
    ):
        run(**settings, max_bad_fraction=0.003)


def test_a_bad_row_of_the_test_folder_is_judged_as_any_other(run, tmp_path):
    write(tmp_path / "data/a.csv")
    write(tmp_path / "test/a.csv", [*TEST_ROWS, ("text", "odd")])
    settings = {"split": TWO_SPLITS, "test_base": str(tmp_path / "test")}
    with pytest.raises(InputError) as error:
        run(**settings)
    assert str(error.value).startswith(f"data.on_bad_row: {tmp_path}/test/a.csv line 32: label 'odd' is neither ")
    ran = run(**settings, on_bad_row="quarantine")
    assert (ran.counts["read"], ran.counts["used"], ran.counts["rejected"]) == (231, 230, 1)
    assert [row["file"] for row in ran.rejected] == [f"{tmp_path}/test/a.csv"]


def write_corpus(folder):
    folder.mkdir()
    (folder / "a.txt").write_bytes("first line\r\n\r\n  \r\n“second”, line\r\n".encode("utf-16"))
    (folder / "b.txt.gz").write_bytes(gzip.compress(b"third line"))
    write(folder / "c.csv", [("1", "two\nlines"), ("2", "a text")], header=("id", "text"))
    (folder / "_SUCCESS").touch()
    return ["first line", "“second”, line", "third line", "two\nlines", "a text"]


@pytest.mark.parametrize("with_test_folder", [False, True])
def test_an_unlabelled_corpus_of_plain_text_and_csv_is_a_split_of_its_own(run, tmp_path, with_test_folder):
    write(tmp_path / "data/a.csv")
    write(tmp_path / "test/a.csv", TEST_ROWS)
    texts = write_corpus(tmp_path / "corpus")
    settings = {"split": TWO_SPLITS, "test_base": str(tmp_path / "test")} if with_test_folder else {}
    ran = run(corpus_base=str(tmp_path / "corpus"), **settings)
    assert list(ran.examples("corpus")) == [{"text": text, "label": ""} for text in texts]
    assert json.loads(ran.properties["split_names"]) == ["train", "eval", "test", "corpus"]
    assert (ran.counts["corpus"], ran.counts["corpus_rejected"], ran.counts["corpus_reasons"]) == (5, 0, {})
    assert list(ran.counts["examples"]) == list(ran.counts["labels"]) == ["train", "eval", "test"]
    rows = 230 if with_test_folder else 200
    assert ran.counts["read"] == ran.counts["used"] == len(ran.all_texts()) == rows
    assert ran.rejected == []


@pytest.mark.parametrize("with_test_folder", [False, True])
def test_a_corpus_that_is_the_dump_of_the_labelled_texts_loses_those_of_eval_and_test(run, tmp_path, with_test_folder):
    write(tmp_path / "data/a.csv", ROWS[:100])
    write(tmp_path / "data/b.csv", ROWS[100:])
    write(tmp_path / "test/a.csv", TEST_ROWS[:20])
    write(tmp_path / "test/b.csv", TEST_ROWS[20:])
    labelled = [text for text, _ in (*ROWS, *TEST_ROWS)]
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus/a.txt").write_text("new in a\n" + "".join(f"  {text.upper()} \n" for text in labelled))
    write(tmp_path / "corpus/b.csv", [*((text.replace(" ", "\n"),) for text in labelled), ("new in b",)], ("text",))
    settings = {"split": TWO_SPLITS, "test_base": str(tmp_path / "test")} if with_test_folder else {}
    ran = run(on_bad_row="fail", max_bad_fraction=0.0, corpus_base=str(tmp_path / "corpus"), **settings)

    texts = ran.texts()
    held_out = {*texts["eval"], *texts["test"]}
    assert ({text for text, _ in TEST_ROWS} <= held_out) == with_test_folder
    assert held_out.isdisjoint(texts["train"])
    kept, left_out = ([text for text in labelled if (text in held_out) == out] for out in (False, True))
    # Texts of train stay: they are learned anyway.
    assert set(texts["train"]) <= set(kept)
    assert [example["text"] for example in ran.examples("corpus")] == [
        "new in a",
        *(f"  {text.upper()} " for text in kept),
        *(text.replace(" ", "\n") for text in kept),
        "new in b",
    ]
    assert {row["reason"] for row in ran.rejected} == {"this text is in the eval or test split too"}
    assert {text.count(" ") for text, _ in (*ROWS, *TEST_ROWS)} == {2}, "not three lines of CSV to a text"
    assert [(row["file"], int(row["line"]), json.loads(row["fields"])) for row in ran.rejected] == [
        *((f"{tmp_path}/corpus/a.txt", 2 + labelled.index(text), [f"  {text.upper()} "]) for text in left_out),
        *((f"{tmp_path}/corpus/b.csv", 2 + 3 * labelled.index(text), [text.replace(" ", "\n")]) for text in left_out),
    ]
    assert ran.counts["corpus"] == 2 + 2 * len(kept)
    assert ran.counts["corpus_rejected"] == 2 * len(left_out)
    assert ran.counts["corpus_reasons"] == {"also in the eval or test split": 2 * len(left_out)}
    assert (ran.counts["read"], ran.counts["rejected"], ran.counts["reasons"]) == (len(ran.all_texts()), 0, {})


def test_of_a_pair_the_first_text_is_kept_out_of_the_corpus_and_the_second_is_not(run, tmp_path):
    fmt = RowFormat("text", "label", ("good", "bad"), text_pair_column="reply")
    write(tmp_path / "data/a.csv", [(*row, f"reply to {row[0]}") for row in ROWS], header=("text", "label", "reply"))
    corpus = [text for row, _ in ROWS for text in (row, f"reply to {row}")]
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus/a.txt").write_text("\n".join(corpus))
    ran = run(fmt, corpus_base=str(tmp_path / "corpus"))
    held_out = {example["text"] for split in ("eval", "test") for example in ran.examples(split)}
    assert held_out
    assert [example["text"] for example in ran.examples("corpus")] == [text for text in corpus if text not in held_out]


def test_texts_kept_out_of_the_corpus_do_not_use_up_the_bound_on_bad_rows(run, tmp_path):
    write(tmp_path / "data/a.csv")
    write(tmp_path / "corpus/a.csv", [*((text,) for text, _ in ROWS), (" ",)], header=("text",))
    settings = {"on_bad_row": "quarantine", "corpus_base": str(tmp_path / "corpus")}
    ran = run(**settings, max_bad_fraction=0.005)
    held_out = ran.counts["examples"]["eval"] + ran.counts["examples"]["test"]
    assert ran.counts["corpus_reasons"] == {"also in the eval or test split": held_out, "missing text": 1}
    assert ran.counts["corpus"] + ran.counts["corpus_rejected"] == 201
    with pytest.raises(InputError, match=r"^data\.max_bad_fraction: 1 of 201 rows \(0\.50%\) cannot be used, "):
        run(**settings, max_bad_fraction=0.004)


def test_a_corpus_of_nothing_but_test_texts_is_refused_with_their_number(run, tmp_path):
    write(tmp_path / "data/a.csv")
    write(tmp_path / "test/a.csv", TEST_ROWS)
    with pytest.raises(InputError) as error:
        run(split=TWO_SPLITS, test_base=str(tmp_path / "test"), corpus_base=str(tmp_path / "test"))
    assert str(error.value) == (
        "pretraining.corpus_base: none of its texts can be used (30 are in the eval or test split too); "
        "mend them, or set it to null"
    )


def test_there_is_no_corpus_unless_asked_for(run, tmp_path):
    write(tmp_path / "data/a.csv")
    assert run().counts["corpus"] == 0


def test_the_corpus_of_a_format_with_pairs_has_empty_second_texts(run, tmp_path):
    fmt = RowFormat("text", "label", ("good", "bad"), text_pair_column="reply")
    write(tmp_path / "data/a.csv", [(*row, "a reply") for row in ROWS], header=("text", "label", "reply"))
    texts = write_corpus(tmp_path / "corpus")
    ran = run(fmt, corpus_base=str(tmp_path / "corpus"))
    assert list(ran.examples("corpus")) == [{"text": text, "label": "", "text_pair": ""} for text in texts]
    assert next(ran.examples("train"))["text_pair"] == "a reply"


def test_bad_rows_of_the_corpus_are_judged_and_counted_apart_from_the_labelled_ones(run, tmp_path):
    write(tmp_path / "data/a.csv")
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus/a.txt").write_bytes(b"fine\ncaf\xe9\n" + b"fine too\n" * 6)
    write(tmp_path / "corpus/b.csv", [("1", "fine"), ("2", " "), ("3", "too", "many")], header=("id", "text"))
    settings = {"corpus_base": str(tmp_path / "corpus")}
    with pytest.raises(InputError) as error:
        run(**settings)
    assert str(error.value).startswith(
        f"data.on_bad_row: {tmp_path}/corpus/a.txt line 2: byte 0xe9 in the line is not utf-8; "
    )
    with pytest.raises(InputError, match=r"^data\.max_bad_fraction: 3 of 11 rows \(27\.27%\) cannot be used, "):
        run(**settings, on_bad_row="quarantine", max_bad_fraction=0.2)
    ran = run(**settings, on_bad_row="quarantine", max_bad_fraction=0.3)
    assert (ran.counts["corpus"], ran.counts["corpus_rejected"]) == (8, 3)
    assert (ran.counts["read"], ran.counts["used"], ran.counts["rejected"], ran.counts["reasons"]) == (200, 200, 0, {})
    assert [(row["file"].removeprefix(f"{tmp_path}/"), row["line"], row["reason"]) for row in ran.rejected] == [
        ("corpus/a.txt", "2", "byte 0xe9 in the line is not utf-8; is data.encoding right?"),
        ("corpus/b.csv", "3", "no text in column 'text'"),
        ("corpus/b.csv", "4", "3 fields where the header has 2"),
    ]


def test_a_changed_file_of_the_test_folder_or_the_corpus_is_ingested_anew_and_an_unchanged_one_is_not(run, tmp_path):
    write(tmp_path / "data/span-1/a.csv", [("old", "good")])
    write(tmp_path / "data/span-2/a.csv")
    write(tmp_path / "test/a.csv", TEST_ROWS)
    write_corpus(tmp_path / "corpus")

    def ingest():
        folders = {"test_base": str(tmp_path / "test"), "corpus_base": str(tmp_path / "corpus")}
        return run(pattern="span-{SPAN}/*", split=TWO_SPLITS, **folders)

    first, again = ingest(), ingest()
    assert again.artifact.id == first.artifact.id
    assert first.properties["span"] == 2
    assert [part.split(",")[:2] for part in first.properties["input_fingerprint"].split(";")] == [
        ["split:single_split", "num_files:1"],
        ["split:before", "num_files:1"],
        ["split:test", "num_files:1"],
        ["split:corpus", "num_files:3"],  # not the hidden one, which is not read
    ]
    write(tmp_path / "test/a.csv", [*TEST_ROWS, ("new", "good")])
    changed = ingest()
    assert changed.counts["examples"]["test"] == 31
    (tmp_path / "corpus/d.txt").write_text("a new text")
    assert ingest().counts["corpus"] == 6
    write(tmp_path / "data/span-3/a.csv", ROWS[:100])
    assert ingest().properties["span"] == 3


@pytest.mark.parametrize(
    ("argument", "key"), [("test_base", "data.test_base"), ("corpus_base", "pretraining.corpus_base")]
)
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "{key}: no file is in {folder}; "),
        (b"", "{key}: {folder}/a.csv is empty; "),
        (b"text,label\n", "{key}: {folder}/a.csv has a header but no rows; "),
        (
            b"texts,label\nx,good\n",
            "{key}: 'text' (data.text_column) is not a column of {folder}/a.csv (it has: texts, label)",
        ),
        (b"text,label\n,good\n", "{key}: none of its "),
    ],
)
def test_a_folder_that_gives_no_text_is_refused_by_the_name_of_its_key(run, tmp_path, argument, key, content, message):
    write(tmp_path / "data/a.csv")
    folder = tmp_path / "other"
    if content is not None:
        folder.mkdir()
        (folder / "a.csv").write_bytes(content)
    with pytest.raises(InputError) as error:
        run(split=TWO_SPLITS, on_bad_row="quarantine", max_bad_fraction=1.0, **{argument: str(folder)})
    assert str(error.value).startswith(message.format(key=key, folder=folder))


def test_a_corpus_file_without_a_line_of_text_or_cut_off_stops_the_run(run, tmp_path):
    write(tmp_path / "data/a.csv")
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus/a.txt").write_text("\n \n")
    with pytest.raises(InputError, match=r"^pretraining\.corpus_base: .*/corpus/a\.txt has no text; "):
        run(corpus_base=str(tmp_path / "corpus"))
    (tmp_path / "corpus/a.txt").unlink()
    (tmp_path / "corpus/a.txt.gz").write_bytes(gzip.compress(b"a text\n" * 100)[:-10])
    with pytest.raises(InputError, match=r"^pretraining\.corpus_base: .*/a\.txt\.gz is not a whole gzip file \("):
        run(corpus_base=str(tmp_path / "corpus"))


def test_a_test_folder_that_holds_all_texts_leaves_nothing_to_train_on(run, tmp_path):
    write(tmp_path / "data/a.csv")
    with pytest.raises(InputError) as error:
        run(split=TWO_SPLITS, test_base=str(tmp_path / "data"))
    assert str(error.value) == (
        "data.split: none of the 0 usable rows (200 more are in data.test_base too) fell into 'train'; "
        "add rows or give it a larger share"
    )


def test_memory_does_not_grow_with_the_rows(run, tmp_path):
    def resident_megabytes():
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20

    def growth_while_ingesting(rows):
        (tmp_path / "data/a.csv").write_text(
            "text,label\n" + "".join(f"text number {number} {'of a few words ' * 6},good\n" for number in range(rows))
        )
        before, peak, done = resident_megabytes(), [0.0], threading.Event()

        def watch():
            while not done.is_set():
                peak[0] = max(peak[0], resident_megabytes())
                time.sleep(0.02)

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            assert run().counts["used"] == rows
        finally:
            done.set()
            watcher.join()
        return peak[0] - before

    growth_while_ingesting(2_000)
    assert growth_while_ingesting(100_000) < 30
