"""Labels that are in another file than the texts."""

import gzip
import json
from dataclasses import replace

import pandas as pd
import pytest

from fullbake.contract.errors import InputError
from tests.components.ingested import FORMAT, ROWS, TEST_ROWS, TWO_SPLITS, write
from tests.components.test_labels_in_names import labelled, lines

BY_ID = replace(FORMAT, id_column="id")
IDS = [(f"n{number}", text, label) for number, (text, label) in enumerate(ROWS)]


def write_lines(folder, rows=ROWS, texts="train_text.txt", labels="train_labels.txt"):
    folder.mkdir(exist_ok=True)
    (folder / texts).write_text(lines(text for text, _ in rows))
    (folder / labels).write_text(lines(label for _, label in rows))


def write_tables(folder, rows=IDS):
    write(folder / "text.csv", [(row_id, text) for row_id, text, _ in rows], header=("id", "text"))
    write(folder / "labels.csv", [(label, row_id) for row_id, _, label in reversed(rows)], header=("label", "id"))


def test_labels_line_by_line(run, tmp_path):
    write_lines(tmp_path / "data")
    assert labelled(run(labels_file="train_labels.txt")) == dict(ROWS)


def test_labels_line_by_line_of_a_compressed_file_of_any_name(run, tmp_path):
    write_lines(tmp_path / "data", texts="train.text", labels="_labels")
    content = (tmp_path / "data/train.text").read_bytes()
    (tmp_path / "data/train.text.gz").write_bytes(gzip.compress(content))
    assert labelled(run(pattern="*.gz", labels_file="_labels")) == dict(ROWS)


def test_a_blank_line_shifts_no_label(run, tmp_path):
    rows = [("first", "good"), ("  ", "bad"), ("third", "bad"), ("fourth", ""), *ROWS]
    write_lines(tmp_path / "data", rows)
    settings = {"labels_file": "train_labels.txt", "on_bad_row": "quarantine"}
    ran = run(**settings)
    assert labelled(ran) == {"first": "good", "third": "bad", **dict(ROWS)}
    assert [(row["file"], row["line"], row["reason"]) for row in ran.rejected] == [
        ("train_text.txt", "4", "no label on line 4 of train_labels.txt")
    ]
    assert ran.counts["lines"] == {"total": 204, "header": 0, "blank": 1, "used": 202, "rejected": 1}


def test_another_number_of_lines_stops_the_run_with_both(run, tmp_path):
    write_lines(tmp_path / "data")
    with (tmp_path / "data/train_labels.txt").open("a") as file:
        file.write("nonsense\n")
    with pytest.raises(
        InputError, match=r"^labels_file: train_text\.txt has 200 lines and train_labels\.txt has 201, and line by line"
    ):
        run(labels_file="train_labels.txt")
    (tmp_path / "data/train_labels.txt").write_text("")
    with pytest.raises(InputError, match=r"^labels_file: train_text\.txt has 200 lines and train_labels\.txt has 0, "):
        run(labels_file="train_labels.txt")


def test_labels_line_by_line_belong_to_one_file_of_texts(run, tmp_path):
    write_lines(tmp_path / "data")
    (tmp_path / "data/val_text.txt").write_text("a\n")
    with pytest.raises(
        InputError,
        match=r"^labels_file: .* one file, and 2 match, such as train_text\.txt and val_text\.txt; .* id_col",
    ):
        run(labels_file="train_labels.txt")
    write_tables(tmp_path / "data")
    with pytest.raises(InputError, match=r"^labels_file: .*, and text\.csv is a table; set id_column to the column"):
        run(pattern="text.csv", labels_file="train_labels.txt")


def test_an_unknown_label_of_a_line_is_a_bad_row(run, tmp_path):
    write_lines(tmp_path / "data", [*ROWS, ("x", "gud")])
    with pytest.raises(
        InputError, match=r"^on_bad_row: train_text\.txt line 201: label 'gud' is neither in labels nor in label_map; "
    ):
        run(labels_file="train_labels.txt")


def test_labels_by_id(run, tmp_path):
    write_tables(tmp_path / "data")
    ran = run(BY_ID, labels_file="labels.csv")
    assert labelled(ran) == dict(ROWS)
    assert ran.counts["read"] == 200


