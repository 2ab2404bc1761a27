"""The command line. Heavy imports wait inside the commands: help and config errors answer at once."""

from __future__ import annotations

import json
import os
import shlex
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click
from filelock import FileLock, Timeout

from fullbake.command_line.model_commands import models, rollback
from fullbake.contract.errors import InputError
from fullbake.contract.exit_codes import EXIT_INPUT_ERROR, EXIT_REFUSED
from fullbake.pipeline.disk import check_temporary_folder, full_disk_told
from fullbake.pipeline.interruption import Interruption
from fullbake.pipeline.output_file import check_new, check_output, write_new, write_output
from fullbake.pipeline.scratch import scratch_folder

if TYPE_CHECKING:
    from rich.console import Console

    from fullbake.pipeline.comparison.comparison import Comparison
    from fullbake.pipeline.config.config import Config
    from fullbake.pipeline.prediction.label_file import Labelled
    from fullbake.pipeline.run_record import RunRecord

ROOT_LOCK = ".lock"  # in the output root, held by the run that writes to it
COMPARISON_WIDTH = 120  # columns: three approaches and the words beside their differences


class _Path(click.Path):
    """A path, in which `~` is the home folder; a shell leaves that of `--root=~/x` as it is."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return super().convert(os.path.expanduser(value), param, ctx)


PATH = _Path(path_type=Path)
_LOCATION = _Path()  # may be an address, such as gs://...


class _Commands(click.Group):
    """Ends with one line: exit code 2 where the user has something to mend, 130 or 143 when it is told to stop."""

    def invoke(self, ctx: click.Context) -> Any:
        ctx.obj = Interruption()
        with ctx.obj.heeded():
            try:
                return super().invoke(ctx)
            except InputError as error:
                click.echo(f"fullbake: {error}", err=True)
                ctx.exit(EXIT_INPUT_ERROR)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="fullbake")
def main() -> None:
    """Finishes BERT for your task: fine-tunes it on labelled text and pushes it only if it recognises every class."""


@main.command()
@click.argument("csv_file", metavar="DATA.csv", type=PATH)
@click.option("--text", "text_column", required=True, help="The column with the text.")
@click.option("--label", "label_column", required=True, help="The column with the label.")
@click.option("--text-pair", "text_pair_column", help="The column with the second text of a pair.")
@click.option(
    "--output",
    type=PATH,
    metavar="CONFIG.yaml",
    help="Where the config goes; a file that is there is not overwritten.  [default: it is printed]",
)
def init(
    csv_file: Path, text_column: str, label_column: str, text_pair_column: str | None, output: Path | None
) -> None:
    """Make a config from a CSV file: its labels, their balance, and a maximum length that fits.

    Rather than redirecting what is printed, which empties a config that is there even if nothing comes of it, name the
    file: fullbake init comments.csv --text comment --label verdict --output comments.yaml
    """
    from fullbake.pipeline.first_config import make_first_config

    if output is not None:
        check_new(output, "--output")
    config = make_first_config(csv_file, text_column, label_column, text_pair_column)
    if output is None:
        click.echo(config, nl=False)
        return
    write_new(output, config, "--output")
    click.echo(f"{output}: read it, then: fullbake run {shlex.quote(str(output))}")


@main.command()
@click.argument("config_file", metavar="CONFIG", type=PATH)
@click.option("--root", type=PATH, help="The output root.  [default: runs/<name>]")
@click.option("--set", "overrides", multiple=True, metavar="KEY.PATH=VALUE", help="Override a key of the config.")
@click.option("--summary", type=PATH, metavar="FILE.json", help="Write what came out as JSON.")
@click.pass_context
def run(
    ctx: click.Context, config_file: Path, root: Path | None, overrides: tuple[str, ...], summary: Path | None
) -> None:
    """Run the pipeline here: from the CSV to a model that is pushed if it passes the gate.

    Exit codes: 0 pushed; 2 the config or the data is wrong; 3 the gate refused the model.
    """
    from fullbake.pipeline.config.config import load_config
    from fullbake.pipeline.preflight import check_baseline, check_bounds, check_inputs, serving_folder

    config = load_config(config_file, overrides)
    check_bounds(config)
    notes = check_inputs(config)
    warn([*config.warnings(), *notes])
    if summary is not None:
        check_output(summary, "--summary")
    quiet_libraries()
    with _sole_use(root or _default_root(config), ctx.obj) as root:
        serving_dir = serving_folder(config, root)
        check_baseline(config, serving_dir)
        record = _run(config, root)
    if summary is not None:
        write_output(summary, json.dumps(record.summary(), indent=2, ensure_ascii=False) + "\n", "--summary")
    _tell(record, serving_dir)
    if record.pushed_model is None and record.withdrawn is None:
        ctx.exit(EXIT_REFUSED)


@main.command()
@click.argument("config_file", metavar="CONFIG", type=PATH)
@click.option(
    "--approach",
    "approaches",
    multiple=True,
    metavar="NAME",
    help="An approach to compare; give several.  [default: further_pretrain, fine_tune and frozen]",
)
@click.option("--seeds", type=click.IntRange(min=1), default=3, show_default=True, help="Trainings of each approach.")
@click.option("--root", type=PATH, help="The output root.  [default: runs/<name>]")
@click.option("--set", "overrides", multiple=True, metavar="KEY.PATH=VALUE", help="Override a key of the config.")
@click.option("--summary", type=PATH, metavar="FILE.json", help="Write what came out as JSON.")
@click.pass_obj
def compare(
    interruption: Interruption,
    config_file: Path,
    approaches: tuple[str, ...],
    seeds: int,
    root: Path | None,
    overrides: tuple[str, ...],
    summary: Path | None,
) -> None:
    """Train several approaches on the same data, and tell whether one is better by more than luck.

    Started again after an interruption, it goes on where it was. Nothing is pushed.
    """
    from fullbake.pipeline.config.config import check_approach, load_config
    from fullbake.pipeline.preflight import check_inputs

    config = load_config(config_file, overrides)
    for approach in approaches:
        check_approach(approach)
    notes = check_inputs(config)
    warn([*config.warnings(), *notes])
    if summary is not None:
        check_output(summary, "--summary")
    quiet_libraries()
    with _sole_use(root or _default_root(config), interruption) as root:
        comparison = _compare(config, root, approaches, seeds)
    if summary is not None:
        write_output(summary, json.dumps(comparison.to_dict(), indent=2, ensure_ascii=False) + "\n", "--summary")


@main.command()
@click.argument("texts", metavar="TEXT ...", nargs=-1)
@click.option(
    "--model",
    type=_LOCATION,
    help="A pushed version, a serving folder or an output root.  [default: the newest below runs/]",
)
@click.option("--input", "source", type=PATH, metavar="FILE.csv", help="Label a CSV file instead.")
@click.option("--output", "target", type=PATH, metavar="FILE.csv", help="Where its rows go, with their labels.")
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
    """Label texts, or a whole CSV file, with a pushed model."""
    if bool(texts) == bool(source) or bool(source) != bool(target):
        raise InputError("predict: give either texts, or both --input and --output")
    from fullbake.pipeline.prediction.label_file import check_files, label_file

    options = {"delimiter": delimiter, "encoding": encoding, "quoting": quoting}
    if source and target:
        check_files(source, target, **options)
    quiet_libraries()
    with _native_stderr_shut():
        from fullbake.pipeline.prediction.predictor import Predictor, find_model

    predictor = Predictor(find_model(model))
    if source and target:
        interruption.kept = f"{target} was not written; run the command again"
        labelled = label_file(predictor, source, target, escape_formulas=escape_formulas, **options)
        _tell_labelled(labelled, source, target)
        return
    if predictor.text_features != ["text"]:
        raise InputError("predict: this model labels pairs of texts; give them as a CSV file with --input and --output")
    encoded = [os.fsencode(text) for text in texts]
    for text, prediction in zip(encoded, predictor.predict({"text": encoded}), strict=True):
        shown = " ".join(text.decode("utf-8", "replace").split())  # a terminal may refuse bytes that are not UTF-8
        click.echo(f"{prediction.label}  {prediction.probability:.3f}  {shown}")


main.add_command(models)
main.add_command(rollback)


def _tell_labelled(labelled: Labelled, source: Path, target: Path) -> None:
    without = labelled.unlabelled.total()
    click.echo(f"{labelled.rows - without:,} rows labelled: {target}")
    if labelled.ordinary_quotes:
        warn([f"double quotes are characters like any other in {source}, for else they join rows (--quoting)"])
    if without:
        kinds = "; ".join(
            f"{count:,} x {kind}, as {labelled.first[kind]}" for kind, count in labelled.unlabelled.most_common()
        )
        warn([f"{without:,} of {labelled.rows:,} rows came back without a label: {kinds}"])


def quiet_libraries() -> None:
    """Keeps TensorFlow and Python's warnings quiet; to be called before anything heavy is imported."""
    # TensorFlow's C++ half reads this when it is loaded; 3 leaves out all but fatal errors, of which the others come
    # back as Python exceptions anyway.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
        os.environ.setdefault("PYTHONWARNINGS", "ignore")  # of Beam's workers, which are processes of their own


