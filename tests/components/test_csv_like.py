"""How a file is written that is to be read like others, and in which encoding."""

import io

import pytest

from fullbake.components.data.dialect import Dialect
from fullbake.components.data.readers.csv_like import find_like, open_like
from fullbake.components.data.readers.csv_records import read_records
from fullbake.components.data.text_encoding import find_encoding
from tests.components.dialect_writers import LOSE_CARRIAGE_RETURNS, WRITERS

LETTERS = {
    "cp1252": "schöne Lampe für später",
    "cp1251": "какой хороший день",
    "cp1250": "příliš žluťoučký kůň",
    "koi8-r": "какой хороший день",
    "shift_jis": "日本語の文、長い",
    "gb18030": "今天天气很好",
    "big5": "今天天氣很好",
    "euc-kr": "오늘 날씨가 좋다",
    "utf-16-le": "лампа горит",
    "cp037": "you are kind",
}


@pytest.mark.parametrize("encoding", LETTERS)
def test_the_expected_encoding_is_found_where_the_file_is_in_it(encoding: str):
    content = f"{LETTERS[encoding]}\n" * 3
    assert find_encoding(io.BytesIO(content.encode(encoding)), encoding) == encoding
    assert find_encoding(io.BytesIO(content.encode("utf-16")), encoding) == "utf-16"
    assert find_encoding(io.BytesIO(content.encode("utf-8-sig")), encoding).replace("_", "-") == (
        "utf-8" if encoding in ("cp037", "utf-16-le") or not content.isascii() else encoding
    )
    if not content.isascii():
        assert find_encoding(io.BytesIO(content.encode()), encoding) == "utf-8"


@pytest.mark.parametrize("expected", ["utf-8", "utf-16", "utf-16-le", "cp037", "shift_jis", "cp1252", "iso2022_jp"])
def test_ascii_is_read_as_what_is_expected_only_if_that_has_it(expected: str):
    found = find_encoding(io.BytesIO(b"comment\nyou are \\ kind ~\n"), expected)
    assert found == (expected if expected in ("utf-8", "shift_jis", "cp1252", "iso2022_jp") else "utf-8")


def test_one_broken_byte_does_not_change_the_encoding_of_a_file():
    good = (LETTERS["shift_jis"] + "\n").encode("shift_jis") * 100
    assert find_encoding(io.BytesIO(good + b"\xa0\xff\n"), "shift_jis") == "shift_jis"
    assert find_encoding(io.BytesIO(("größe\n" * 20).encode() + b"gr\xf6\n"), "cp1252") == "utf-8"
    assert find_encoding(io.BytesIO(LETTERS["cp1251"].encode("cp1251") + b"\n"), "shift_jis") == "cp1252"


def texts_found(content: bytes, known: Dialect, names: list[str]) -> list[str] | None:
    found = find_like(open_like(lambda: io.BytesIO(content), [names], known, {}))
    if found is None:
        return None
    dialect = found.fmt.dialect
    header, *rows = read_records(io.BytesIO(content), dialect)
    place = [title.strip() for title in header.fields].index(found.fmt.text_column)
    return [row.fields[place] for row in rows]


TEXTS = ["you are, kind", 'a "bad" idiot', "it's; very", "two\nlines", "what a | day", "C:\\a", "not\tit"]


@pytest.mark.parametrize("writer", [name for name in WRITERS if name not in LOSE_CARRIAGE_RETURNS])
def test_what_a_program_writes_is_read_by_a_model_of_any_other_files(writer: str):
    """Whatever the files of training were, the texts of a file are those that were written into it."""
    rows = [[str(number), text, "xy"[number % 3 % 2]] for number, text in enumerate(TEXTS * 3, 1)]
    content = WRITERS[writer]([["id", "comment", "label"], *rows]).encode()
    for known in (
        Dialect(),
        Dialect(delimiter=";", quote_character="'"),
        Dialect(delimiter="^", escape_character="\\"),
        Dialect(delimiter="||", comment_prefix="%", encoding="cp1252"),
    ):
        if "escaped" in writer and known.escape_character is None and repr(known.delimiter) in writer:
            continue  # nothing is lost where backslashes are part of the text
        assert texts_found(content, known, ["comment"]) == TEXTS * 3


def test_the_way_of_the_others_is_kept_where_the_file_shows_no_other():
    content = b"id,comment\n1, C:\\new\n2, D:\\\\old\n3, it\n"
    for known, texts in (
        (Dialect(skip_initial_space=True), ["C:\\new", "D:\\\\old", "it"]),
        (Dialect(escape_character="\\"), [" C:\new", " D:\\old", " it"]),
        (Dialect(), [" C:\\new", " D:\\\\old", " it"]),
    ):
        assert texts_found(content, known, ["comment"]) == texts


def test_a_name_that_training_had_goes_before_that_of_the_feature():
    content = b"text;comment\nit;bad\n"
    assert texts_found(content, Dialect(), ["comment", "text"]) == ["bad"]
    assert texts_found(content, Dialect(), ["verdict", "text"]) == ["it"]
    assert texts_found(content, Dialect(), ["verdict"]) is None
