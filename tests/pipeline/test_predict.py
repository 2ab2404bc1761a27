import csv
import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from click.testing import CliRunner

from fullbake.command_line.main import main
from fullbake.components.data.dialect import Dialect
from fullbake.components.data.quoting import ORDINARY, STANDARD
from fullbake.components.data.readers.csv_records import read_records
from fullbake.components.data.text_encoding import KEEP_UNDECODABLE
from fullbake.contract.errors import InputError
from fullbake.pipeline.prediction import label_file as labelling
from fullbake.pipeline.prediction.label_file import check_files, label_file
from fullbake.pipeline.prediction.predictor import Predictor
from tests.pipeline.tiny_model import ADDED, LABELS, TEXTS
from tests.pipeline.trained_reading import back


@pytest.fixture
def label(predictor: Predictor, tmp_path: Path):
    """Labels a CSV file's bytes; gives the header and the rows that come back."""

    def run(content: bytes, delimiter: str = ",", encoding: str = "utf-8") -> tuple[list[str], list[list[str]]]:
        source, target = tmp_path / "in.csv", tmp_path / "out.csv"
        source.write_bytes(content)
        done = label_file(predictor, source, target, delimiter=delimiter, encoding=encoding)
        header, *rows = [record[1] for record in read_records(io.BytesIO(target.read_bytes()), Dialect(delimiter))]
        assert done.rows == len(rows)
        assert not done.unlabelled
        assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.csv"]
        return header, rows

    return run


