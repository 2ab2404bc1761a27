"""Which texts get no label, and why: those that a training would not take."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from fullbake.components.data.row_format import NULL_VALUES, RowFormat
from fullbake.components.data.row_judge import row_judge
from fullbake.components.data.rows import MAX_TEXT_CHARACTERS, BadRow
from fullbake.components.data.text_encoding import UNDECODABLE, undecodable
from fullbake.contract.names import TEXT, TEXT_PAIR
from fullbake.pipeline.config.config_keys import CONFIG_KEYS
from fullbake.pipeline.prediction.table import Batch
from fullbake.pipeline.prediction.text_source import ADVICE

TextJudge = Callable[[Batch], list[BadRow | None]]
"""Returns of each row of a batch why it gets no label; None if it gets one."""


def text_judge(columns: Mapping[str, str], null_values: Iterable[str] | None, encoding: str | None) -> TextJudge:
    """Returns what judges the texts of a table.

    Args:
        columns: By feature, the name of its column.
        null_values: The words that stand for a missing text; None: those of `NULL_VALUES`.
        encoding: As of `Table`.
    """
    nulls = NULL_VALUES if null_values is None else tuple(null_values)
    fmt = RowFormat(columns[TEXT], "", (), columns.get(TEXT_PAIR), labelled=False, null_values=nulls, names=CONFIG_KEYS)
    judge = row_judge(fmt)
    names = list(columns.values())
    advice = "" if encoding is None else ADVICE

    def fault(line: int, texts: tuple[str, ...]) -> BadRow | None:
        for name, text in zip(names, texts, strict=True):
            if len(text) > MAX_TEXT_CHARACTERS:
                reason = f"column {name!r} is longer than {MAX_TEXT_CHARACTERS:,} characters"
                return BadRow(line, reason, [], "too long")
            if not text.isascii() and (problem := undecodable(text, f"column {name!r}", encoding or "utf-8", advice)):
                return BadRow(line, problem, [], UNDECODABLE)
        row = judge(line, dict(zip(names, texts, strict=True)), [], 1)
        return row if isinstance(row, BadRow) else None

    def faults(batch: Batch) -> list[BadRow | None]:
        rows = zip(*(batch.texts[feature] for feature in columns), strict=True)
        return [bad or fault(line, texts) for line, bad, texts in zip(batch.lines, batch.bad, rows, strict=True)]

    return faults