@contextmanager
def _native_stderr_shut() -> Iterator[TextIO]:
    """Silences what TensorFlow 2.21 writes when imported, before it heeds its log level; gives the old stderr."""
    sys.stderr.flush()
    with os.fdopen(os.dup(2), "w", encoding="utf-8") as kept:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        try:
            yield kept
        finally:
            os.dup2(kept.fileno(), 2)


def warn(warnings: Sequence[str]) -> None:
    """Tells what is allowed and yet unwise, a sentence each."""
    for warning in warnings:
        click.secho(f"warning: {warning}", fg="yellow", err=True)


def _default_root(config: Config) -> Path:
    return Path("runs", config.name)


@contextmanager
def _sole_use(root: Path, interruption: Interruption) -> Iterator[Path]:
    """Makes the output root and keeps other runs away: two in one metadata store would read each other's verdict.

    All temporary files of the run are in one folder, which it leaves to the next run if it is killed.
    """
    check_temporary_folder()
    if root.exists() and not root.is_dir():
        raise InputError(f"--root: {root} is a file; name a folder")
    try:
        root.mkdir(parents=True, exist_ok=True)
        lock = FileLock(root / ROOT_LOCK).acquire(timeout=0)
    except Timeout as error:
        raise InputError(
            f"--root: another run is at work in {root}; wait until it is done, or name a folder of its own"
        ) from error
    except OSError as error:
        raise InputError(f"--root: {root} cannot be written to: {error.strerror}; name a folder that can") from error
    with lock, full_disk_told(root), scratch_folder(root) as scratch:
        interruption.kept = (
            f"finished components and epochs are kept in {root}; run the command again to go on from there"
        )
        interruption.leftovers.append(scratch)
        yield root


