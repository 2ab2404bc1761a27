"""The comparison as tables in a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fullbake.pipeline.comparison.comparison import Comparison
from fullbake.pipeline.comparison.notes import notes_on
from fullbake.pipeline.comparison.paired_test import PairedTest
from fullbake.pipeline.comparison.table import table_rows
from fullbake.pipeline.comparison.words import one_line, p_words, signed


def print_comparison(comparison: Comparison, console: Console) -> None:
    """Prints the table, the tests and the notes.

    Args:
        comparison: What is shown.
        console: Where to; four approaches fit into 100 columns.
    """
    console.print(_approaches_table(comparison))
    for (first, second), tests in comparison.tests_by_pair().items():
        console.print()
        console.print(_tests_table(f"{first} - {second}", tests))
    console.print()
    for note in notes_on(comparison):
        console.print(Text(note))


def _approaches_table(comparison: Comparison) -> Table:
    table = _empty_table(Text(f"{len(comparison.truth):,} test rows"))
    for result in comparison.results:
        table.add_column(Text(result.approach), justify="right", no_wrap=True, overflow="fold")
    for name, cells in table_rows(comparison):
        table.add_row(Text(one_line(name)), *cells)
    return table


def _tests_table(title: str, tests: Sequence[PairedTest]) -> Table:
    table = _empty_table(Text(title))
    with_seeds = any(test.margin is not None for test in tests)
    for name in ("difference", "95% by rows", "p", *(["with seeds"] if with_seeds else [])):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("")
    for test in tests:
        interval = f"{signed(test.low)} to {signed(test.high)}"
        p = p_words(test.p).removeprefix("p ").removeprefix("= ")
        verdict = Text(test.verdict, style="bold" if test.more_than_luck else "")
        cells = [signed(test.difference), interval, p, *([test.margin_words] if with_seeds else [])]
        table.add_row(Text(one_line(test.measure)), *cells, verdict)
    return table


def _empty_table(title: Text) -> Table:
    """Returns a table with its first column, for names."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, title=title)
    table.add_column("", overflow="fold", min_width=14)
    return table
