"""Fullbake finishes a pre-trained encoder for a task. Its packages are folders beside this one, linked here.

From Python:

    result = fullbake.run("config.yaml")         # from the CSV to a pushed model and a report
    model = fullbake.load(result.model)
    model.predict(["what a lovely day"])[0].label

What a user can fix raises `fullbake.InputError`, whose text is one line: what is wrong, where, and the remedy.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from fullbake.contract.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from fullbake.pipeline.embedded.opened_model import Model
    from fullbake.pipeline.embedded.run_result import RunResult

__version__ = "0.1.0"
__all__ = ["InputError", "load", "run"]

# Hugging Face's TensorFlow models, TFT's layer and TFMA are Keras 2. TensorFlow reads this when Keras is first touched,
# so it is set here, which every process of ours imports first (Beam workers and containers too); whatever was set for
# other programs would break this one.
os.environ["TF_USE_LEGACY_KERAS"] = "1"
# keras-tuner imports Keras 3, which fails on a backend that is not installed.
os.environ["KERAS_BACKEND"] = "tensorflow"


def run(
    config: str | os.PathLike[str] | Mapping[str, Any],
    *,
    overrides: Mapping[str, Any] | None = None,
    root: str | os.PathLike[str] | None = None,
    progress: Callable[[str, float | None], None] | None = None,
) -> RunResult:
    """Runs the pipeline here: from the CSV to a model that is pushed if it passes the gate.

    A model that the gate refuses is no error: the result says so. While it runs, the process's log goes to the run's
    `run.log`, and a second call waits.

    Args:
        config: A config file, or a mapping with the same keys. Relative paths in it start at the current folder.
        overrides: By key, such as "training.epochs", a value that wins over the config's.
        root: The output root. Default: `runs/<name>`.
        progress: Called with a component's name when it starts, and again with its seconds when it is done.

    Raises:
        InputError: The config, the data, the base model or the model in production cannot be used.
    """
    from fullbake.pipeline.embedded.embedded_run import embedded_run

    return embedded_run(config, overrides or {}, root, progress or (lambda name, seconds: None))


def load(path: str | os.PathLike[str]) -> Model:
    """Opens a pushed model.

    Args:
        path: A pushed version, a serving folder or an output root; of the last two, the version that serves.

    Raises:
        InputError: There is no pushed model, or it cannot be used.
    """
    from fullbake.pipeline.embedded.opened_model import Model

    return Model(path)
