"""What a benchmark found, and how it is written from one process to another."""

from __future__ import annotations

import dataclasses
import json
import statistics
import time
from collections.abc import Callable

_MARK = "benchmark: "


@dataclasses.dataclass(frozen=True)
class Result:
    """One figure.

    Attributes:
        what: What was measured.
        value: The figure.
        unit: `x` for a ratio; otherwise that of the figure.
        bound: What it should reach, or None where there is nothing to reach.
        at_most: Whether the bound is an upper one.
        detail: The figures that it was made of.
    """

    what: str
    value: float
    unit: str
    bound: float | None
    detail: str
    at_most: bool = False

    @property
    def reached(self) -> bool | None:
        """Whether the bound is reached; None where there is none."""
        if self.bound is None:
            return None
        return self.value <= self.bound if self.at_most else self.value >= self.bound

    def print(self) -> None:
        """Tells the process that started this one."""
        print(_MARK + json.dumps(dataclasses.asdict(self)), flush=True)

    @classmethod
    def read(cls, line: str) -> Result | None:
        """Reads a line that `print` wrote; None for any other."""
        return cls(**json.loads(line.removeprefix(_MARK))) if line.startswith(_MARK) else None


def side_by_side(*candidates: Callable[[], float], repeats: int = 3) -> list[float]:
    """Measures several things in turn, again and again, so that a busy spell of the machine meets all of them.

    Args:
        candidates: Each measures itself once; the first time of each does not count.
        repeats: How often each counts.

    Returns:
        The median of each.
    """
    for candidate in candidates:
        candidate()
    rounds = [[candidate() for candidate in candidates] for _ in range(repeats)]
    return [statistics.median(column) for column in zip(*rounds, strict=True)]


def seconds(work: Callable[[], object]) -> float:
    """How long something takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
