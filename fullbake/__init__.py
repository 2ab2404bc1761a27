"""Fullbake finishes a pre-trained encoder for a task. Its packages are folders beside this one, linked here.

From Python:

    result = fullbake.run("config.yaml")         # from the CSV to a pushed model and a report
    model = fullbake.load(result.model)
    model.predict(["what a lovely day"])[0].label
    fullbake.evaluate(result.model, "new.csv").passed  # on other labelled texts

What a user can fix raises `fullbake.InputError`, whose text is one line: what is wrong, where, and the remedy.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from fullbake.contract.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from fullbake.pipeline.embedded.opened_model import Model
    from fullbake.pipeline.embedded.run_result import RunResult
    from fullbake.pipeline.judging.judgement import Judgement

__version__ = "0.1.0"
__all__ = ["InputError", "evaluate", "load", "run"]

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


def evaluate(
    model: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    file: str | os.PathLike[str],
    *,
    text: str | None = None,
    text_pair: str | None = None,
    label: str | None = None,
    config: str | os.PathLike[str] | None = None,
    min_recall: Mapping[str, float] | None = None,
    min_precision: Mapping[str, float] | None = None,
    confidence: float | None = None,
    slices: Sequence[str] = (),
    without_slices: bool = False,
    on_bad_row: str | None = None,
    max_bad_fraction: float | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
    quoting: str | None = None,
    output: str | os.PathLike[str] | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Judgement:
    """Judges a pushed model on a labelled file, as the gate of its run judged it on the test split; or compares two.

    What is not said is as in the model's training. A missed bound is no error: the result says so.

    Args:
        model: A pushed version, a serving folder or an output root; of the last two, the version that serves. Or two
            of them: the first is judged, and compared row by row with the second.
        file: The labelled file, of any format that a run reads.
        text: The column of the text.
        text_pair: The column of the second text.
        label: The column of the label.
        config: A config file, whose sections `data` and `gate` are taken instead of what the model says of itself.
        min_recall: By label, a bound that replaces the one that the model met when it was pushed.
        min_precision: Likewise.
        confidence: With which a bound must be shown to be met, such as 0.95. Default: as at the push.
        slices: Columns whose values are slices, instead of those of training.
        without_slices: Whether there are no slices, although there were in training.
        on_bad_row: "fail" (the default) or "quarantine".
        max_bad_fraction: The share of bad rows beyond which quarantine stops, too. Default: 0.01.
        delimiter: Of the file. Default: found out, and so the next two.
        encoding: Likewise.
        quoting: Likewise.
        output: A new folder for the report. Default: one below `evaluations/`, named after the model and the time.
        progress: Called as it goes on, with what is done and how many rows of how many; 0 of 0 where nobody counts.

    Raises:
        InputError: There is no pushed model, or the file or something that was said of it cannot be used.
    """
    from fullbake.pipeline.embedded.embedded_evaluation import embedded_evaluation

    return embedded_evaluation(
        model,
        file,
        progress or (lambda stage, done, rows: None),
        text=text,
        text_pair=text_pair,
        label=label,
        config=config,
        min_recall=min_recall,
        min_precision=min_precision,
        confidence=confidence,
        slices=slices,
        without_slices=without_slices,
        on_bad_row=on_bad_row,
        max_bad_fraction=max_bad_fraction,
        delimiter=delimiter,
        encoding=encoding,
        quoting=quoting,
        output=output,
    )
