import gzip
import json
import os

import pytest

from fullbake.components.data.row_format import RowFormat
from fullbake.contract.errors import InputError
from fullbake.contract.setting_names import settings_named
from tests.components.ingested import ROWS, TEST_ROWS, TWO_SPLITS, write, write_corpus


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
        ("a.csv", "2", "this text is in test_base too", list(copies[0])),
        ("a.csv", "3", "this text is in test_base too", list(copies[1])),
        ("a.csv", "5", "this text is in test_base too", list(copies[2])),
        ("b.csv", "2", "this text is in test_base too", ["test text 3", "bad"]),
    ]
    assert (ran.counts["read"], ran.counts["used"], ran.counts["rejected"]) == (234, 230, 4)
    assert ran.counts["reasons"] == {"also in test_base": 4}


def test_what_workers_write_of_rows_has_the_names_that_whoever_runs_them_gave_to_settings(run, tmp_path):
    write(tmp_path / "data/a.csv", [TEST_ROWS[0], ("text", "odd"), *ROWS])
    write(tmp_path / "test/a.csv", TEST_ROWS)
    names = {name: f"data.{name}" for name in ("test_base", "labels", "label_map")}
    with settings_named(names):
        ran = run(split=TWO_SPLITS, on_bad_row="quarantine", test_base=str(tmp_path / "test"))
    assert [row["reason"] for row in ran.rejected] == [
        "this text is in data.test_base too",
        "label 'odd' is neither in data.labels nor in data.label_map",
    ]
    assert ran.counts["reasons"] == {"also in data.test_base": 1, "unknown label": 1}


def test_a_text_in_both_folders_does_not_use_up_the_bound_on_bad_rows(run, tmp_path):
    write(tmp_path / "data/a.csv", [*ROWS, *TEST_ROWS, ("", "good")])
    write(tmp_path / "test/a.csv", TEST_ROWS)
    settings = {"split": TWO_SPLITS, "on_bad_row": "quarantine", "test_base": str(tmp_path / "test")}
    ran = run(**settings, max_bad_fraction=0.004)
    assert ran.counts["reasons"] == {"also in test_base": 30, "missing text": 1}
    assert len(ran.rejected) == 31
    with pytest.raises(InputError, match=r"^max_bad_fraction: 1 of 261 rows \(0\.38%\) cannot be used, .* as a\.csv"):
        run(**settings, max_bad_fraction=0.003)


def test_a_bad_row_of_the_test_folder_is_judged_as_any_other(run, tmp_path):
    write(tmp_path / "data/a.csv")
    write(tmp_path / "test/a.csv", [*TEST_ROWS, ("text", "odd")])
    settings = {"split": TWO_SPLITS, "test_base": str(tmp_path / "test")}
    with pytest.raises(InputError) as error:
        run(**settings)
    assert str(error.value).startswith(f"on_bad_row: {tmp_path}/test/a.csv line 32: label 'odd' is neither ")
    ran = run(**settings, on_bad_row="quarantine")
    assert (ran.counts["read"], ran.counts["used"], ran.counts["rejected"]) == (231, 230, 1)
    assert [row["file"] for row in ran.rejected] == [f"{tmp_path}/test/a.csv"]


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
    with pytest.raises(InputError, match=r"^max_bad_fraction: 1 of 201 rows \(0\.50%\) cannot be used, "):
        run(**settings, max_bad_fraction=0.004)


def test_a_corpus_of_nothing_but_test_texts_is_refused_with_their_number(run, tmp_path):
    write(tmp_path / "data/a.csv")
    write(tmp_path / "test/a.csv", TEST_ROWS)
    with pytest.raises(InputError) as error:
        run(split=TWO_SPLITS, test_base=str(tmp_path / "test"), corpus_base=str(tmp_path / "test"))
    assert str(error.value) == (
        "corpus_base: none of its texts can be used (30 are in the eval or test split too); fix them, or set it to null"
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
        f"on_bad_row: {tmp_path}/corpus/a.txt line 2: byte 0xe9 in the line is not utf-8; "
    )
    with pytest.raises(InputError, match=r"^max_bad_fraction: 3 of 11 rows \(27\.27%\) cannot be used, "):
        run(**settings, on_bad_row="quarantine", max_bad_fraction=0.2)
    ran = run(**settings, on_bad_row="quarantine", max_bad_fraction=0.3)
    assert (ran.counts["corpus"], ran.counts["corpus_rejected"]) == (8, 3)
    assert (ran.counts["read"], ran.counts["used"], ran.counts["rejected"], ran.counts["reasons"]) == (200, 200, 0, {})
    assert [(row["file"].removeprefix(f"{tmp_path}/"), row["line"], row["reason"]) for row in ran.rejected] == [
        ("corpus/a.txt", "2", "byte 0xe9 in the line is not utf-8; is encoding right?"),
        ("corpus/b.csv", "3", "no text in column 'text'"),
        ("corpus/b.csv", "4", "3 fields where the header has 2"),
    ]


@pytest.mark.parametrize(("argument", "key"), [("test_base", "test_base"), ("corpus_base", "corpus_base")])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "{key}: no file is in {folder}; "),
        (b"", "{key}: {folder}/a.csv is empty; "),
        (b"text,label\n", "{key}: {folder}/a.csv has a header but no rows; "),
        (
            b"texts,label\nx,good\n",
            "{key}: 'text' (text_column) is not a column of {folder}/a.csv (it has: texts, label)",
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
    with pytest.raises(InputError, match=r"^corpus_base: .*/corpus/a\.txt has no text; "):
        run(corpus_base=str(tmp_path / "corpus"))
    (tmp_path / "corpus/a.txt").unlink()
    (tmp_path / "corpus/a.txt.gz").write_bytes(gzip.compress(b"a text\n" * 100)[:-10])
    with pytest.raises(InputError, match=r"^corpus_base: .*/a\.txt\.gz is not a whole gzip file \("):
        run(corpus_base=str(tmp_path / "corpus"))


def test_a_test_folder_that_holds_all_texts_leaves_nothing_to_train_on(run, tmp_path):
    write(tmp_path / "data/a.csv")
    with pytest.raises(InputError) as error:
        run(split=TWO_SPLITS, test_base=str(tmp_path / "data"))
    assert str(error.value) == (
        "split: none of the 0 usable rows (200 more are in test_base too) fell into 'train'; "
        "add rows or give it a larger share"
    )
