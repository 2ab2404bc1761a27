"""What a model says of itself, beside its SavedModel: `fullbake.json`."""

from __future__ import annotations

from typing import Any

from fullbake.contract.names import ABOUT_FILE
from fullbake.contract.results.result import Result, ResultFile


class Labelling(Result):
    """How the labels of a row were found; the like-named settings of `components.data.row_format.RowFormat`."""

    label_map: dict[str, str] = {}
    label_threshold: float | None = None
    label_columns: tuple[str, ...] = ()
    label_separator: str | None = None
    missing_label: str = "fail"
    votes: dict[str, str | None] = {}
    rare_classes: str = "fail"


class Slicing(Result):
    """What made the slices of rows; as of `components.data.row_slices.RowSlices`."""

    columns: tuple[str, ...] = ()
    identities: tuple[str, ...] = ()
    lengths: tuple[int, ...] = ()


class Reading(Result):
    """How the files were read that a model was trained on.

    Attributes:
        dialect: By the name of its setting, how they are written that are CSV; what is missing was the default.
        null_values: The words that stood for a missing value; None where that was the default.
        label_column: The column of the labels, which a file without labels need not have.
        labelling: How labels were found in it, or in other columns; None where an earlier release made the model.
        slicing: What made slices.
    """

    dialect: dict[str, Any] = {}
    null_values: tuple[str, ...] | None = None
    label_column: str | None = None
    labelling: Labelling | None = None
    slicing: Slicing = Slicing()


class About(ResultFile):
    """What a model is and what it takes.

    Attributes:
        labels: In the order of their class index.
        text_features: The columns of text that it takes.
        text_columns: By feature, the column of the file that it came from in training.
        reading: How that file was read.
        task: What labels are to a row, a key of `trainer.tasks.table.TASKS`.
        decision_threshold: Probability of the second label from which it is decided; None where the likelier wins.
        decision_thresholds: By label of a multi-label model, the probability from which it is decided; one half where
            it is missing.
        temperature: What the logits were divided by to calibrate the probabilities: it is in the weights already, those
            of the Hugging Face folder too. None: they are as they were trained.
        approach: One of the project's approaches.
        head: What sits on the encoder.
        pooling: What the head sees of a text's hidden states.
        base: The pre-trained encoder, for people.
        base_hash: Of its files.
        versions: Of the libraries that made it, by name.
    """

    FILE = ABOUT_FILE
    INDENT = 1
    ASCII = False

    labels: tuple[str, ...]
    text_features: tuple[str, ...] = ()
    text_columns: dict[str, str] = {}
    reading: Reading = Reading()
    task: str = "single_label"
    decision_threshold: float | None = None
    decision_thresholds: dict[str, float] = {}
    temperature: float | None = None
    approach: str | None = None
    head: str | None = None
    pooling: str | None = None
    base: str | None = None
    base_hash: str | None = None
    versions: dict[str, str] = {}
