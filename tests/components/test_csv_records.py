import bz2
import encodings.aliases
import gzip
import io
import json
import lzma
import pickle
import random
import sqlite3
import tarfile
import warnings
import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import zstandard

from fullbake.components.data.dialect import Dialect
from fullbake.components.data.file_kinds import WrongKindError
from fullbake.components.data.quoting import STANDARD
from fullbake.components.data.readers.csv_records import read_records
from fullbake.components.data.readers.text_lines import read_text_lines
from fullbake.components.data.reading import check_file, read_rows
from fullbake.components.data.row_format import RowFormat
from fullbake.components.data.rows import LineCount
from fullbake.components.data.text_encoding import is_file_encoding
from fullbake.contract.errors import InputError
from tests.components import data_formats

TABLE = pd.DataFrame({"text": ["a text", "another"], "label": ["good", "bad"]})
CSV = b"text,label\na text,good\n"


def zipped(*names):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, "<x/>" if name != "mimetype" else "application/vnd.oasis.opendocument.spreadsheet")
    return file.getvalue()


def database(folder):
    connection = sqlite3.connect(folder / "a.sqlite")
    connection.execute("create table texts (text, label)")
    connection.commit()
    connection.close()
    return (folder / "a.sqlite").read_bytes()


def array():
    file = io.BytesIO()
    np.save(file, np.arange(3))
    return file.getvalue()


def feather():
    file = io.BytesIO()
    TABLE.to_feather(file)
    return file.getvalue()


def arrow():
    file = io.BytesIO()
    table = pa.Table.from_pandas(TABLE)
    with pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    return file.getvalue()


def stata(folder, version):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas' own, of NumPy
        TABLE.to_stata(folder / "a.dta", version=version, write_index=False)
    return (folder / "a.dta").read_bytes()


def tarred(folder):
    (folder / "a.csv").write_bytes(CSV)
    with tarfile.open(folder / "a.tar", "w") as archive:
        archive.add(folder / "a.csv", "a.csv")
    return (folder / "a.tar").read_bytes()


KINDS = {
    "a Parquet file": lambda _: TABLE.to_parquet(),
    "an Arrow file": lambda _: arrow(),
    "an Arrow file, as Feather": lambda _: feather(),
    "an SQLite database": database,
    "a NumPy file": lambda _: array(),
    "an Excel workbook": lambda _: zipped("[Content_Types].xml", "_rels/.rels", "xl/workbook.xml"),
    "an OpenDocument spreadsheet": lambda _: zipped("mimetype", "content.xml"),
    "a zip archive": lambda _: zipped("train.csv"),
    "compressed with gzip": lambda _: gzip.compress(CSV),
    "compressed with bzip2": lambda _: bz2.compress(CSV),
    "compressed with xz": lambda _: lzma.compress(CSV),
    "compressed with zstd": lambda _: zstandard.compress(CSV),
    "an Arrow file, as a stream": lambda _: data_formats.arrow(TABLE),
    "a pickle of Python": lambda _: pickle.dumps(CSV),
    "a pickle of Python, old": lambda _: pickle.dumps(CSV, 2),
    "a Stata file": lambda file: stata(file, 118),
    "a Stata file, old": lambda file: stata(file, 114),
    "a tar archive": tarred,
    "a Word document": lambda _: zipped("[Content_Types].xml", "word/document.xml"),
    # Of these nothing here writes one; their first bytes are as their specifications have them.
    "an SPSS file": lambda _: b"$FL2@(#) SPSS DATA FILE" + bytes(40),
    "an RDS file of R": lambda _: b"X\n\0\0\0\x03\0\x04\x02\0",
    "an R workspace": lambda _: b"RDX3\nX\n\0\0\0\x03",
    "a SAS file": lambda _: bytes(12) + b"\xc2\xea\x81\x60\xb3\x14\x11\xcf",
    "a 7z archive": lambda _: b"7z\xbc\xaf\x27\x1c\0\x04",
    "a RAR archive": lambda _: b"Rar!\x1a\x07\x01\0",
    "an old Excel or Office file": lambda _: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16),
    "JSON": lambda _: TABLE.to_json(orient="records", lines=True).encode(),
    "JSON, a list": lambda _: json.dumps(TABLE.to_dict("records"), indent=1).encode(),
    "JSON, marked": lambda _: b"\xef\xbb\xbf" + TABLE.to_json().encode(),
    "HTML": lambda _: b"\n<!DOCTYPE html>\n<html><body>Sign in</body></html>",
    "HTML, a table": lambda _: TABLE.to_html().encode(),
    "XML": lambda _: b'<?xml version="1.0"?><rows/>',
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_another_format_is_called_by_its_name(kind, tmp_path):
    content = KINDS[kind](tmp_path)
    named = kind.split(",")[0]
    fmt = RowFormat("text", "label", ("good", "bad"))
    for read in (
        lambda: check_file(io.BytesIO(content), "train.csv", fmt),
        lambda: list(read_rows(io.BytesIO(content), "train.csv", fmt)),
        lambda: list(read_text_lines(io.BytesIO(content), "train.csv", fmt, "input_base", STANDARD, LineCount())),
    ):
        with pytest.raises(InputError) as error:
            read()
        assert str(error.value).startswith(f"input_base: train.csv is {named}, ")
        assert ", not CSV; " in str(error.value)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "header", ["PAR1,text", "ORC,text", "BZh,text", "PK,text", "[text],label", "<text>,label", "{x,y"]
)
def test_a_header_that_begins_like_another_format_is_one(header):
    assert next(read_records(io.BytesIO(f"{header}\na,b\n".encode()))).fields == header.split(",")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "UTF_16", "u16"])
def test_without_a_mark_utf_16_and_32_do_not_say_the_order_of_their_bytes(encoding):
    content = "text,label\na,good\n".encode("utf-16-le")
    with pytest.raises(WrongKindError, match=r"^has no byte-order mark, .*; set the encoding to utf-(16|32)-le or utf"):
        next(read_records(io.BytesIO(content), Dialect(encoding=encoding)))
    with pytest.raises(InputError, match=r"^input_base: train\.csv has no byte-order mark, "):
        check_file(
            io.BytesIO(content), "train.csv", RowFormat("text", "label", ("good",), dialect=Dialect(encoding=encoding))
        )


def test_every_encoding_of_python_reads_any_bytes_or_is_refused():
    chosen = random.Random(1)  # noqa: S311
    names = {*encodings.aliases.aliases.values(), "idna", "punycode", "undefined", "unicode_escape", "utf_8_sig"}
    refused = {name for name in names if not is_file_encoding(name)}
    assert {"idna", "punycode", "undefined", "utf_7", "rot_13", "hex_codec", "base64_codec", "zlib_codec"} <= refused
    assert not refused & {"utf_8", "utf_16_le", "utf_16", "cp1252", "latin_1", "shift_jis", "gb18030", "utf_32_be"}
    for name in ("", "\0", "x" * 10_000, "ütf", "utf-8\n\n"):
        assert not is_file_encoding(name) or name.startswith("utf-8")
    for name in sorted(names - refused):
        for _ in range(20):
            content = 'text,label\na,"b"\n'.encode(name) + chosen.randbytes(200)
            assert list(read_records(io.BytesIO(content), Dialect(encoding=name)))
