"""How long counted work will still take."""

from __future__ import annotations

import time
from collections.abc import Callable

from fullbake.contract.durations import duration_in_words

# The first step of a training is its slowest, so the pace is taken from those after it, when there are some.
_LEAST_STEPS = 3


class TimeLeft:
    """Estimates it from the pace since the first steps.

    Args:
        clock: Seconds that only grow. Default: the process's.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._total = 0
        self._start = (0, 0.0)

    def after(self, done: int, total: int) -> str:
        """Returns how long it will still take, such as `about 2 min 5 s left`; nothing while that is a guess.

        Args:
            done: Steps that are done.
            total: All there are. Another number than before, or fewer steps done, is other work.
        """
        now = self._clock()
        began, since = self._start
        if total != self._total or done < began:
            self._total, self._start = total, (done, now)
            return ""
        if done - began < _LEAST_STEPS or now <= since:
            return ""
        seconds = (total - done) * (now - since) / (done - began)
        return f"about {duration_in_words(seconds)} left"
