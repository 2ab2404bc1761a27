"""`fullbake run`: runs the pipeline on this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fullbake.command_line.options import (
    config_argument,
    json_option,
    quiet_option,
    root_option,
    set_option,
    summary_option,
)
from fullbake.command_line.run_outcome import print_outcome
from fullbake.command_line.terminal import loading, print_json, quiet_libraries, warn
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
@json_option
@quiet_option
@click.pass_context
def run(
    ctx: click.Context,
    config_file: Path,
    root: Path | None,
    overrides: tuple[str, ...],
    summary: Path | None,
    as_json: bool,
    quiet: bool,
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
        record = _run(config, root, quiet=quiet)
    if summary is not None:
        write_output(summary, json.dumps(record.summary(), indent=2, ensure_ascii=False) + "\n", "--summary")
    if as_json:
        print_json(record.summary())
    else:
        print_outcome(record, serving_dir)
    if record.pushed_model is None and record.withdrawn is None:
        ctx.exit(EXIT_REFUSED)


def _run(config: Config, root: Path, *, quiet: bool) -> RunRecord:
    with loading(quiet=quiet):
        from fullbake.command_line.progress_display import progress_display
        from fullbake.pipeline.component_log import CACHED
        from fullbake.pipeline.local_runner import run_locally
        from fullbake.pipeline.outline import component_names

    with progress_display(quiet=quiet) as display:
        display.headline(config.name, f": output goes to {root}")
        display.run_of(len(component_names(config)))
        return run_locally(
            config,
            root,
            display.component,
            display.warning,
            lambda activity: display.cached() if activity is CACHED else display.activity(activity),
            capture=True,
        )
