"""Labels that are the names of files or folders."""

import gzip
import json
import re
from dataclasses import replace

import pandas as pd
import pytest

from fullbake.contract.errors import InputError
from tests.components.ingested import FORMAT, TWO_SPLITS, write

GOOD = [f"a good text {number}, and more" for number in range(60)]
BAD = [f"a bad text {number}" for number in range(60)]
LABELS = {**dict.fromkeys(GOOD, "good"), **dict.fromkeys(BAD, "bad")}


def write_single(folder, texts, suffix=".txt"):
    folder.mkdir(parents=True, exist_ok=True)
    for number, text in enumerate(texts):
        (folder / f"{number}{suffix}").write_text(text, encoding="utf-8")


def labelled(ran):
    return {row["text"]: row["label"] for split in ran.counts["examples"] for row in ran.examples(split)}


def lines(texts):
    return "".join(f"{text}\n" for text in texts)


def test_a_file_to_a_class_of_a_text_to_a_line(run, tmp_path):
    (tmp_path / "data/good.txt.gz").write_bytes(gzip.compress(lines(GOOD).encode()))
    (tmp_path / "data/rt-polarity.neg").write_text("\n" + lines(BAD))
    fmt = replace(FORMAT, label_map={"rt-polarity.neg": "bad"})
    ran = run(fmt, label_from="filename")
    assert labelled(ran) == LABELS
    assert ran.counts["lines"] == {"total": 121, "header": 0, "blank": 1, "used": 120, "rejected": 0}


def test_a_table_to_a_class(run, tmp_path):
    write(tmp_path / "data/good.csv", [(text, "bad") for text in GOOD[:20]])
    pd.DataFrame({"text": GOOD[20:]}).to_parquet(tmp_path / "data/1.parquet")
    (tmp_path / "data/0.jsonl").write_text(lines(json.dumps({"text": text}) for text in BAD))
    assert labelled(run(label_from="filename")) == LABELS


def test_a_table_whose_name_does_not_say_so_is_no_file_of_texts(run, tmp_path):
    (tmp_path / "data/good.txt").write_text(lines(GOOD))
    (tmp_path / "data/bad.data").write_text("id,text\n1,first\n")
    fmt = replace(FORMAT, label_map={"bad.data": "bad"})
    with pytest.raises(InputError, match=r"^input_base: the first line of bad.data has 'text' as a table's header"):
        run(fmt, label_from="filename")
    (tmp_path / "data/bad.data").rename(tmp_path / "data/bad.txt")
    assert labelled(run(label_from="filename"))["id,text"] == "bad"


@pytest.mark.parametrize(
    ("label_from", "name", "said"),
    [
        ("filename", "goood.txt", "file goood.txt: its name, 'goood', is neither in labels nor in label_map; did you "),
        (
            "filename",
            "sonstiges.txt",
            "file sonstiges.txt: its name, 'sonstiges', is neither in labels nor in label_ma",
        ),
        (
            "folder",
            "badd/1",
            "folder badd: its name, 'badd', is neither in labels nor in label_map; did you mean 'bad'",
        ),
        ("folder", "badd/1.csv", "folder badd/1.csv: its name, 'badd', is neither in labels nor in label_map; did you"),
        (
            "folder",
            "readme",
            "readme is in no folder of a class, as label_from folder has it; move it, or let pattern ",
        ),
    ],
)
def test_a_name_that_is_no_label_stops_before_anything_is_read(run, tmp_path, label_from, name, said):
    (tmp_path / "data/good").mkdir()
    # Were it read, the error would be of this file.
    (tmp_path / "data/good" / "good.txt.gz").write_bytes(b"no gzip")
    (tmp_path / "data" / name).parent.mkdir(exist_ok=True)
    (tmp_path / "data" / name).write_text("text\n")
    with pytest.raises(InputError, match=f"^input_base: {re.escape(said)}"):
        run(pattern="**/*", label_from=label_from)


def test_an_empty_file_of_a_class_stops_the_run_by_its_name(run, tmp_path):
    (tmp_path / "data/good.txt").write_text(lines(GOOD))
    (tmp_path / "data/bad.txt").touch()
    with pytest.raises(InputError, match=r"^input_base: bad\.txt has no text; "):
        run(label_from="filename")


