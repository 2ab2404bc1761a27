"""The servable check: the exported model must answer in a process that has TensorFlow and nothing of ours."""

import subprocess
import sys
import tempfile
from pathlib import Path

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact
from tfx.dsl.component.experimental.decorators import component
from tfx.types import standard_artifacts
from tfx.utils import path_utils

from fullbake.components import serving
from fullbake.contract.progress import tell

PROBE = Path(serving.__file__).with_name("servable_probe.py")


@component
def ServableCheck(  # noqa: N802 (a component's name)
    model: InputArtifact[standard_artifacts.Model], blessing: OutputArtifact[standard_artifacts.InfraBlessing]
) -> None:
    """Opens the model as a server would, in a process of its own, and has it label texts.

    Args:
        model: The exported model.
        blessing: Blessed if the model answered.

    Raises:
        RuntimeError: It did not; that is a fault of the export, not of the data.
    """
    folder = path_utils.serving_model_path(model.uri)
    # The script is run by its path, not as a module: none of this project's packages is imported. It ends when its
    # standard input does: with this process, however that ends.
    tell("opening the model as a server would, in a process of its own")
    with tempfile.TemporaryFile("w+") as said:
        with subprocess.Popen(  # noqa: S603
            [sys.executable, PROBE, folder, "--until-stdin-ends"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=said,
        ) as probe:
            probe.wait()
        if probe.returncode:
            said.seek(0)
            raise RuntimeError(f"the exported model {folder} does not serve:\n{said.read()}")
    blessing.set_int_custom_property("blessed", 1)
