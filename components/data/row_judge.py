"""Judges whether a record can be used."""

from collections.abc import Callable, Mapping

from fullbake.components.data.columns import shorten
from fullbake.components.data.row_format import OTHER, RowFormat
from fullbake.components.data.rows import UNLISTED, BadRow, Row

Judge = Callable[[int, Mapping[str, str], list[str], int], Row | BadRow]
"""Makes a row of the parts of a `Record`."""


def row_judge(fmt: RowFormat) -> Judge:
    """Returns what judges the records of files of this format, whatever their kind.

    It is made once a file, because it is called for each row.

    Args:
        fmt: The columns and the labels.

    Example:
        >>> judge = row_judge(RowFormat("text", "label", ("good", "bad")))
        >>> judge(2, {"text": "so kind", "label": "good"}, ["1", "so kind", "good"], 1)
        Row(line=2, text='so kind', text_pair=None, label='good', lines=1)
    """
    text_column, pair_column, label_column = fmt.text_column, fmt.text_pair_column, fmt.label_column
    labelled, any_label, names = fmt.labelled, not fmt.labels, fmt.names
    labels = {label: label for label in fmt.labels}
    labels.update((value.strip(), label) for value, label in fmt.label_map.items())

    def judge(line: int, values: Mapping[str, str], fields: list[str], lines: int) -> Row | BadRow:
        text = values[text_column]
        if not text or text.isspace():
            return BadRow(line, f"no text in column {text_column!r}", fields, "missing text", lines)
        text_pair = None
        if pair_column is not None:
            text_pair = values[pair_column]
            if not text_pair or text_pair.isspace():
                return BadRow(line, f"no text in column {pair_column!r}", fields, "missing text pair", lines)
        if not labelled:
            return Row(line, text, text_pair, "", lines)
        value = values[label_column].strip()
        label = labels.get(value)
        if label or (any_label and (label := value)):
            return Row(line, text, text_pair, label, lines)
        if not value:
            return BadRow(line, f"no label in column {label_column!r}", fields, "missing label", lines)
        if fmt.rare_classes == OTHER:
            return Row(line, text, text_pair, OTHER, lines, value)
        reason = f"label {shorten(repr(value))} is neither in {names['labels']} nor in {names['label_map']}"
        if fmt.rare_classes == "drop":
            return BadRow(line, f"{reason} ({names['rare_classes']}: drop)", fields, UNLISTED, lines, value)
        return BadRow(line, reason, fields, "unknown label", lines)

    return judge
