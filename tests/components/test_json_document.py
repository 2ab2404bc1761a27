import io
import json

import pytest

from fullbake.components.data.readers.json_document import read_json_objects
from fullbake.components.data.readers.json_lines import JsonLine
from fullbake.components.data.reading import read_rows
from fullbake.components.data.row_format import RowFormat
from fullbake.components.data.rows import MAX_TEXT_CHARACTERS, BadRow, LineCount, Row
from fullbake.contract.errors import InputError

FORMAT = RowFormat("text", "label", ("good", "1.50"))
ROWS = [{"text": "a", "label": "good"}, {"text": "b\n[{", "label": 1.5}]
WRITTEN = '[{"text": "a", "label": "good"}, {"text": "b\\n[{", "label": 1.50}]'


def rows(content: str | bytes) -> list[Row | BadRow]:
    content = content.encode() if isinstance(content, str) else content
    return list(read_rows(io.BytesIO(content), "train.json", FORMAT))


@pytest.mark.parametrize(
    "content",
    [
        WRITTEN,
        WRITTEN.replace("[{", "[\n {\n", 1).replace(", ", " ,\r\n "),
        f'{{"data": {WRITTEN}}}',
        f'{{"version": "1", "columns": ["text"],\n "data":\n{WRITTEN}, "rows": 2}}\n',
        WRITTEN[1:-1].replace("}, {", "}\n\n{"),
        WRITTEN[1:-1].replace("}, {", ', "spans": [{"from": 1}]}\n{') + "\n",
        "\ufeff" + WRITTEN,
    ],
    ids=["list", "indented", "wrapped", "wrapped with more", "lines", "lines with lists", "marked"],
)
def test_objects_are_read_however_they_are_kept(content):
    found = rows(content)
    assert [(row.line, row.text, row.label) for row in found] == [(1, "a", "good"), (2, "b\n[{", "1.50")]


def test_what_is_no_object_or_has_a_key_twice_is_a_bad_row_and_the_rest_is_read():
    found = rows('[{"text": "a", "label": "good", "text": "b"}, 5, {"text": "c", "label": "good"}, {"label": "good"}]')
    assert [(row.line, getattr(row, "kind", None)) for row in found] == [
        (1, "malformed JSON"),
        (2, "not an object"),
        (3, None),
        (4, "missing column"),
    ]
    assert found[0].reason == "the object is no JSON: the key 'text' stands twice"


def test_bytes_that_do_not_decode_spoil_their_object_alone():
    first, second = rows(b'[{"text": "caf\xe9", "label": "good"}, {"text": "b", "label": "good"}]')
    assert (first.kind, second.text) == ("undecodable bytes", "b")


def test_objects_across_the_pieces_that_are_read_come_out_whole():
    texts = [f"{number} " + "é" * (number * 37 % 3000) for number in range(3000)]
    content = json.dumps([{"text": text, "label": "good"} for text in texts], ensure_ascii=False)
    assert [row.text for row in rows(content)] == texts
    long = "x" * 3_000_000
    assert [row.text for row in rows(json.dumps({"n": long, "data": [{"text": long, "label": "good"}] * 2}))] == [
        long
    ] * 2


def test_numbers_at_the_end_of_a_piece_stay_whole():
    content = "[" + " " * (2**20 - 4) + '12345678, {"text": "a", "label": "good"}]'
    first, second = rows(content)
    assert (first.fields, second.text) == (["12345678"], "a")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty; write a list of objects"),
        ("[]", "is empty; write a list of objects"),
        (
            '{"text": {"0": "a"}, "label": {"0": "b"}}',
            "has a column to a key, as pandas writes JSON by default; write a",
        ),
        (
            '{"text": ["a"], "label": ["b"]}',
            "has a column to a key, as pandas writes JSON by default; write a list of o",
        ),
        (
            '{"version": "1", "rows": {}}\n',
            "has no list of objects; write a list of objects (in pandas: orient='record",
        ),
        (f'{{"a": {WRITTEN}, "b": {WRITTEN}}}', "has lists of objects in 'a' and in 'b'; write a list of objects"),
        (WRITTEN[:-1], "is cut off (line 1); write it again"),
        (WRITTEN[:-9], "is no whole JSON: "),
        (WRITTEN.replace("}, {", "}\n {"), "has no comma after object 1 (line 2); write it again"),
        (WRITTEN + "]", "goes on after its end (line 1)"),
        ('"text"', "is no list of objects; write a list of objects"),
        ("text,label\na,good\n", "is no list of objects; write a list of objects"),
        ('{"text": "' + "x" * (MAX_TEXT_CHARACTERS + 9) + '"}', "has no list of objects"),
        ("[" * 100_000, "is no whole JSON: "),
        ('{\n"text": "a"\n}\n{\n"text": "b"\n}', "has no list of objects"),
        (b"\x28\xb5\x2f\xfd\x01", "is compressed with zstd, not JSON; let its name end in .zst"),
    ],
)
def test_a_file_that_cannot_be_read_is_an_error_that_says_what_to_do(content, message):
    with pytest.raises(InputError) as refused:
        rows(content)
    assert str(refused.value).startswith(f"input_base: train.json {message}")
    assert "\n" not in str(refused.value)


def test_only_the_pieces_that_are_needed_are_read():
    stream = io.BytesIO(json.dumps([{"text": "word " * 100, "label": "good"}] * 40_000).encode())
    found = next(read_json_objects(stream, LineCount()))
    assert isinstance(found, JsonLine)
    assert stream.tell() < len(stream.getvalue()) / 2 + MAX_TEXT_CHARACTERS
