"""The formats of files whose rows are labelled, by suffix."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

from fullbake.components.data.compression import without_compression
from fullbake.components.data.suffixes import ARROW, EXCEL, JSON, JSON_LINES, PARQUET, claimed
from fullbake.pipeline.prediction.arrow_table import check_arrow, open_arrow_table, write_arrow
from fullbake.pipeline.prediction.csv_table import check_csv, open_csv, write_csv
from fullbake.pipeline.prediction.excel_table import check_excel, open_excel, write_excel
from fullbake.pipeline.prediction.json_lines_table import (
    check_json,
    check_json_lines,
    open_json,
    open_json_lines,
    write_json,
    write_json_lines,
)
from fullbake.pipeline.prediction.parquet_table import check_parquet, open_parquet_table, write_parquet
from fullbake.pipeline.prediction.table import CsvOptions, Table, Write


class TableFormat(NamedTuple):
    """A format.

    Attributes:
        suffixes: What the names of its files end in (see `data.suffixes`); empty: whatever no other format claims.
        check: Looks for what can be found wrong with a source without reading it.
        open: Opens a source.
        write: Opens a target, for the rows of a table with columns added.
    """

    suffixes: tuple[str, ...]
    check: Callable[[Path, CsvOptions], None]
    open: Callable[[Path, CsvOptions], AbstractContextManager[Table]]
    write: Callable[[Path, Table, list[str], CsvOptions], AbstractContextManager[Write]]


TABLE_FORMATS = (
    TableFormat(JSON_LINES, check_json_lines, open_json_lines, write_json_lines),
    TableFormat(JSON, check_json, open_json, write_json),
    TableFormat(ARROW, check_arrow, open_arrow_table, write_arrow),
    TableFormat(EXCEL, check_excel, open_excel, write_excel),
    TableFormat(PARQUET, check_parquet, open_parquet_table, write_parquet),
    TableFormat((), check_csv, open_csv, write_csv),
)
"""All of them; the first that claims a file has it."""


def table_format(file: Path) -> TableFormat:
    """Returns the format of a file by its name."""
    suffixes = claimed(without_compression(file.name))
    return next(found for found in TABLE_FORMATS if found.suffixes in ((), suffixes))
