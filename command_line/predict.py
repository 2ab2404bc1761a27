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
    help="Label a file instead: CSV, JSON, Parquet, Arrow or Excel, by its suffix.",
)
@click.option("--output", "target", type=PATH, metavar="FILE", help="Where its rows go, with their labels.")
@click.option("--delimiter", default=",", show_default=True, help="What is between the fields of both files.")
@click.option("--encoding", default="utf-8", show_default=True, help="The encoding of the input file.")
@click.option(
    "--quoting",
    default="auto",
    show_default=True,
    help="What double quotes mean in the input file: standard, none (characters like any other) or auto (found out).",
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
    delimiter: str,
    encoding: str,
    quoting: str,
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
        click.echo(f"{escaped(prediction.label)}  {prediction.probability:.3f}  {shown}")


def _print_labelled(labelled: Labelled, source: Path, target: Path) -> None:
    without = labelled.unlabelled.total()
    click.echo(f"{labelled.rows - without:,} rows labelled: {target}")
    if labelled.ordinary_quotes:
        warn([f"double quotes are characters like any other in {source}, for else they join rows (--quoting)"])
    if without:
        kinds = "; ".join(
            f"{count:,} x {kind}, as {labelled.first[kind]}" for kind, count in labelled.unlabelled.most_common()
        )
        warn([f"{without:,} of {labelled.rows:,} rows came back without a label: {kinds}"])
