"""`fullbake tensorboard`: shows the curves of a run's trainings in TensorBoard."""

from __future__ import annotations

import sys
import tempfile
import threading
import types
from pathlib import Path

import click

from fullbake.command_line.options import PATH
from fullbake.command_line.terminal import native_stderr_silenced, quiet_libraries
from fullbake.contract.errors import InputError
from fullbake.pipeline.interruption import Interruption


@click.command()
@click.argument("run", metavar="RUN", type=PATH)
@click.option("--port", type=click.IntRange(0, 65535), default=6006, show_default=True, help="0: any that is free.")
@click.pass_obj
def tensorboard(interruption: Interruption, run: Path, port: int) -> None:
    """Show the curves of a run's trainings in TensorBoard, for this machine's browser, until Ctrl-C.

    RUN is an output root, of which the newest run is shown, or the folder of a run in its reports/.
    """
    from fullbake.pipeline.lineage.training_logs import training_logs

    logs = training_logs(run)
    quiet_libraries()
    # TensorBoard 2.16 imports it to compare versions of its faster reader, which is not used here; newer setuptools no
    # longer have it.
    sys.modules.setdefault("pkg_resources", types.ModuleType("pkg_resources"))
    with native_stderr_silenced():
        # Not `tensorboard.default`, which needs the pkg_resources that newer setuptools no longer have. Our logs hold
        # scalars alone.
        from tensorboard import program
        from tensorboard.plugins.core.core_plugin import CorePluginLoader
        from tensorboard.plugins.metrics.metrics_plugin import MetricsPlugin
        from tensorboard.plugins.scalar.scalars_plugin import ScalarsPlugin

    with tempfile.TemporaryDirectory(prefix="fullbake-tensorboard-") as folder:
        interruption.leftovers.append(Path(folder))
        for component, path in logs.items():
            Path(folder, component).symlink_to(path)
        server = program.TensorBoard(plugins=[CorePluginLoader(), ScalarsPlugin, MetricsPlugin])
        # Its faster reader does not follow links.
        server.configure(logdir=folder, port=port, host="localhost", load_fast="false")
        try:
            url = server.launch()
        except program.TensorBoardServerException as error:
            raise InputError(
                f"--port: TensorBoard cannot listen at {port}: {' '.join(str(error).split())}; name another, or 0"
            ) from error
        click.echo(f"TensorBoard shows {', '.join(logs)} at {url} until Ctrl-C")
        threading.Event().wait()
