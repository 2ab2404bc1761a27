"""CSV files without a header: which columns they have, known by their rows."""

from collections import Counter
from dataclasses import replace

from fullbake.components.data.dialect import IGNORED_COLUMN
from fullbake.components.data.readers.csv_sample import Reading
from fullbake.components.data.row_format import RowFormat
from fullbake.contract.errors import InputError

_ROWS_OF_A_LABEL = 2  # on average, at least
_LABELS_AND_TITLE = 3  # two labels, and the title of their column


def by_number(fmt: RowFormat) -> bool:
    """Says whether the wanted columns are asked for by number."""
    return all(column.strip().isdecimal() for _, column in fmt.wanted)


def titles_of(best: Reading, fmt: RowFormat) -> RowFormat | None:
    """Returns the format with the titles of its columns, if the first row is a header: no other has its label.

    Args:
        best: The reading of the file with numbered columns.
        fmt: Has the numbers of the wanted columns.
    """
    if not best.fields or not fmt.labelled:
        return None
    titles = [title.strip() for title in best.fields[0]]
    places = [int(column) - 1 for _, column in fmt.wanted]
    label = int(fmt.columns_with_labels[0]) - 1
    labels = Counter(fields[label].strip() for fields in best.fields)
    alone = labels[titles[label]] == 1 and 1 not in list(labels.values())[1:]
    if not alone or len(labels) < _LABELS_AND_TITLE or any(titles.count(titles[place]) > 1 for place in places):
        return None
    return fmt.renamed([titles[place] for place in places])


def name_columns(best: Reading, fmt: RowFormat) -> RowFormat:
    """Returns the format with its columns named after what they hold.

    Args:
        best: The reading of the file with numbered columns.
        fmt: Has the numbers of the wanted columns.
    """
    names = [IGNORED_COLUMN] * len(best.titles)
    wanted = [
        (int(column) - 1, key.removesuffix("_column") if key.endswith("_column") else f"label_{column}")
        for key, column in fmt.wanted
    ]
    for place, name in wanted:
        names[place] = name
    return replace(fmt.renamed([name for _, name in wanted]), dialect=replace(fmt.dialect, columns=tuple(names)))


def check_header(readings: list[Reading], fmt: RowFormat) -> None:
    """Checks that a file in which wanted columns are not found has a header.

    Args:
        readings: Of the file with numbered columns, under one delimiter and another.
        fmt: Has the names that are not in its first line.

    Raises:
        InputError: It seems to have none: its first line is a row like the others.
    """
    if not fmt.labelled:
        return
    found = [(reading.loss, places) for reading in readings if (places := _text_and_label(reading))]
    if not found:
        return
    text, label = min(found)[1]
    raise InputError(
        "{column!r} is no column of the file, which seems to have no header: its first line is a row like the others; "
        "name columns by number instead, such as {text} for the text and {label} for the label",
        field="text_column",
        column=fmt.text_column,
        text=text + 1,
        label=label + 1,
    )


def _text_and_label(reading: Reading) -> tuple[int, int] | None:
    """Returns the places of the columns that look most like text and labels, the first row's among them."""
    columns = [[value.strip() for value in column] for column in zip(*reading.fields, strict=True)]
    counts = [Counter(column) for column in columns]
    classes = [
        place
        for place, (column, count) in enumerate(zip(columns, counts, strict=True))
        if 1 < len(count) <= len(column) / _ROWS_OF_A_LABEL and count[column[0]] > 1
    ]
    texts = [place for place in range(len(columns)) if place not in classes]
    if not classes or not texts:
        return None
    text = max(texts, key=lambda place: sum(map(len, columns[place])))
    return text, min(classes, key=lambda place: len(counts[place]))
