import codecs
import io

import pytest

from fullbake.components.data.dialect import Dialect
from fullbake.components.data.formats import CSV, format_of
from fullbake.components.data.readers import bounded_lines
from fullbake.components.data.reading import read_rows
from fullbake.components.data.row_format import RowFormat
from fullbake.components.data.rows import BadRow, Row
from fullbake.contract.errors import InputError


def read(content, encoding="utf-8"):
    fmt = RowFormat("text", "", (), labelled=False, dialect=Dialect(encoding=encoding))
    return list(read_rows(io.BytesIO(content), "all.txt", fmt, "corpus_base"))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_each_line_that_is_not_blank_is_a_text_as_it_stands(end):
    content = end.join([' a "quoted", text ', "", " \t", "the last"])
    assert read(content.encode()) == [Row(1, ' a "quoted", text ', None, ""), Row(4, "the last", None, "")]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_names_the_encoding_and_is_no_text(encoding):
    assert read("naïve\n".encode(encoding), "cp1252") == [Row(1, "naïve", None, "")]
    assert read("naïve\n".encode("cp1252"), "cp1252") == [Row(1, "naïve", None, "")]
    with pytest.raises(InputError):
        read(codecs.BOM_UTF8)


def test_a_line_that_does_not_decode_is_a_bad_row_and_the_others_are_not():
    assert read(b"good\ncaf\xe9\ngood too\n") == [
        Row(1, "good", None, ""),
        BadRow(2, "byte 0xe9 in the line is not utf-8; is encoding right?", ["caf\udce9"], "undecodable bytes"),
        Row(3, "good too", None, ""),
    ]


def test_a_line_beyond_the_bound_is_a_bad_row_with_its_start(monkeypatch):
    monkeypatch.setattr(bounded_lines, "MAX_TEXT_CHARACTERS", 5000)
    longest = "x" * 5000
    assert read(f"{longest}\n{longest}y\nz\n".encode()) == [
        Row(1, longest, None, ""),
        BadRow(2, "the line is longer than 5,000 characters", ["x" * 1000], "too long"),
        Row(3, "z", None, ""),
    ]


@pytest.mark.parametrize("content", [b"", b"\n \n"])
def test_a_file_without_text_is_refused(content):
    with pytest.raises(InputError, match=r"^corpus_base: all\.txt has no text; "):
        read(content)


def test_the_name_says_whether_a_file_without_labels_is_plain_text():
    names = ("a.txt", "b/a.txt.gz", "a.csv", "txt", "a.txt.csv")
    assert [format_of(name, labelled=False) is CSV for name in names] == [False, False, True, True, True]
    assert all(format_of(name, labelled=True) is CSV for name in names)
