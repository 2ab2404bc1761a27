"""Judges which label a row has by the votes for each."""

from collections.abc import Callable, Mapping

from fullbake.components.data.columns import shorten
from fullbake.components.data.label_sets import Unusable
from fullbake.components.data.numbers import finite_number
from fullbake.components.data.row_format import RowFormat
from fullbake.components.data.rows import UNDECIDED

WinnerOf = Callable[[Mapping[str, str]], str | Unusable]
"""Makes the label of a row of its values by column."""

Votes = dict[str, float]


def winner(fmt: RowFormat) -> WinnerOf:
    """Returns what judges the label of records of a format with votes: the one that has the most.

    Example:
        >>> fmt = RowFormat("text", "", ("hate", "fine"), votes={"a": "hate", "b": "fine"})
        >>> label_of = winner(fmt)
        >>> label_of({"a": "1", "b": "2"}), label_of({"a": "1", "b": "1"}).kind
        ('fine', 'votes without a winner')
    """
    counts = any(label is not None for label in fmt.votes.values())
    votes_in = _counted(fmt) if counts else _cast(fmt)
    setting = fmt.names["votes"]

    def label_of(values: Mapping[str, str]) -> str | Unusable:
        votes = votes_in(values)
        if isinstance(votes, Unusable):
            return votes
        most = max(votes.values(), default=0)
        if not most:
            return Unusable(UNDECIDED, f"no label has a vote ({setting})")
        first = [label for label, number in votes.items() if number == most]
        if len(first) > 1:
            tied = " and ".join(map(repr, first))
            return Unusable(UNDECIDED, f"the votes are tied: {tied} have {most:g} each ({setting})")
        return first[0]

    return label_of


def _counted(fmt: RowFormat) -> Callable[[Mapping[str, str]], Votes | Unusable]:
    def votes_in(values: Mapping[str, str]) -> Votes | Unusable:
        votes: Votes = {}
        for column, label in fmt.votes.items():
            number = finite_number(values[column])
            if number is None or number < 0:
                cell = shorten(repr(values[column].strip()))
                return Unusable("no number of votes", f"{cell} in column {column!r} is no number of votes")
            votes[str(label)] = votes.get(str(label), 0) + number
        return votes

    return votes_in


def _cast(fmt: RowFormat) -> Callable[[Mapping[str, str]], Votes | Unusable]:
    nulls = frozenset(word.strip() for word in fmt.null_values)
    known = {label: label for label in fmt.labels}
    known.update((value.strip(), label) for value, label in fmt.label_map.items())

    def votes_in(values: Mapping[str, str]) -> Votes | Unusable:
        votes: Votes = {}
        for column in fmt.votes:
            cell = values[column].strip()
            label = known.get(cell)
            if label is not None:
                votes[label] = votes.get(label, 0) + 1
            elif cell and cell not in nulls:
                where = f"label {shorten(repr(cell))} in column {column!r}"
                reason = f"{where} is neither in {fmt.names['labels']} nor in {fmt.names['label_map']}"
                return Unusable("unknown label", reason)
        return votes

    return votes_in
