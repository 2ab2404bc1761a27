"""A file to label is read as the files of training were, or as it is found to be, which is told."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from fullbake.command_line.main import main
from fullbake.components.data.dialect import Dialect
from fullbake.pipeline.prediction.predictor import Predictor
from tests.pipeline.tiny_model import ADDED, LABELS, export
from tests.pipeline.trained_reading import back, config, expected, label, trained

ESCAPED = {"escape_character": "\\", "quoting": "none"}
# How the files of training were written; one to label that is written so; its texts.
AS_TRAINED = [
    ({"delimiter": ";"}, "id;comment\n1;you are, bad\n", ["you are, bad"]),
    ({"delimiter": "||"}, "id||comment\n1||a | b\n2||bad\n", ["a | b", "bad"]),
    ({"delimiter": "\t", "quoting": "none"}, 'id\tcomment\n1\t"bad\n2\tidiot "\n', ['"bad', 'idiot "']),
    ({"encoding": "cp1252"}, "comment\nschöne Lampe für später\n".encode("cp1252"), ["schöne Lampe für später"]),
    ({"encoding": "cp1251"}, "comment\nхороший день\n".encode("cp1251"), ["хороший день"]),
    ({"encoding": "shift_jis"}, "comment\n日本語の文\n".encode("shift_jis"), ["日本語の文"]),
    ({"encoding": "utf-16-le"}, "comment\nлампа\n".encode("utf-16-le"), ["лампа"]),
    ({"encoding": "cp1252"}, "comment\nyou are\n", ["you are"]),
    ({"quote_character": "'"}, "comment,id\n'bad, idiot',1\n'it''s',2\n", ["bad, idiot", "it's"]),
    ({"escape_character": "\\"}, 'comment,id\n"a \\"bad\\" one",1\n', ['a "bad" one']),
    (ESCAPED, "comment,id\na\\, b,1\nc\\nd,2\n", ["a, b", "c\nd"]),
    ({"escape_character": None}, "comment,id\nC:\\new,1\nD:\\\\,2\n", ["C:\\new", "D:\\\\"]),
    ({"skip_initial_space": True}, 'id, comment\n1, "bad, it is"\n', ["bad, it is"]),
    ({"skip_initial_space": False}, "id,comment\n1, bad\n2, it is\n3, idiot\n", [" bad", " it is", " idiot"]),
    ({"comment_prefix": "%%"}, "%% made by us\nid,comment\n1,bad\n", ["bad"]),
    ({"short_rows": "fill"}, "comment,a,b\nbad\nit is,1,2\nlovely,1,2\nvery,1,2\n", ["bad", "it is", "lovely", "very"]),
    ({"trailing_delimiter": True}, "id,comment\n1,bad,\n2,it is\n3,very\n", ["bad", "it is", "very"]),
]


@pytest.mark.parametrize(("keys", "content", "texts"), AS_TRAINED)
def test_a_file_written_as_those_of_training_is_read_as_they_were(predictor, tmp_path: Path, keys, content, texts):
    done, target = label(trained(predictor, **keys), tmp_path, content)
    assert done.notes == []
    delimiter, quoting = keys.get("delimiter", ","), config(**keys).quoting
    unquoted = quoting == "none" and keys is not ESCAPED
    rows = [line.split(delimiter) for line in target.read_text().splitlines()] if unquoted else back(target, delimiter)
    place = [title.strip() for title in rows[0]].index("comment")
    assert [row[place] for row in rows[1:]] == texts
    assert [row[-4:] for row in rows[1:]] == expected(predictor, texts)


# How the files of training were written; one that is not; its texts; what is told.
OTHERWISE = [
    (
        {},
        "id;comment\n1;schöne Lampe, für später\n".encode("cp1252"),
        ["schöne Lampe, für später"],
        "in.csv is read as: delimiter ';', encoding cp1252; the training files had ',', utf-8",
    ),
    (
        {"delimiter": ";", "encoding": "cp1252"},
        "id,comment\n1,schöne Lampe; für später\n",
        ["schöne Lampe; für später"],
        "in.csv is read as: delimiter ',', encoding utf-8; the training files had ';', cp1252",
    ),
    (
        {},
        "id\tcomment\n1\tyou are\n".encode("utf-16"),
        ["you are"],
        "in.csv is read as: delimiter '\\t', encoding utf-16; the training files had ',', utf-8",
    ),
    (
        {"encoding": "shift_jis"},
        "comment\nкакой хороший день\n".encode("cp1251"),
        ["какой хороший день".encode("cp1251").decode("cp1252")],
        "in.csv is read as: encoding cp1252; the training files had shift_jis",
    ),
    (
        {"quote_character": "'"},
        'comment,id\n"bad, idiot",1\n"it\'s",2\n',
        ["bad, idiot", "it's"],
        "in.csv is read as: quote_character \"; the training files had '",
    ),
    (
        {},
        'comment,id\n"a \\"bad\\", one",1\n"\\"it is\\", he said",2\n',
        ['a "bad", one', '"it is", he said'],
        "in.csv is read as: escape_character \\; the training files had none",
    ),
    (
        {},
        'comment,id\n"\\"it is\\" he said",1\n"a \\"bad\\" one",2\n"very",3\n',
        ['"it is" he said', 'a "bad" one', "very"],
        "in.csv is read as: escape_character \\; the training files had none",
    ),
    (
        {},
        "# by hand\n# twice\nid,comment\n1,bad\n",
        ["bad"],
        "in.csv is read as: comment_prefix #; the training files had none",
    ),
    (
        {},
        "id,comment\n1,bad,\n2,it is,\n3,very,\n",
        ["bad", "it is", "very"],
        "in.csv is read as: trailing_delimiter true; the training files had false",
    ),
]


@pytest.mark.parametrize(("keys", "content", "texts", "told"), OTHERWISE)
def test_a_file_written_otherwise_is_read_as_it_is_and_that_is_told(predictor, tmp_path, keys, content, texts, told):
    done, target = label(trained(predictor, **keys), tmp_path, content)
    assert done.notes[:1] == [told]
    delimiter = {";": ";", "\t": "\t"}.get(back(target)[0][0][2:3], ",")
    rows = back(target, delimiter)
    assert [row[rows[0].index("comment")] for row in rows[1:]] == texts
    assert [row[-4:] for row in rows[1:]] == expected(predictor, texts)


def test_a_model_of_a_release_that_kept_nothing_reads_by_the_defaults(predictor, tmp_path: Path):
    for content, told in (
        ("id,comment\n1,bad\n", []),
        ("id|comment\n1|bad\n", ["in.csv is read as: delimiter '|'; the default is ','"]),
        (
            "comment\nschön\n".encode("cp1252"),
            ["in.csv is read as: encoding cp1252; the default is utf-8"],
        ),
    ):
        done, target = label(predictor, tmp_path, content)
        assert done.notes == told
        assert (done.rows, done.unlabelled) == (1, {})
        assert back(target, "|" if "|" in target.read_text() else ",")[1][-4] in LABELS


def test_what_is_said_of_a_file_wins_and_is_not_told(predictor, tmp_path: Path):
    latin = "id,comment\n1,schön\n".encode("iso8859-2")
    model = trained(predictor, encoding="cp1252")
    done, target = label(model, tmp_path, latin, encoding="iso8859-2")
    assert (done.notes, back(target)[1][1]) == ([], "schön")
    done, target = label(model, tmp_path, "comment;n,comment\nyou;1,bad\n", delimiter=",")
    assert (done.notes, back(target)[1][:2]) == ([], ["you;1", "bad"])
    for quoting, rows in (("none", 3), ("standard", 1)):
        content = 'comment\tn\n"you are\t1\nlovely\t2\nbad"\t3\n'
        done, target = label(trained(predictor, delimiter="\t"), tmp_path, content, quoting=quoting)
        assert (done.notes, done.rows, done.unlabelled.total()) == ([], rows, 0)


def test_a_file_of_texts_alone_may_have_any_delimiter_in_them(predictor, tmp_path: Path):
    texts = ["you, are | bad", "it; is\tvery", "lovely"]
    done, target = label(trained(predictor), tmp_path, "\n".join(["comment", *texts, ""]))
    assert (done.notes, done.unlabelled) == ([], {})
    assert [row[0] for row in back(target)] == ["comment", *texts]
    assert [row[1:] for row in back(target)[1:]] == expected(predictor, texts)


def test_rows_come_back_with_the_delimiter_and_the_quotes_of_the_input(predictor, tmp_path: Path):
    lines = ["id;comment", '5;"it', '7;very"', '8;"a" bad', "9;lovely"]
    for delimiter in ("\t", ";", "|"):
        content = "\n".join(lines).replace(";", delimiter)
        done, target = label(trained(predictor, delimiter=delimiter), tmp_path, content)
        assert [note[:40] for note in done.notes] == ["double quotes are characters like any ot"]
        for written, line in zip(target.read_text().splitlines(), content.splitlines(), strict=True):
            assert written.startswith(line + delimiter)
            assert written.count(delimiter) == 1 + len(ADDED)
    # A field with too many delimiters would need quotes: all are written as RFC 4180 has them.
    _, target = label(trained(predictor, delimiter="\t", quoting="none"), tmp_path, 'id\tcomment\n1\t"bad\n2\tit\tis\n')
    assert target.read_text().splitlines()[1].startswith('1\t"""bad"\t')
    assert [row[:2] for row in back(target, "\t")[1:]] == [["1", '"bad'], ["2", "it\tis"]]
    _, target = label(trained(predictor, delimiter="::"), tmp_path, 'id::comment\n1::"a::b:"\n2:::c\n')
    assert [row[:2] for row in back(target, "::")[1:]] == [["1", "a::b:"], ["2", ":c"]]


