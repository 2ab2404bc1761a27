"""What ExampleGen makes of rows that can have any number of labels, and of votes."""

import json
import random
from collections import Counter

import pytest
import tensorflow as tf

from fullbake.components.data.row_format import RowFormat
from fullbake.contract.errors import InputError
from tests.components.ingested import TWO_SPLITS, write
from tests.components.jigsaw import LABELS, make_rows, write_test, write_train

JIGSAW = RowFormat("comment_text", "label", LABELS, label_columns=LABELS, missing_label="mask")
EMOTIONS = RowFormat("text", "label", ("anger", "joy", "pride"), label_separator=",", label_map={"2": "anger"})


def examples(ran, split):
    """Yields text, labels and masked labels."""
    files = sorted(str(path) for path in (ran.folder / f"Split-{split}").iterdir())
    for record in tf.data.TFRecordDataset(files, compression_type="GZIP").as_numpy_iterator():
        features = tf.train.Example.FromString(record).features.feature
        lists = (features[name].bytes_list.value for name in ("text", "label", "masked_label"))
        texts, labels, masked = ([value.decode() for value in values] for values in lists)
        yield texts[0], tuple(labels), tuple(masked)


def all_examples(ran):
    return {text: (labels, masked) for split in ran.counts["examples"] for text, labels, masked in examples(ran, split)}


def test_each_row_comes_out_with_its_labels_and_each_label_is_in_each_split(run, tmp_path):
    rows = make_rows(2_000)
    write_train(tmp_path / "data/train.csv", rows)
    ran = run(JIGSAW, pattern="train.csv")
    assert all_examples(ran) == {text: (tuple(label for label in LABELS if has[label]), ()) for _, text, has in rows}
    counts = ran.counts
    assert counts["used"] == sum(counts["examples"].values()) == 2_000
    assert counts["reasons"] == {}
    for split, number in counts["examples"].items():
        found = list(examples(ran, split))
        assert len(found) == number
        had = Counter(label for _, labels, _ in found for label in labels)
        assert counts["labels"][split] == {label: had[label] for label in LABELS}
        assert min(counts["labels"][split].values()) > 0
    assert counts["masked"] == {split: dict.fromkeys(LABELS, 0) for split in counts["examples"]}
    assert counts["classes"]["texts"] == {label: sum(has[label] for _, _, has in rows) for label in LABELS}
    few = min(sum(has[label] for _, _, has in rows) for label in LABELS)
    assert few < 12  # so few that the hash alone would leave them to chance
    assert abs(counts["examples"]["test"] - 200) < 60


def test_a_test_set_with_hidden_labels_is_joined_by_id_and_its_hidden_rows_are_not_used(run, tmp_path):
    rows = make_rows(600)
    write_train(tmp_path / "data/train.csv", rows)
    tested = make_rows(900, seed=4)[600:]
    hidden = set(range(0, 300, 2))
    write_test(tmp_path / "test", tested, hidden)
    (tmp_path / "data/labels.csv").write_text((tmp_path / "data/train.csv").read_text())
    fmt = RowFormat("comment_text", "label", LABELS, label_columns=LABELS, missing_label="mask", id_column="id")
    ran = run(
        fmt,
        pattern="train.csv",
        split=TWO_SPLITS,
        labels_file="labels.csv",
        test_base=str(tmp_path / "test"),
        test_labels_file="test_labels.csv",
    )
    assert ran.counts["examples"]["test"] == 150
    assert ran.counts["reasons"] == {"no label is known": 150}
    assert "150 rows of 900 are not used: no label is known" in ran.counts["notes"]
    shown = {text: has for number, (_, text, has) in enumerate(tested) if number not in hidden}
    found = {text: labels for text, labels, _ in examples(ran, "test")}
    assert found == {text: tuple(label for label in LABELS if has[label]) for text, has in shown.items()}
    assert {row["reason"] for row in ran.rejected} == {"no label is known (missing_label: mask)"}


