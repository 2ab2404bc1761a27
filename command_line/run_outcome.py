"""What `fullbake run` prints when the run is over."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from fullbake.command_line.terminal import number, plain_console, short_path

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from fullbake.contract.results.evaluation import Evaluation
    from fullbake.contract.results.ingest import Repeats
    from fullbake.contract.results.tokens import Tokens
    from fullbake.pipeline.run_record import RunRecord


_SLICES_SHOWN = 5  # of labels, the worst slice of each


def print_outcome(record: RunRecord, serving_dir: str) -> None:
    """Prints the verdict on the model, how well it does, and where everything is.

    Args:
        record: The run.
        serving_dir: Where the model is pushed.
    """
    from rich.text import Text

    from fullbake.components.evaluation.gate import describe
    from fullbake.components.serving.making import why_withdrawn
    from fullbake.contract.setting_names import settings_named
    from fullbake.pipeline.config.config_keys import CONFIG_KEYS

    evaluation = record.evaluation
    console = plain_console()
    console.print(label_table(evaluation))
    ingest = record.ingest
    lines = f"; lines: {_sum_in_words(ingest.lines.to_dict())}" if ingest.lines else ""
    console.print(f"rows: {ingest.used:,} used, {ingest.rejected:,} rejected{lines}")
    tokens = record.tokens
    for line in (_repeats_in_words(ingest.repeats), _cut_in_words(tokens)):
        if line:
            console.print(line, soft_wrap=True)
    for note in [*ingest.notes, *(tokens.notes if tokens else ())]:
        console.print(f"note: {note}", soft_wrap=True)
    if evaluation.baseline_note:
        console.print(f"note: {evaluation.baseline_note}")
    for note in evaluation.slice_notes:
        console.print(f"note: {note}", soft_wrap=True)
    print_worst_slices(console, evaluation)
    with settings_named(CONFIG_KEYS):
        for bound in evaluation.missed:
            console.print(Text.assemble(("✗", "red"), f" {describe(bound)}"), soft_wrap=True)
    if record.nothing_new:
        console.print("nothing new: data and config are those of an earlier run, whose outcome stands")
    if record.withdrawn is not None:
        console.print(f"not pushed: {why_withdrawn(serving_dir, record.withdrawn)}", soft_wrap=True)
    elif record.pushed_model is None:
        console.print(Text.assemble(("refused", "red"), ": the model was not pushed"), soft_wrap=True)
    else:
        console.print(Text.assemble(("pushed", "green"), f": {short_path(record.pushed_model)}"), soft_wrap=True)
    report = short_path(str(record.report))
    console.print(f"report: {report}", soft_wrap=True)
    if record.pushed_model is not None:
        model = shlex.quote(short_path(record.pushed_model))
        console.print(f'next: fullbake predict --model {model} "a text"', soft_wrap=True)
    elif record.withdrawn is None:
        console.print(f"next: see the hardest mistakes in {report}{_beside(record)}", soft_wrap=True)


def _repeats_in_words(repeats: Repeats) -> str:
    """Returns how many rows repeat or contradict others; empty where none does."""
    said = []
    if repeats.duplicates:
        said.append(f"duplicates: {repeats.duplicates:,} rows")
    if repeats.conflicting_texts:
        said.append(f"contradictions: {repeats.conflicting_texts:,} texts in {repeats.conflicting_rows:,} rows")
    return "; ".join(said)


def _cut_in_words(tokens: Tokens | None) -> str:
    """Returns how many texts are cut; empty where none is, or nobody counted."""
    from fullbake.contract.results.tokens import TokenCount

    count = TokenCount.sum_of(tokens.scripts.values()) if tokens else TokenCount()
    return f"cut texts: {count.cut:,} of {count.texts:,} have more tokens than the model reads" if count.cut else ""


def _beside(record: RunRecord) -> str:
    from fullbake.contract.names import PREDICTIONS_FILE

    return f", and every decision in {PREDICTIONS_FILE} beside it" if record.predictions else ""


def print_worst_slices(console: Console, evaluation: Evaluation) -> None:
    """Prints, of the labels that suffer most, the slice in which each is found least."""
    hardest = sorted(evaluation.worst_slice.items(), key=lambda found: found[1].recall)
    for label, worst in hardest[:_SLICES_SHOWN]:
        found = f"recall {number(worst.recall)} of {worst.rows:,} rows"
        console.print(f"worst slice of '{label}': '{worst.slice}', {found}", soft_wrap=True)


def label_table(evaluation: Evaluation) -> Table:
    """Returns a table with a row for each label: how well it is recognised, and what the gate asks of it."""
    from rich.table import Table
    from rich.text import Text

    bounds = {(bound.metric, bound.label): bound for bound in evaluation.bounds}
    ranked = ("ROC AUC",) if evaluation.multi_label else ()
    title = f"{evaluation.examples:,} test texts, accuracy {evaluation.accuracy:.3f}"
    if evaluation.multi_label:
        title += f" (every label right), mean ROC AUC {number(evaluation.mean_roc_auc)}"
    table = Table(title=title)
    table.add_column("label")
    for name in ("recall", "must be", "precision", "must be", "F1", *ranked, ""):
        table.add_column(name, justify="right")
    for label in evaluation.labels:
        row: list[str | Text] = [label]
        passed = [bound.passed for bound in evaluation.bounds if bound.label == label]
        for metric, by_label in (("recall", evaluation.recall), ("precision", evaluation.precision)):
            bound = bounds.get((metric, label))
            measured = number(by_label[label])
            if bound and bound.confidence is not None and bound.interval is not None:
                measured += f" (from {number(bound.interval[0])})"
            row += [measured, f"≥ {bound.bound:g}" if bound else ""]
        verdict = "" if not passed else Text("met", "green") if all(passed) else Text("missed", "red")
        ranks = [number(evaluation.roc_auc[label]) for _ in ranked]
        table.add_row(*row, number(evaluation.f1[label]), *ranks, verdict)
    return table


def _sum_in_words(lines: dict[str, int]) -> str:
    parts = " + ".join(f"{count:,} {name}" for name, count in lines.items() if name != "total" and count)
    return f"{lines['total']:,} = {parts}"
