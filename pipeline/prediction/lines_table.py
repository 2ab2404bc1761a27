"""Text files whose lines are labelled: a text to a line, or lines that fit a pattern."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from fullbake.components.data.readers.bounded_lines import Line
from fullbake.components.data.readers.pattern_lines import UNFITTING
from fullbake.components.data.rows import BadRow
from fullbake.pipeline.prediction.table import Batch


class LinesTable:
    """A file of lines, opened.

    Args:
        columns: The names of its columns: the groups of the pattern, or the one of the text.
        lines: Its lines.
        pattern: What they fit; None: a line is a text.
        encoding: Its encoding.
        notes: As of `Table`.
        part_read: Likewise.
    """

    def __init__(
        self,
        columns: list[str],
        lines: Iterator[Line | BadRow],
        pattern: re.Pattern[str] | None,
        encoding: str,
        notes: Sequence[str],
        part_read: Callable[[int], float],
    ):
        self.columns = columns
        self.types: list[type] = [str] * len(columns)
        self.encoding: str | None = encoding
        self.notes = notes
        self.part_read = part_read
        self._lines = lines
        self._pattern = pattern

    def batches(self, places: Mapping[str, int], size: int) -> Iterator[Batch]:
        """Yields all rows, as `Table.batches`; a line that fits no pattern comes back in the place of the text."""
        text = min(places.values(), default=0)
        while lines := list(itertools.islice(self._lines, size)):
            bad: list[BadRow | None] = []
            rows: list[list[Any]] = []
            for line in lines:
                fields, fault = self._split(line, text)
                bad.append(fault)
                rows.append(fields)
            texts = {feature: [row[place] for row in rows] for feature, place in places.items()}
            numbers = [line.line if isinstance(line, BadRow) else line.number for line in lines]
            yield Batch(numbers, bad, texts, rows, partial(list, rows))

    def _split(self, line: Line | BadRow, text: int) -> tuple[list[str], BadRow | None]:
        whole = line.fields[0] if isinstance(line, BadRow) else line.text
        fit = None if self._pattern is None else self._pattern.fullmatch(whole)
        if fit is not None:
            fields = [fit[column] or "" for column in self.columns]
            return fields, line if isinstance(line, BadRow) else None
        fields = [whole if place == text else "" for place in range(len(self.columns))]
        if isinstance(line, BadRow):
            return fields, line
        unfitting = BadRow(line.number, "the line does not fit the line_pattern of the training files", [], UNFITTING)
        return fields, None if self._pattern is None else unfitting
