"""Cron expressions: checked, in words, as points in time, and as Kubeflow Pipelines takes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import islice

from cronsim import CronSim, CronSimError

from fullbake.contract.errors import InputError

_FIELDS = {
    "minute": "0-59",
    "hour": "0-23",
    "day-of-month": "1-31, and a day that the month has",
    "month": "1-12 or JAN-DEC",
    "day-of-week": "0-7 or SUN-SAT",
}
_EXAMPLE = '"0 2 * * *" is every day at 02:00'


@dataclass(frozen=True)
class Cron:
    """A cron expression that was found to be one. Made by `parse_cron`.

    Attributes:
        expression: The five fields, one space between them.
        kubeflow: The same for Kubeflow Pipelines: six fields, of which the first is the second.
        words: The same in English, such as `At 02:00 every day`.
    """

    expression: str
    kubeflow: str
    words: str

    def next_times(self, count: int, after: datetime | None = None) -> list[datetime]:
        """Returns the next points in time, in UTC.

        Args:
            count: How many.
            after: Later than this; now, if not given.

        Returns:
            The first `count` of them; fewer if there are none for decades.
        """
        times: Iterator[datetime] = CronSim(self.expression, after or datetime.now(timezone.utc))
        return list(islice(times, count))


def parse_cron(text: str, source: str) -> Cron:
    """Reads a cron expression.

    Args:
        text: Five fields: minute, hour, day of month, month, day of week.
        source: The option or the key of the config that it is from, for errors.

    Raises:
        InputError: It is none, or one that Kubeflow Pipelines does not understand.
    """
    fields = text.split()
    if len(fields) != len(_FIELDS):
        raise InputError(
            f"{source}: {text!r} has {len(fields)} fields; write five: {' '.join(_FIELDS)} ({_EXAMPLE}, UTC)"
        )
    # Other crons know the last day (L) and the second Monday (MON#2); robfig/cron, which Kubeflow has, does not.
    for name in ("day-of-month", "day-of-week"):
        value = fields[list(_FIELDS).index(name)]
        if "L" in value.upper() or "#" in value:
            raise InputError(
                f"{source}: {text!r}: Kubeflow Pipelines does not understand {name} {value!r}; use numbers, names, "
                "commas, - and /"
            )
    expression = " ".join(fields)
    try:
        simulated = CronSim(expression, datetime.now(timezone.utc))
    except CronSimError as error:
        name = str(error).removeprefix("Bad ")
        value = fields[list(_FIELDS).index(name)]
        raise InputError(f"{source}: {text!r}: {value!r} is no {name}; it is {_FIELDS[name]} ({_EXAMPLE})") from error
    return Cron(expression, f"0 {' '.join(fields[:4])} {_weekdays(simulated, fields[4])}", simulated.explain())


def _weekdays(simulated: CronSim, field: str) -> str:
    # Sunday is 0 and 7 to crontabs, and 0 alone to robfig/cron.
    if field.startswith("*"):
        return field
    return ",".join(str(day) for day in sorted({day % 7 for day in simulated.weekdays if isinstance(day, int)}))
