"""`fullbake submit`: runs the pipeline once on a cluster."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fullbake.command_line.cluster import check_config, check_server, connect, prepare_launch
from fullbake.command_line.options import config_argument, json_option, quiet_option, server_options, set_option
from fullbake.command_line.terminal import print_json
from fullbake.contract.errors import InputError

if TYPE_CHECKING:
    from fullbake.kubeflow.client import KubeflowClient, Run
    from fullbake.kubeflow.waiting import Outcome
    from fullbake.pipeline.config.config import Config


@click.command()
@config_argument
@click.option("--wait", is_flag=True, help="Wait until the run is over, and end with the exit codes of fullbake run.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="MINUTES",
    help="With --wait: how long at most.  [default: as long as it takes]",
)
@server_options
@set_option
@json_option
@quiet_option
@click.pass_context
def submit(
    ctx: click.Context,
    config_file: Path,
    wait: bool,
    timeout: float | None,
    experiment: str | None,
    overrides: tuple[str, ...],
    as_json: bool,
    quiet: bool,
    **server_options: str | None,
) -> None:
    """Run the pipeline once on a cluster, as a new pipeline version.

    Exit codes with --wait: 0 pushed, or nothing new; 2 the config or the data is wrong; 3 the gate refused the model;
    1 the run failed for another reason, was cancelled, or did not end in time.
    """
    from fullbake.pipeline.config.loading import load_config

    if timeout is not None and not wait:
        raise InputError("--timeout: it is for --wait; give both, or neither")
    config = load_config(config_file, overrides)
    check_config(config)
    client = connect(config, **server_options)
    check_server(client, config)
    with tempfile.TemporaryDirectory() as folder:
        run = client.submit(prepare_launch(config, experiment, Path(folder), quiet=quiet))
    if not as_json:
        click.echo(f"pipeline version: {run.version}")
        click.echo(f"run: {run.url}")
    outcome = None
    if wait:
        ctx.obj.kept = f"the run goes on: {run.url}"
        outcome = _wait(client, run, config, timeout, quiet=quiet)
    if as_json:
        result = {"pipeline_version": run.version, "run": run.id, "url": run.url}
        print_json(result if outcome is None else {**result, "exit_code": outcome.code, "outcome": outcome.words})
    if outcome is None:
        return
    if outcome.code:
        click.echo(f"fullbake: {outcome.words}; the run: {run.url}", err=True)
    elif not as_json:
        click.echo(f"{outcome.words}: {run.url}")
    ctx.exit(outcome.code)


def _wait(client: KubeflowClient, run: Run, config: Config, timeout: float | None, *, quiet: bool) -> Outcome:
    from fullbake.command_line.run_display import RunDisplay
    from fullbake.kubeflow.waiting import wait_for
    from fullbake.pipeline.outline import component_names

    with RunDisplay(quiet=quiet) as display:
        return wait_for(client.server, run, component_names(config), display, None if timeout is None else timeout * 60)
