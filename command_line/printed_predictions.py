"""What `fullbake predict` prints of texts: lines whose columns stand under each other, or JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from fullbake.command_line.terminal import print_json
from fullbake.components.data.text_encoding import escaped, printable
from fullbake.pipeline.prediction.plain_values import as_json

if TYPE_CHECKING:
    from fullbake.pipeline.prediction.explanation import Push
    from fullbake.pipeline.prediction.predictor import Prediction, Predictor

NO_LABEL = "(no label)"
"""What stands for the labels of a text that a multi-label model gives none."""

NO_PUSH = "no word alone changes it by 0.01"
"""What stands for an explanation without words; the number is `occlusion.LEAST_CHANGE`."""

_WIDEST = 40  # columns; longer labels push their own text aside, not those of all others


def print_predictions(
    predictor: Predictor, batches: Iterable[Sequence[bytes]], *, as_documents: bool, explained: bool, streamed: bool
) -> None:
    """Labels texts, and prints what comes out.

    Args:
        predictor: The model, of single texts.
        batches: The texts. The columns of a batch stand under each other, and it is printed before the next is asked
            for.
        as_documents: Whether all is printed as one list of JSON, at the end.
        explained: Whether the words that pushed each decision are shown.
        streamed: Whether there may be many batches; then the room for a label is that of the model's longest, so that
            the columns of all stand under each other.
    """
    documents: list[dict[str, Any]] = []
    for texts in batches:
        columns = {"text": list(texts)}
        predictions = predictor.predict(columns)
        shown = [text.decode("utf-8", "replace") for text in texts]  # a terminal may refuse bytes that are not UTF-8
        explanations: Iterable[list[Push] | None] = [None] * len(shown)
        if explained:
            from fullbake.pipeline.prediction.explanation import explain_predictions

            explanations = explain_predictions(predictor, columns, predictions)
        rows = zip(shown, predictions, explanations, strict=True)
        if as_documents:
            documents += [_document(predictor, *row) for row in rows]
        else:
            _print_lines(predictor, list(rows), predictor.labels if streamed else [])
    if as_documents:
        print_json(documents)


def _document(
    predictor: Predictor, text: str, prediction: Prediction, explanation: list[Push] | None
) -> dict[str, Any]:
    labels = [label for label, _ in prediction.decided]
    decided = {"labels": labels} if predictor.multi_label else {"label": prediction.label}
    probabilities = dict(zip(predictor.labels, map(as_json, prediction.probabilities), strict=True))
    document = {"text": text, **decided, "probabilities": probabilities}
    return document if explanation is None else {**document, "explanation": [push._asdict() for push in explanation]}


def _print_lines(
    predictor: Predictor, rows: list[tuple[str, Prediction, list[Push] | None]], others: Sequence[str]
) -> None:
    from rich.cells import cell_len

    cells = [[(escaped(label), f"{p:.3f}") for label, p in prediction.decided] for _, prediction, _ in rows]
    labels = [*map(escaped, others), *(label for row in cells for label, _ in row)]
    label_width = max((w for label in labels if (w := cell_len(label)) <= _WIDEST), default=0)

    def padded(text: str, width: int) -> str:
        return text + " " * (width - cell_len(text))

    if predictor.multi_label:
        decided = [", ".join("  ".join(pair) for pair in row) or NO_LABEL for row in cells]
        width = max((w for text in decided if (w := cell_len(text)) <= _WIDEST), default=0)
        decided = [padded(text, width) for text in decided]
    else:
        decided = [f"{padded(label, label_width)}  {p}" for ((label, p),) in cells]
    for lead, (text, _, explanation) in zip(decided, rows, strict=True):
        click.echo(f"{lead}  {printable(text)}")
        if explanation is not None:
            click.echo(f"    {_why(predictor, explanation)}")


def _why(predictor: Predictor, explanation: list[Push]) -> str:
    from fullbake.pipeline.prediction.explanation import in_words

    return escaped(in_words(explanation, multi_label=predictor.multi_label)) or NO_PUSH
