"""`fullbake serve`: answers HTTP requests with a pushed model, and shows a page to try it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from fullbake.command_line.options import directory_argument, quiet_option
from fullbake.command_line.terminal import native_stderr_silenced, quiet_libraries, warn
from fullbake.components.data.text_encoding import escaped
from fullbake.pipeline.interruption import Interruption
from fullbake.pipeline.serving.limits import Limits

if TYPE_CHECKING:
    from fullbake.pipeline.serving.served_model import ServedModel

_DEFAULTS = Limits()
_SAMPLE = "what a lovely garden"
_LOOPBACK = ("127.", "::1")


@click.command()
@directory_argument
@click.option("--port", type=click.IntRange(0, 65535), default=8501, show_default=True, help="0: any that is free.")
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="Where to listen; 0.0.0.0 lets other machines in.",
)
@click.option("--name", metavar="NAME", help="The model's name in addresses.  [default: the run's]")
@click.option(
    "--batch-rows",
    type=click.IntRange(1),
    default=_DEFAULTS.batch_rows,
    show_default=True,
    help="Rows of several requests that go through the model together; 1: each request alone.",
)
@click.option(
    "--max-rows",
    type=click.IntRange(1),
    default=_DEFAULTS.instances,
    show_default=True,
    help="Rows of one request.",
)
@click.option(
    "--max-waiting-rows",
    type=click.IntRange(1),
    default=_DEFAULTS.queued_rows,
    show_default=True,
    help="Rows that may wait; further requests get 503.",
)
@click.option(
    "--max-body-mb",
    type=click.FloatRange(0, min_open=True),
    default=_DEFAULTS.body_bytes / 2**20,
    show_default=True,
    help="Megabytes of one request; more get 413.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    default=_DEFAULTS.seconds,
    show_default=True,
    help="Seconds for one request; longer ones get 504.",
)
@quiet_option
@click.pass_obj
def serve(
    interruption: Interruption,
    directory: str,
    port: int,
    host: str,
    name: str | None,
    batch_rows: int,
    max_rows: int,
    max_waiting_rows: int,
    max_body_mb: float,
    timeout: float,
    quiet: bool,
) -> None:
    r"""Answer HTTP requests with a pushed model, as TensorFlow Serving does, and show a page to try it.

    DIR is a serving folder or an output root, whose newest version is served, later ones as they are pushed; or one
    version.

    \b
      fullbake serve runs/quickstart
      curl -d '{"instances": ["what a lovely garden"]}' http://127.0.0.1:8501/v1/models/quickstart:predict
    """
    from fullbake.pipeline.serving.server import bound_socket, serve, url_of
    from fullbake.pipeline.serving.source import find_source

    source = find_source(directory, name)
    with bound_socket(host, port) as bound:
        if not bound.getsockname()[0].startswith(_LOOPBACK):
            warn([f"--host {host}: whoever reaches this machine can use the model; there is no login"])
        say = _say_nothing if quiet else _say
        say(f"{source.name}: loading {source.version.path}")
        quiet_libraries()
        with native_stderr_silenced():
            from fullbake.pipeline.serving.application import Application
            from fullbake.pipeline.serving.model_versions import ModelVersions

        limits = Limits(
            batch_rows=batch_rows,
            queued_rows=max(max_waiting_rows, max_rows),
            instances=max_rows,
            body_bytes=int(max_body_mb * 2**20),
            seconds=timeout,
        )
        model_versions = ModelVersions(source, say)
        model_versions.open_first()
        application = Application(source.name, model_versions, limits, _say)
        url = url_of(bound)

        def ready() -> None:
            if model_versions.current:
                click.echo(f"{source.name}: {url}")
                click.echo(_curl(f"{url}/v1/models/{source.name}:predict", model_versions.current))

        with interruption.left_to_others():
            serve(application.asgi, bound, limits.seconds, ready)
    say("stopped; all that was asked is answered")


def _curl(url: str, model: ServedModel) -> str:
    features = model.text_features
    instance = _SAMPLE if len(features) == 1 else dict.fromkeys(features, _SAMPLE)
    return f"curl -d '{json.dumps({'instances': [instance]})}' {url}"


def _say(line: str) -> None:
    click.echo(escaped(line), err=True)


def _say_nothing(_: str) -> None:
    pass
