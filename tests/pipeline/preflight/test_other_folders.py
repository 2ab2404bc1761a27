import gzip
from pathlib import Path

import pytest

from tests.pipeline.preflight.refusal import FURTHER, refusal


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A folder beside the data, still empty."""
    (tmp_path / "other").mkdir()
    return tmp_path / "other"


def test_a_test_folder_and_a_corpus_that_can_be_read_pass(check, data: Path, other: Path):
    check(test_base=str(data))
    (other / "a.csv").write_text("id,text\n1,unlabelled\n", encoding="utf-8")
    (other / "b.txt").write_text("\na line\n", encoding="utf-8")
    (other / "c.txt.gz").write_bytes(gzip.compress(b"a line"))
    (other / "_SUCCESS").touch()
    check(FURTHER, pretraining={"corpus_base": str(other)})


def test_remote_folders_of_test_set_and_corpus_are_left_to_the_components(check):
    check(FURTHER, test_base="gs://a-bucket/test", pretraining={"corpus_base": "gs://a-bucket/corpus"})


@pytest.mark.parametrize("key", ["data.test_base", "pretraining.corpus_base"])
def test_a_test_folder_or_corpus_that_is_none_or_empty_is_refused(check, data: Path, other: Path, key: str):
    def message(folder: Path) -> str:
        if key == "data.test_base":
            return refusal(check, test_base=str(folder))
        return refusal(check, model=FURTHER, pretraining={"corpus_base": str(folder)})

    assert message(other / "none").startswith(f"{key}: '{other}/none' is not a folder; name a folder of ")
    assert message(data / "train.csv").endswith("is not a folder; name the folder the file is in")
    assert message(other).startswith(f"{key}: no file is in '{other}'; ")
    (other / "a.csv").write_text("texts,label\nx,good\n", encoding="utf-8")
    assert message(other) == (
        f"{key}: 'text' (data.text_column) is not a column of {other}/a.csv (it has: texts, label); "
        "did you mean 'texts'?"
    )
    (other / "a.csv").write_text("text,label\n", encoding="utf-8")
    assert message(other).startswith(f"{key}: {other}/a.csv has a header but no rows; ")
    (other / "a.csv").rename(other / "a.csv.gz")
    assert message(other).startswith(f"{key}: {other}/a.csv.gz is not a whole gzip file (")


def test_the_test_folder_must_have_the_label_column_too(check, other: Path):
    (other / "a.txt").write_text("text\nx\n", encoding="utf-8")
    assert refusal(check, test_base=str(other)).startswith(
        f"data.test_base: 'label' (data.label_column) is not a column of {other}/a.txt (it has: text)"
    )


def test_a_plain_text_corpus_without_text_is_refused(check, other: Path):
    (other / "a.txt").write_text("\n\n", encoding="utf-8")
    assert refusal(check, model=FURTHER, pretraining={"corpus_base": str(other)}).startswith(
        f"pretraining.corpus_base: {other}/a.txt has no text; "
    )


def test_a_corpus_that_the_approach_does_not_read_is_not_looked_at(check):
    check(pretraining={"corpus_base": "/no/such/folder"})
