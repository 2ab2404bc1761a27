"""`fullbake rollback`: puts an earlier version back into production."""

from __future__ import annotations

import click

from fullbake.command_line.options import directory_argument, json_option, quiet_option
from fullbake.command_line.serving_folder import find_serving_folder
from fullbake.command_line.terminal import print_json


@click.command()
@directory_argument
@click.argument("version", required=False)
@json_option
@quiet_option
def rollback(directory: str, version: str | None, as_json: bool, quiet: bool) -> None:
    """Put the version before the one that serves back into production, or VERSION.

    DIR is a serving folder or an output root. Servers load the highest number, so the version is copied to a new one;
    nothing is removed. The model that was rolled back from is not pushed again by a run that would make the same.
    """
    del quiet  # there is no progress; scripts may say so to every command
    from fullbake.components.serving.publishing import rollback as roll_back

    serving_dir = find_serving_folder(directory)
    back_to, path = roll_back(serving_dir, version)
    if as_json:
        print_json({"version": back_to, "model": str(path)})
        return
    click.echo(f"version {back_to} is in production again, as {path}")
