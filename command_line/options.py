"""The arguments and options that several commands share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from fullbake.contract.errors import InputError
from fullbake.kubeflow.login import (
    COOKIES_VARIABLE,
    HOST_VARIABLE,
    KFP_HOST_VARIABLE,
    KFP_TOKEN_FILE_VARIABLE,
    NAMESPACE_VARIABLE,
    TOKEN_VARIABLE,
)

Function = TypeVar("Function", bound=Callable[..., Any])


OPTION_NAMES = {"pushed_model": "--model", "root": "--root"}
"""By the name of a setting that no config has, its option; for errors (see `InputError`)."""


class _Path(click.Path):
    """A path, in which `~` is the home folder; a shell leaves that of `--root=~/x` as it is."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return super().convert(os.path.expanduser(value), param, ctx)


PATH = _Path(path_type=Path)
LOCATION = _Path()
"""A path or an address, such as `gs://bucket/folder`."""

config_argument = click.argument("config_file", metavar="CONFIG", type=PATH)
set_option = click.option(
    "--set", "overrides", multiple=True, metavar="KEY.PATH=VALUE", help="Override a key of the config."
)
root_option = click.option("--root", type=PATH, help="The output root.  [default: runs/<name>]")
summary_option = click.option("--summary", type=PATH, metavar="FILE.json", help="Write what came out as JSON.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print what came out as JSON, and nothing else.")
quiet_option = click.option("--quiet", is_flag=True, help="Show no progress; warnings and what came out stay.")
directory_argument = click.argument("directory", metavar="DIR")

_SERVER_OPTIONS = (
    click.option(
        "--host",
        metavar="URL",
        help=f"The address of Kubeflow Pipelines.  [{HOST_VARIABLE}, {KFP_HOST_VARIABLE}]",
    ),
    click.option(
        "--token",
        help="A bearer token; in the variable, other users of this machine cannot see it.  "
        f"[{TOKEN_VARIABLE}, or the file that {KFP_TOKEN_FILE_VARIABLE} names]",
    ),
    click.option(
        "--cookies",
        metavar="NAME=VALUE",
        help=f"The cookies of a session in the browser, for a server behind a login page.  [{COOKIES_VARIABLE}]",
    ),
    click.option(
        "--namespace",
        help=f"The namespace, where there are several.  [default: {NAMESPACE_VARIABLE}, kubeflow.namespace]",
    ),
    click.option(
        "--experiment",
        metavar="NAME",
        help="The experiment that shows the runs.  [default: the config's name]",
    ),
)


def server_options(command: Function) -> Function:
    """Adds the options that name a server of Kubeflow Pipelines and who asks it, and the experiment."""
    for option in reversed(_SERVER_OPTIONS):
        command = option(command)
    return command


def check_approach(name: str) -> None:
    """Checks what was given as `--approach`.

    Raises:
        InputError: There is no such approach.
    """
    from fullbake.pipeline.config.model_config import known_approach

    try:
        known_approach(name)
    except ValueError as error:
        raise InputError(f"--approach: {name!r} {error}") from error
