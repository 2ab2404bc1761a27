import csv
import io
import itertools
import json
import tracemalloc
from pathlib import Path

import pytest

from fullbake.components.data.dialect import Dialect
from fullbake.components.data.readers import csv_records
from fullbake.components.data.readers.csv_records import read_records
from fullbake.components.data.reading import check_file, read_rows
from fullbake.components.data.row_format import RowFormat
from fullbake.components.data.rows import BadRow, Row
from fullbake.components.data.text_encoding import KEEP_UNDECODABLE
from fullbake.contract.errors import InputError

TWEETS = Path(__file__).parents[2] / "../shared/data/davidson_hate_speech.csv"
FORMAT = RowFormat(text_column="text", label_column="label", labels=("good", "bad"))


def read(content, fmt=FORMAT, encoding="utf-8"):
    data = content if isinstance(content, bytes) else content.encode(encoding)
    return list(read_rows(io.BytesIO(data), "train.csv", fmt))


def texts(rows):
    return [row.text for row in rows]


class Generated(io.RawIOBase):
    """A file of `size` bytes that exists only as far as it has been read."""

    def __init__(self, header: bytes, row: bytes, size: int):
        self._parts = itertools.chain([header], itertools.repeat(row * 500, size // (500 * len(row))))
        self._left = b""

    def read(self, size=-1):
        self._left = self._left or next(self._parts, b"")
        part, self._left = self._left[:size], self._left[size:]
        return part


def test_rows_come_out_with_the_line_they_start_on():
    rows = read('id,text,label\n1,kind,good\n\n2,"two\nlines",bad\n3,"a ""quoted"" word",good\n')
    assert rows == [
        Row(2, "kind", None, "good"),
        Row(4, "two\nlines", None, "bad", lines=2),
        Row(6, 'a "quoted" word', None, "good"),
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_ending_is_understood_and_kept_inside_fields(end):
    rows = read(end.join(["text,label", f'"two{end}lines",bad', "last,good"]))
    assert rows == [Row(2, f"two{end}lines", None, "bad", lines=2), Row(4, "last", None, "good")]


def test_a_last_line_without_newline_is_a_row():
    assert texts(read("text,label\nfirst,good\nlast,bad")) == ["first", "last"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_is_no_part_of_the_first_column_and_names_the_encoding(encoding):
    assert texts(read("text,label\nnaïve 🙂,good\n", encoding=encoding)) == ["naïve 🙂"]


def test_a_byte_order_mark_is_dropped_when_the_format_names_the_byte_order():
    fmt = RowFormat("text", "label", ("good",), dialect=Dialect(encoding="utf-16-le"))
    assert texts(read(b"\xff\xfe" + "text,label\nø,good\n".encode("utf-16-le"), fmt)) == ["ø"]
    assert texts(read("text,label\nø,good\n", fmt, encoding="utf-16-le")) == ["ø"]


@pytest.mark.parametrize("encoding", ["cp1252", "shift_jis", "gb18030", "koi8-r", "iso8859-15"])
def test_other_encodings_are_read(encoding):
    text = {"shift_jis": "ありがとう", "gb18030": "谢谢🙂", "koi8-r": "спасибо"}.get(encoding, "déjà €")
    fmt = RowFormat("text", "label", ("good",), dialect=Dialect(encoding=encoding))
    assert texts(read(f"text,label\n{text},good\n", fmt, encoding)) == [text]


@pytest.mark.parametrize("delimiter", [";", "\t", "|", ":", "¦"])
def test_other_delimiters_are_read(delimiter):
    fmt = RowFormat("text", "label", ("good",), dialect=Dialect(delimiter=delimiter))
    assert texts(read(f'text{delimiter}label\n"a{delimiter}b, c"{delimiter}good\n', fmt)) == [f"a{delimiter}b, c"]


def test_quoted_unnamed_padded_and_extra_columns_do_no_harm():
    assert texts(read('"","a, b","text","label"\n0,1,kind,good\n')) == ["kind"]
    assert texts(read("text, label ,\nkind,good,\n")) == ["kind"]


def test_a_header_may_span_lines_and_follow_blank_ones():
    assert read('\n\n"a\nb",text,label\n1,kind,good\n') == [Row(5, "kind", None, "good")]


def test_a_nul_character_is_kept():
    assert read("text,label\na\0b,good\n\0,bad\nplain,good\n") == [
        Row(2, "a\0b", None, "good"),
        Row(3, "\0", None, "bad"),
        Row(4, "plain", None, "good"),
    ]


def test_text_keeps_its_white_space_and_labels_lose_theirs():
    assert read("text,label\n  kind\t, good \n") == [Row(2, "  kind\t", None, "good")]


def test_pairs_come_out_with_both_texts():
    fmt = RowFormat("a", "label", ("good",), text_pair_column="b")
    rows = read("a,b,label\nfirst,second,good\nfirst, ,good\n", fmt)
    assert rows[0] == Row(2, "first", "second", "good")
    assert rows[1] == BadRow(3, "no text in column 'b'", ["first", " ", "good"], "missing text pair")


def test_the_label_map_is_asked_before_the_labels():
    fmt = RowFormat("text", "label", ("good", "bad"), label_map={"1": "good", " 0": "bad", "good": "bad", "": "bad"})
    rows = read("text,label\na,1\nb, 0 \nc,good\nd,bad\ne,\n", fmt)
    assert [row.label for row in rows] == ["good", "bad", "bad", "bad", "bad"]


def test_without_labels_any_label_is_taken_but_none_is_not():
    rows = read("text,label\na, spam\nb,ham\nc,\n", RowFormat("text", "label", ()))
    assert [row.label for row in rows[:2]] == ["spam", "ham"]
    assert rows[2].kind == "missing label"


@pytest.mark.parametrize(
    ("line", "kind", "reason"),
    [
        (",good", "missing text", "no text in column 'text'"),
        ("  \t ,good", "missing text", "no text in column 'text'"),
        ("\u00a0\u3000,good", "missing text", "no text in column 'text'"),
        ("kind,", "missing label", "no label in column 'label'"),
        ("kind,odd", "unknown label", "label 'odd' is neither in labels nor in label_map"),
        ("kind,Good", "unknown label", "label 'Good' is neither in labels nor in label_map"),
        ("kind,good,1", "wrong number of fields", "3 fields where the header has 2"),
        ("kind", "wrong number of fields", "1 fields where the header has 2"),
        (
            '"kind"er,good',
            "malformed quoting",
            "the row that starts on line 3 has malformed quoting: ',' expected after '\"'",
        ),
    ],
)
def test_a_bad_row_says_why_and_spoils_no_other(line, kind, reason):
    rows = read(f"text,label\nbefore,good\n{line}\nafter,bad\n")
    assert (rows[0], rows[2]) == (Row(2, "before", None, "good"), Row(4, "after", None, "bad"))
    assert (rows[1].line, rows[1].kind, rows[1].reason) == (3, kind, reason)


def test_bytes_that_do_not_decode_spoil_their_own_row_only_and_are_not_lost():
    rows = read(b"text,label\nbefore,good\ncaf\xe9,good\nafter,bad\n")
    assert texts([rows[0], rows[2]]) == ["before", "after"]
    assert rows[1].reason == "byte 0xe9 in column 'text' is not utf-8; is encoding right?"
    assert json.loads(json.dumps(rows[1].fields)) == ["caf\udce9", "good"]


def test_half_a_utf16_character_spoils_its_own_row_only():
    content = "text,label\nbefore,good\n".encode("utf-16") + b"\x00\xd8" + "x,good\nafter,bad\n".encode("utf-16-le")
    rows = read(content + b"A")
    assert [type(row) for row in rows] == [Row, BadRow, Row, BadRow]
    assert [row.kind for row in rows if isinstance(row, BadRow)] == ["undecodable bytes", "undecodable bytes"]


def test_records_come_out_as_they_stand_and_can_be_written_back_byte_for_byte():
    content = b'a;b\n\n1;caf\xe9;too many\n"x"y;2\n'
    assert list(read_records(io.BytesIO(content), Dialect(";"))) == [
        (1, ["a", "b"], 1),
        (3, ["1", "caf\udce9", "too many"], 1),
        BadRow(
            4,
            "the row that starts on line 4 has malformed quoting: ';' expected after '\"'",
            ['"x"y;2'],
            "malformed quoting",
        ),
    ]
    every_byte = bytes(range(256))
    assert every_byte.decode("utf-8", KEEP_UNDECODABLE).encode("utf-8", KEEP_UNDECODABLE) == every_byte
    assert b"\x00\xdcA".decode("utf-16-le", KEEP_UNDECODABLE) == "\udc00\udcdc\udc41"
    with pytest.raises(UnicodeEncodeError):
        "\ud800".encode("utf-8", KEEP_UNDECODABLE)


def test_a_quote_that_never_closes_makes_every_line_it_swallows_a_bad_row():
    rows = read('text,label\nfirst,good\n"second,bad\nthird,good\n\nfourth,bad\n')
    assert [row.line for row in rows] == [2, 3, 4, 6]
    assert {row.reason for row in rows[1:]} == {"the row that starts on line 3 opens a quote that is never closed"}
    assert rows[3].fields == ["fourth,bad"]


def test_a_record_longer_than_the_bound_is_given_up_and_reading_goes_on(monkeypatch):
    monkeypatch.setattr(csv_records, "MAX_TEXT_CHARACTERS", 5000)
    long_line = read(f"text,label\n{'x' * 3_000_000},good\nafter,bad\n")
    assert [(row.line, type(row)) for row in long_line] == [(2, BadRow), (3, Row)]
    assert long_line[0].kind == "too long"
    assert long_line[0].fields == ["x" * 1000]
    never_closed = read('text,label\n"open,good\n' + "inside,bad\n" * 1000)
    assert [row.line for row in never_closed] == list(range(2, 1003))
    assert never_closed[0].reason == (
        "the row that starts on line 2 is longer than 5,000 characters; is a quote not closed?"
    )
    assert {type(row) for row in never_closed[500:]} == {Row}


def test_a_field_of_megabytes_is_a_field():
    text = "a long story, told twice\n" * 200_000
    assert texts(read(f'text,label\n"{text}",good\n')) == [text]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "input_base: train.csv is empty; give it a header line and rows, or take it away"),
        ("\n\n", "input_base: train.csv is empty; give it a header line and rows, or take it away"),
        ("text,label\n", "input_base: train.csv has a header but no rows; add rows, or take it away"),
        (
            "id,text,labels\n1,a,b\n",
            "label_column: 'label' is not a column of train.csv (it has: id, text, labels); did you mean 'labels'?",
        ),
        (
            ",label\na,good\n",
            "text_column: 'text' is not a column of train.csv (it has: (no name), label)",
        ),
        (
            "text;label\na;good\n",
            "text_column: 'text' is not a column of train.csv (it has: text;label); does delimiter ',' fit the file?",
        ),
        (
            "text,label,text\na,good,b\n",
            "text_column: train.csv has 2 columns named 'text'; rename the others in its header",
        ),
        (
            'text,"label\na,good\n',
            "input_base: the header of train.csv (line 1) cannot be read: "
            "the row that starts on line 1 opens a quote that is never closed",
        ),
    ],
)
def test_a_file_that_cannot_be_read_is_an_error_that_says_what_to_do(content, message):
    with pytest.raises(InputError) as from_check:
        check_file(io.BytesIO(content.encode()), "train.csv", FORMAT)
    with pytest.raises(InputError) as from_read:
        read(content)
    assert str(from_check.value) == str(from_read.value) == message


def test_an_error_about_a_header_that_does_not_decode_can_be_printed():
    with pytest.raises(InputError) as error:
        read('text,"cat\négorie"\na,good\n', encoding="cp1252")
    assert "(it has: text, cat \ufffdgorie)" in str(error.value)
    str(error.value).encode()


def test_a_good_header_passes_the_check():
    check_file(io.BytesIO(b"text,label\nkind,good\n"), "train.csv", FORMAT)


def test_the_stream_is_left_open_for_its_owner():
    stream = io.BytesIO(b"text,label\nkind,good\n")
    assert len(list(read_rows(stream, "train.csv", FORMAT))) == 1
    assert not stream.closed


def test_memory_does_not_grow_with_the_file():
    stream = Generated(b"text,label\n", b'"' + b"some words, " * 100 + b'",good\n', size=100 * 2**20)
    tracemalloc.start()
    try:
        rows = sum(1 for _ in read_rows(stream, "train.csv", FORMAT))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert rows > 80_000
    assert peak < 2 * 2**20


@pytest.mark.skipif(not TWEETS.exists(), reason="the tweets are not here")
def test_a_real_file_gives_the_rows_the_csv_module_gives():
    fmt = RowFormat(
        "tweet",
        "class",
        ("hate", "offensive", "neither"),
        label_map=dict(zip("012", ("hate", "offensive", "neither"), strict=True)),
    )
    with TWEETS.open("rb") as stream:
        rows = list(read_rows(stream, TWEETS.name, fmt))
    with TWEETS.open(encoding="utf-8", newline="") as stream:
        expected = [row["tweet"] for row in csv.DictReader(stream)]
    assert len(rows) == 24_783
    assert texts(rows) == expected
