"""`fullbake predict`: labels texts, or the rows of a file, with a pushed model."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fullbake.command_line.options import LOCATION, PATH
from fullbake.command_line.terminal import native_stderr_silenced, quiet_libraries, warn
from fullbake.components.data.text_encoding import escaped, printable
from fullbake.contract.errors import InputError
from fullbake.pipeline.interruption import Interruption

if TYPE_CHECKING:
    from fullbake.pipeline.prediction.label_file import Labelled

NO_LABEL = "(no label)"
"""What stands for the labels of a text that a multi-label model gives none."""


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
    help="Label a file instead: CSV, text, JSON, Parquet, Arrow or Excel, by its suffix.",
)
@click.option("--output", "target", type=PATH, metavar="FILE", help="Where its rows go, with their labels.")
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
@click.pass_obj
def predict(
    interruption: Interruption,
    texts: tuple[str, ...],
    model: str | None,
    source: Path | None,
    target: Path | None,
    delimiter: str | None,
    encoding: str | None,
    quoting: str | None,
    escape_formulas: bool,
) -> None:
    """Label texts, or a whole file, with a pushed model."""
    if bool(texts) == bool(source) or bool(source) != bool(target):
        raise InputError("predict: give either texts, or both --input and --output")
    from fullbake.pipeline.prediction.label_file import check_files, label_file

    options = {"delimiter": delimiter, "encoding": encoding, "quoting": quoting}
    if source and target:
        check_files(source, target, **options)
    quiet_libraries()
    with native_stderr_silenced():
        from fullbake.pipeline.prediction.predictor import Predictor, find_model

    predictor = Predictor(find_model(model))
    if source and target:
        interruption.kept = f"{target} was not written; run the command again"
        labelled = label_file(predictor, source, target, escape_formulas=escape_formulas, **options)
        _print_labelled(labelled, source, target)
        return
    if predictor.text_features != ["text"]:
        raise InputError("predict: this model labels pairs of texts; give them as a file with --input and --output")
    encoded = [os.fsencode(text) for text in texts]
    for text, prediction in zip(encoded, predictor.predict({"text": encoded}), strict=True):
        shown = printable(text.decode("utf-8", "replace"))  # a terminal may refuse bytes that are not UTF-8
        decided = ", ".join(f"{escaped(label)}  {probability:.3f}" for label, probability in prediction.decided)
        click.echo(f"{decided or NO_LABEL}  {shown}")


def _print_labelled(labelled: Labelled, source: Path, target: Path) -> None:
    from fullbake.pipeline.prediction.unlabelled_rows import unlabelled_file

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
    click.echo(f"{_counted(labelled.rows - without)} labelled: {target}")
    if without:
        warn([f"{without:,} of {_counted(labelled.rows)} came back without a label: {kinds}{listed}"])


def _counted(rows: int) -> str:
    return f"{rows:,} {'row' if rows == 1 else 'rows'}"
