"""Tables as bytes of each format and each compression."""

import bz2
import gzip
import io
import json
import lzma
import zipfile

import openpyxl
import pandas as pd
import pyarrow as pa
import zstandard


def parquet(frame: pd.DataFrame) -> bytes:
    sink = io.BytesIO()
    frame.to_parquet(sink)
    return sink.getvalue()


def arrow(table: pd.DataFrame | pa.Table, opened=pa.ipc.new_stream, rows: int = 1000) -> bytes:
    table = table if isinstance(table, pa.Table) else pa.Table.from_pandas(table, preserve_index=False)
    sink = pa.BufferOutputStream()
    with opened(sink, table.schema) as writer:
        writer.write_table(table, rows)
    return sink.getvalue().to_pybytes()


def workbook(*sheets: list[list], hidden: int = 0) -> bytes:
    """A sheet for each list of rows, the first ones hidden."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for number, rows in enumerate(sheets):
        sheet = book.create_sheet(f"sheet {number}")
        sheet.sheet_state = "hidden" if number < hidden else "visible"
        for row in rows:
            sheet.append(row)
    sink = io.BytesIO()
    book.save(sink)
    return sink.getvalue()


def excel(frame: pd.DataFrame) -> bytes:
    return workbook([frame.columns.tolist(), *frame.astype(object).to_numpy().tolist()])


def zipped(content: bytes, name: str, *others: str) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
        for other in others:
            archive.writestr(other, b"")
    return sink.getvalue()


FORMATS = {
    ".csv": lambda frame: frame.to_csv(index=False).encode(),
    ".jsonl": lambda frame: frame.to_json(orient="records", lines=True).encode(),
    ".json": lambda frame: json.dumps(json.loads(frame.to_json(orient="records")), indent=1).encode(),
    ".parquet": parquet,
    ".arrow": arrow,
    ".feather": lambda frame: arrow(frame, pa.ipc.new_file),
    ".xlsx": excel,
}

COMPRESSIONS = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": zstandard.ZstdCompressor(write_checksum=True).compress,
    ".zip": lambda content: zipped(content, "table.csv", "__MACOSX/._table.csv", ".DS_Store", "folder/"),
}

# What `Dataset.save_to_disk` of datasets 5.2.0 writes beside the rows, and into their schema.
STATE = {"_data_files": [{"filename": "data-00000-of-00001.arrow"}], "_fingerprint": "0123", "_split": None}
FEATURES = {
    "text": {"dtype": "string", "_type": "Value"},
    "label": {"names": ["bad", "good"], "_type": "ClassLabel"},
}


def dataset_rows(texts: list[str], labels: list[int]) -> bytes:
    metadata = {"huggingface": json.dumps({"info": {"features": FEATURES}})}
    schema = pa.schema([("text", pa.string()), ("label", pa.int64())], metadata)
    return arrow(pa.table({"text": texts, "label": labels}, schema=schema))


def save_dataset(folder, texts: list[str], labels: list[int]) -> None:
    """Writes a folder as `Dataset.save_to_disk` does, and a copy that datasets may put beside it later."""
    folder.mkdir(parents=True)
    (folder / "data-00000-of-00001.arrow").write_bytes(dataset_rows(texts, labels))
    (folder / "cache-0123456789abcdef.arrow").write_bytes(dataset_rows(texts, labels))
    (folder / "state.json").write_text(json.dumps(STATE))
    (folder / "dataset_info.json").write_text(json.dumps({"features": FEATURES}))
