"""What ExampleGen does with rows of classes that are not listed, or too small to split."""

import csv

import pytest

from fullbake.components.data.row_format import RowFormat
from fullbake.contract.errors import InputError
from tests.components.ingested import ROWS, TWO_SPLITS, write

LISTED = ("good", "bad", "dim", "none", "other")
RARE = [("faint", "dim"), ("Faint ", "dim"), ("fainter", "dim"), ("loud", "unheard of"), ("louder", "unheard of")]
RARE += [("unlabelled", "")]


def form(rare_classes, labels=LISTED, **more):
    return RowFormat("text", "label", labels, rare_classes=rare_classes, **more)


def of_label(ran, label):
    return {split: counts[label] for split, counts in ran.counts["labels"].items()}


def test_each_class_that_can_be_is_in_each_split(run, tmp_path):
    rows = [(f"text {number} of class {label}", f"class {label}") for label in range(150) for number in range(5)]
    write(tmp_path / "data/a.csv", rows)
    labels = tuple(f"class {label}" for label in range(150))
    counts = run(RowFormat("text", "label", labels)).counts
    assert all(counts["labels"][split][label] > 0 for split in counts["labels"] for label in labels)
    assert counts["classes"] == {"splits": 3, "texts": dict.fromkeys(labels, 5), "left_out": []}
    needed = run(RowFormat("text", "label", labels[:2]), needed_test_rows={"class 1": 35}, **QUARANTINE).counts
    assert needed["labels"]["test"]["class 1"] == 1  # a third of its five texts
    write(tmp_path / "data/a.csv", [*ROWS, *((f"more {number}", "bad") for number in range(50))])
    assert run(needed_test_rows={"bad": 35}).counts["labels"]["test"]["bad"] >= 35


QUARANTINE = {"on_bad_row": "quarantine", "max_bad_fraction": 1.0}


def test_to_fail_is_to_reject_what_is_not_listed_and_to_leave_small_classes_to_the_data_gate(run, tmp_path):
    write(tmp_path / "data/a.csv", [*ROWS, *RARE])
    ran = run(form("fail"), **QUARANTINE)
    assert ran.counts["reasons"] == {"unknown label": 2, "missing label": 1}
    assert sum(of_label(ran, "dim").values()) == 3
    assert ran.counts["classes"]["texts"]["dim"] == 2
    assert ran.counts["classes"]["left_out"] == []
    with pytest.raises(InputError, match="label 'unheard of' is neither in labels nor in label_map; fix the row"):
        run(form("fail"))


def test_to_drop_is_to_leave_them_out_as_no_bad_rows_and_to_name_them(run, tmp_path, caplog):
    write(tmp_path / "data/a.csv", [*RARE[:5], *ROWS])
    ran = run(form("drop"))  # on_bad_row: fail
    assert ran.counts["reasons"] == {"class too small to split": 3, "label not listed": 2}
    assert ran.all_texts() == sorted(text for text, _ in ROWS)
    assert ran.counts["classes"]["left_out"] == ["dim", "none", "other"]
    note = "4 classes (5 rows) are left out (rare_classes: drop): "
    note += "'dim' (3 rows), 'unheard of' (2 rows), 'none' (0 rows), 'other' (0 rows)"
    assert ran.counts["notes"] == [note]
    assert f"data: {note}" in [record.getMessage() for record in caplog.records]
    assert [(row["line"], row["reason"]) for row in ran.rejected[1:4]] == [
        ("3", "its class has too few texts to be in each split (rare_classes: drop)"),
        ("4", "its class has too few texts to be in each split (rare_classes: drop)"),
        ("5", "label 'unheard of' is neither in labels nor in label_map (rare_classes: drop)"),
    ]
    assert ran.counts["lines"]["rejected"] == 5


def test_a_row_without_a_label_is_bad_whatever_becomes_of_rare_classes(run, tmp_path):
    write(tmp_path / "data/a.csv", [*RARE, *ROWS])
    for kind in ("drop", "other"):
        with pytest.raises(InputError, match=r"^on_bad_row: a\.csv line 7: no label in column 'label'; "):
            run(form(kind))
    assert run(form("drop"), on_bad_row="quarantine").counts["reasons"]["missing label"] == 1


def test_other_is_the_label_of_them_all(run, tmp_path):
    write(tmp_path / "data/a.csv", [*RARE[:5], *ROWS])
    ran = run(form("other"))
    assert ran.counts["reasons"] == {}
    assert {split for split, rows in of_label(ran, "other").items() if rows} == {"train", "eval", "test"}
    assert sum(of_label(ran, "other").values()) == 5
    examples = [example for split in ran.counts["labels"] for example in ran.examples(split)]
    assert sorted(example["text"] for example in examples if example["label"] == "other") == sorted(
        text for text, _ in RARE[:5]
    )
    assert ran.counts["classes"]["texts"]["other"] == 4
    assert ran.counts["classes"]["left_out"] == ["dim", "none"]
    assert ran.counts["notes"] == [
        "3 classes (5 rows) are 'other' (rare_classes: other): 'dim' (3 rows), 'unheard of' (2 rows), 'none' (0 rows)"
    ]
    # Nothing is rare: then there is no such class, and nothing to say.
    write(tmp_path / "data/a.csv", ROWS)
    ran = run(form("other", ("good", "bad", "other")))
    assert (ran.counts["classes"]["left_out"], ran.counts["notes"]) == (["other"], [])


@pytest.mark.parametrize("kind", ["drop", "other"])
def test_rows_of_the_test_folder_share_the_fate_of_their_class(run, tmp_path, kind):
    write(tmp_path / "data/a.csv", [RARE[0], *ROWS, ("odd one", "unheard of"), ("odd two", "unheard of")])
    write(tmp_path / "test/t.csv", [("new", "good"), ("newer", "dim"), ("newest", "bad"), ("newest of all", "odd")])
    counts = run(form(kind), split=TWO_SPLITS, test_base=str(tmp_path / "test")).counts
    others = {"drop": {}, "other": {"other": 2}}[kind]
    assert {label: rows for label, rows in counts["labels"]["test"].items() if rows} == {"good": 1, "bad": 1} | others


def test_so_many_labels_that_they_are_none_are_counted_and_not_kept(run, tmp_path):
    write(tmp_path / "data/a.csv", [*ROWS, *((f"text {number}", f"a\n{number}") for number in range(1_200))])
    ran = run(form("drop", ("good", "bad")))
    assert ran.counts["notes"] == [
        "1,000 and more classes (1,200 rows) are left out (rare_classes: drop): 'a 0' (1 row), 'a 1' (1 row), "
        "'a 2' (1 row), 'a 3' (1 row), 'a 4' (1 row) and 995 more"
    ]


def test_a_text_of_several_lines_stays_one_row_where_any_label_is_taken(run, tmp_path):
    with (tmp_path / "data/a.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("text", "label"), ("well,\nyou know, said\nhe", "good"), *ROWS])
    assert run(form("other")).counts["lines"]["used"] == 203
