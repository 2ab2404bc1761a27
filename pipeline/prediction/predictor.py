"""Labels text with a pushed model. TensorFlow is imported when the model is opened, and not before."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any, NamedTuple

from fullbake.components.serving.file_system import file_system
from fullbake.components.serving.plain_path import plain_path
from fullbake.components.serving.pushed_models import MODEL, fault, newest_version, read_about
from fullbake.contract.errors import InputError
from fullbake.contract.names import ABOUT_FILE, LABEL_OUTPUT, LABELS_SEPARATOR, PROBABILITIES_OUTPUT, TEXT_SIGNATURE
from fullbake.contract.results.about import About
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
    """A pushed model. It is opened by `load`, at the latest when it is first asked.

    Args:
        model: A pushed version's folder.

    Attributes:
        labels: In the order of their class index.
        text_features: `text` and maybe `text_pair`.
        text_columns: By feature, the CSV column that it came from in training.
        reading: How the files of training were read.
        multi_label: Whether a text can have any number of labels.
        thresholds: By label, the probability from which it is decided, in place of the model's own; of two labels that
            exclude each other, of the second alone. Empty: as the model decides.
    """

    def __init__(self, model: str):
        about = about_usable(model)
        self.labels = list(about.labels)
        self.multi_label = about.task == MULTI_LABEL
        self.text_columns = about.text_columns
        self.reading = about.reading
        self.text_features = list(about.text_features)
        self.thresholds: dict[str, float] = {}
        self._own_thresholds = about.decision_thresholds
        self._folder = model
        self._model: Any = None
        self._loading = threading.Lock()

    def load(self) -> None:
        """Opens the model, if it is not open yet, which takes seconds."""
        import tensorflow as tf
        import tensorflow_text  # noqa: F401  (the served graph holds its ops)

        with self._loading:
            if self._model is None:
                with plain_path(self._folder) as plain:
                    self._model = tf.saved_model.load(plain)  # kept: its variables live as long as it does

    def predict(self, texts: dict[str, list[bytes]]) -> list[Prediction]:
        """Labels some rows.

        Args:
            texts: By feature, a text for each row.
        """
        import tensorflow as tf

        self.load()
        serve = self._model.signatures[TEXT_SIGNATURE]
        answer = serve(**{name: tf.constant(column, tf.string) for name, column in texts.items()})
        rows = answer[PROBABILITIES_OUTPUT].numpy().tolist()
        labels = self._decide(rows) if self.thresholds else [label.decode() for label in answer[LABEL_OUTPUT].numpy()]
        return [
            Prediction(label, tuple((name, row[self.labels.index(name)]) for name in self._parts(label)), tuple(row))
            for label, row in zip(labels, rows, strict=True)
        ]

    def _decide(self, rows: list[list[float]]) -> list[str]:
        """Decides as the served graph would with other thresholds; its numbers are float32."""
        from numpy import float32

        from fullbake.trainer.tasks.multi_label import HALF

        if not self.multi_label:
            bound = float(float32(self.thresholds[self.labels[1]]))
            return [self.labels[row[1] >= bound] for row in rows]
        thresholds = self._own_thresholds | self.thresholds
        bounds = [float(float32(thresholds.get(label, HALF))) for label in self.labels]
        return [
            LABELS_SEPARATOR.join(label for label, p, bound in zip(self.labels, row, bounds, strict=True) if p >= bound)
            for row in rows
        ]

    def _parts(self, label: str) -> list[str]:
        if not self.multi_label:
            return [label]
        return label.split(LABELS_SEPARATOR) if label else []


def about_usable(model: str) -> About:
    """Returns what a pushed model says of itself, if it can be used.

    Args:
        model: A pushed version's folder.

    Raises:
        InputError: It cannot: it is damaged, or says nothing.
    """
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
    return about


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
    files = file_system(model)
    if files.is_folder(model) and "saved_model.pb" in files.names(model):
        return model.rstrip("/")
    found = newest_version(model) or newest_version(os.path.join(model, "serving"))
    if found is None:
        raise InputError(
            "there is no pushed model in {model}; name a version, a serving folder or an output root",
            field=MODEL,
            model=model,
        )
    return found
