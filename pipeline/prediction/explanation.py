"""Which words pushed what a model decided of a text: for each decided label those without which it is less likely."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from fullbake.components.data.text_encoding import KEEP_UNDECODABLE, printable
from fullbake.components.explanation.occlusion import Serve, explain
from fullbake.pipeline.prediction.predictor import Prediction, Predictor

_MOST_CHARACTERS = 60  # of the words of a part; it can be a whole paragraph without a space


class Push(NamedTuple):
    """What some words did to a decision.

    Attributes:
        label: The label that was decided.
        words: A word, or in a text of more than 20 some that follow each other; on one line.
        change: How much less probable the label is without them, from -1 to 1; below 0 they spoke against it.
    """

    label: str
    words: str
    change: float


def explain_predictions(
    predictor: Predictor, texts: Mapping[str, Sequence[bytes]], predictions: Sequence[Prediction]
) -> Iterator[list[Push]]:
    """Finds for each text which words pushed its decision.

    The model is asked at most 21 times for a text (see `occlusion.MOST_PARTS`), however many labels it decided. A text
    without a label has no decision to explain.

    Args:
        predictor: The model.
        texts: By feature, a text for each row.
        predictions: What the model says of the rows.

    Yields:
        For each row at most three parts for each decided label, the strongest first.
    """

    def serve(columns: Mapping[str, list[str]]) -> np.ndarray:
        encoded = {
            name: [text.encode("utf-8", KEEP_UNDECODABLE) for text in column] for name, column in columns.items()
        }
        # A diverged model returns NaN.
        return np.nan_to_num(np.array([row.probabilities for row in predictor.predict(encoded)], np.float32))

    for number, prediction in enumerate(predictions):
        row = {feature: column[number].decode("utf-8", KEEP_UNDECODABLE) for feature, column in texts.items()}
        ask = _once(serve)
        yield [
            Push(label, _shown(found.words), found.change)
            for label, _ in prediction.decided
            for found in explain(ask, row, _probability_of(predictor.labels.index(label)))
        ]


def in_words(pushes: Sequence[Push], *, multi_label: bool) -> str:
    """Returns an explanation on one line: `idiot +0.412, bad +0.101`; of a multi-label model with the labels before."""
    by_label: dict[str, list[str]] = {}
    for push in pushes:
        by_label.setdefault(push.label, []).append(f"{push.words} {push.change:+.3f}")
    return "; ".join((f"{label}: " if multi_label else "") + ", ".join(found) for label, found in by_label.items())


def _once(serve: Serve) -> Serve:
    """Keeps the answer, for the same rows are asked for each label."""
    answers: list[np.ndarray] = []

    def ask(columns: Mapping[str, list[str]]) -> np.ndarray:
        if not answers:
            answers.append(serve(columns))
        return answers[0]

    return ask


def _probability_of(index: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda probabilities: probabilities[:, index]


def _shown(words: str) -> str:
    line = printable(words)
    return line if len(line) <= _MOST_CHARACTERS else line[: _MOST_CHARACTERS - 1] + "…"