def test_masks_are_kept_and_counted(run, tmp_path):
    rng = random.Random(5)  # noqa: S311
    cells = {f"text {number}": [rng.choice("01-") for _ in "abc"] for number in range(300)}
    cells["text 0"] = list("1-0")
    write(tmp_path / "data/a.csv", [(text, *row) for text, row in cells.items()], header=("text", "a", "b", "c"))
    columns = ("a", "b", "c")
    fmt = RowFormat("text", "", columns, label_columns=columns, missing_label="mask", null_values=("-",))
    ran = run(fmt)
    found = all_examples(ran)
    of = {
        state: {
            text: tuple(c for c, cell in zip("abc", row, strict=True) if cell == state) for text, row in cells.items()
        }
        for state in "01-"
    }
    assert found == {text: (of["1"][text], of["-"][text]) for text, row in cells.items() if row != ["-"] * 3}
    masked = Counter(label for _, (_, masks) in found.items() for label in masks)
    assert {label: sum(counts[label] for counts in ran.counts["masked"].values()) for label in columns} == masked
    assert ran.counts["reasons"] == {"no label is known": sum(row == ["-"] * 3 for row in cells.values())}


def test_rows_of_a_text_never_part_whatever_their_labels_and_repeats_compare_whole_label_sets(run, tmp_path):
    rows = [(f"text {number}", ("anger", "joy", "", "joy,pride")[number % 4]) for number in range(200)]
    rows += [("text 0", "anger"), ("text 0", "2,joy"), ("text 3", "pride , joy"), ("text 2", "joy"), ("TEXT 5", "")]
    write(tmp_path / "data/a.csv", rows, header=("text", "label"))
    ran = run(EMOTIONS)
    repeats = ran.counts["repeats"]
    assert (repeats["duplicates"], repeats["conflicting_texts"], repeats["conflicting_rows"]) == (2, 2, 5)
    assert repeats["first_conflict"] == "a.csv line 2 ('anger') and a.csv line 203 ('anger, joy')"
    note = "2 texts have labels that differ, in 5 rows: a.csv line 2 ('anger') and a.csv line 203 ('anger, joy')"
    assert note in ran.counts["notes"]
    places = {}
    for split in ran.counts["examples"]:
        for text, _, _ in examples(ran, split):
            places.setdefault(text.lower(), set()).add(split)
    assert all(len(splits) == 1 for splits in places.values())
    dropped = run(EMOTIONS, on_conflict="drop", on_duplicate="drop").counts
    assert dropped["reasons"] == {"its text has other labels too": 5, "repeats an earlier row": 1}
    with pytest.raises(InputError, match=r"^on_conflict: 2 texts have labels that differ, in 5 rows: .*'anger, joy'"):
        run(EMOTIONS, on_conflict="fail")


def test_label_sets_that_several_files_have_are_one(run, tmp_path):
    write(tmp_path / "data/a.csv", [(f"a {number}", "joy,pride" if number % 2 else "anger") for number in range(50)])
    write(tmp_path / "data/b.csv", [(f"b {number}", "" if number % 2 else "pride,joy") for number in range(50)])
    write(tmp_path / "data/c.csv", [("a 1", "pride,joy"), ("b 1", "joy")])
    repeats = run(EMOTIONS).counts["repeats"]
    assert repeats["first_duplicate"] == "a.csv line 3 and c.csv line 2"
    assert repeats["first_conflict"] == "b.csv line 3 (no label) and c.csv line 3 ('joy')"


def test_each_split_has_rows_without_a_label_that_nearly_all_have(run, tmp_path):
    rows = [
        (f"text {number}", "anger" if number < 4 else "joy" if number % 2 else "joy,anger") for number in range(400)
    ]
    write(tmp_path / "data/a.csv", rows)
    ran = run(RowFormat("text", "label", ("anger", "joy"), label_separator=","))
    without = {
        split: sum("joy" not in labels for _, labels, _ in examples(ran, split)) for split in ran.counts["labels"]
    }
    assert sum(without.values()) == 4
    assert min(without.values()) > 0


