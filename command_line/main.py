"""The command `fullbake`: its subcommands, and how each of them ends.

Each subcommand is a file. What takes long to import is imported inside the commands, so that help texts and errors
about a config answer at once.
"""

from __future__ import annotations

from typing import Any

import click

from fullbake.command_line.compare import compare
from fullbake.command_line.compile import compile_package
from fullbake.command_line.evaluate import evaluate
from fullbake.command_line.init import init
from fullbake.command_line.lineage import lineage
from fullbake.command_line.models import models
from fullbake.command_line.options import OPTION_NAMES
from fullbake.command_line.predict import predict
from fullbake.command_line.rollback import rollback
from fullbake.command_line.run import run
from fullbake.command_line.schedule import schedule
from fullbake.command_line.serve import serve
from fullbake.command_line.submit import submit
from fullbake.command_line.tensorboard import tensorboard
from fullbake.components.data.text_encoding import escaped
from fullbake.contract.errors import InputError
from fullbake.contract.exit_codes import EXIT_INPUT_ERROR
from fullbake.pipeline.interruption import Interruption

COMMANDS = (
    *(compare, compile_package, evaluate, init, lineage, models, predict, rollback),
    *(run, schedule, serve, submit, tensorboard),
)


class _Commands(click.Group):
    """Ends with one line: exit code 2 where the user has something to fix, 130 or 143 when it is told to stop."""

    def invoke(self, ctx: click.Context) -> Any:
        ctx.obj = Interruption()
        with ctx.obj.heeded():
            try:
                return super().invoke(ctx)
            except InputError as error:
                from fullbake.pipeline.config.config_keys import CONFIG_KEYS

                click.echo(f"fullbake: {escaped(error.text({**CONFIG_KEYS, **OPTION_NAMES}))}", err=True)
                ctx.exit(EXIT_INPUT_ERROR)


@click.group(cls=_Commands, commands=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="fullbake")
def main() -> None:
    """Finishes BERT for your task: fine-tunes it on labelled text and pushes it only if it recognises every class."""


if __name__ == "__main__":
    main()
