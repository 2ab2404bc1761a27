"""Labels text with a pushed model."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import tensorflow as tf
import tensorflow_text  # noqa: F401  (the served graph holds its ops)

from fullbake.components.serving.plain_path import plain_path
from fullbake.components.serving.pushed_models import MODEL, fault, newest_version, read_about
from fullbake.contract.errors import InputError
from fullbake.contract.names import ABOUT_FILE, LABEL_OUTPUT, LABELS_SEPARATOR, PROBABILITIES_OUTPUT, TEXT_SIGNATURE
from fullbake.contract.results.result import MULTI_LABEL


class Prediction(NamedTuple):
    """What a model says of a text.

    Attributes:
        label: The label it decides; of a multi-label model those it decides, joined by `LABELS_SEPARATOR`.
        decided: The same labels, each with its probability, which is not the highest where the model has a decision
            threshold.
        probabilities: Of each label in the model's order.
    """

    label: str
    decided: tuple[tuple[str, float], ...]
    probabilities: tuple[float, ...]


class Predictor:
    """A pushed model, opened.

    Args:
        model: A pushed version's folder.

    Attributes:
        labels: In the order of their class index.
        text_features: `text` and maybe `text_pair`.
        text_columns: By feature, the CSV column that it came from in training.
        reading: How the files of training were read.
        multi_label: Whether a text can have any number of labels.
    """

    def __init__(self, model: str):
        if reason := fault(model, thorough=False):
            raise InputError(
                "{model} {reason}; name another version, or go back with: fullbake rollback {folder}",
                field=MODEL,
                model=model,
                reason=reason,
                folder=os.path.dirname(model.rstrip("/")),
            )
        about = read_about(model)
        if about is None:
            raise InputError(
                "{model} has no usable {file}; name another version", field=MODEL, model=model, file=ABOUT_FILE
            )
        self.labels = list(about.labels)
        self.multi_label = about.task == MULTI_LABEL
        self.text_columns = about.text_columns
        self.reading = about.reading
        self.text_features = list(about.text_features)
        with plain_path(model) as plain:
            self._model = tf.saved_model.load(plain)  # kept: its variables live as long as it does
        self._serve = self._model.signatures[TEXT_SIGNATURE]

    def predict(self, texts: dict[str, list[bytes]]) -> list[Prediction]:
        """Labels some rows.

        Args:
            texts: By feature, a text for each row.
        """
        answer = self._serve(**{name: tf.constant(column, tf.string) for name, column in texts.items()})
        labels = [label.decode() for label in answer[LABEL_OUTPUT].numpy()]
        rows = answer[PROBABILITIES_OUTPUT].numpy().tolist()
        return [
            Prediction(label, tuple((name, row[self.labels.index(name)]) for name in self._parts(label)), tuple(row))
            for label, row in zip(labels, rows, strict=True)
        ]

    def _parts(self, label: str) -> list[str]:
        if not self.multi_label:
            return [label]
        return label.split(LABELS_SEPARATOR) if label else []


def find_model(model: str | None) -> str:
    """Finds a pushed version.

    Args:
        model: A version's folder, a serving folder, or an output root; None: the newest push below `runs/`.

    Raises:
        InputError: There is none.
    """
    if model is None:
        pushed = [path for folder in Path("runs").glob("*/serving") if (path := newest_version(str(folder)))]
        if not pushed:
            raise InputError(
                "no model has been pushed below runs/ yet; run the pipeline, or name a folder", field=MODEL
            )
        return max(pushed, key=lambda path: int(os.path.basename(path)))
    if tf.io.gfile.exists(os.path.join(model, "saved_model.pb")):
        return model.rstrip("/")
    found = newest_version(model) or newest_version(os.path.join(model, "serving"))
    if found is None:
        raise InputError(
            "there is no pushed model in {model}; name a version, a serving folder or an output root",
            field=MODEL,
            model=model,
        )
    return found
