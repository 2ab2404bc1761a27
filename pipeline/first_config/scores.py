"""Columns of numbers that are no classes."""

from collections.abc import Mapping

import yaml

from fullbake.components.data.data_file import DataFile
from fullbake.components.data.file_rows import quoting_of_file, read_file
from fullbake.components.data.numbers import finite_number
from fullbake.components.data.row_format import RowFormat
from fullbake.components.data.rows import Row

LABELS = ("low", "high")
"""What the two classes of scores are called."""

_VALUES = 10
_FRACTIONS = 0.3
_NUMBERS = 0.95


def are_scores(labels: Mapping[str, int]) -> bool:
    """Says whether labels are numbers on a scale rather than classes.

    They are if 95% of the rows hold numbers, ten or more different ones, and three in ten of these are fractions. Whole
    numbers are classes: nothing tells a scale from their numbers.

    Args:
        labels: Label -> rows.
    """
    numbers = {label: number for label in labels if (number := finite_number(label)) is not None}
    different = set(numbers.values())
    fractions = sum(not number.is_integer() for number in different)
    return (
        len(different) >= _VALUES
        and fractions >= _FRACTIONS * len(different)
        and sum(labels[label] for label in numbers) >= _NUMBERS * sum(labels.values())
    )


def decimal_comma(labels: Mapping[str, int]) -> str | None:
    """Returns a number with a decimal comma, where labels are such numbers and would be scores with a point.

    Args:
        labels: Label -> rows.
    """
    pointed = {label.replace(",", ".", 1): rows for label, rows in labels.items()}
    return next((label for label in labels if "," in label), None) if are_scores(pointed) else None


def score_range(files: list[DataFile], fmt: RowFormat) -> tuple[float, float]:
    """Returns the least and the greatest number of the label column.

    Args:
        files: The files.
        fmt: How they are written, without labels.
    """
    lowest, highest = float("inf"), float("-inf")
    for file in files:
        for row in read_file(file, fmt, quoting=quoting_of_file(file, fmt)):
            if isinstance(row, Row) and (number := finite_number(row.label)) is not None:
                lowest, highest = min(lowest, number), max(highest, number)
    return lowest, highest


def threshold_between(lowest: float, highest: float) -> float:
    """Returns where scores of this range are parted: 0.5 between 0 and 1, else their middle, in few digits if these do.

    Example:
        >>> threshold_between(0.0, 0.9), threshold_between(1.0, 10.0), threshold_between(0.1, 0.4)
        (0.5, 5.5, 0.25)
    """
    if lowest >= 0 and highest <= 1 and lowest < 0.5 <= highest:
        return 0.5
    middle = lowest / 2 + highest / 2
    rounded = float(f"{middle:.6g}")
    return rounded if lowest < rounded <= highest else middle


def number_in_yaml(number: float) -> str:
    """Returns a number as YAML has it."""
    return str(yaml.safe_dump(number)).split("\n", maxsplit=1)[0]