def test_a_bad_cell_stops_the_run_and_a_missing_label_does_where_it_is_not_masked(run, tmp_path):
    rows = make_rows(60)
    write_train(tmp_path / "data/train.csv", rows)
    with (tmp_path / "data/train.csv").open("a") as file:
        file.write('"x","a text",0,1,yes,0,0,0\n')
    with pytest.raises(
        InputError, match=r"^on_bad_row: train\.csv line \d+: label 'yes' in column 'obscene' is neither"
    ):
        run(JIGSAW)
    fails = RowFormat("comment_text", "label", LABELS, label_columns=LABELS)
    (tmp_path / "data/train.csv").unlink()
    write_train(tmp_path / "data/train.csv", rows)
    with (tmp_path / "data/train.csv").open("a") as file:
        file.write('"x","a text",0,1,-1,0,0,0\n')
    said = r"no label in column 'obscene': '-1' says that nobody knows \(missing_label mask would leave it out\); fix"
    with pytest.raises(InputError, match=said):
        run(fails)


def test_drift_is_that_of_the_share_of_the_rows_that_have_a_label(run, tmp_path):
    cells = {1: ["anger,joy", "joy", "", ""], 2: ["anger,joy", "anger,joy", "anger", "pride,joy"]}
    for span, values in cells.items():
        write(tmp_path / f"data/span-{span}/a.csv", [(f"text {number}", values[number % 4]) for number in range(200)])
    drift = run(EMOTIONS, pattern="span-{SPAN}/*").counts["drift"]
    assert (drift["rows_before"], drift["label"]) == (200, "anger")
    assert (drift["share_before"], drift["share"], drift["label_distance"]) == (0.25, 0.75, 0.5)
    assert drift["length_distance"] == 0


def test_votes_decide_and_ties_are_not_used_and_told(run, tmp_path):
    rows = [(f"text {number}", number % 3, (number + 1) % 3, 1) for number in range(300)]
    write(tmp_path / "data/a.csv", rows, header=("tweet", "hate", "rude", "fine"))
    labels = ("hate", "rude", "fine")
    ran = run(RowFormat("tweet", "", labels, votes={label: label for label in labels}))
    assert ran.counts["reasons"] == {"votes without a winner": 100}  # 0, 1, 1
    assert "100 rows of 300 are not used: votes without a winner" in ran.counts["notes"]
    found = {example["text"]: example["label"] for split in ran.counts["labels"] for example in ran.examples(split)}
    assert found == {text: "hate" if hate == 2 else "rude" for text, hate, rude, _ in rows if max(hate, rude) == 2}
    assert ran.counts["masked"] == {}
    assert {json.loads(row["fields"])[0] for row in ran.rejected} == {f"text {number}" for number in range(0, 300, 3)}


def test_a_corpus_has_no_labels(run, tmp_path):
    write_train(tmp_path / "data/train.csv", make_rows(200))
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus/a.txt").write_text("one text\nanother text\n")
    ran = run(JIGSAW, corpus_base=str(tmp_path / "corpus"))
    assert list(examples(ran, "corpus")) == [("one text", (), ()), ("another text", (), ())]
    assert ran.counts["corpus"] == 2


def test_labels_line_by_line_may_be_several_or_none(run, tmp_path):
    cells = ["joy", "2,joy", "", "pride"]
    (tmp_path / "data").mkdir(exist_ok=True)
    (tmp_path / "data/texts.txt").write_text("".join(f"text {number}\n" for number in range(80)))
    (tmp_path / "data/labels.txt").write_text("".join(f"{cells[number % 4]}\n" for number in range(80)))
    found = all_examples(run(EMOTIONS, labels_file="labels.txt"))
    labels = [("joy",), ("anger", "joy"), (), ("pride",)]
    assert found == {f"text {number}": (labels[number % 4], ()) for number in range(80)}