@contextmanager
def loading() -> Iterator[None]:
    """Tells that heavy libraries are being imported, while they are."""
    with _native_stderr_shut() as shown, _console(file=shown).status("loading TensorFlow and TFX, about 15 seconds"):
        yield


def _console(**settings: Any) -> Console:
    """A terminal that shows labels, names and paths as they stand: `[/b]` is no markup, `:x:` no emoji."""
    from rich.console import Console

    return Console(markup=False, emoji=False, highlight=False, **settings)


def _run(config: Config, root: Path) -> RunRecord:
    with loading():
        from fullbake.pipeline.local_runner import run_locally
    console = _progress_console(config, root)
    return run_locally(
        config, root, lambda name, seconds: _tell_component(console, name, seconds), lambda text: warn([text])
    )


def _compare(config: Config, root: Path, approaches: tuple[str, ...], seeds: int) -> Comparison:
    from rich.text import Text

    with loading():
        from fullbake.pipeline.comparison.runs import COMPARISON_FOLDER, FOUNDING_APPROACHES, compare_approaches
    console = _progress_console(config, root)
    comparison = compare_approaches(
        config,
        root,
        approaches=list(dict.fromkeys(approaches)) or FOUNDING_APPROACHES,
        seeds=seeds,
        on_training=lambda approach, seed, number, count: console.print(
            Text.assemble((approach, "bold"), f", seed {seed} ({number} of {count})")
        ),
        on_component=lambda name, seconds: _tell_component(console, name, seconds),
        on_warning=lambda text: warn([text]),
    )
    # Into a file or a pipe, which has no width, nothing is cut off.
    comparison.print_table(_console(width=None if sys.stdout.isatty() else COMPARISON_WIDTH))
    click.echo(f"comparison: {_short(str(root / COMPARISON_FOLDER / 'comparison.html'))}")
    return comparison


