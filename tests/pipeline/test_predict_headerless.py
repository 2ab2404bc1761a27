"""Files without a header, lines, and plain text, for models that were trained on such or not."""

from pathlib import Path

import pytest

from fullbake.contract.errors import InputError
from tests.pipeline.tiny_model import ADDED, TEXTS
from tests.pipeline.trained_reading import back, expected, label, trained

NAMED = {"columns": ["_", "comment", "label"]}
NUMBERED = {"text_column": 2, "label_column": 1}
TREC = {"line_pattern": r"(?P<label>\w+):\w+ (?P<comment>.*)"}
TEXTS_ALONE = "a text to a row; the training files had no header"


@pytest.mark.parametrize(
    ("keys", "content", "header", "texts", "told"),
    [
        (NAMED, "1,you are,x\n2,\"bad, it is\",y\n", ["1", "comment", "input_label"], ["you are", "bad, it is"], ""),
        (NAMED, "1;you are;x\n2;bad;y\n3;it;z\n", ["1", "comment", "input_label"], ["you are", "bad", "it"],
         "delimiter ';'; the training files had ','"),
        (NAMED, "id,comment\n1,bad\n", ["id", "comment"], ["bad"], "a header; the training files had no header"),
        (NAMED, "you are\nbad, bad\nidiot\n", ["comment"], ["you are", "bad, bad", "idiot"], TEXTS_ALONE),
        (NAMED, '"you are"\n"bad, ""it"" is"\n', ["comment"], ["you are", 'bad, "it" is'], TEXTS_ALONE),
        ({**NUMBERED, "delimiter": "\t"}, "x\tyou are\ny\tit, is\n", ["1", "2"], ["you are", "it, is"], ""),
        ({**NUMBERED, "delimiter": "\t"}, "2\tbad\n1\tlovely\n", ["1", "2"], ["bad", "lovely"], ""),
        (NUMBERED, "2,bad,a\n1,lovely,b\n", ["1", "2", "3"], ["bad", "lovely"], ""),
        (NUMBERED, "bad\nlovely garden\n", ["2"], ["bad", "lovely garden"], TEXTS_ALONE),
        (NUMBERED, "n,text\n1,bad\n", ["n", "text"], ["bad"], "a header; the training files had no header"),
        ({"text_column": 1, "label_column": 2}, "bad\nit, is, very\nlovely\n", ["1"], ["bad", "it, is, very", "lovely"],
         TEXTS_ALONE),
        (TREC, "DESC:how you are, bad\nDESC:why it is: very\n", ["input_label", "comment"],
         ["you are, bad", "it is: very"], ""),
        (TREC, "you are, bad\n\"it\" is\n", ["comment"], ["you are, bad", '"it" is'],
         "a text to a line; the training files had lines of a pattern"),
        (TREC, "id,comment\n1,bad\n", ["id", "comment"], ["bad"],
         "a header; the training files had lines of a pattern"),
    ],
)  # fmt: skip
def test_a_file_is_read_by_the_columns_of_training_or_by_those_it_has(
    predictor, tmp_path: Path, keys, content, header, texts, told
):
    done, target = label(trained(predictor, **keys), tmp_path, content)
    assert done.notes == ([f"in.csv is read as: {told}"] if told else [])
    delimiter = "\t" if "\t" in content else ";" if ";" in content else ","
    found, *rows = back(target, delimiter)
    assert found == [*header, *ADDED]
    place = 0 if len(header) == 1 else 1
    assert [row[place] for row in rows] == texts
    assert [row[-4:] for row in rows] == expected(predictor, texts)


PAIRS = {"columns": ["comment", "other", "label"], "text_pair_column": "other"}


@pytest.mark.parametrize(
    ("keys", "content", "message"),
    [
        (PAIRS, "a,b,x,y\nc,d,x,y\n", "the model was trained on files of 3 columns without a header: give it such a"),
        ({**PAIRS, "columns": None}, "comment,otter\na,b\n", "'other' is not a column of "),
        ({}, "1,you are\n2,bad\n", "(it has: 1, you are); the model was trained on a column of that name: rename"),
        ({}, "id,coment\n1,bad\n", "; did you mean 'coment'?; the model was trained on a column of that name"),
        ({}, "comment,comment\na,b\n", "in.csv has 2 columns named 'comment'; rename the others"),
    ],
)
def test_a_file_whose_columns_nobody_can_know_is_refused(predictor, tmp_path: Path, keys, content, message):
    model = trained(predictor, **keys)
    model.text_features = list(model.text_columns)
    with pytest.raises(InputError) as refused:
        label(model, tmp_path, content)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


def test_lines_that_do_not_fit_come_back_without_a_label(predictor, tmp_path: Path):
    done, target = label(trained(predictor, **TREC), tmp_path, "DESC:how it is\nno pattern\n\nDESC:how \n")
    assert [row[:2] for row in back(target)[1:]] == [["DESC", "it is"], ["", "no pattern"], ["DESC", ""]]
    assert done.first == {
        "line that does not fit": "line 2: the line does not fit the line_pattern of the training files",
        "missing text": "line 4: no text in column 'comment'",
    }


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_of_plain_text_every_line_is_a_row(predictor, tmp_path: Path, encoding: str):
    lines = [TEXTS[0], 'a "bad, idiot', "", "schöne; Lampe\tfür, später"]
    for keys in ({}, NAMED, TREC):
        content = "\r\n".join(lines).encode(encoding)
        done, target = label(trained(predictor, encoding=encoding, **keys), tmp_path, content, "in.txt")
        known = "a header" if not keys else "no header" if keys is NAMED else "lines of a pattern"
        assert done.notes == [f"in.txt is read as: a text to a line; the training files had {known}"]
        header, *rows = back(target)
        assert header == ["comment", *ADDED]
        assert [row[0] for row in rows] == lines
        assert [row[1:] for row in rows] == expected(predictor, lines)
        assert done.first == {"missing text": "line 3: no text in column 'comment'"}


def test_a_table_in_a_txt_file_is_a_table(predictor, tmp_path: Path):
    for keys, content, texts in (
        ({"delimiter": "\t"}, "id\tcomment\n1\tbad\n2\tlovely\n", ["bad", "lovely"]),
        ({"delimiter": "\t", **NUMBERED}, "x\tbad\nx\tlovely\n", ["bad", "lovely"]),
        (TREC, "X:y it is\nX:z bad\n", ["it is", "bad"]),
    ):
        done, target = label(trained(predictor, **keys), tmp_path, content, "in.txt")
        assert done.notes == []
        assert [row[-4:] for row in back(target, keys.get("delimiter", ","))[1:]] == expected(predictor, texts)


def test_plain_text_is_not_written(predictor, tmp_path: Path):
    for name in ("out.txt", "out.txt.gz"):
        with pytest.raises(InputError) as refused:
            label(predictor, tmp_path, "comment\nbad\n", target=name)
        assert str(refused.value).startswith(f"--output: {tmp_path / name} would be text without columns; let its name")
        for suffix in (".csv", ".jsonl", ".json", ".parquet", ".arrow", ".feather", ".xlsx"):
            assert suffix in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


def test_plain_text_is_refused_where_pairs_are_wanted_or_nothing_is_in_it(predictor, tmp_path: Path):
    model = trained(predictor, text_pair_column="other")
    model.text_features = ["text", "text_pair"]
    with pytest.raises(InputError, match=r"'comment' is not a column of .*in.txt"):
        label(model, tmp_path, "it is bad\n", "in.txt")
    with pytest.raises(InputError, match=r"in\.txt is empty"):
        label(predictor, tmp_path, "", "in.txt")
