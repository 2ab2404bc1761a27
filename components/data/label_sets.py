"""Judges which labels a row has, of formats in which it can have any number of them."""

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

from fullbake.components.data.columns import shorten
from fullbake.components.data.numbers import finite_number
from fullbake.components.data.row_format import RowFormat
from fullbake.components.data.rows import ALL_MASKED, LabelSet


class Unusable(NamedTuple):
    """Why a row cannot be used, as of `BadRow`."""

    kind: str
    reason: str


LabelsOf = Callable[[Mapping[str, str]], LabelSet | Unusable]
"""Makes the labels of a row of its values by column."""

_TRUTHS = {"0": False, "0.0": False, "false": False, "1": True, "1.0": True, "true": True}
_UNKNOWN = ("-1", "-1.0")  # as test sets have it whose labels are kept, such as Jigsaw's
_OPENING, _CLOSING = "[({", "])}"
_CELLS_KEPT = 2**14  # their labels; most data sets have fewer different ones
_LONGEST_KEPT = 1000  # characters; of longer cells, so many would take gigabytes

_LISTS = json.JSONDecoder(parse_int=str, parse_float=str)


def label_sets(fmt: RowFormat) -> LabelsOf:
    """Returns what judges the labels of records of a multi-label format."""
    return _by_columns(fmt) if fmt.label_columns else _by_parts(fmt)


def _by_columns(fmt: RowFormat) -> LabelsOf:
    columns = tuple(zip(fmt.label_columns, fmt.labels, strict=True))
    masks, names, threshold = fmt.missing_label == "mask", fmt.names, fmt.label_threshold
    missing = {"", *(word.strip() for word in fmt.null_values)}
    if threshold is None or threshold > 0:  # else the numbers below 0 are scores, too
        missing.update(_UNKNOWN)

    def truth(cell: str) -> bool | None:
        if threshold is None:
            found = _TRUTHS.get(cell)
            return _TRUTHS.get(cell.strip().lower()) if found is None else found
        number = None if cell.strip() in missing else finite_number(cell)
        return None if number is None else number >= threshold

    def unusable(column: str, cell: str) -> Unusable:
        if not cell:
            return Unusable("missing label", f"no label in column {column!r}")
        if cell in missing:
            said = "says that nobody knows" if cell in _UNKNOWN else f"is one of {names['null_values']}"
            remedy = f"{names['missing_label']} mask would leave it out"
            return Unusable("missing label", f"no label in column {column!r}: {cell!r} {said} ({remedy})")
        shown = f"label {shorten(repr(cell))} in column {column!r} is"
        if threshold is not None:
            return Unusable("label is no number", f"{shown} no finite number, as {names['label_threshold']} needs")
        number = f" ({names['label_threshold']} parts numbers)" if finite_number(cell) is not None else ""
        return Unusable("label is neither 0 nor 1", f"{shown} neither 0 nor 1, false nor true{number}")

    def labels_of(values: Mapping[str, str]) -> LabelSet | Unusable:
        present, masked = [], []
        for column, label in columns:
            has = truth(values[column])
            if has:
                present.append(label)
            elif has is None:
                cell = values[column].strip()
                if not masks or cell not in missing:
                    return unusable(column, cell)
                masked.append(label)
        if len(masked) == len(columns):
            return Unusable(ALL_MASKED, f"no label is known ({names['missing_label']}: mask)")
        return LabelSet(tuple(present), tuple(masked))

    return labels_of


def _by_parts(fmt: RowFormat) -> LabelsOf:
    column, separator, names = fmt.label_column, fmt.label_separator or ",", fmt.names
    nulls = frozenset(word.strip() for word in fmt.null_values)
    known = {label: label for label in fmt.labels}
    known.update((value.strip(), label) for value, label in fmt.label_map.items())
    order = {label: number for number, label in enumerate(fmt.labels)}

    def judged(cell: str) -> LabelSet | Unusable:
        found = set()
        for part in [cell] if cell in known else parts_of(cell, separator):
            label = known.get(part)
            if label is None and part in nulls:
                reason = f"no label in column {column!r}: {part!r} is one of {names['null_values']}"
                return Unusable("missing label", reason)
            if label is None and fmt.labels:
                of = "" if part == cell else f" of {shorten(repr(cell))}"
                reason = f"label {shorten(repr(part))}{of} is neither in {names['labels']} nor in {names['label_map']}"
                return Unusable("unknown label", reason)
            found.add(label or part)
        return LabelSet(tuple(sorted(found, key=order.__getitem__) if order else sorted(found)))

    kept = lru_cache(_CELLS_KEPT)(judged)

    def labels_of(values: Mapping[str, str]) -> LabelSet | Unusable:
        cell = values[column].strip()
        return kept(cell) if len(cell) <= _LONGEST_KEPT else judged(cell)

    return labels_of


def parts_of(cell: str, separator: str) -> list[str]:
    """Returns what stands in a cell with several labels, each part once; a list may be written as one.

    Args:
        cell: The cell, without white space around it.
        separator: What stands between its parts; in a list it is a comma.

    Example:
        >>> parts_of("2,5, 2", ","), parts_of("[2, 5]", ";"), parts_of("['a', 'b']", ","), parts_of("", ",")
        (['2', '5'], ['2', '5'], ['a', 'b'], [])
    """
    if len(cell) > 1 and cell[0] in _OPENING and cell[-1] == _CLOSING[_OPENING.index(cell[0])]:
        parts = _parts_of_list(cell)
    else:
        parts = cell.split(separator)
    stripped = (part.strip() for part in parts)
    return list(dict.fromkeys(part for part in stripped if part))


def _parts_of_list(cell: str) -> list[str]:
    try:
        values = _LISTS.decode(cell)
    except (ValueError, RecursionError):
        values = None
    if isinstance(values, list) and all(isinstance(value, str) or value is None for value in values):
        return [value or "" for value in values]
    return [part.strip().strip("\"'") for part in cell[1:-1].split(",")]
