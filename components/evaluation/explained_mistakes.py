"""What pushed a model to its hardest mistakes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import tensorflow as tf
import tensorflow_text  # noqa: F401  (the served graph holds its ops)

from fullbake.components.explanation.occlusion import Serve, explain
from fullbake.contract.names import PROBABILITIES_OUTPUT, TEXT, TEXT_PAIR, TEXT_SIGNATURE
from fullbake.contract.results.mistakes import Influence, JudgedText, LabelMistakes, Mistakes

EXPLAINED = 12
"""How many texts are explained, of all labels in turn: some 250 rows, what a small test split costs once more."""

SHOWN_CHARACTERS = 1000
"""Of a text. The whole one is in `predictions.csv`."""
SHOWN_WORDS = 60
"""Characters of a part that pushed a decision."""


def served(model: str) -> Serve:
    """Opens a SavedModel as `components.explanation.occlusion` asks it.

    Args:
        model: Its folder.
    """
    signature = tf.saved_model.load(model).signatures[TEXT_SIGNATURE]

    def serve(columns: Mapping[str, list[str]]) -> np.ndarray:
        texts = {name: tf.constant(column) for name, column in columns.items()}
        # A diverged model returns NaN.
        return np.nan_to_num(signature(**texts)[PROBABILITIES_OUTPUT].numpy())

    return serve


def explain_mistakes(mistakes: Mistakes, serve: Serve, labels: Sequence[str], multi_label: bool) -> Mistakes:
    """Adds what pushed the hardest decisions, and cuts the texts to what is shown.

    Args:
        mistakes: With whole texts.
        serve: The model.
        labels: The labels in the order of their class index.
        multi_label: Whether a row can have any number of them.
    """
    influences: dict[tuple[int, int], tuple[Influence, ...]] = {}
    for place in _in_turn(mistakes.labels):
        about = mistakes.labels[place[0]]
        text = about.texts[place[1]]
        row = {TEXT: text.text} | ({} if text.text_pair is None else {TEXT_PAIR: text.text_pair})
        decided = text.label if multi_label else text.decided[0]
        score = _score(labels.index(decided), against=multi_label and about.missed)
        influences[place] = explain(serve, row, score)
        if len(influences) == EXPLAINED:
            break
    return mistakes.model_copy(
        update={
            "labels": tuple(
                about.model_copy(
                    update={
                        "texts": tuple(
                            _shown(text, influences.get((number, rank), ())) for rank, text in enumerate(about.texts)
                        )
                    }
                )
                for number, about in enumerate(mistakes.labels)
            ),
            "fixed_texts": tuple(_shown(text, ()) for text in mistakes.fixed_texts),
            "broken_texts": tuple(_shown(text, ()) for text in mistakes.broken_texts),
        }
    )


def _in_turn(labels: Sequence[LabelMistakes]) -> Iterator[tuple[int, int]]:
    """The place of each label's hardest text, then of each one's next, and so on."""
    for rank in range(max((len(about.texts) for about in labels), default=0)):
        for number, about in enumerate(labels):
            if rank < len(about.texts):
                yield number, rank


def _score(index: int, against: bool) -> Callable[[np.ndarray], np.ndarray]:
    return lambda probabilities: 1 - probabilities[:, index] if against else probabilities[:, index]


def _shown(text: JudgedText, influences: tuple[Influence, ...]) -> JudgedText:
    both = [text.text, text.text_pair or ""]
    return text.model_copy(
        update={
            "text": text.text[:SHOWN_CHARACTERS],
            "text_pair": None if text.text_pair is None else text.text_pair[:SHOWN_CHARACTERS],
            "characters_left_out": sum(max(0, len(one) - SHOWN_CHARACTERS) for one in both),
            "influences": tuple(one.model_copy(update={"words": _short(one.words)}) for one in influences),
        }
    )


def _short(words: str) -> str:
    return words if len(words) <= SHOWN_WORDS else words[: SHOWN_WORDS - 1] + "…"
