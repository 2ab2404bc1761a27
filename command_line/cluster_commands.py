"""The command line's part that is about clusters. Heavy imports wait inside the commands, as in the other part."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fullbake.command_line.local_commands import PATH, loading, main, quiet_libraries, warn
from fullbake.contract.errors import InputError
from fullbake.kubeflow.login import (
    COOKIES_VARIABLE,
    HOST_VARIABLE,
    KFP_HOST_VARIABLE,
    KFP_TOKEN_FILE_VARIABLE,
    NAMESPACE_VARIABLE,
    TOKEN_VARIABLE,
    Login,
    find_login,
)

if TYPE_CHECKING:
    from fullbake.kubeflow.client import KubeflowClient, Launch, Run, Schedule
    from fullbake.kubeflow.cron import Cron
    from fullbake.pipeline.config.config import Config

TIMES_SHOWN = 3

_config_argument = click.argument("config_file", metavar="CONFIG", type=PATH)
_set_option = click.option(
    "--set", "overrides", multiple=True, metavar="KEY.PATH=VALUE", help="Override a key of the config."
)


def _server_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option(
            "--experiment",
            metavar="NAME",
            help="The experiment that shows the runs.  [default: the config's name]",
        ),
        click.option(
            "--namespace",
            help=f"The namespace, where there are several.  [default: {NAMESPACE_VARIABLE}, kubeflow.namespace]",
        ),
        click.option(
            "--cookies",
            metavar="NAME=VALUE",
            help=f"The cookies of a session in the browser, for a server behind a login page.  [{COOKIES_VARIABLE}]",
        ),
        click.option(
            "--token",
            help="A bearer token; in the variable, other users of this machine cannot see it.  "
            f"[{TOKEN_VARIABLE}, or the file that {KFP_TOKEN_FILE_VARIABLE} names]",
        ),
        click.option(
            "--host",
            metavar="URL",
            help=f"The address of Kubeflow Pipelines.  [{HOST_VARIABLE}, {KFP_HOST_VARIABLE}]",
        ),
    ):
        command = option(command)
    return command


@main.command("compile")
@_config_argument
@click.option("--output", required=True, type=PATH, metavar="FILE.yaml", help="Where the package goes.")
@_set_option
def compile_command(config_file: Path, output: Path, overrides: tuple[str, ...]) -> None:
    """Write the pipeline as a package for Kubeflow Pipelines."""
    from fullbake.kubeflow.cluster_config import check_package_file
    from fullbake.kubeflow.executor_platform import platform_needs
    from fullbake.kubeflow.releases import OLDEST_RELEASE, greatest_need, release_name
    from fullbake.pipeline.config.config import load_config

    config = load_config(config_file, overrides)
    check_package_file(output)
    _check(config)
    _compile(config, output)
    click.echo(f"package: {output}")
    need = greatest_need(platform_needs(config))
    release, why = (need.since, f" ({need.key})") if need else (OLDEST_RELEASE, "")
    click.echo(f"runs on: Kubeflow Pipelines {release_name(release)} and newer{why}")


@main.command()
@_config_argument
@click.option("--wait", is_flag=True, help="Wait until the run is over, and end with the exit codes of fullbake run.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="MINUTES",
    help="With --wait: how long at most.  [default: as long as it takes]",
)
@_server_options
@_set_option
@click.pass_context
def submit(
    ctx: click.Context,
    config_file: Path,
    wait: bool,
    timeout: float | None,
    experiment: str | None,
    overrides: tuple[str, ...],
    **server_options: str | None,
) -> None:
    """Run the pipeline once on a cluster, as a new pipeline version.

    Exit codes with --wait: 0 pushed, or nothing new; 2 the config or the data is wrong; 3 the gate refused the model;
    1 the run failed for another reason, was cancelled, or did not end in time.
    """
    from fullbake.pipeline.config.config import load_config

    if timeout is not None and not wait:
        raise InputError("--timeout: it is for --wait; give both, or neither")
    config = load_config(config_file, overrides)
    _check(config)
    client = _connect(_login(config, **server_options))
    _check_release(client, config)
    with tempfile.TemporaryDirectory() as folder:
        run = client.submit(_launch(config, experiment, Path(folder)))
    click.echo(f"pipeline version: {run.version}")
    click.echo(f"run: {run.url}")
    if wait:
        ctx.obj.kept = f"the run goes on: {run.url}"
        ctx.exit(_wait(client, run, config, timeout))


def _wait(client: KubeflowClient, run: Run, config: Config, timeout: float | None) -> int:
    from fullbake.kubeflow.run_display import RunDisplay
    from fullbake.kubeflow.waiting import wait_for
    from fullbake.pipeline.outline import component_names

    with RunDisplay() as display:
        outcome = wait_for(
            client.server, run, component_names(config), display, None if timeout is None else timeout * 60
        )
    if outcome.code:
        click.echo(f"fullbake: {outcome.words}; the run: {run.url}", err=True)
    else:
        click.echo(f"{outcome.words}: {run.url}")
    return outcome.code


@main.command()
@_config_argument
@click.option("--cron", metavar='"M H D M W"', help="When, in UTC; five fields.  [default: kubeflow.schedule.cron]")
@click.option("--list", "list_all", is_flag=True, help="Show the recurring runs of the namespace instead.")
@click.option("--pause", is_flag=True, help="Start no more runs.")
@click.option("--resume", is_flag=True, help="Start runs again; missed ones are not made up for.")
@click.option("--delete", is_flag=True, help="Delete the recurring run.")
@click.option("--stop-runs", is_flag=True, help="Replace or delete it although one of its runs is in progress.")
@_server_options
@_set_option
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
    **server_options: str | None,
) -> None:
    """Run the pipeline again and again on a cluster: make the recurring run, or replace the one that is there.

    One that was paused stays so. Runs that were missed are not made up for.
    """
    from fullbake.pipeline.config.config import load_config

    if list_all + pause + resume + delete + (cron is not None) > 1:
        raise InputError("schedule: give one of --cron, --list, --pause, --resume and --delete")
    config = load_config(config_file, overrides)
    if list_all or pause or resume or delete:
        client = _connect(_login(config, **server_options))
        if list_all:
            _tell_all(client.schedules())
        elif pause:
            _tell_all(client.pause(config.name))
        elif resume:
            _tell_all(client.resume(config.name))
        else:
            for deleted in client.delete(config.name, stop_runs=stop_runs):
                click.echo(f"deleted: {deleted.name} ({deleted.id})")
        return
    when = _cron(config, cron)
    _check(config)
    client = _connect(_login(config, **server_options))
    _check_release(client, config)
    with tempfile.TemporaryDirectory() as folder:
        made, replaced = client.schedule(
            _launch(config, experiment, Path(folder)),
            when,
            config.kubeflow.schedule.max_concurrency,
            stop_runs=stop_runs,
        )
    _tell_all([made])
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


def _check(config: Config) -> None:
    from fullbake.kubeflow.cluster_config import check_cluster, exposed_secrets

    check_cluster(config)
    warn([*config.warnings(), *exposed_secrets(config)])


def _login(config: Config, **options: str | None) -> Login:
    return find_login(**options, default_namespace=config.kubeflow.namespace)


def _connect(login: Login) -> KubeflowClient:
    from fullbake.kubeflow.client import KubeflowClient
    from fullbake.kubeflow.server import Server

    return KubeflowClient(Server(login))


def _check_release(client: KubeflowClient, config: Config) -> None:
    from fullbake.kubeflow.executor_platform import platform_needs
    from fullbake.kubeflow.releases import check_release
    from fullbake.kubeflow.retries import untried

    server = client.server
    check_release(server.release, platform_needs(config), server.login.host.source)
    warn(untried(server.release, config.kubeflow.retries))


def _launch(config: Config, experiment: str | None, folder: Path) -> Launch:
    from fullbake.kubeflow.client import Launch

    package = folder / "pipeline.yaml"
    _compile(config, package)

    from fullbake.kubeflow.cluster_config import pipeline_name
    from fullbake.kubeflow.parameters import runtime_parameters

    return Launch(
        name=config.name,
        pipeline=pipeline_name(config),
        experiment=experiment or config.name,
        package=package,
        parameters={parameter.name: parameter.default for parameter in runtime_parameters(config)},
        pipeline_root=config.kubeflow.pipeline_root,
        service_account=config.kubeflow.service_account,
    )


def _compile(config: Config, output: Path) -> None:
    quiet_libraries()
    with loading():
        from fullbake.kubeflow.compiler import write_package
    write_package(config, output)


def _tell_all(schedules: list[Schedule]) -> None:
    from fullbake.kubeflow.cron import parse_cron

    if not schedules:
        click.echo("no recurring runs")
    for found in schedules:
        state = "" if found.enabled else ", paused"
        second, _, fields = (found.cron or "").partition(" ")
        try:
            cron = parse_cron(fields, found.id)
        except InputError:
            cron = None  # somebody else's, which need not be one of ours
        if cron is None or second != "0":
            click.echo(f"{found.name}: {found.cron or 'at intervals'}{state} ({found.id})")
            continue
        click.echo(f"{found.name}: {cron.words} ({cron.expression}, UTC){state}")
        if found.enabled:
            times = ", ".join(f"{time:%Y-%m-%d %H:%M}" for time in cron.next_times(TIMES_SHOWN))
            click.echo(f"  next: {times} UTC")


if __name__ == "__main__":
    main()
