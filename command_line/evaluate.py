"""`fullbake evaluate`: judges a pushed model on a labelled file, or compares two."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from fullbake.command_line.judgement_shown import print_judgement
from fullbake.command_line.judging_progress import JudgingProgress
from fullbake.command_line.options import LOCATION, PATH, json_option, quiet_option, set_option
from fullbake.command_line.terminal import native_stderr_silenced, print_json, quiet_libraries, warn
from fullbake.contract.errors import InputError
from fullbake.contract.exit_codes import EXIT_REFUSED
from fullbake.pipeline.interruption import Interruption

_BOUND = "LABEL=X"


@click.command()
@click.argument("file", metavar="FILE", type=PATH)
@click.option(
    "--model",
    "models",
    type=LOCATION,
    multiple=True,
    required=True,
    metavar="DIR",
    help="A pushed version, a serving folder or an output root. Given twice, the first is compared with the second.",
)
@click.option("--text", metavar="COL", help="The column of the text.  [default: as in training]")
@click.option("--text-pair", metavar="COL", help="The column of the second text.  [default: as in training]")
@click.option("--label", metavar="COL", help="The column of the label.  [default: as in training]")
@click.option("--config", type=PATH, metavar="CONFIG", help="Take columns, labels, slices and bounds from a config.")
@set_option
@click.option("--min-recall", multiple=True, metavar=_BOUND, help="A bound.  [default: those met at the push]")
@click.option("--min-precision", multiple=True, metavar=_BOUND, help="Likewise.")
@click.option("--confidence", type=float, metavar="X", help="With which a bound must be shown to be met, such as 0.95.")
@click.option("--slice", "slices", multiple=True, metavar="COL", help="A column whose values are slices.")
@click.option("--no-slices", is_flag=True, help="Without slices, although there were in training.")
@click.option("--on-bad-row", type=click.Choice(["fail", "quarantine"]), help="What a bad row does.  [default: fail]")
@click.option("--max-bad-fraction", type=float, metavar="X", help="Of rows in quarantine, at most.  [default: 0.01]")
@click.option("--delimiter", help="What is between the fields of the file.  [default: found out]")
@click.option("--encoding", help="The encoding of the file.  [default: found out]")
@click.option("--quoting", help="What its double quotes mean: standard, none or auto.  [default: as in training]")
@click.option("--output", type=PATH, metavar="FOLDER", help="A new folder for the report.  [default: in evaluations/]")
@json_option
@quiet_option
@click.pass_context
def evaluate(
    ctx: click.Context,
    file: Path,
    models: tuple[str, ...],
    text: str | None,
    text_pair: str | None,
    label: str | None,
    config: Path | None,
    overrides: tuple[str, ...],
    min_recall: tuple[str, ...],
    min_precision: tuple[str, ...],
    confidence: float | None,
    slices: tuple[str, ...],
    no_slices: bool,
    on_bad_row: str | None,
    max_bad_fraction: float | None,
    delimiter: str | None,
    encoding: str | None,
    quoting: str | None,
    output: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Judge a pushed model on a labelled file, as the gate of its run judged it; or compare two.

    Exit codes: 0 every bound is met; 2 a file or an option is wrong; 3 a bound is missed.
    """
    from fullbake.pipeline.judging.judging_options import JudgingOptions
    from fullbake.pipeline.judging.judging_plan import plan_judging

    options = JudgingOptions(
        text=text,
        text_pair=text_pair,
        label=label,
        config=config,
        overrides=overrides,
        min_recall=_bounds(min_recall, "--min-recall"),
        min_precision=_bounds(min_precision, "--min-precision"),
        confidence=confidence,
        slices=slices,
        without_slices=no_slices,
        on_bad_row=on_bad_row,
        max_bad_fraction=max_bad_fraction,
        delimiter=delimiter,
        encoding=encoding,
        quoting=quoting,
    )
    plan = plan_judging(models, file, options, output)
    quiet_libraries()
    interruption: Interruption = ctx.obj
    interruption.kept = "nothing was written; run the command again"
    with native_stderr_silenced() as shown, JudgingProgress(shown, quiet=quiet) as progress:
        progress.show("loading TensorFlow, about 15 seconds", 0, 0)
        from fullbake.pipeline.judging.judging import judge_file

        judgement = judge_file(plan, progress.show)
    if as_json:
        print_json(judgement.to_dict())
    else:
        warn(judgement.notes)
        print_judgement(judgement)
    if not judgement.passed:
        ctx.exit(EXIT_REFUSED)


def _bounds(given: Sequence[str], option: str) -> dict[str, float]:
    """Reads `LABEL=X`, each; a label may have an equals sign in it."""
    bounds = {}
    for each in given:
        label, _, number = each.rpartition("=")
        try:
            bounds[label] = float(number)
        except ValueError:
            label = ""
        if not label:
            raise InputError(f"{option}: {each!r} is not {_BOUND}; write it such as toxic=0.8")
    return bounds
