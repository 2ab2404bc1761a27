import gzip
import shutil
from pathlib import Path

import pytest

from tests.pipeline.preflight.refusal import ROWS, refusal


def test_good_files_and_a_good_base_pass(check):
    check()


def test_devices_and_workers_that_are_not_there_are_refused_before_anything_is_read(check, tmp_path: Path, monkeypatch):
    for name in ("TF_CONFIG", "TPU_NAME", "TPU_WORKER_ID"):
        monkeypatch.delenv(name, raising=False)
    message = refusal(check, training={"distribution": "tpu"}, input_base=str(tmp_path / "none"))
    assert message.startswith("training.distribution: tpu needs a TPU, and this machine shows none")
    monkeypatch.setenv("TF_CONFIG", "{")
    assert refusal(check, input_base=str(tmp_path / "none")).startswith("TF_CONFIG: it is not JSON")


def test_a_folder_that_is_not_there_is_refused(check, tmp_path: Path):
    message = refusal(check, input_base=str(tmp_path / "none"))
    assert message.startswith(f"data.input_base: '{tmp_path}/none' is not a folder; name a folder of CSV files")


def test_a_file_in_place_of_the_folder_is_told_where_its_name_belongs(check, data: Path):
    message = refusal(check, input_base=str(data / "train.csv"))
    assert message.endswith("is not a folder; name the folder and give the file's name as data.pattern")


def test_a_pattern_that_no_file_matches_is_refused(check):
    assert "no file in" in (message := refusal(check, pattern="*.tsv"))
    assert message.startswith("data.pattern: ")
    assert "'*.tsv'" in message


def test_an_empty_folder_is_refused(check, data: Path):
    (data / "train.csv").unlink()
    assert refusal(check).startswith("data.pattern: no file in ")


@pytest.mark.parametrize("name", [".hidden.csv", "_SUCCESS"])
def test_hidden_and_underscored_files_are_no_data(check, data: Path, name: str):
    (data / name).write_text("nothing of the kind", encoding="utf-8")
    check()
    (data / "train.csv").unlink()
    assert refusal(check).startswith("data.pattern: no file in ")


def test_a_folder_below_is_no_data(check, data: Path):
    (data / "older").mkdir()
    check()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "train.csv is empty"),
        ("\n\n", "train.csv is empty"),
        ("text,label\n", "train.csv has a header but no rows"),
        ('text,"label\n', "the header of train.csv (line 1) cannot be read"),
    ],
)
def test_a_file_without_header_or_rows_is_refused(check, data: Path, content: str, problem: str):
    (data / "train.csv").write_text(content, encoding="utf-8")
    message = refusal(check)
    assert message.startswith("data.input_base: ")
    assert problem in message


@pytest.mark.parametrize(
    ("key", "value", "ending"),
    [
        ("text_column", "txt", "(it has: text, label); did you mean 'text'?"),
        ("label_column", "class", "(it has: text, label)"),
        ("text_pair_column", "text_b", "(it has: text, label); did you mean 'text'?"),
    ],
)
def test_a_column_that_is_not_there_is_told_with_those_that_are(check, key: str, value: str, ending: str):
    assert refusal(check, **{key: value}) == f"data.{key}: {value!r} is not a column of train.csv {ending}"


def test_every_file_must_have_the_columns(check, data: Path):
    (data / "more.csv").write_text("text,klass\nx,good\n", encoding="utf-8")
    assert "'label' is not a column of more.csv" in refusal(check)


def test_a_delimiter_that_does_not_fit_is_suspected(check):
    assert "does data.delimiter ';' fit the file?" in refusal(check, delimiter=";")


def test_an_encoding_that_python_does_not_know_is_refused(check):
    assert refusal(check, encoding="klingon").startswith("data.encoding: 'klingon' is not a text encoding")


def test_the_header_is_read_in_the_files_encoding(check, data: Path):
    (data / "train.csv").write_text(ROWS.replace("text", "Größe"), encoding="cp1252")
    check(text_column="Größe", encoding="cp1252")
    assert "'Größe' is not a column" in refusal(check, text_column="Größe")


def test_compressed_files_are_looked_into(check, data: Path):
    (data / "train.csv").unlink()
    (data / "train.csv.gz").write_bytes(gzip.compress(ROWS.encode()))
    check()
    assert "'txt' is not a column of train.csv.gz (it has: text, label)" in refusal(check, text_column="txt")


@pytest.mark.parametrize("content", [ROWS.encode(), gzip.compress(ROWS.encode())[:20]], ids=["not gzip", "cut off"])
def test_a_compressed_file_that_is_broken_is_refused(check, data: Path, content: bytes):
    (data / "broken.csv.gz").write_bytes(content)
    assert refusal(check).startswith("data.input_base: broken.csv.gz is not a whole gzip file (")


@pytest.mark.parametrize(
    ("pattern", "folder"),
    [
        ("span-{SPAN}/*", "span-7"),
        ("span-{SPAN:2}/v{VERSION}/*.csv", "span-07/v1"),
        ("{YYYY}-{MM}-{DD}/*", "2024-02-29"),
    ],
)
def test_markers_for_spans_and_versions_stand_for_what_is_there(check, data: Path, pattern: str, folder: str):
    assert refusal(check, pattern=pattern).startswith("data.pattern: no file in ")
    (data / folder).mkdir(parents=True)
    shutil.move(data / "train.csv", data / folder / "train.csv")
    check(pattern=pattern)
    assert f"'txt' is not a column of {folder}/train.csv" in refusal(check, pattern=pattern, text_column="txt")


def test_a_remote_folder_is_left_to_the_components(check):
    check(input_base="gs://a-bucket/data")


def test_every_span_of_a_window_must_have_the_columns(check, data: Path):
    for span, header in ((7, "old,label"), (8, "text,label"), (10, "text,label")):
        folder = data / f"span-{span}"
        folder.mkdir()
        (folder / "rows.csv").write_text(f"{header}\nhello,a\n", encoding="utf-8")
    check(pattern="span-{SPAN}/*", window=3)
    assert "'text' is not a column" in refusal(check, pattern="span-{SPAN}/*", window=4)


def test_only_the_newest_span_must_have_the_columns(check, data: Path):
    for span, header in ((9, "old,label"), (10, "text,label")):
        folder = data / f"span-{span}"
        folder.mkdir()
        (folder / "rows.csv").write_text(f"{header}\nhello,a\n", encoding="utf-8")
    check(pattern="span-{SPAN}/*")
    (data / "span-11").mkdir()
    (data / "span-11" / "rows.csv").write_text("old,label\nhello,a\n", encoding="utf-8")
    assert "'text' is not a column" in refusal(check, pattern="span-{SPAN}/*")