def test_columns_of_one_name_are_all_kept(predictor, tmp_path: Path):
    content = "n,comment,n,n.1,label,label\n1,bad,2,3,x,y\n"
    _, target = label(predictor, tmp_path, content, target="out.jsonl")
    assert target.read_text().startswith(
        '{"n": "1", "comment": "bad", "n.2": "2", "n.1": "3", "input_label": "x", "input_label.1": "y", "label": '
    )
    _, target = label(predictor, tmp_path, content)
    assert target.read_text().startswith("n,comment,n,n.1,input_label,input_label,label,")


def test_an_exported_model_remembers_and_the_command_tells(base, transform, model: str, tmp_path: Path):
    data = config(encoding="cp1252", delimiter=";", columns=["comment", "label"], null_values=["-"])
    reading = data.reading.to_dict()
    other = export(base, transform, tmp_path / "model", LABELS, reading=reading, text_columns=data.text_columns)
    kept = Predictor(other).reading
    assert Dialect.from_dict(kept.dialect) == data.dialect
    assert (kept.null_values, kept.label_column) == (("-",), "label")
    source, target, text = tmp_path / "in.csv", tmp_path / "out.csv", "schöne Lampe für später"
    source.write_bytes(f"comment\n{text}\n".encode("cp1252"))
    for path, delimiter, told in (
        (other, ";", "a header; the training files had no header"),
        (model, ",", "encoding cp1252; the default is utf-8"),
    ):
        arguments = ["predict", "--model", path, "--input", str(source), "--output", str(target)]
        done = CliRunner().invoke(main, arguments, catch_exceptions=False)
        assert done.stdout == f"1 row labelled: {target}\n"
        assert (done.exit_code, done.stderr) == (0, f"warning: in.csv is read as: {told}\n")
        assert back(target, delimiter)[1:] == [[text, *expected(Predictor(path), [text])[0]]]
