import json
import os
import threading
import time
from pathlib import Path

import pytest

from fullbake.components.data.dialect import Dialect
from fullbake.components.data.ingest import shards
from fullbake.components.data.ingest.splitting import split_of
from fullbake.components.data.row_format import RowFormat
from fullbake.contract.errors import InputError
from tests.components.ingested import FORMAT, ROWS, SPLIT, TWO_SPLITS, write


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
    assert ran.rejected[2]["reason"] == "label 'odd' is neither in labels nor in label_map"
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
    fmt = RowFormat("text", "label", ("good", "bad"), dialect=Dialect(delimiter="\t"))
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
    with pytest.raises(InputError, match=r"^on_bad_row: a\.tsv line 22: .* goes on to line 152 by its quotes, "):
        run(fmt)


REPEATING = [("a text", "good"), ("a text", "bad"), ("twice", "good"), ("Twice", "bad"), ("thrice", "good")]


def test_rows_that_repeat_or_contradict_others_are_found_in_all_files_and_kept_dropped_or_refused(
    run, tmp_path, caplog
):
    write(tmp_path / "data/a.csv", [*REPEATING, *ROWS])
    repeated = [("thrice", "good"), (" twice\u200b", "good"), ("a text", "good"), ("thrice", "good")]
    write(tmp_path / "data/b.csv", repeated)
    write(tmp_path / "test/t.csv", [("held out", "good"), ("held out", "bad"), ("held out", "good")])
    write(tmp_path / "data/c.csv", [("held out", "bad")])
    test_file = tmp_path / "test/t.csv"
    settings, held_out = {"split": TWO_SPLITS, "test_base": str(test_file.parent)}, {"also in test_base": 1}
    ran = run(**settings)
    conflict = "a.csv line 2 ('good') and a.csv line 3 ('bad')"
    assert ran.counts["repeats"] == {
        "duplicates": 5,
        "first_duplicate": "a.csv line 6 and b.csv line 2",
        "conflicting_texts": 2,
        "conflicting_rows": 6,
        "first_conflict": conflict,
        "more_conflicts": [f"{test_file} line 2 ('good') and {test_file} line 3 ('bad')"],
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
        (str(test_file), "4"),
    ]

    ran = run(**{**settings, "test_base": None}, on_duplicate="drop", on_conflict="drop")
    assert ran.counts["reasons"] == {"its text has other labels too": 3, "repeats an earlier row": 3}
    assert ran.counts["repeats"]["duplicates"] == 3
    assert ran.all_texts() == sorted(["twice", "Twice", "thrice", "held out", *(text for text, _ in ROWS)])

    with pytest.raises(InputError) as error:
        run(**settings, on_conflict="fail")
    assert str(error.value) == (
        f"on_conflict: 2 texts have several labels, in 6 rows: {conflict}; "
        "correct the labels, or set it to drop or keep"
    )


def test_of_pairs_both_texts_must_be_equal_to_repeat_or_contradict(run, tmp_path):
    fmt = RowFormat("text", "label", ("good", "bad"), text_pair_column="reply")
    rows = [("a", "good", "x"), ("a", "bad", "y"), ("a", "good", "x"), ("b", "good", "x"), ("b", "bad", "x")]
    rows += [(text, label, "x") for text, label in ROWS]
    write(tmp_path / "data/a.csv", rows, header=("text", "label", "reply"))
    repeats = run(fmt).counts["repeats"]
    assert (repeats["duplicates"], repeats["conflicting_texts"], repeats["conflicting_rows"]) == (1, 1, 2)


@pytest.mark.parametrize("line", BAD_LINES)
def test_fail_stops_at_a_bad_row_and_names_file_line_and_reason(run, tmp_path, line):
    write(tmp_path / "data/a.csv", ROWS)
    (tmp_path / "data/b.csv").write_bytes(b"text,label\nfine,good\n" + line + b"\nfine too,good\n")
    with pytest.raises(InputError) as error:
        run()
    message = str(error.value)
    assert message.startswith("on_bad_row: b.csv line 3: ")
    assert message.endswith("; fix the row, or set on_bad_row to quarantine")
    assert "\n" not in message


def test_fail_names_the_first_of_several_bad_files(run, tmp_path):
    write(tmp_path / "data/a.csv", [*ROWS, ("too", "many", "good")])
    write(tmp_path / "data/b.csv", [("", "good"), *ROWS])
    with pytest.raises(InputError, match=r"^on_bad_row: a\.csv line 202: 3 fields where the header has 2; "):
        run()


def test_more_bad_rows_than_the_bound_stop_the_run_with_numbers_and_examples(run, tmp_path):
    write(tmp_path / "data/a.csv", [*ROWS, ("a", "odd"), ("b", "strange"), ("", "good")])
    with pytest.raises(InputError) as error:
        run(on_bad_row="quarantine", max_bad_fraction=0.01)
    assert str(error.value) == (
        "max_bad_fraction: 3 of 203 rows (1.48%) cannot be used, and 1.00% may be: "
        "2 x unknown label, as a.csv line 202: label 'odd' is neither in labels nor in label_map; "
        "1 x missing text, as a.csv line 204: no text in column 'text'; fix the rows or raise the bound"
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


def test_a_new_shard_begins_every_so_many_rows_and_holds_the_rows_in_order(run, tmp_path, monkeypatch):
    monkeypatch.setattr(shards, "ROWS_PER_SHARD", 30)
    write(tmp_path / "data/a.csv")
    ran = run(split={"train": 1})
    assert sorted(os.listdir(ran.folder / "Split-train")) == [f"data_tfrecord-00000-{n:05d}.gz" for n in range(7)]
    assert ran.texts() == {"train": [text for text, _ in ROWS]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "input_base: a.csv is empty; "),
        (b"text,label\n", "input_base: a.csv has a header but no rows; "),
        (b"texts,label\na,good\n", "text_column: 'text' is not a column of a.csv (it has: texts, label); did you"),
        (b"text,label\nthe only row,good\n", "split: none of the 1 usable rows fell into "),
    ],
)
def test_a_file_that_is_no_data_set_stops_the_run(run, tmp_path, content, message):
    (tmp_path / "data/a.csv").write_bytes(content)
    with pytest.raises(InputError) as error:
        run()
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"pattern": "*.tsv"}, "input_base: no file matches "),
        ({"input_base": "/no/such/folder"}, "input_base: no file matches /no/such/folder/*; "),
        ({"pattern": "span-{SPAN}/*"}, "pattern: no span or version can be found in "),
    ],
)
def test_no_file_stops_the_run(run, tmp_path, settings, message):
    write(tmp_path / "data/a.csv")
    with pytest.raises(InputError) as error:
        run(**settings)
    assert str(error.value).startswith(message)


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
