"""`fullbake compile`: writes the package for Kubeflow Pipelines."""

from __future__ import annotations

from pathlib import Path

import click

from fullbake.command_line.cluster import check_config, write_package_of
from fullbake.command_line.options import PATH, config_argument, json_option, quiet_option, set_option
from fullbake.command_line.terminal import print_json


@click.command("compile")
@config_argument
@click.option("--output", required=True, type=PATH, metavar="FILE.yaml", help="Where the package goes.")
@set_option
@json_option
@quiet_option
def compile_package(config_file: Path, output: Path, overrides: tuple[str, ...], as_json: bool, quiet: bool) -> None:
    """Write the pipeline as a package for Kubeflow Pipelines."""
    from fullbake.kubeflow.cluster_check import check_package_file
    from fullbake.kubeflow.executor_platform import platform_needs
    from fullbake.kubeflow.releases import OLDEST_RELEASE, greatest_need, release_name
    from fullbake.pipeline.config.loading import load_config

    config = load_config(config_file, overrides)
    check_package_file(output)
    check_config(config)
    write_package_of(config, output, quiet=quiet)
    need = greatest_need(platform_needs(config))
    release, why = (need.since, f" ({need.key})") if need else (OLDEST_RELEASE, "")
    if as_json:
        print_json({"package": str(output), "runs_on": release_name(release), "because_of": need.key if need else None})
        return
    click.echo(f"package: {output}")
    click.echo(f"runs on: Kubeflow Pipelines {release_name(release)} and newer{why}")
