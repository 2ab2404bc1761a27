"""What the Evaluator says of slices of the test split."""

from __future__ import annotations

from fullbake.contract.results.result import Interval, Result


class SliceLabel(Result):
    """How one label does in a slice.

    Attributes:
        rows: How many rows of the slice have the label; of a multi-label model, if it is known.
        recall: None where none has it.
        recall_interval: Where its true value lies, with the gate's confidence or else 95%.
        decided: How many rows of the slice were given the label; likewise.
        found: How many rows of both there are.
        precision: None where none was given it.
        precision_interval: As `recall_interval`.
    """

    rows: int
    recall: float | None
    recall_interval: Interval | None
    decided: int
    found: int
    precision: float | None
    precision_interval: Interval | None


class BiasAucs(Result):
    """How well a label's scores rank rows with and without it, some of an identity (Borkan et al. 2019).

    Attributes:
        subgroup: Within the identity; None where the rows lack that it takes.
        bpsn: Rows with the label of the background (all that are not of the identity) against rows without it of the
            identity. It is low where mentioning the identity raises the scores.
        bnsp: Rows without it of the background against rows with it of the identity. It is low where mentioning the
            identity lowers the scores.
    """

    subgroup: float | None
    bpsn: float | None
    bnsp: float | None


class Slice(Result):
    """Some rows of the test split, and how the model does on them.

    Attributes:
        name: Such as "channel=forum", "length 50-99" or, of an identity, the name of its column.
        rows: How many there are.
        labels: By label that some row of it has or was given.
        bias: Of an identity, by label that it is measured of; else empty.
    """

    name: str
    rows: int
    labels: dict[str, SliceLabel] = {}
    bias: dict[str, BiasAucs] = {}


class WorstSlice(Result):
    """The slice in which a label is found least.

    Attributes:
        slice: Its name.
        recall: The label's recall in it.
        rows: How many rows of it have the label.
    """

    slice: str
    recall: float
    rows: int
