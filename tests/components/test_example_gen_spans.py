import os

import pytest

from fullbake.components.nodes.example_gen import CsvExampleGen, Driver, Executor
from fullbake.contract.errors import InputError
from fullbake.trainer.locations import located
from tests.components.ingested import FORMAT, ROWS, SPLIT, TEST_ROWS, TWO_SPLITS, write, write_corpus


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
        (b"comment,label\nx,good\n", "span 2, the one before, cannot be read: text_column: "),
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
    with pytest.raises(InputError, match=r"^input_base: the files in .*/data changed while they were read; leave"):
        Executor().Do({}, {"examples": [examples]}, resolved)


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
