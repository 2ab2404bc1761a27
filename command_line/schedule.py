"""`fullbake schedule`: makes, lists and changes the recurring run on a cluster."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fullbake.command_line.cluster import check_config, check_server, connect, prepare_launch
from fullbake.command_line.options import config_argument, json_option, quiet_option, server_options, set_option
from fullbake.command_line.terminal import print_json
from fullbake.contract.errors import InputError

if TYPE_CHECKING:
    from fullbake.kubeflow.client import Schedule
    from fullbake.kubeflow.cron import Cron
    from fullbake.pipeline.config.config import Config

TIMES_SHOWN = 3


@click.command()
@config_argument
@click.option("--cron", metavar='"M H D M W"', help="When, in UTC; five fields.  [default: kubeflow.schedule.cron]")
@click.option("--list", "list_all", is_flag=True, help="Show the recurring runs of the namespace instead.")
@click.option("--pause", is_flag=True, help="Start no more runs.")
@click.option("--resume", is_flag=True, help="Start runs again; missed ones are not made up for.")
@click.option("--delete", is_flag=True, help="Delete the recurring run.")
@click.option("--stop-runs", is_flag=True, help="Replace or delete it although one of its runs is in progress.")
@server_options
@set_option
@json_option
@quiet_option
def schedule(
    config_file: Path,
    cron: str | None,
    list_all: bool,
    pause: bool,
    resume: bool,
    delete: bool,
    stop_runs: bool,
    experiment: str | None,
    overrides: tuple[str, ...],
    as_json: bool,
    quiet: bool,
    **server_options: str | None,
) -> None:
    """Run the pipeline again and again on a cluster: make the recurring run, or replace the one that is there.

    One that was paused stays so. Runs that were missed are not made up for.
    """
    from fullbake.pipeline.config.loading import load_config

    if list_all + pause + resume + delete + (cron is not None) > 1:
        raise InputError("schedule: give one of --cron, --list, --pause, --resume and --delete")
    config = load_config(config_file, overrides)
    if list_all or pause or resume or delete:
        client = connect(config, **server_options)
        if delete:
            deleted = client.delete(config.name, stop_runs=stop_runs)
            if as_json:
                print_json([_record(each) for each in deleted])
                return
            for each in deleted:
                click.echo(f"deleted: {each.name} ({each.id})")
            return
        change = client.pause if pause else client.resume
        found = client.schedules() if list_all else change(config.name)
        if as_json:
            print_json([_record(each) for each in found])
        else:
            _print_schedules(found)
        return
    when = _cron(config, cron)
    check_config(config)
    client = connect(config, **server_options)
    check_server(client, config)
    with tempfile.TemporaryDirectory() as folder:
        made, replaced = client.schedule(
            prepare_launch(config, experiment, Path(folder), quiet=quiet),
            when,
            config.kubeflow.schedule.max_concurrency,
            stop_runs=stop_runs,
        )
    if as_json:
        print_json([{**_record(made), "replaces": [old.id for old in replaced]}])
        return
    _print_schedules([made])
    for old in replaced:
        click.echo(f"  in the place of {old.id}")
    click.echo(f"  {made.url}")


def _cron(config: Config, given: str | None) -> Cron:
    from fullbake.kubeflow.cron import parse_cron

    if given is not None:
        return parse_cron(given, "--cron")
    if config.kubeflow.schedule.cron is None:
        raise InputError('--cron: when is it to run? Give --cron "0 2 * * *", or set kubeflow.schedule.cron')
    return parse_cron(config.kubeflow.schedule.cron, "kubeflow.schedule.cron")


def _cron_of(found: Schedule) -> Cron | None:
    """Returns when a recurring run is started; None if it is somebody else's, which need not be like ours."""
    from fullbake.kubeflow.cron import parse_cron

    second, _, fields = (found.cron or "").partition(" ")
    try:
        cron = parse_cron(fields, found.id)
    except InputError:
        return None
    return cron if second == "0" else None


def _record(found: Schedule) -> dict[str, Any]:
    """Returns a recurring run as plain values; its times are in UTC."""
    cron = _cron_of(found)
    return {
        "name": found.name,
        "id": found.id,
        "cron": cron.expression if cron else found.cron,
        "enabled": found.enabled,
        "next": [time.isoformat() for time in cron.next_times(TIMES_SHOWN)] if cron and found.enabled else [],
        "url": found.url,
    }


def _print_schedules(schedules: list[Schedule]) -> None:
    if not schedules:
        click.echo("no recurring runs")
    for found in schedules:
        state = "" if found.enabled else ", paused"
        cron = _cron_of(found)
        if cron is None:
            click.echo(f"{found.name}: {found.cron or 'at intervals'}{state} ({found.id})")
            continue
        click.echo(f"{found.name}: {cron.words} ({cron.expression}, UTC){state}")
        if found.enabled:
            times = ", ".join(f"{time:%Y-%m-%d %H:%M}" for time in cron.next_times(TIMES_SHOWN))
            click.echo(f"  next: {times} UTC")
