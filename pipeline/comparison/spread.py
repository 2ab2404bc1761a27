"""A number over the seeds of an approach."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Spread:
    """A number over the seeds of an approach.

    Attributes:
        mean: Over the seeds that have a value; None if none has.
        deviation: The sample standard deviation over them; None with fewer than two.
        values: By seed; None where there is none, such as the precision of a class that was never decided.
    """

    mean: float | None
    deviation: float | None
    values: tuple[float | None, ...]

    @classmethod
    def over(cls, values: Iterable[float | None]) -> Spread:
        """Returns mean and deviation of these values.

        Args:
            values: By seed, float; None or NaN where there is none.
        """
        kept = tuple(None if value is None or np.isnan(value) else float(value) for value in values)
        known = [value for value in kept if value is not None]
        mean = float(np.mean(known)) if known else None
        return cls(mean, float(np.std(known, ddof=1)) if len(known) > 1 else None, kept)
