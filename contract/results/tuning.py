"""What TFX's Tuner says of the learning rates that were tried: `tuner_results.json`."""

from __future__ import annotations

import json

from pydantic import TypeAdapter, ValidationError

from fullbake.contract.names import TUNER_RESULTS_FILE
from fullbake.contract.results.result import Result, fault_in_words


class Candidate(Result):
    """A learning rate that was tried.

    Attributes:
        trial_id: What the Tuner calls the trial.
        score: The macro recall on the eval split it came to; 0 where training diverged.
        learning_rate: The rate.
    """

    trial_id: str | None = None
    score: int | float
    learning_rate: int | float


def read_tuner_results(text: str | bytes) -> tuple[Candidate, ...]:
    """Reads the content of the file.

    Returns:
        All candidates, the best first.

    Raises:
        ValueError: A key lacks; the message names file and key.
    """
    try:
        return TypeAdapter(tuple[Candidate, ...]).validate_python(json.loads(text))
    except ValidationError as error:
        raise ValueError(fault_in_words(TUNER_RESULTS_FILE, error)) from error
