"""What one approach, trained with one seed, decides on the test rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Outcome:
    """One approach, trained with one seed.

    Attributes:
        approach: Its name.
        seed: Of its training.
        decided: Whether the serving graph gave each test row each label, bool `(test_rows, labels)`.
        seconds: By component that trained, how long it took.
        trainable: How many parameters the last phase trained.
        total: How many parameters the model has.
        learning_rate: The peak rate of the last phase.
    """

    approach: str
    seed: int
    decided: np.ndarray
    seconds: Mapping[str, float]
    trainable: int
    total: int
    learning_rate: float