def test_a_folder_to_a_class_of_a_text_to_a_file(run, tmp_path):
    texts = [f"{text}\r\n\r\nand  a second line\n" for text in GOOD]
    write_single(tmp_path / "data/good", texts[:40])
    write_single(tmp_path / "data/good/deeper", texts[40:], suffix="")
    write_single(tmp_path / "data/bad", BAD[:30])
    write(tmp_path / "data/bad/more.csv", [(text, "good") for text in BAD[30:]])
    for path in (tmp_path / "data/good").rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_text().replace("\n\n", "\r\n\r\n").encode())
    ran = run(pattern="*/**", label_from="folder")
    found = labelled(ran)
    assert {" ".join(text.split()): label for text, label in found.items()} == {
        **dict.fromkeys((" ".join(text.split()) for text in texts), "good"),
        **dict.fromkeys(BAD, "bad"),
    }
    assert all("\r\n\r\n" in text for text, label in found.items() if label == "good")
    assert ran.counts["lines"] == {"total": 121, "header": 1, "blank": 0, "used": 120, "rejected": 0}
    # One set of shards a class and one for the table, not one a file.
    assert len(list((ran.folder / "Split-train").iterdir())) == 3


def test_a_damaged_text_is_a_bad_row_named_by_its_file(run, tmp_path):
    write_single(tmp_path / "data/good", GOOD)
    write_single(tmp_path / "data/bad", BAD)
    (tmp_path / "data/good/3.txt").touch()
    (tmp_path / "data/good/7.txt").write_bytes(b"")
    (tmp_path / "data/bad/20.txt").write_bytes(b"caf\xe9")
    (tmp_path / "data/bad/21.txt").write_bytes(b"\x1f\x8b\x08\0")
    (tmp_path / "data/bad/5.txt").write_text("<html>a page</html>")
    ran = run(pattern="*/*", label_from="folder", on_bad_row="quarantine", max_bad_fraction=0.1)
    assert {(row["file"], row["line"]): row["reason"].split(";")[0] for row in ran.rejected} == {
        ("bad/20.txt", "1"): "byte 0xe9 in the file is not utf-8",
        ("bad/21.txt", "1"): "the file is compressed with gzip, not text",
        ("good/7.txt", "1"): "the file is empty",
    }
    assert "<html>a page</html>" in labelled(ran)
    with pytest.raises(InputError, match=r"^on_bad_row: bad/20\.txt: byte 0xe9 in the file is not utf-8; is enco"):
        run(pattern="*/*", label_from="folder")


def test_texts_that_repeat_are_named_by_their_files(run, tmp_path):
    write_single(tmp_path / "data/good", [*GOOD, "twice"])
    write_single(tmp_path / "data/bad", [*BAD, "twice"])
    assert run(pattern="*/*", label_from="folder").counts["repeats"]["first_conflict"] == (
        "bad/60.txt ('bad') and good/60.txt ('good')"
    )


def test_the_folder_of_a_class_is_the_first_that_the_pattern_leaves_open(run, tmp_path):
    for span, texts in ((1, 30), (2, 60)):
        write_single(tmp_path / f"data/span-{span}/good/en", GOOD[:texts])
        write_single(tmp_path / f"data/span-{span}/bad", BAD[:texts])
    ran = run(pattern="span-{SPAN}/*/**", label_from="folder")
    assert labelled(ran) == LABELS
    assert ran.counts["drift"] is not None  # the span before was read likewise


def test_a_test_folder_has_the_same_layout(run, tmp_path):
    write_single(tmp_path / "data/good", GOOD)
    write_single(tmp_path / "data/bad", BAD)
    write_single(tmp_path / "test/good", [f"test {text}" for text in GOOD[:5]])
    write_single(tmp_path / "test/bad/deep", [f"test {text}" for text in BAD[:5]])
    settings = {"pattern": "*/*", "label_from": "folder", "split": TWO_SPLITS, "test_base": str(tmp_path / "test")}
    ran = run(**settings)
    assert sorted((row["text"], row["label"]) for row in ran.examples("test")) == sorted(
        (f"test {text}", LABELS[text]) for text in (*GOOD[:5], *BAD[:5])
    )
    (tmp_path / "test/bad").rename(tmp_path / "test/baad")
    with pytest.raises(InputError, match=r"^test_base: folder .*/test/baad: its name, 'baad', is neither"):
        run(**settings)


def test_a_text_that_changed_its_class_is_new_data(run, tmp_path):
    write_single(tmp_path / "data/good", GOOD)
    write_single(tmp_path / "data/bad", BAD)
    first = run(pattern="*/*", label_from="folder")
    assert run(pattern="*/*", label_from="folder").artifact.id == first.artifact.id
    (tmp_path / "data/good/0.txt").rename(tmp_path / "data/bad/x0.txt")
    assert labelled(run(pattern="*/*", label_from="folder"))[GOOD[0]] == "bad"
