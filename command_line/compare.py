"""`fullbake compare`: trains several approaches on the same data and compares them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fullbake.command_line.options import (
    check_approach,
    config_argument,
    json_option,
    quiet_option,
    root_option,
    set_option,
    summary_option,
)
from fullbake.command_line.terminal import loading, print_json, quiet_libraries, short_path, table_console, warn
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
@json_option
@quiet_option
@click.pass_obj
def compare(
    interruption: Interruption,
    config_file: Path,
    approaches: tuple[str, ...],
    seeds: int,
    root: Path | None,
    overrides: tuple[str, ...],
    summary: Path | None,
    as_json: bool,
    quiet: bool,
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
        comparison = _compare(config, root, approaches, seeds, quiet=quiet)
    if summary is not None:
        write_output(summary, json.dumps(comparison.to_dict(), indent=2, ensure_ascii=False) + "\n", "--summary")
    if as_json:
        print_json(comparison.to_dict())
        return

    from fullbake.pipeline.comparison.runs import COMPARISON_FOLDER
    from fullbake.pipeline.comparison.terminal_table import print_comparison

    print_comparison(comparison, table_console(_PIPE_WIDTH))
    click.echo(f"comparison: {short_path(str(root / COMPARISON_FOLDER / 'comparison.html'))}")


def _compare(config: Config, root: Path, approaches: tuple[str, ...], seeds: int, *, quiet: bool) -> Comparison:
    with loading(quiet=quiet):
        from fullbake.command_line.progress_display import progress_display
        from fullbake.pipeline.comparison.runs import FOUNDING_APPROACHES, compare_approaches, variant
        from fullbake.pipeline.component_log import CACHED
        from fullbake.pipeline.outline import component_names

    with progress_display(quiet=quiet) as display:
        display.headline(config.name, f": output goes to {root}")

        def begins(approach: str, seed: int, number: int, count: int) -> None:
            display.headline(approach, f", seed {seed} ({number} of {count})")
            display.run_of(component_names(variant(config, approach, seed)).index("Trainer") + 1)

        return compare_approaches(
            config,
            root,
            approaches=list(dict.fromkeys(approaches)) or FOUNDING_APPROACHES,
            seeds=seeds,
            on_training=begins,
            on_component=display.component,
            on_warning=display.warning,
            on_activity=lambda activity: display.cached() if activity is CACHED else display.activity(activity),
            capture=True,
        )
