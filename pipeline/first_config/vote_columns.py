"""Finds columns that count the votes for each label."""

from pathlib import Path

from fullbake.components.data.row_format import RowFormat
from fullbake.pipeline.prediction.table import TextOptions
from fullbake.pipeline.prediction.tables import table_format

_ROWS = 1000  # looked at, at the start of the file
_MOST_VOTES = 100  # of a row; whole numbers beyond are of something else
_MOST_COLUMNS = 30


def find_vote_columns(path: str, fmt: RowFormat) -> list[str]:
    """Returns the columns that seem to count votes: whole numbers that add up to another column, or all to the same.

    Args:
        path: The file.
        fmt: How it is written. Columns of texts and labels are left out.
    """
    known = {column.strip() for _, column in fmt.wanted}
    texts = [column.strip() for column in (fmt.text_column, fmt.text_pair_column) if column is not None]
    options = TextOptions(known=fmt.dialect, columns={column: [column] for column in texts})
    with table_format(Path(path)).open(Path(path), options) as table:
        columns = [column.strip() for column in table.columns]
        batch = next(iter(table.batches({}, _ROWS)), None)
        rows = [] if batch is None else [row for row, bad in zip(batch.values(), batch.bad, strict=True) if bad is None]
    counts = {
        column: numbers
        for place, column in enumerate(columns)
        if column and column not in known and (numbers := [_votes(row[place]) for row in rows]) and None not in numbers
    }
    if len(counts) > _MOST_COLUMNS:
        return []
    for total in (*counts, None):
        found = [column for column in counts if column != total]
        sums = [sum(row) for row in zip(*(counts[column] for column in found), strict=True)]
        if len(found) < 2 or not any(sums):
            continue
        if sums == counts[total] if total is not None else len(set(sums)) == 1 and sums[0] > 1:
            return found
    return []


def _votes(value: object) -> int | None:
    try:
        number = float(str(value).strip())
    except ValueError:
        return None
    return int(number) if number.is_integer() and 0 <= number <= _MOST_VOTES else None
