import io
import json

import pyarrow as pa
import pytest

from fullbake.components.data.data_files import match_files
from fullbake.components.data.reading import read_rows
from fullbake.components.data.row_format import RowFormat
from fullbake.contract.errors import InputError
from tests.components.data_formats import arrow, dataset_rows, save_dataset

FORMAT = RowFormat("text", "label", ())
TABLE = pa.table({"id": range(5000), "text": [f"text {n}" for n in range(5000)], "label": ["x", "y"] * 2500})
STREAM, FILE = arrow(TABLE), arrow(TABLE, pa.ipc.new_file)


def rows(content: bytes, name: str = "train.arrow"):
    return list(read_rows(io.BytesIO(content), name, FORMAT))


@pytest.mark.parametrize("content", [STREAM, FILE, arrow(TABLE, rows=5000), arrow(TABLE, rows=7)])
def test_streams_and_files_of_any_batches_are_read_in_order(content):
    found = rows(content)
    assert [(row.line, row.text) for row in found] == [(n + 1, f"text {n}") for n in range(5000)]


def test_numbers_of_classes_become_their_names_and_minus_one_is_no_label():
    found = rows(dataset_rows(["a", "b", "c", "d"], [1, 0, -1, 2]))
    assert [getattr(row, "label", None) for row in found] == ["good", "bad", None, "2"]
    assert found[2].kind == "missing label"


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_bytes_that_do_not_decode_spoil_their_row_alone(kind):
    texts = pa.array([b"caf\xe9", b"tea"], pa.binary()).cast(
        pa.large_binary() if kind == pa.large_string() else pa.binary()
    )
    texts = pa.Array.from_buffers(kind, 2, texts.buffers())
    first, second = rows(arrow(pa.table({"text": texts, "label": ["x", "y"]})))
    assert (first.kind, second.text) == ("undecodable bytes", "tea")


def pointing_outside() -> bytes:
    """Offsets that lead backwards."""
    whole = arrow(pa.table({"text": ["a" * 4, "b" * 6, "c"], "label": ["x"] * 3}))
    forwards, backwards = ((4, 10), (10, 4))
    changed = whole.replace(*(b"".join(n.to_bytes(4, "little") for n in pair) for pair in (forwards, backwards)))
    assert changed != whole
    return changed


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty; take it away"),
        (b"text,label\na,good\n", "is no Arrow; let its name say what it is"),
        (b"PAR1\x15\x04", "is a Parquet file, not an Arrow file; let its name end in .parquet"),
        (STREAM[: len(STREAM) // 2], "is not a whole Arrow file ("),
        (STREAM[:-8], "is not a whole Arrow file (it has no end); copy it here again"),
        (STREAM[:40] + b"\xff" * 60 + STREAM[100:], "is not a whole Arrow file ("),
        (FILE[: len(FILE) // 2], "is not a whole Arrow file ("),
        (FILE[:-8], "is not a whole Arrow file ("),
        (pointing_outside(), "is not a whole Arrow file ("),
        (arrow(TABLE.slice(0, 0)), "has no rows; add rows, or take it away"),
    ],
)
def test_a_file_that_cannot_be_read_is_an_error_that_says_what_to_do(content, message):
    with pytest.raises(InputError) as refused:
        rows(content)
    assert str(refused.value).startswith(f"input_base: train.arrow {message}")
    assert "\n" not in str(refused.value)


def test_columns_that_are_not_there_or_no_text_are_refused():
    with pytest.raises(
        InputError, match=r"^text_column: 'text' is not a column of train\.arrow \(it has: txt, label\)"
    ):
        rows(arrow(pa.table({"txt": ["a"], "label": ["x"]})))
    with pytest.raises(
        InputError, match=r"^label_column: column 'label' of train\.arrow is of type list<item: int64>, "
    ):
        rows(arrow(pa.table({"text": ["a"], "label": [[1]]})))
    with pytest.raises(InputError, match=r"^input_base: train\.arrow\.zst is compressed as a whole, and Arrow is read"):
        rows(STREAM, "train.arrow.zst")


def test_of_a_saved_dataset_its_rows_alone_are_data(tmp_path):
    save_dataset(tmp_path / "one", ["a"], [1])
    assert match_files(str(tmp_path / "one"), "*") == [str(tmp_path / "one/data-00000-of-00001.arrow")]
    assert match_files(str(tmp_path), "one/*.arrow") == [str(tmp_path / "one/data-00000-of-00001.arrow")]
    (tmp_path / "dataset_dict.json").write_text('{"splits": ["one"]}')
    assert match_files(str(tmp_path), "*") == []


def test_files_of_these_names_are_data_where_no_dataset_is(tmp_path):
    names = ["dataset_dict.json", "dataset_info.json", "state.json"]
    for name in names:
        (tmp_path / name).write_text(json.dumps([{"text": "a", "label": "x"}]))
    assert match_files(str(tmp_path), "*") == [str(tmp_path / name) for name in names]
    (tmp_path / "other").mkdir()
    (tmp_path / "other/a.arrow").write_bytes(STREAM)
    assert match_files(str(tmp_path / "other"), "*") == [str(tmp_path / "other/a.arrow")]