def refusal(label, tmp_path: Path, content: bytes, **options: str) -> str:
    (tmp_path / "out.csv").write_text("from before", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        label(content, **options)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.csv"]
    assert (tmp_path / "out.csv").read_text(encoding="utf-8") == "from before"
    assert "\n" not in str(caught.value)
    return str(caught.value)


def encode(rows: list[list[str]], delimiter: str = ",") -> bytes:
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(rows)
    return stream.getvalue().encode()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_every_row_and_column_comes_back_in_order(label, delimiter: str):
    texts = [
        "you are kind",
        'she said "lovely", twice',
        "two\nlines",
        "two\r\nlines",
        "an old line\rend",
        "семь; 世界 👋🏽",
        "  spaces  ",
        "a\ttab | and; more, all",
        '"',
        "=1+1",
        "you are kind",
    ]
    rows = [[str(number), text, f"note, {text}"] for number, text in enumerate(texts)]
    header, labelled = label(encode([["id", "comment", "a, note"], *rows], delimiter), delimiter)
    assert header == ["id", "comment", "a, note", *ADDED]
    assert [row[:3] for row in labelled] == rows


def test_labels_and_probabilities_are_the_models(label, predictor: Predictor):
    texts = TEXTS * 3
    _, labelled = label(encode([["comment"], *([text] for text in texts)]))
    expected = predictor.predict({"text": [text.encode() for text in texts]})
    assert len({prediction.label for prediction in expected}) > 1
    for row, prediction in zip(labelled, expected, strict=True):
        probabilities = [float(value) for value in row[2:]]
        assert row[1] == prediction.label == LABELS[probabilities.index(max(probabilities))]
        assert probabilities == pytest.approx(list(prediction.probabilities), abs=1e-6)
        assert sum(probabilities) == pytest.approx(1, abs=3e-6)


def test_nul_and_undecodable_bytes_come_back_as_they_were(label, predictor: Predictor, tmp_path: Path):
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_bytes(b'id,comment\n\xff\xfe,"caf\0, bad"\n2,\xf0\x9f\x91\n')
    done = label_file(predictor, source, target, encoding="utf-8")
    first, second = target.read_bytes().split(b"\n")[1:3]
    assert first.startswith(b'\xff\xfe,"caf\0, bad",')
    assert second == b"2,\xf0\x9f\x91,,,,"
    (prediction,) = predictor.predict({"text": [b"caf\0, bad"]})
    assert first.decode("utf-8", KEEP_UNDECODABLE).split(",")[3] == prediction.label
    assert done.first == {
        "undecodable bytes": "line 3: byte 0xf0 in column 'comment' is not utf-8; is --encoding right?"
    }


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-8-sig"])
def test_the_output_is_utf_8_whatever_the_input_is(label, tmp_path: Path, encoding: str):
    header, rows = label("größe,comment\nä,ein schöner Tag\n".encode(encoding), encoding=encoding)
    assert header[:2] == ["größe", "comment"]
    assert rows[0][:2] == ["ä", "ein schöner Tag"]
    assert (tmp_path / "out.csv").read_bytes().startswith("größe,comment,label,".encode())


def test_columns_of_the_input_with_our_names_are_kept_under_another(label):
    header, rows = label(b"p_rude,comment,label,p_other\nx,you are,gold,y\n")
    assert header == ["input_p_rude", "comment", "input_label", "p_other", *ADDED]
    assert rows[0][:4] == ["x", "you are", "gold", "y"]


def test_no_two_columns_of_the_output_have_one_name(label):
    header, rows = label(b"label,input_label,comment\nx,y,you are\n")
    assert header == ["input_input_label", "input_label", "comment", *ADDED]
    assert rows[0][:3] == ["x", "y", "you are"]


def test_the_column_of_the_training_data_is_read_before_one_named_text(label, predictor: Predictor):
    _, rows = label(b"text,comment\nwhat a lovely garden,you are a bad idiot\n")
    by_comment, by_text = predictor.predict({"text": [b"you are a bad idiot", b"what a lovely garden"]})
    assert by_comment.probabilities != pytest.approx(by_text.probabilities, abs=1e-3)
    assert [float(value) for value in rows[0][3:]] == pytest.approx(list(by_comment.probabilities), abs=1e-6)
    _, rows = label(b"id,text\n1,what a lovely garden\n")
    assert [float(value) for value in rows[0][3:]] == pytest.approx(list(by_text.probabilities), abs=1e-6)


def test_a_file_without_the_column_is_refused_with_what_it_has(label, tmp_path: Path):
    message = refusal(label, tmp_path, b"id,body\n1,you are\n")
    assert message.startswith("--input: 'comment' is not a column of ")
    assert "(it has: id, body)" in message
    assert message.endswith("rename yours")


def test_an_empty_file_and_one_whose_header_cannot_be_read_are_refused(label, tmp_path: Path):
    assert "in.csv is empty" in refusal(label, tmp_path, b"")
    assert "in.csv, line 1: the header cannot be read: " in refusal(label, tmp_path, b'id,"comment\n1,a\n')


BAD_ROWS = b"""id,comment,note
1,you are,x
2,you are,x,y,"z
z"
3
4,"a "bad" one",x
5,"two
lines",x
6,it is,"never closed
7,not,x
"""


def test_rows_that_cannot_be_read_come_back_in_their_place_without_a_label(
    predictor: Predictor, model: str, tmp_path: Path, monkeypatch
):
    monkeypatch.setattr(labelling, "BATCH_ROWS", 2)
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_bytes(BAD_ROWS)
    done = label_file(predictor, source, target, delimiter=",", encoding="utf-8")
    header, *rows = [record.fields for record in read_records(io.BytesIO(target.read_bytes()))]
    assert [row[:3] for row in rows] == [
        ["1", "you are", "x"],
        ["2", "you are", "x,y,z\nz"],
        ["3", "", ""],
        ["4", '"a "bad" one"', "x"],
        ["5", "two\nlines", "x"],
        ["6", "it is", '"never closed'],
        ["7", "not", "x"],
    ]
    assert {len(row) for row in rows} == {len(header)}
    assert [bool(row[3]) for row in rows] == [True, False, False, False, True, False, False]
    assert all(row[4:] == ["", "", ""] for row in rows if not row[3])
    assert (done.rows, done.unlabelled) == (7, {"wrong number of fields": 2, "malformed quoting": 3})
    assert done.first["wrong number of fields"] == "line 3: 5 fields where the header has 3"
    assert done.first["malformed quoting"].startswith("line 6: the row that starts on line 6 has malformed quoting")

    printed = CliRunner().invoke(main, ["predict", "--model", model, "--input", str(source), "--output", str(target)])
    assert printed.exit_code == 0
    assert printed.stdout.startswith(f"2 rows labelled: {target}\n")
    assert "warning: 5 of 7 rows came back without a label: 3 x malformed quoting, as line 6: " in printed.output


def test_rows_that_a_stray_quote_would_join_are_all_labelled(predictor: Predictor, tmp_path: Path):
    source, target = tmp_path / "in.tsv", tmp_path / "out.tsv"
    lines = ['1\t"lamp on now', "2\tlamp off", "3\tdim it", '4\tlamp off "', "5\tlamp on"]
    for more, count in (("", 5), ('6\t"two\nlines"\n', 6)):
        source.write_text("id\tcomment\n" + "".join(f"{line}\n" for line in lines) + more, encoding="utf-8")
        done = label_file(predictor, source, target, delimiter="\t", encoding="utf-8")
        rows = back(target, "\t", STANDARD if more else ORDINARY)[1:]  # as the input has them
        assert ["\t".join(row[:2]) for row in rows[:5]] == lines
        assert all(row[2] in LABELS for row in rows)
        assert (done.rows, len(rows), done.unlabelled) == (count, count, {})
        assert [note.startswith("double quotes are characters like any other in ") for note in done.notes] == (
            [] if more else [True]
        )
    assert rows[5][:2] == ["6", "two\nlines"]
    options = {"delimiter": "\t", "encoding": "utf-8"}
    assert label_file(predictor, source, target, quoting="standard", **options).rows == 3
    assert label_file(predictor, source, target, quoting="none", **options).rows == 7


def test_what_a_spreadsheet_takes_for_a_formula_is_marked_only_on_request(label, predictor: Predictor, tmp_path: Path):
    cells = ["=1+1", "+1", "-1", "@a", "\t=1", "'=1", "a=1"]
    content = encode([["comment"], *([cell] for cell in cells)])
    assert [row[0] for row in label(content)[1]] == cells
    options = {"delimiter": ",", "encoding": "utf-8", "escape_formulas": True}
    label_file(predictor, tmp_path / "in.csv", tmp_path / "out.csv", **options)
    rows = [record.fields for record in read_records(io.BytesIO((tmp_path / "out.csv").read_bytes()))][1:]
    assert [row[0] for row in rows] == ["'=1+1", "'+1", "'-1", "'@a", "'\t=1", "'=1", "a=1"]


def test_the_input_is_not_overwritten_whatever_it_is_called(tmp_path: Path, monkeypatch):
    file = tmp_path / "both.csv"
    file.write_text("comment\nyou are\n", encoding="utf-8")
    (tmp_path / "link.csv").symlink_to(file)
    (tmp_path / "hard.csv").hardlink_to(file)
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path / "folder")
    options = {"delimiter": ",", "encoding": "utf-8", "quoting": "auto"}
    for source in (file, tmp_path / "link.csv"):
        for target in (
            file,
            tmp_path / "link.csv",
            tmp_path / "hard.csv",
            Path("../both.csv"),
            Path("../folder/../link.csv"),
        ):
            with pytest.raises(InputError, match=r"^--output: .* is the input; name another file"):
                check_files(source, target, **options)


