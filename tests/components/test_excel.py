import datetime
import io
import zipfile

import openpyxl
import pytest

from fullbake.components.data.readers.excel import open_sheet
from fullbake.components.data.reading import check_file, read_rows
from fullbake.components.data.row_format import RowFormat
from fullbake.components.data.rows import LineCount
from fullbake.contract.errors import InputError
from tests.components.data_formats import workbook, zipped

HEADER = ["id", "text", "label"]
FORMAT = RowFormat("text", "label", ())


def rows(content: bytes, name: str = "train.xlsx", count: LineCount | None = None):
    return list(read_rows(io.BytesIO(content), name, FORMAT, count=count))


def changed(content: bytes, name: str, change) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(sink, "w") as new:
        for member in old.namelist():
            new.writestr(member, change(old.read(member)) if member == name else old.read(member))
    return sink.getvalue()


def test_values_are_read_as_people_see_them():
    day = datetime.datetime(2026, 3, 1)
    values = [1, 1.0, 0.1 + 0.2, 1e300, True, False, day, day.replace(hour=9), datetime.time(8, 30), "1.0", "_x0001_"]
    content = workbook([HEADER, *([None, value, "a"] for value in values)])
    assert [row.text for row in rows(content)] == [
        *("1", "1", "0.3", "1e+300", "true", "false", "2026-03-01", "2026-03-01T09:00:00", "08:30:00", "1.0", "\x01"),
    ]


def test_empty_cells_errors_and_formulas_without_a_value_are_missing():
    content = workbook([HEADER, [1, "a", "x"], [2, None, "x"], [3, "#N/A", "x"], [4, "=1+1", "x"], [5, "b"], [6]])
    found = rows(content)
    assert [getattr(row, "kind", None) for row in found] == [
        *(None, "missing text", "missing text", "missing text", "missing label", "missing text"),
    ]


def test_a_formula_is_read_as_the_value_that_was_computed():
    content = workbook([HEADER, [1, "=A2", "x"]])
    content = changed(
        content,
        "xl/worksheets/sheet1.xml",
        lambda xml: xml.replace(b"<v></v>", b"<v>7</v>").replace(b"<v />", b"<v>7</v>"),
    )
    assert [row.text for row in rows(content)] == ["7"]


def test_the_header_is_the_first_row_with_cells_and_every_row_is_counted():
    count = LineCount()
    content = workbook([[], [None], HEADER, [1, "a", "x"], [], [2, "b", "y"], [None, None, None, "note"]])
    found = rows(content, count=count)
    assert [row.line for row in found] == [4, 6, 7]
    assert (count.total, count.header, count.blank) == (7, 1, 3)


def test_what_a_file_says_of_its_size_does_not_cut_it_off():
    content = workbook([HEADER, [1, "a", "x"], [2, "b", "y"]])
    content = changed(content, "xl/worksheets/sheet1.xml", lambda xml: xml.replace(b'ref="A1:C3"', b'ref="A1"'))
    assert [row.text for row in rows(content)] == ["a", "b"]


def test_hidden_and_empty_sheets_do_not_count():
    content = workbook([["other"], ["hidden"]], [], [HEADER, [1, "a", "x"]], hidden=1)
    assert [row.text for row in rows(content)] == ["a"]


WHOLE = workbook([HEADER, *([number, f"text {number}", "x"] for number in range(500))])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty; take it away"),
        (b"text,label\na,good\n", "is no Excel workbook; let its name say what it is"),
        (b"PAR1\x15\x04", "is a Parquet file, not an Excel workbook; let its name end in .parquet"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
            "is an old Excel or Office file, or has a password, not an Excel workbook; save it as .xlsx without a pass",
        ),
        (WHOLE[: len(WHOLE) // 2], "is not a whole Excel workbook ("),
        (WHOLE[:-30], "is not a whole Excel workbook ("),
        (changed(WHOLE, "xl/worksheets/sheet1.xml", lambda xml: xml[:-200]), "is not a whole Excel workbook ("),
        (changed(WHOLE, "xl/workbook.xml", lambda xml: b""), "is not a whole Excel workbook ("),
        (zipped(b"", "word/document.xml"), "is a Word document, not an Excel workbook; "),
        (zipped(b"", "a.csv"), "is a zip archive, not an Excel workbook; let its name end in .zip"),
        (workbook([]), "has no visible sheet with cells; take it away"),
        (
            workbook([HEADER], [["note"]], []),
            "has 2 sheets with cells (sheet 0, sheet 1); hide or delete all but one, or save that as CSV",
        ),
        (workbook([HEADER]), "has a header but no rows; add rows, or take it away"),
    ],
)
def test_a_file_that_cannot_be_read_is_an_error_that_says_what_to_do(content, message):
    with pytest.raises(InputError) as refused:
        rows(content)
    assert str(refused.value).startswith(f"input_base: train.xlsx {message}")
    assert "\n" not in str(refused.value)


def test_a_column_that_is_not_there_and_a_workbook_within_an_archive_are_refused():
    with pytest.raises(InputError, match=r"^text_column: 'text' is not a column of a\.xlsx \(it has: id, txt\)"):
        check_file(io.BytesIO(workbook([["id", " txt "], [1, "a"]])), "a.xlsx", FORMAT)
    with pytest.raises(InputError, match=r"^input_base: a\.xlsx\.gz is compressed as a whole, and a workbook is read"):
        check_file(io.BytesIO(WHOLE), "a.xlsx.gz", FORMAT)


def test_rows_are_read_one_at_a_time():
    sheet = open_sheet(io.BytesIO(WHOLE), "a.xlsx", count := LineCount())
    next(sheet.rows())
    assert count.total == 2
    assert sheet.header == HEADER


def test_a_workbook_of_another_writer_is_read(tmp_path):
    book = openpyxl.Workbook(write_only=True)  # its texts stand in the cells, not in a table of their own
    sheet = book.create_sheet()
    for row in [HEADER, [1, "é 🙂\n2", "x"]]:
        sheet.append(row)
    book.save(tmp_path / "a.xlsx")
    assert [row.text for row in rows((tmp_path / "a.xlsx").read_bytes())] == ["é 🙂\n2"]