def test_labels_by_id_of_tables_of_other_formats(run, tmp_path):
    half = len(IDS) // 2
    (tmp_path / "data/a.jsonl").write_text(
        lines(json.dumps({"id": number, "text": text}) for number, (_, text, _) in enumerate(IDS[:half]))
    )
    frame = pd.DataFrame({"id": range(half, len(IDS)), "text": [text for _, text, _ in IDS[half:]]})
    frame.to_parquet(tmp_path / "data/b.parquet")
    (tmp_path / "gold").mkdir()
    labels = "id,label\n" + lines(f"{number},{label}" for number, (_, _, label) in enumerate(IDS))
    (tmp_path / "data/_gold.csv.gz").write_bytes(gzip.compress(labels.encode()))
    assert labelled(run(BY_ID, labels_file="_gold.csv.gz")) == dict(ROWS)


def test_a_row_without_a_partner_is_a_bad_row(run, tmp_path):
    write_tables(tmp_path / "data")
    with (tmp_path / "data/text.csv").open("a") as file:
        file.write("n7000,lonely\n")
    ran = run(BY_ID, labels_file="labels.csv", on_bad_row="quarantine")
    assert [(row["file"], row["line"], row["reason"], json.loads(row["fields"])) for row in ran.rejected] == [
        ("text.csv", "202", "no label for id 'n7000' in labels.csv", ["n7000", "lonely"])
    ]
    assert labelled(ran) == dict(ROWS)
    assert ran.counts["reasons"] == {"no label in the labels file": 1}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("bad,n7\n", r"the id 'n7' is in labels\.csv twice, on line 194 and line 202; leave one of them$"),
        ("bad\n", r"labels\.csv line 202 cannot be read: 1 fields where the header has 2; correct it$"),
        ("bad,\n", r"labels\.csv line 202 cannot be read: no id in column 'id'; correct it$"),
    ],
)
def test_labels_that_cannot_be_told_apart_stop_the_run(run, tmp_path, more, said):
    write_tables(tmp_path / "data")
    with (tmp_path / "data/labels.csv").open("a") as file:
        file.write(more)
    with pytest.raises(InputError, match=f"^labels_file: {said}"):
        run(BY_ID, labels_file="labels.csv", on_bad_row="quarantine")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "labels.csv",
            "id,lable\nn1,good\n",
            r"^labels_file: 'label' \(label_column\) is not a column of labels\.csv .*; did you mean 'lable'\?$",
        ),
        ("labels.csv", "label,idx\ngood,n1\n", r"^labels_file: 'id' \(id_column\) is not a column of labels\.csv"),
        ("labels.csv", "", r"labels_file: labels\.csv is empty"),
        (
            "other.csv",
            "id,label\nn1,good\n",
            r"^labels_file: .*labels\.csv cannot be read: .*No such file or directory",
        ),
    ],
)
def test_a_labels_file_without_what_is_needed_stops_the_run(run, tmp_path, name, content, said):
    write_tables(tmp_path / "data")
    (tmp_path / "data/labels.csv").unlink()
    (tmp_path / "data" / name).write_text(content)
    with pytest.raises(InputError, match=said):
        run(BY_ID, pattern="text.csv", labels_file="labels.csv")


def test_the_id_column_must_be_in_the_texts(run, tmp_path):
    write_tables(tmp_path / "data")
    write(tmp_path / "data/text.csv", ROWS)
    with pytest.raises(InputError, match=r"^id_column: 'id' is not a column of text\.csv \(it has: text, label\)"):
        run(BY_ID, labels_file="labels.csv")


def test_a_test_folder_has_a_file_of_its_own(run, tmp_path):
    write_lines(tmp_path / "data")
    write_lines(tmp_path / "test", TEST_ROWS, "test_text.txt", "test_labels.txt")
    settings = {"split": TWO_SPLITS, "test_base": str(tmp_path / "test"), "test_labels_file": "test_labels.txt"}
    ran = run(labels_file="train_labels.txt", **settings)
    assert [(row["text"], row["label"]) for row in ran.examples("test")] == TEST_ROWS
    (tmp_path / "test/test_labels.txt").write_text("good\n")
    with pytest.raises(
        InputError, match=r"^test_labels_file: .*/test_text\.txt has 30 lines and test_labels\.txt has 1,"
    ):
        run(labels_file="train_labels.txt", **settings)


def test_changed_labels_are_new_data(run, tmp_path):
    write_lines(tmp_path / "data", labels="_labels.txt")
    first = run(labels_file="_labels.txt")
    assert run(labels_file="_labels.txt").artifact.id == first.artifact.id
    flipped = {text: "bad" if label == "good" else "good" for text, label in ROWS}
    (tmp_path / "data/_labels.txt").write_text(lines(flipped.values()))
    assert labelled(run(labels_file="_labels.txt")) == flipped
