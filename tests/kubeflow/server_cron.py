"""The crons that the server of Kubeflow Pipelines takes, as it parses them."""

import re

# robfig/cron 1.2: the bounds of six fields; names are for months and days of the week only.
CRON_BOUNDS = [(0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 6)]
CRON_NAMES = {4: "jan feb mar apr may jun jul aug sep oct nov dec", 5: "sun mon tue wed thu fri sat"}


class RefusalError(Exception):
    """Becomes an answer of this status."""

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status
        self.message = message


def check_cron(cron: str) -> None:
    fields = cron.split()
    if len(fields) not in (5, 6):
        raise RefusalError(
            400, f"Schedule cron is not a supported format. Error: Expected 5 to 6 fields, found {len(fields)}"
        )
    for index, text in enumerate(fields):
        names = CRON_NAMES.get(index, "").split()
        low, high = CRON_BOUNDS[index]
        for part in text.split(","):
            span, _, step = part.lower().partition("/")
            numbers = [
                names.index(bound) + low if bound in names else int(bound) if re.fullmatch("[0-9]+", bound) else -1
                for bound in ([] if span in ("*", "?") else span.split("-"))
            ]
            if any(not low <= number <= high for number in numbers) or numbers != sorted(numbers):
                raise RefusalError(400, f"Schedule cron is not a supported format. Error: {part}")
            if step and not (step.isdigit() and int(step) > 0):
                raise RefusalError(400, f"Schedule cron is not a supported format. Error: {part}")
