"""A pushed model inside another program: what `fullbake.load` returns."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from fullbake.contract.errors import InputError
from fullbake.contract.names import SLAB_ROWS
from fullbake.pipeline.embedded.host_program import guest
from fullbake.pipeline.embedded.predictions import Prediction, Predictions


class Model:
    """A pushed model, opened. Several threads may ask it at once.

    Args:
        path: A pushed version, a serving folder or an output root; of the last two, the version that serves.

    Attributes:
        path: The version's folder.
        labels: In the order of their class index.
        multi_label: Whether a text can have any number of labels.
        text_features: `text`, and `text_pair` where it labels pairs.

    Raises:
        InputError: There is no pushed model, or it cannot be used.
    """

    def __init__(self, path: str | os.PathLike[str]):
        with guest(pushed_model="path"):
            from fullbake.pipeline.prediction.predictor import Predictor, find_model

            self.path = find_model(os.path.expanduser(os.fspath(path)))
            self._predictor = Predictor(self.path)
            self._predictor.load()
        self.labels: tuple[str, ...] = tuple(self._predictor.labels)
        self.multi_label: bool = self._predictor.multi_label
        self.text_features: tuple[str, ...] = tuple(self._predictor.text_features)

    def __repr__(self) -> str:
        return f"<fullbake model {self.path}: {', '.join(self.labels)}>"

    def predict(self, texts: str | Iterable[Any]) -> Predictions:
        """Labels texts.

        Args:
            texts: One text, or any number of them: a list, a pandas Series. For a model of pairs, pairs of texts. A
                model reads an empty text like any other; training leaves such rows out.

        Returns:
            A prediction for each text, in their order.

        Raises:
            InputError: One is no text, such as a missing value, or no pair where the model labels pairs.
        """
        rows = [self._row(number, given) for number, given in enumerate([texts] if isinstance(texts, str) else texts)]
        answers: list[Prediction] = []
        for start in range(0, len(rows), SLAB_ROWS):
            columns = zip(*(row for row in rows[start : start + SLAB_ROWS]), strict=True)
            encoded = [[text.encode("utf-8", "surrogateescape") for text in column] for column in columns]
            answers += [
                Prediction(
                    tuple(label for label, _ in answer.decided),
                    dict(zip(self.labels, answer.probabilities, strict=True)),
                )
                for answer in self._predictor.predict(dict(zip(self.text_features, encoded, strict=True)))
            ]
        return Predictions(answers, rows, self.text_features)

    def _row(self, number: int, given: Any) -> tuple[str, ...]:
        wanted = len(self.text_features)
        row = (given,) if isinstance(given, str) or not isinstance(given, list | tuple) else tuple(given)
        if len(row) != wanted or not all(isinstance(text, str) for text in row):
            remedy = "a text" if wanted == 1 else "a pair of texts, such as ('a question', 'an answer')"
            raise InputError(
                "number {number} is {given}, and this model labels {kind}; leave it out, or give {remedy}",
                field="texts",
                number=number,
                given=_shown(given),
                kind="texts" if wanted == 1 else "pairs of texts",
                remedy=remedy,
            )
        try:
            for text in row:
                text.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError as error:
            raise InputError(
                "number {number} has half a surrogate pair, which is no character; mend it",
                field="texts",
                number=number,
            ) from error
        return row


def _shown(given: Any) -> str:
    shown = repr(given)
    return shown if len(shown) <= 40 else f"{shown[:39]}…"
