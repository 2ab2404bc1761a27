"""Finds columns that each say of one class whether a text has it."""

import itertools
from pathlib import Path
from typing import Any

from fullbake.components.data.row_format import RowFormat
from fullbake.pipeline.prediction.table import CsvOptions
from fullbake.pipeline.prediction.tables import table_format

_ROWS, _BATCHES = 1000, 10  # looked at, at the start of the file

_TRUTHS = {"0": False, "0.0": False, "false": False, "1": True, "1.0": True, "true": True}


def find_class_columns(path: str, fmt: RowFormat) -> list[str]:
    """Returns the columns that hold 0 and 1 alone (or false and true) in the first rows, where there are several.

    Args:
        path: The file.
        fmt: How it is written. Columns of texts are left out.
    """
    options = CsvOptions(fmt.dialect)
    seen: list[set[bool | None]] = []
    with table_format(Path(path)).open(Path(path), options) as table:
        columns = [column.strip() for column in table.columns]
        seen = [set() for _ in columns]
        for batch in itertools.islice(table.batches({}, _ROWS), _BATCHES):
            for row, bad in itertools.zip_longest(batch.values(), batch.bad):  # none is bad where no text is asked for
                if bad is None:
                    for values, value in zip(seen, row, strict=True):
                        values.add(_truth(value))
    texts = {column.strip() for column in (fmt.text_column, fmt.text_pair_column) if column is not None}
    found = [column for column, values in zip(columns, seen, strict=True) if values == {False, True}]
    found = [column for column in found if column not in texts]
    return found if len(found) > 1 else []


def _truth(value: Any) -> bool | None:
    return _TRUTHS.get(str(value).strip().lower())
