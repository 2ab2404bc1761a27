"""`fullbake run`: runs the pipeline on this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fullbake.command_line.options import config_argument, root_option, set_option, summary_option
from fullbake.command_line.run_outcome import print_outcome
from fullbake.command_line.terminal import loading, print_component, progress_console, quiet_libraries, warn
from fullbake.contract.exit_codes import EXIT_REFUSED
from fullbake.pipeline.output_file import check_output, write_output

if TYPE_CHECKING:
    from fullbake.pipeline.config.config import Config
    from fullbake.pipeline.run_record import RunRecord


@click.command()
@config_argument
@root_option
@set_option
@summary_option
@click.pass_context
def run(
    ctx: click.Context, config_file: Path, root: Path | None, overrides: tuple[str, ...], summary: Path | None
) -> None:
    """Run the pipeline here: from the CSV to a model that is pushed if it passes the gate.

    Exit codes: 0 pushed; 2 the config or the data is wrong; 3 the gate refused the model.
    """
    from fullbake.pipeline.config.loading import load_config
    from fullbake.pipeline.output_root import default_root, sole_use
    from fullbake.pipeline.preflight import check_baseline, check_bounds, check_inputs, serving_folder
    from fullbake.pipeline.tracking.tracking_check import check_tracking

    config = load_config(config_file, overrides)
    check_bounds(config)
    check_tracking(config)
    notes = check_inputs(config)
    warn([*config.warnings(), *notes])
    if summary is not None:
        check_output(summary, "--summary")
    quiet_libraries()
    root = root or default_root(config)
    with sole_use(root, ctx.obj):
        serving_dir = serving_folder(config, root)
        check_baseline(config, serving_dir)
        record = _run(config, root)
    if summary is not None:
        write_output(summary, json.dumps(record.summary(), indent=2, ensure_ascii=False) + "\n", "--summary")
    print_outcome(record, serving_dir)
    if record.pushed_model is None and record.withdrawn is None:
        ctx.exit(EXIT_REFUSED)


def _run(config: Config, root: Path) -> RunRecord:
    with loading():
        from fullbake.pipeline.local_runner import run_locally
    console = progress_console(config.name, root)
    return run_locally(
        config, root, lambda name, seconds: print_component(console, name, seconds), lambda text: warn([text])
    )
