"""What `Model.predict` returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

from fullbake.contract.names import LABELS_SEPARATOR

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Prediction:
    """What a model says of a text.

    Attributes:
        labels: The labels it decides: one, or any number of a multi-label model.
        probabilities: By label, in the model's order. Where the model has a decision threshold, the label that is
            decided need not be the likeliest.
    """

    labels: tuple[str, ...]
    probabilities: Mapping[str, float]

    @property
    def label(self) -> str:
        """The label; of a multi-label model all that are decided, with commas between."""
        return LABELS_SEPARATOR.join(self.labels)


class Predictions(Sequence[Prediction]):
    """The predictions for some texts, in their order.

    Args:
        predictions: One for each text.
        texts: The texts; of pairs, both of each.
        columns: What the texts are called in a table: `text`, and of pairs `text_pair` too.
    """

    def __init__(self, predictions: Sequence[Prediction], texts: Sequence[tuple[str, ...]], columns: Sequence[str]):
        self._predictions = tuple(predictions)
        self._texts = tuple(texts)
        self._columns = tuple(columns)

    @overload
    def __getitem__(self, index: int) -> Prediction: ...

    @overload
    def __getitem__(self, index: slice) -> Predictions: ...

    def __getitem__(self, index: int | slice) -> Prediction | Predictions:
        if isinstance(index, slice):
            return Predictions(self._predictions[index], self._texts[index], self._columns)
        return self._predictions[index]

    def __len__(self) -> int:
        return len(self._predictions)

    def __repr__(self) -> str:
        return f"Predictions({list(self._predictions)!r})"

    def to_frame(self) -> pd.DataFrame:
        """Returns them as a table: the texts, `label`, and `p_<label>` for each label, as `fullbake predict` writes."""
        import pandas as pd

        rows = [
            {
                **dict(zip(self._columns, texts, strict=True)),
                "label": prediction.label,
                **{f"p_{label}": probability for label, probability in prediction.probabilities.items()},
            }
            for texts, prediction in zip(self._texts, self._predictions, strict=True)
        ]
        return pd.DataFrame(rows)
