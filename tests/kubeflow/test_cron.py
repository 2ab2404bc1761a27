import re
from datetime import datetime, timezone

import pytest

from fullbake.contract.errors import InputError
from fullbake.kubeflow.cron import parse_cron
from tests.kubeflow.server_cron import check_cron

NOW = datetime(2026, 3, 6, 12, 30, tzinfo=timezone.utc)  # a Friday

# What people write -> what Kubeflow gets, the words, and the next three times after NOW.
UNDERSTOOD = {
    "0 2 * * *": ("0 0 2 * * *", "At 02:00 every day", "03-07 02:00, 03-08 02:00, 03-09 02:00"),
    "  0  2 * *  * ": ("0 0 2 * * *", "At 02:00 every day", "03-07 02:00, 03-08 02:00, 03-09 02:00"),
    "*/15 * * * *": ("0 */15 * * * *", "Every 15th minute of every hour", "03-06 12:45, 03-06 13:00, 03-06 13:15"),
    "30 12 * * *": ("0 30 12 * * *", "At 12:30 every day", "03-07 12:30, 03-08 12:30, 03-09 12:30"),
    "0 6 * * MON-FRI": (
        "0 0 6 * * 1,2,3,4,5",
        "At 06:00 on Monday through Friday",
        "03-09 06:00, 03-10 06:00, 03-11 06:00",
    ),
    "0 0 1 jan,jul *": (
        "0 0 0 1 jan,jul *",
        "At 00:00 on the first day of January and July",
        "07-01 00:00, 01-01 00:00, 07-01 00:00",
    ),
    # Sunday is 7 as well, which Kubeflow does not know.
    "0 3 * * 7": ("0 0 3 * * 0", "At 03:00 on Sunday", "03-08 03:00, 03-15 03:00, 03-22 03:00"),
    "0 3 * * 5-7": ("0 0 3 * * 0,5,6", "At 03:00 on Friday through Sunday", "03-07 03:00, 03-08 03:00, 03-13 03:00"),
    # A day of the month or of the week, whichever comes; both, if one of them begins with a star.
    "0 4 10 * 1": (
        "0 0 4 10 * 1",
        "At 04:00 on the 10th day of month and on Monday",
        "03-09 04:00, 03-10 04:00, 03-16 04:00",
    ),
    "0 4 */2 * 1": (
        "0 0 4 */2 * 1",
        "At 04:00 on every second day of month if it's on Monday",
        "03-09 04:00, 03-23 04:00, 04-13 04:00",
    ),
    "0 0 29 2 *": ("0 0 0 29 2 *", "At 00:00 on February 29", "02-29 00:00, 02-29 00:00, 02-29 00:00"),
}

WRONG = {
    "0 2 * *": "--cron: '0 2 * *' has 4 fields; write five: minute hour day-of-month month day-of-week",
    "0 0 2 * * *": "has 6 fields; write five",
    "@daily": "has 1 fields; write five",
    "": "has 0 fields; write five",
    "60 2 * * *": "--cron: '60 2 * * *': '60' is no minute; it is 0-59",
    "0 24 * * *": "'24' is no hour; it is 0-23",
    "0 22-2 * * *": "'22-2' is no hour",
    "0 2 0 * *": "'0' is no day-of-month; it is 1-31",
    "0 2 31 2 *": "'31' is no day-of-month; it is 1-31, and a day that the month has",
    "0 2 * 13 *": "'13' is no month; it is 1-12 or JAN-DEC",
    "0 2 * * 8": "'8' is no day-of-week; it is 0-7 or SUN-SAT",
    "0 2 * * FUNDAY": "'FUNDAY' is no day-of-week",
    "*/0 2 * * *": "'*/0' is no minute",
    "-5 2 * * *": "'-5' is no minute",
    "0 2 ? * *": "'?' is no day-of-month",
    "0 2 L * *": "Kubeflow Pipelines does not understand day-of-month 'L'",
    "0 2 * * MON#2": "Kubeflow Pipelines does not understand day-of-week 'MON#2'",
    "0 2 * * 5L": "Kubeflow Pipelines does not understand day-of-week '5L'",
}


@pytest.mark.parametrize("text", UNDERSTOOD)
def test_five_fields_become_six_words_and_times(text: str):
    kubeflow, words, times = UNDERSTOOD[text]
    cron = parse_cron(text, "--cron")
    assert cron.expression == " ".join(text.split())
    assert (cron.kubeflow, cron.words) == (kubeflow, words)
    assert ", ".join(f"{time:%m-%d %H:%M}" for time in cron.next_times(3, NOW)) == times
    assert all(time > NOW and time.utcoffset().total_seconds() == 0 for time in cron.next_times(3, NOW))


@pytest.mark.parametrize("text", UNDERSTOOD)
def test_what_is_sent_is_within_the_servers_bounds(text: str):
    check_cron(parse_cron(text, "--cron").kubeflow)


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_expression_is_an_error_that_names_the_field(text: str):
    with pytest.raises(InputError, match=re.escape(WRONG[text])) as error:
        parse_cron(text, "--cron")
    assert str(error.value).startswith("--cron: ")
    assert "\n" not in str(error.value)


def test_the_next_times_are_counted_from_now():
    before = datetime.now(timezone.utc)
    (first,) = parse_cron("* * * * *", "--cron").next_times(1)
    assert 0 < (first - before).total_seconds() <= 61
