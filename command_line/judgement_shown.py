"""What `fullbake evaluate` prints when it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fullbake.command_line.run_outcome import label_table, print_worst_slices
from fullbake.command_line.terminal import number, plain_console, short_path

if TYPE_CHECKING:
    from rich.table import Table

    from fullbake.contract.results.paired import Paired, PairedShare
    from fullbake.contract.results.result import Interval
    from fullbake.pipeline.judging.judgement import Judgement


def print_judgement(judgement: Judgement) -> None:
    """Prints how well a model does on a file, whether its bounds are met, and where everything is.

    Args:
        judgement: What came out.
    """
    from rich.text import Text

    from fullbake.components.evaluation.gate import describe

    console = plain_console()
    evaluation, ingest = judgement.evaluation, judgement.ingest
    console.print(label_table(evaluation))
    console.print(f"rows of {judgement.file.name}: {ingest.used:,} used, {ingest.rejected:,} rejected", soft_wrap=True)
    for note in evaluation.slice_notes:
        console.print(f"note: {note}", soft_wrap=True)
    print_worst_slices(console, evaluation)
    if judgement.paired:
        console.print(_paired_table(judgement.paired))
        console.print(_compared(judgement.paired), soft_wrap=True)
    for bound in evaluation.missed:
        console.print(Text.assemble(("✗", "red"), f" {describe(bound)}"), soft_wrap=True)
    if not evaluation.bounds:
        console.print("no bounds: nothing was asked of the model")
    elif judgement.passed:
        console.print(Text.assemble(("passed", "green"), ": every bound is met"))
    else:
        missed = f": {len(evaluation.missed)} of {len(evaluation.bounds)} bounds"
        console.print(Text.assemble(("missed", "red"), missed), soft_wrap=True)
    if judgement.predictions:
        console.print(f"predictions: {short_path(str(judgement.predictions))}", soft_wrap=True)
    console.print(f"report: {short_path(str(judgement.report))}", soft_wrap=True)


def _paired_table(paired: Paired) -> Table:
    from rich.table import Table

    table = Table(title="row by row", caption="95% intervals; p: exact McNemar test", caption_justify="left")
    table.add_column("")
    columns = ("rows", paired.first, paired.second, "difference", "interval", "fixed", "broken", "p")
    for column in columns:
        table.add_column(column, justify="right")
    table.add_row("accuracy", *_cells(paired.accuracy))
    for label, share in paired.recall.items():
        table.add_row(f"recall of '{label}'", *_cells(share))
    return table


def _cells(share: PairedShare) -> list[str]:
    difference = "–" if share.difference is None else f"{share.difference:+.3f}"
    p = "–" if share.p is None else "<0.001" if share.p < 0.001 else f"{share.p:.3f}"
    return [
        f"{share.rows:,}",
        f"{number(share.first)} {_interval(share.first_interval)}",
        f"{number(share.second)} {_interval(share.second_interval)}",
        difference,
        "–" if share.difference_interval is None else "{:+.3f} to {:+.3f}".format(*share.difference_interval),
        f"{share.fixed:,}",
        f"{share.broken:,}",
        p,
    ]


def _interval(interval: Interval | None) -> str:
    return "" if interval is None else f"({number(interval[0])}–{number(interval[1])})"


def _compared(paired: Paired) -> str:
    share = paired.accuracy
    fixed, broken = (f"{count:,} {'row' if count == 1 else 'rows'}" for count in (share.fixed, share.broken))
    return f"{paired.first} has {fixed} right that {paired.second} has wrong, and {broken} wrong that it has right"
