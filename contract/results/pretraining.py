"""What the Pretrainer says of its training: `pretraining.json`."""

from __future__ import annotations

from fullbake.contract.names import PRETRAINING_FILE
from fullbake.contract.results.result import Result, ResultFile


class Perplexity(Result):
    """How well the base guesses hidden words of the eval split.

    Attributes:
        step: After how many steps.
        epoch: The same in epochs.
        loss: In nats.
        perplexity: Among how many words it wavers, on average.
    """

    step: int
    epoch: float
    loss: float | None = None
    perplexity: float


class Pretraining(ResultFile):
    """How the base was trained further on text alone.

    Attributes:
        evaluations: In order, the first before any training.
        new_head: Whether the head that guesses words had to start from nothing.
        rows: How many texts were learned.
        parameters: How many weights were trained.
        encoder_shift: As that of `Training`.
        learning_rate: The highest rate of the schedule.
        distribution: The devices found.
        precision: The arithmetic.
        seconds: How long it took.
    """

    FILE = PRETRAINING_FILE
    INDENT = 1

    evaluations: tuple[Perplexity, ...]
    new_head: bool = False
    rows: int | None = None
    parameters: int | None = None
    encoder_shift: dict[str, float] = {}
    learning_rate: float | None = None
    distribution: str | None = None
    precision: str | None = None
    seconds: float | None = None
