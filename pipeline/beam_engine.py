"""Where the Beam components run: in this process, or on an engine such as Flink, Spark or Dataflow."""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import fullbake
from fullbake.contract.errors import InputError

# On one machine it is faster than workers that each import TensorFlow. Of a run of 600 rows cloudpickle, the default of
# newer Beams, saves 2 seconds over dill.
_IN_PROCESS = ("--direct_running_mode=in_memory", "--direct_num_workers=1", "--pickle_library=cloudpickle")

# Any of these says how the code reaches the workers (tfx.utils.dependency_utils asks for the same ones).
_CODE_FLAGS = ("--setup_file", "--extra_package", "--extra_packages", "--requirements_file", "--sdk_container_image")

# Without such a flag, TFX makes a source package of itself for each component, which takes a second each and which no
# worker of a local runner looks at.
_NO_CODE_NEEDED = "--sdk_container_image=none"

_SOURCE = Path(fullbake.__file__).parents[1]
_SETUP_FILE = "setup.py"
_SOURCES = (_SETUP_FILE, "pyproject.toml", "README.md", "LICENSE", "fullbake")


def distributed_runner(args: Sequence[str]) -> str | None:
    """Returns the runner that these arguments of Beam name, if its workers run outside this machine; else None.

    Args:
        args: `beam.args` of the config.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--runner", default="DirectRunner")
    runner: str = parser.parse_known_args(args)[0].runner
    # A name's case does not matter to Beam, and it may be a class with its module.
    return None if runner.lower().endswith("directrunner") else runner


@contextmanager
def beam_engine(args: Sequence[str]) -> Iterator[list[str]]:
    """Yields the arguments with which Beam is to run.

    An engine's workers get this package as a source package, which brings its dependencies, unless the arguments say
    how else they get it.

    Args:
        args: `beam.args` of the config; empty for this process.

    Raises:
        InputError: The workers need the source of this package, and only its installed files are here.
    """
    args = list(args or _IN_PROCESS)
    if any(arg.split("=")[0] in _CODE_FLAGS for arg in args):
        yield args
    elif (runner := distributed_runner(args)) is None:
        yield [*args, _NO_CODE_NEEDED]
    else:
        if not (_SOURCE / _SETUP_FILE).is_file():
            raise InputError(
                f"beam.args: the workers of {runner} need this package; add --setup_file=<its source>/{_SETUP_FILE}, "
                "or --sdk_container_image=<the image of kubeflow/Dockerfile's target beam-worker>"
            )
        with tempfile.TemporaryDirectory(prefix="fullbake-source-") as folder:
            # A copy, because to pack it setuptools writes into the folder, which in a container it may not. It holds
            # files where the source has links.
            for name in _SOURCES:
                source, target = _SOURCE / name, Path(folder, name)
                shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
            yield [*args, f"--setup_file={Path(folder, _SETUP_FILE)}"]
