import gzip
import json
import os

import pandas as pd
import pytest

from fullbake.components.data.dialect import Dialect
from fullbake.components.data.row_format import RowFormat
from fullbake.contract.errors import InputError
from tests.components.data_formats import COMPRESSIONS, FORMATS, save_dataset
from tests.components.ingested import ROWS, TEST_ROWS, TWO_SPLITS, write

FORMAT_OF_NAMES = RowFormat("text", "label", ("good", "bad"))


@pytest.mark.parametrize(
    ("fmt", "encoding", "dialect"),
    [
        (
            RowFormat("text", "label", ("good", "bad"), dialect=Dialect(delimiter=";", encoding="cp1252")),
            "cp1252",
            {"delimiter": ";"},
        ),
        (RowFormat("text", "label", ("good", "bad"), dialect=Dialect(delimiter="\t")), "utf-16", {"delimiter": "\t"}),
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


def test_a_broken_gzip_file_stops_the_run(run, tmp_path):
    whole = gzip.compress(b"text,label\n" + os.urandom(50_000).hex().encode())
    (tmp_path / "data/a.csv.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"^input_base: a.csv.gz is not a whole gzip file \("):
        run()
    (tmp_path / "data/a.csv.gz").write_bytes(b"text,label\n")
    with pytest.raises(InputError, match=r"^input_base: a.csv.gz is not a whole gzip file \("):
        run()


def frame(rows):
    """The labels are numbers, as `FORMAT.label_map` has them."""
    return pd.DataFrame(
        {"n": range(len(rows)), "text": [t for t, _ in rows], "label": [int(k == "good") for _, k in rows]}
    )


def test_a_folder_may_mix_formats_and_each_row_counts_once(run, tmp_path):
    write(tmp_path / "data/a.csv", ROWS[:50])
    frame(ROWS[50:100]).to_json(tmp_path / "data/b.jsonl", orient="records", lines=True)
    frame(ROWS[100:150]).to_json(tmp_path / "data/c.jsonl.gz", orient="records", lines=True)
    frame(ROWS[150:]).to_parquet(tmp_path / "data/d.parquet")
    frame(ROWS[:2]).to_parquet(tmp_path / "data/_d.parquet")
    ran = run()
    assert ran.all_texts() == sorted(text for text, _ in ROWS)
    labels = dict(ROWS)
    assert all(example["label"] == labels[example["text"]] for example in ran.examples("train"))
    assert ran.counts["lines"] == {"total": 201, "header": 1, "blank": 0, "used": 200, "rejected": 0}
    # The split is of the text, not of the file.
    for file in (tmp_path / "data").iterdir():
        file.unlink()
    frame(ROWS).to_parquet(tmp_path / "data/all.parquet")
    assert {split: sorted(texts) for split, texts in run().texts().items()} == {
        split: sorted(texts) for split, texts in ran.texts().items()
    }


def test_a_run_reads_every_format_and_every_compression(run, tmp_path):
    kinds = [*((suffix, None) for suffix in FORMATS), *((".csv", suffix) for suffix in COMPRESSIONS), (".json", ".zst")]
    for number, (suffix, compression) in enumerate(kinds):
        content = FORMATS[suffix](frame(ROWS[number * 15 : number * 15 + 15]))
        file = tmp_path / f"data/{number}{suffix}{compression or ''}"
        file.write_bytes(COMPRESSIONS[compression](content) if compression else content)
    ran = run()
    assert ran.all_texts() == sorted(text for text, _ in ROWS[: len(kinds) * 15])
    labels = dict(ROWS)
    assert all(example["label"] == labels[example["text"]] for example in ran.examples("train"))
    assert ran.counts["rejected"] == 0


def test_a_run_reads_the_splits_of_a_saved_dataset(run, tmp_path):
    for folder, rows in (("train", ROWS), ("test", TEST_ROWS)):
        save_dataset(tmp_path / "set" / folder, [text for text, _ in rows], [int(name == "good") for _, name in rows])
    base = str(tmp_path / "set/train")
    ran = run(FORMAT_OF_NAMES, split=TWO_SPLITS, input_base=base, test_base=str(tmp_path / "set/test"))
    assert ran.all_texts() == sorted(text for text, _ in [*ROWS, *TEST_ROWS])
    labels = dict(TEST_ROWS)
    assert all(example["label"] == labels[example["text"]] for example in ran.examples("test"))


@pytest.mark.parametrize("name", ["b.csv.zst", "b.csv.zip", "b.json", "b.arrow", "b.xlsx"])
def test_a_damaged_file_of_any_format_stops_the_run_by_its_name(run, tmp_path, name):
    write(tmp_path / "data/a.csv")
    suffix, compression = (f".{part}" for part in [*name.split(".")[1:], "gz"][:2])
    content = FORMATS[suffix](frame(ROWS))
    content = COMPRESSIONS[compression](content) if name.endswith(compression) else content
    (tmp_path / "data" / name).write_bytes(content[:-40])
    with pytest.raises(InputError, match=rf"^input_base: {name} is not? (a )?whole .*(again|write it again)$"):
        run()


def test_bad_rows_of_every_format_are_written_aside_with_their_place(run, tmp_path):
    write(tmp_path / "data/a.csv")
    (tmp_path / "data/b.jsonl").write_text('{"text": "b", "label": 1}\nnot JSON\n\n{"text": "b2", "label": 7}\n')
    pd.DataFrame({"text": ["c", None], "label": [1, 1], "id": [1, 2]}).to_parquet(tmp_path / "data/c.parquet")
    ran = run(on_bad_row="quarantine", max_bad_fraction=0.5)
    assert [(row["file"], row["line"], json.loads(row["fields"])) for row in ran.rejected] == [
        ("b.jsonl", "2", ["not JSON"]),
        ("b.jsonl", "4", ['{"text": "b2", "label": 7}']),
        ("c.parquet", "2", ["", "1"]),
    ]
    assert ran.counts["reasons"] == {"malformed JSON": 1, "unknown label": 1, "missing text": 1}
    assert ran.counts["lines"] == {"total": 207, "header": 1, "blank": 1, "used": 202, "rejected": 3}
    with pytest.raises(InputError, match=r"^on_bad_row: b\.jsonl line 2: the line is no JSON: "):
        run()
    (tmp_path / "data/b.jsonl").unlink()
    with pytest.raises(InputError, match=r"^on_bad_row: c\.parquet row 2: no text in column 'text'; "):
        run()


def test_a_test_folder_and_a_corpus_may_be_of_any_format(run, tmp_path):
    write(tmp_path / "data/a.csv")
    for folder in ("test", "corpus"):
        (tmp_path / folder).mkdir()
    frame(TEST_ROWS).to_parquet(tmp_path / "test/a.parquet")
    (tmp_path / "corpus/a.jsonl").write_text('{"text": "new"}\n{"text": "Test text 1"}\n')
    pd.DataFrame({"text": ["newer", "test text 2"]}).to_parquet(tmp_path / "corpus/b.parquet")
    ran = run(split=TWO_SPLITS, test_base=str(tmp_path / "test"), corpus_base=str(tmp_path / "corpus"))
    assert ran.texts()["test"] == [text for text, _ in TEST_ROWS]
    assert [example["text"] for example in ran.examples("corpus")] == ["new", "newer"]
    assert ran.counts["corpus_reasons"] == {"also in the eval or test split": 2}


def test_repeats_are_found_across_formats_and_named_by_line_or_row(run, tmp_path):
    write(tmp_path / "data/a.csv", [*ROWS, ("twice", "good")])
    frame([("x", "good"), ("twice", "good")]).to_parquet(tmp_path / "data/b.parquet")
    assert run().counts["repeats"]["first_duplicate"] == "a.csv line 202 and b.parquet row 2"


def test_a_damaged_parquet_file_stops_the_run_by_its_name(run, tmp_path):
    write(tmp_path / "data/a.csv")
    frame(ROWS).to_parquet(tmp_path / "data/b.parquet")
    content = (tmp_path / "data/b.parquet").read_bytes()
    (tmp_path / "data/b.parquet").write_bytes(content[:-100])
    with pytest.raises(InputError, match=r"^input_base: b\.parquet is not a whole Parquet file \(.*; copy it here"):
        run()
