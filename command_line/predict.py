"""`fullbake predict`: labels texts, or the rows of a file, with a pushed model."""

from __future__ import annotations

import itertools
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fullbake.command_line.labelling_progress import LabellingProgress
from fullbake.command_line.options import LOCATION, PATH, json_option, quiet_option
from fullbake.command_line.printed_predictions import print_predictions
from fullbake.command_line.terminal import print_json, quiet_libraries, warn
from fullbake.contract.errors import InputError
from fullbake.pipeline.interruption import Interruption
from fullbake.pipeline.output_file import STDOUT
from fullbake.pipeline.prediction.label_file import ON_BAD_ROW, Labelled, check_files, label_file
from fullbake.pipeline.prediction.predictor import Predictor, find_model
from fullbake.pipeline.prediction.stdin_texts import piped_file, piped_texts
from fullbake.pipeline.prediction.thresholds import read_thresholds, thresholds_of
from fullbake.pipeline.prediction.unlabelled_rows import unlabelled_file

if TYPE_CHECKING:
    from collections.abc import Iterable

STDIN = Path("-")


@click.command()
@click.argument("texts", metavar="TEXT ...", nargs=-1)
@click.option(
    "--model",
    type=LOCATION,
    help="A pushed version, a serving folder or an output root.  [default: the newest below runs/]",
)
@click.option(
    "--input",
    "source",
    type=PATH,
    metavar="FILE",
    help="Label a file instead: CSV, text, JSON, Parquet, Arrow or Excel, by its suffix; - for what is piped in.",
)
@click.option(
    "--output", "target", type=PATH, metavar="FILE", help="Where its rows go, with their labels; - for stdout."
)
@click.option(
    "--threshold",
    "thresholds",
    multiple=True,
    metavar="P",
    help="Decide the second of two labels from this probability on, or each label of a multi-label model; LABEL=P for "
    "one of those. Repeatable.  [default: the model's own]",
)
@click.option("--explain", is_flag=True, help="Say which words pushed each decision; takes up to 21 times as long.")
@click.option(
    "--on-bad-row",
    type=click.Choice(ON_BAD_ROW),
    help="What a row of the file does that cannot be labelled: it comes back without a label, or ends the command with "
    "code 2.  [default: quarantine]",
)
@click.option("--delimiter", help="What is between the fields of the input file.  [default: found out]")
@click.option("--encoding", help="The encoding of the input file.  [default: found out]")
@click.option(
    "--quoting",
    help="What double quotes mean in the input file: standard, none (characters like any other) or auto.  "
    "[default: as in training]",
)
@click.option(
    "--escape-formulas", is_flag=True, help="Put ' before what a spreadsheet would take for a formula (=, +, -, @)."
)
@json_option
@quiet_option
@click.pass_obj
def predict(
    interruption: Interruption,
    texts: tuple[str, ...],
    model: str | None,
    source: Path | None,
    target: Path | None,
    thresholds: tuple[str, ...],
    explain: bool,
    on_bad_row: str | None,
    delimiter: str | None,
    encoding: str | None,
    quoting: str | None,
    escape_formulas: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Label texts, the lines that are piped in, or a whole file, with a pushed model."""
    options = {"delimiter": delimiter, "encoding": encoding, "quoting": quoting}
    of_files = {"on_bad_row": on_bad_row, "escape_formulas": escape_formulas, **options}
    _check_arguments(texts, source, target, as_json, [name for name, value in of_files.items() if value])
    decided_from = read_thresholds(thresholds)
    quiet_libraries()
    if source is None or target is None:
        predictor = _predictor(model, decided_from)
        _label_texts(predictor, texts, as_json=as_json, explained=explain, quiet=quiet)
        return
    with ExitStack() as stack:
        if source == STDIN:
            source = stack.enter_context(piped_file(sys.stdin.buffer, interruption.leftovers))
        check_files(source, target, **options)
        predictor = _predictor(model, decided_from)
        interruption.kept = f"{target} was not written; run the command again"
        # Rows on a terminal, and a bar among them, are no use to anybody.
        quiet = quiet or (target == STDOUT and sys.stdout.isatty())
        with LabellingProgress(quiet=quiet) as progress:
            labelled = label_file(
                predictor,
                source,
                target,
                escape_formulas=escape_formulas,
                on_bad_row=on_bad_row or ON_BAD_ROW[0],
                explained=explain,
                progress=progress,
                **options,
            )
        _print_labelled(labelled, source, target, as_json=as_json)


def _check_arguments(
    texts: tuple[str, ...], source: Path | None, target: Path | None, as_json: bool, of_files: list[str]
) -> None:
    if texts and (source or target):
        raise InputError("predict: give either texts, or --input and --output, not both")
    if target is not None and source is None:
        raise InputError("predict: --output is for the rows of a file; give --input too (- for what is piped in)")
    if target is None and source not in (None, STDIN):
        raise InputError("predict: --input needs --output FILE, where its rows go (- for stdout)")
    if target is None and of_files:
        option = f"--{of_files[0].replace('_', '-')}"
        raise InputError(f"predict: {option} is for files; give --input and --output, or leave it out")
    if target == STDOUT and as_json:
        raise InputError("predict: --json would go where the rows of --output - go; name a file, or leave --json out")
    if not texts and source is None and (sys.stdin is None or sys.stdin.isatty()):
        raise _nothing_to_label()


def _nothing_to_label() -> InputError:
    return InputError(
        "predict: there is nothing to label: give texts, --input and --output, or pipe texts in, one a line"
    )


def _predictor(model: str | None, decided_from: dict[str, float]) -> Predictor:
    predictor = Predictor(find_model(model))
    predictor.thresholds = thresholds_of(decided_from, predictor.labels, multi_label=predictor.multi_label)
    return predictor


def _label_texts(predictor: Predictor, texts: tuple[str, ...], *, as_json: bool, explained: bool, quiet: bool) -> None:
    if predictor.text_features != ["text"]:
        raise InputError("predict: this model labels pairs of texts; give them as a file with --input and --output")
    batches: Iterable[list[bytes]] = [[os.fsencode(text) for text in texts]]
    if not texts:
        if sys.stdin.isatty() and not quiet:
            click.echo("one text a line; Ctrl-D ends", err=True)
        piped = piped_texts(sys.stdin.buffer)
        first = next(piped, None)  # what is missing is said before anything is loaded
        if first is None:
            raise _nothing_to_label()
        batches = itertools.chain([first], piped)
    with LabellingProgress(quiet=quiet, lines=False) as progress, progress.loading():
        predictor.load()
    print_predictions(predictor, batches, as_documents=as_json, explained=explained, streamed=not texts)


def _print_labelled(labelled: Labelled, source: Path, target: Path, *, as_json: bool) -> None:
    warn(labelled.notes)
    without = labelled.unlabelled.total()
    kinds = "; ".join(
        f"{count:,} x {kind}, as {labelled.first[kind]}" for kind, count in labelled.unlabelled.most_common()
    )
    reasons = unlabelled_file(target)
    listed = f"; each is in {reasons}" if reasons.exists() else ""
    if without == labelled.rows > 0:
        raise InputError(
            f"--input: no row of {source} could be labelled: {kinds}; {target} was written without labels{listed}"
        )
    if as_json:
        done = {"rows": labelled.rows, "labelled": labelled.rows - without, "unlabelled": without}
        print_json({**done, "output": str(target)})
    else:
        click.echo(f"{_counted(labelled.rows - without)} labelled: {target}", err=target == STDOUT)
    if without:
        warn([f"{without:,} of {_counted(labelled.rows)} came back without a label: {kinds}{listed}"])


def _counted(rows: int) -> str:
    return f"{rows:,} {'row' if rows == 1 else 'rows'}"
