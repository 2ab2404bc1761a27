"""The formats of files whose rows are labelled, by suffix."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

from fullbake.components.data.compression import without_compression
from fullbake.components.data.suffixes import ARROW, EXCEL, JSON, JSON_LINES, PARQUET, TEXT_LINES, claimed
from fullbake.contract.errors import InputError
from fullbake.pipeline.output_file import STDOUT
from fullbake.pipeline.prediction.arrow_table import check_arrow, open_arrow_table, write_arrow
from fullbake.pipeline.prediction.csv_table import write_csv
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
from fullbake.pipeline.prediction.table import Table, TextOptions, Write
from fullbake.pipeline.prediction.text_source import check_text, open_csv, open_text

WriteTable = Callable[[Path, Table, list[str], TextOptions], AbstractContextManager[Write]]
"""Opens a target, for the rows of a table with columns added."""


class TableFormat(NamedTuple):
    """A format.

    Attributes:
        suffixes: What the names of its files end in (see `data.suffixes`); empty: whatever no other format claims.
        check: Looks for what can be found wrong with a source without reading it.
        open: Opens a source.
        write: Opens a target; None: it would have no columns.
        distinct_names: Whether no two columns of a target may have one name.
    """

    suffixes: tuple[str, ...]
    check: Callable[[Path, TextOptions], None]
    open: Callable[[Path, TextOptions], AbstractContextManager[Table]]
    write: WriteTable | None
    distinct_names: bool = True


TABLE_FORMATS = (
    TableFormat(JSON_LINES, check_json_lines, open_json_lines, write_json_lines),
    TableFormat(JSON, check_json, open_json, write_json),
    TableFormat(ARROW, check_arrow, open_arrow_table, write_arrow),
    TableFormat(EXCEL, check_excel, open_excel, write_excel, distinct_names=False),
    TableFormat(PARQUET, check_parquet, open_parquet_table, write_parquet),
    TableFormat(TEXT_LINES, check_text, open_text, None),
    TableFormat((), check_text, open_csv, write_csv, distinct_names=False),
)
"""All of them; the first that claims a file has it."""


def table_format(file: Path) -> TableFormat:
    """Returns the format of a file by its name."""
    suffixes = claimed(without_compression(file.name))
    return next(found for found in TABLE_FORMATS if found.suffixes in ((), suffixes))


def target_writer(source: Path, target: Path) -> tuple[WriteTable, bool]:
    """Returns what opens a target, and whether no two of its columns may have one name.

    Its name says its format. What goes to stdout has that of the source if it is JSON, else it is CSV.

    Raises:
        InputError: It would be plain text, which has no columns.
    """
    found = table_format(target)
    if target == STDOUT and table_format(source).suffixes in (JSON_LINES, JSON):
        found = table_format(source)
    if found.write is None:
        suffixes = ", ".join(suffix for known in TABLE_FORMATS if known.write for suffix in known.suffixes)
        raise InputError(f"--output: {target} would be text without columns; let its name end in .csv, {suffixes}")
    return found.write, found.distinct_names
