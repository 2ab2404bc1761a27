"""What two models decide of the same rows: `pairs.json`."""

from __future__ import annotations

from fullbake.contract.names import PAIRS_FILE
from fullbake.contract.results.result import Result, ResultFile


class PairCounts(Result):
    """Rows by which of two models is right.

    Attributes:
        both: Both are.
        fixed: The first alone.
        broken: The second alone.
        neither: None of them.
    """

    both: int = 0
    fixed: int = 0
    broken: int = 0
    neither: int = 0

    @property
    def rows(self) -> int:
        """All rows."""
        return self.both + self.fixed + self.broken + self.neither

    @property
    def first(self) -> int:
        """How many the first has right."""
        return self.both + self.fixed

    @property
    def second(self) -> int:
        """How many the second has right."""
        return self.both + self.broken


class Pairs(ResultFile):
    """What two models decide of the same rows.

    Attributes:
        rows: All rows; a row of several labels is right with every known label right.
        labels: By label, the rows that have it: right is the model that gave it.
    """

    FILE = PAIRS_FILE

    rows: PairCounts
    labels: dict[str, PairCounts]
