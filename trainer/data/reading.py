"""Reads what a training learns and what it is measured on."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from fullbake.trainer.data.input_pipeline import TokenizedSplit
from fullbake.trainer.data.windowed_split import TokenizedWindows
from fullbake.trainer.tasks.table import SINGLE_LABEL, Task
from fullbake.trainer.windows import Windows

if TYPE_CHECKING:
    import tensorflow_transform as tft

Texts: TypeAlias = TokenizedSplit | TokenizedWindows


def read_splits(
    train_files: list[str],
    eval_files: list[str],
    transform: tft.TFTransformOutput,
    scratch: Path,
    task: Task = SINGLE_LABEL,
    windows: Windows | None = None,
) -> tuple[Texts, Texts]:
    """Packs the train and the eval split below a scratch folder.

    Args:
        train_files: As `TokenizedSplit.read` takes them.
        eval_files: Likewise.
        transform: The Transform graph that made them.
        scratch: The folder.
        task: As `TokenizedSplit.read` takes it.
        windows: Into which each row is cut; None: each is one.
    """
    feature_spec = transform.transformed_feature_spec()

    def read(files: list[str], folder: Path) -> Texts:
        split = TokenizedSplit.read(files, feature_spec, folder, task)
        if windows is None:
            return split
        cut = TokenizedWindows.cut(split, windows, folder.with_name(f"{folder.name}-windows"))
        shutil.rmtree(folder)  # nobody needs the rows any more, and they take as much room as their windows
        return cut

    return read(train_files, scratch / "train"), read(eval_files, scratch / "eval")


def windows_of(split: Texts) -> TokenizedSplit:
    """What goes through an encoder one by one: each window a row of its own."""
    return split.windows if isinstance(split, TokenizedWindows) else split
