"""`fullbake compare`: trains several approaches on the same data and compares them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fullbake.command_line.options import check_approach, config_argument, root_option, set_option, summary_option
from fullbake.command_line.terminal import (
    loading,
    print_component,
    progress_console,
    quiet_libraries,
    short_path,
    table_console,
    warn,
)
from fullbake.pipeline.interruption import Interruption
from fullbake.pipeline.output_file import check_output, write_output

if TYPE_CHECKING:
    from fullbake.pipeline.comparison.comparison import Comparison
    from fullbake.pipeline.config.config import Config

_PIPE_WIDTH = 120  # columns: three approaches and the words beside their differences


@click.command()
@config_argument
@click.option(
    "--approach",
    "approaches",
    multiple=True,
    metavar="NAME",
    help="An approach to compare; give several.  [default: further_pretrain, fine_tune and frozen]",
)
@click.option("--seeds", type=click.IntRange(min=1), default=3, show_default=True, help="Trainings of each approach.")
@root_option
@set_option
@summary_option
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
    from fullbake.pipeline.config.loading import load_config
    from fullbake.pipeline.output_root import default_root, sole_use
    from fullbake.pipeline.preflight import check_inputs

    config = load_config(config_file, overrides)
    for approach in approaches:
        check_approach(approach)
    notes = check_inputs(config)
    warn([*config.warnings(), *notes])
    if summary is not None:
        check_output(summary, "--summary")
    quiet_libraries()
    root = root or default_root(config)
    with sole_use(root, interruption):
        comparison = _compare(config, root, approaches, seeds)
    if summary is not None:
        write_output(summary, json.dumps(comparison.to_dict(), indent=2, ensure_ascii=False) + "\n", "--summary")


def _compare(config: Config, root: Path, approaches: tuple[str, ...], seeds: int) -> Comparison:
    from rich.text import Text

    with loading():
        from fullbake.pipeline.comparison.runs import COMPARISON_FOLDER, FOUNDING_APPROACHES, compare_approaches
        from fullbake.pipeline.comparison.terminal_table import print_comparison
    console = progress_console(config.name, root)
    comparison = compare_approaches(
        config,
        root,
        approaches=list(dict.fromkeys(approaches)) or FOUNDING_APPROACHES,
        seeds=seeds,
        on_training=lambda approach, seed, number, count: console.print(
            Text.assemble((approach, "bold"), f", seed {seed} ({number} of {count})")
        ),
        on_component=lambda name, seconds: print_component(console, name, seconds),
        on_warning=lambda text: warn([text]),
    )
    print_comparison(comparison, table_console(_PIPE_WIDTH))
    click.echo(f"comparison: {short_path(str(root / COMPARISON_FOLDER / 'comparison.html'))}")
    return comparison