def test_a_link_in_place_of_the_unfinished_file_is_not_followed_and_two_at_once_do_not_meet(
    predictor: Predictor, tmp_path: Path
):
    source, target, precious = tmp_path / "in.csv", tmp_path / "out.csv", tmp_path / "precious"
    source.write_text("comment\n" + "you are\n" * 3000, encoding="utf-8")
    precious.write_text("kept", encoding="utf-8")
    (tmp_path / ".out.csv.unfinished").symlink_to(precious)
    options = {"delimiter": ",", "encoding": "utf-8"}
    with ThreadPoolExecutor() as pool:
        futures = [pool.submit(label_file, predictor, source, target, **options) for _ in range(2)]
        assert [future.result().rows for future in futures] == [3000, 3000]
    assert precious.read_text(encoding="utf-8") == "kept"
    assert target.read_text(encoding="utf-8").count("\n") == 3001
    assert sorted(path.name for path in tmp_path.iterdir()) == [".out.csv.unfinished", "in.csv", "out.csv", "precious"]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"delimiter": ""}, "--delimiter: '' cannot stand between fields"),
        ({"delimiter": "\\t"}, "or $'\\t' in a shell"),
        ({"delimiter": '"'}, "--delimiter: "),
        ({"encoding": "klingon"}, "--encoding: 'klingon' is not a text encoding"),
    ],
)
def test_an_option_that_no_file_can_be_read_with_is_refused(label, tmp_path: Path, options: dict[str, str], problem):
    assert problem in refusal(label, tmp_path, b"comment\na\n", **options)


def test_a_source_or_target_that_cannot_be_is_refused(predictor: Predictor, tmp_path: Path):
    source = tmp_path / "in.csv"
    source.write_text("comment\na\n", encoding="utf-8")
    for given, target, problem in (
        (tmp_path / "none.csv", tmp_path / "out.csv", "--input: there is no file "),
        (source, tmp_path / "none/out.csv", "--output: there is no folder "),
        (source, tmp_path, "is a folder; name a file"),
    ):
        with pytest.raises(InputError, match=problem):
            label_file(predictor, given, target, delimiter=",", encoding="utf-8")
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


def test_a_file_with_a_header_alone_comes_back_with_the_added_columns(label):
    assert label(b"id,comment\n") == (["id", "comment", *ADDED], [])


def test_more_rows_than_one_batch_are_all_labelled_in_their_order(label):
    count = labelling.BATCH_ROWS + 3
    words = ["you", "garden", "very bad", "not"]
    rows = [[str(number), words[number % 4]] for number in range(count)]
    _, labelled = label(encode([["id", "comment"], *rows]))
    assert [row[:2] for row in labelled] == rows
    for number, row in enumerate(labelled):
        assert [float(value) for value in row[3:]] == pytest.approx(
            [float(value) for value in labelled[number % 4][3:]], abs=1e-5
        )