def _progress_console(config: Config, root: Path) -> Console:
    from rich.text import Text

    console = _console(stderr=True)
    console.print(Text.assemble((config.name, "bold"), f": output goes to {root}"))
    return console


def _tell_component(console: Console, name: str, seconds: float | None) -> None:
    console.print(f"  {name} ..." if seconds is None else f"  {name}: {seconds:.1f} s")


def _tell(record: RunRecord, serving_dir: str) -> None:
    from rich.table import Table
    from rich.text import Text

    from fullbake.components.evaluation.gate import describe
    from fullbake.components.serving.pushed_models import why_withdrawn

    evaluation = record.evaluation
    bounds = {(bound.metric, bound.label): bound for bound in record.bounds}
    table = Table(title=f"{evaluation['examples']:,} test texts, accuracy {evaluation['accuracy']:.3f}")
    table.add_column("label")
    for name in ("recall", "must be", "precision", "must be", "F1", ""):
        table.add_column(name, justify="right")
    for label in evaluation["labels"]:
        row: list[str | Text] = [label]
        passed = [bound.passed for (_, name), bound in bounds.items() if name == label]
        for metric in ("recall", "precision"):
            bound = bounds.get((metric, label))
            measured = _number(evaluation[metric][label])
            if bound and bound.confidence is not None and bound.interval is not None:
                measured += f" (from {_number(bound.interval[0])})"
            row += [measured, f"≥ {bound.bound:g}" if bound else ""]
        verdict = "" if not passed else Text("met", "green") if all(passed) else Text("missed", "red")
        table.add_row(*row, _number(evaluation["f1"][label]), verdict)
    console = _console()
    console.print(table)
    ingest = record.ingest
    console.print(
        f"rows: {ingest['used']:,} used, {ingest['rejected']:,} rejected; lines: {_sum_in_words(ingest['lines'])}"
    )
    for note in ingest["notes"]:
        console.print(f"note: {note}", soft_wrap=True)
    if evaluation["baseline_note"]:
        console.print(f"note: {evaluation['baseline_note']}")
    for bound in record.bounds:
        if not bound.passed:
            console.print(Text.assemble(("✗", "red"), f" {describe(bound)}"), soft_wrap=True)
    if record.nothing_new:
        console.print("nothing new: data and config are those of an earlier run, whose outcome stands")
    if record.withdrawn is not None:
        console.print(f"not pushed: {why_withdrawn(serving_dir, record.withdrawn)}", soft_wrap=True)
    elif record.pushed_model is None:
        console.print(Text.assemble(("refused", "red"), ": the model was not pushed"), soft_wrap=True)
    else:
        console.print(Text.assemble(("pushed", "green"), f": {_short(record.pushed_model)}"), soft_wrap=True)
    console.print(f"report: {_short(str(record.report))}", soft_wrap=True)


def _sum_in_words(lines: dict[str, int]) -> str:
    parts = " + ".join(f"{count:,} {name}" for name, count in lines.items() if name != "total" and count)
    return f"{lines['total']:,} = {parts}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _short(path: str) -> str:
    relative = os.path.relpath(path)
    return path if relative.startswith("..") else relative


if __name__ == "__main__":
    main()
