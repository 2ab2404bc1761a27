"""Judges whether a record can be used."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from fullbake.components.data.columns import shorten
from fullbake.components.data.label_sets import Unusable, label_sets
from fullbake.components.data.numbers import finite_number
from fullbake.components.data.row_format import OTHER, RowFormat
from fullbake.components.data.row_slices import NO_SLICES
from fullbake.components.data.rows import UNLISTED, BadRow, LabelSet, Row
from fullbake.components.data.slicing import NO_IDENTITY, slicer
from fullbake.components.data.votes import winner

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
    if fmt.slices:
        return _with_slices(fmt, row_judge(replace(fmt, slices=NO_SLICES)))
    if fmt.multi_label:
        return _with_labels(fmt, label_sets(fmt) if fmt.labelled else lambda _: LabelSet(()))
    if fmt.votes and fmt.labelled:
        return _with_labels(fmt, winner(fmt))
    return _of_one_column(fmt)


def _with_slices(fmt: RowFormat, judge_row: Judge) -> Judge:
    """Returns a judge that says, too, which slices a row is in."""
    find = slicer(fmt.slices, {word.strip() for word in fmt.null_values}, fmt.names["identity_columns"])

    def judge(line: int, values: Mapping[str, str], fields: list[str], lines: int) -> Row | BadRow:
        row = judge_row(line, values, fields, lines)
        if isinstance(row, BadRow):
            return row
        found = find(row.text, values)
        return BadRow(line, found, fields, NO_IDENTITY, lines) if isinstance(found, str) else replace(row, slices=found)

    return judge


def _with_labels(fmt: RowFormat, labels_of: Callable[[Mapping[str, str]], str | LabelSet | Unusable]) -> Judge:
    """Returns a judge of texts, whose labels are of several columns, or several."""
    judge_texts = _of_one_column(replace(fmt, labelled=False, label_threshold=None))

    def judge(line: int, values: Mapping[str, str], fields: list[str], lines: int) -> Row | BadRow:
        row = judge_texts(line, values, fields, lines)
        if isinstance(row, BadRow):
            return row
        found = labels_of(values)
        if isinstance(found, Unusable):
            return BadRow(line, found.reason, fields, found.kind, lines)
        if isinstance(found, LabelSet):
            return replace(row, label=found.in_words, label_set=found)
        return replace(row, label=found)

    return judge


def _of_one_column(fmt: RowFormat) -> Judge:
    """Returns a judge where a row has one label or, of a format without labels, none."""
    text_column, pair_column, label_column = fmt.text_column, fmt.text_pair_column, fmt.label_column
    labelled, names = fmt.labelled, fmt.names
    nulls = frozenset(word.strip() for word in fmt.null_values)
    threshold = fmt.label_threshold
    label_of = _by_name(fmt, nulls) if threshold is None else _by_threshold(fmt.labels, threshold)

    def missing(line: int, column: str, value: str, what: str, fields: list[str], lines: int) -> BadRow:
        value = value.strip()
        said = f": {value!r} is one of {names['null_values']}" if value else ""
        return BadRow(line, f"no {what.split()[0]} in column {column!r}{said}", fields, f"missing {what}", lines)

    def judge(line: int, values: Mapping[str, str], fields: list[str], lines: int) -> Row | BadRow:
        text = values[text_column]
        if not text or text.isspace() or text.strip() in nulls:
            return missing(line, text_column, text, "text", fields, lines)
        text_pair = None
        if pair_column is not None:
            text_pair = values[pair_column]
            if not text_pair or text_pair.isspace() or text_pair.strip() in nulls:
                return missing(line, pair_column, text_pair, "text pair", fields, lines)
        if not labelled:
            return Row(line, text, text_pair, "", lines)
        value = values[label_column].strip()
        label = label_of(value)
        if label:
            return Row(line, text, text_pair, label, lines)
        if not value or value in nulls:
            return missing(line, label_column, value, "label", fields, lines)
        if threshold is not None:
            reason = f"label {shorten(repr(value))} is no finite number, as {names['label_threshold']} needs"
            return BadRow(line, reason, fields, "label is no number", lines)
        if fmt.rare_classes == OTHER:
            return Row(line, text, text_pair, OTHER, lines, value)
        reason = f"label {shorten(repr(value))} is neither in {names['labels']} nor in {names['label_map']}"
        if fmt.rare_classes == "drop":
            return BadRow(line, f"{reason} ({names['rare_classes']}: drop)", fields, UNLISTED, lines, value)
        return BadRow(line, reason, fields, "unknown label", lines)

    return judge


def _by_name(fmt: RowFormat, nulls: frozenset[str]) -> Callable[[str], str | None]:
    labels = {label: label for label in fmt.labels}
    labels.update((value.strip(), label) for value, label in fmt.label_map.items())
    if fmt.labels:
        return labels.get
    return lambda value: labels.get(value) or (None if value in nulls else value)


def _by_threshold(labels: tuple[str, ...], threshold: float) -> Callable[[str], str | None]:
    low, high = labels

    def label_of(value: str) -> str | None:
        score = finite_number(value)
        return None if score is None else high if score >= threshold else low

    return label_of
