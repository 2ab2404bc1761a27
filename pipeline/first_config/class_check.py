"""Checks that the labels of a file are classes."""

from typing import NamedTuple

from fullbake.components.data.row_format import MOST_LABELS
from fullbake.contract.errors import InputError
from fullbake.contract.named_few import named_few
from fullbake.pipeline.data_survey import TEXTS_KEPT, Survey
from fullbake.pipeline.first_config.scores import decimal_comma
from fullbake.pipeline.first_config.several_labels import Several, are_sets, find_several_labels

LONGEST_LABEL = 500
"""Characters; a longer value is no class, and a key of YAML has at most 1,024 (YAML 1.2, 7.4.2)."""

FEWEST_TEXTS = TEXTS_KEPT
"""A class with fewer different texts cannot be in the train, the eval and the test split."""


class LabelsOf(NamedTuple):
    """Where labels are, for errors.

    Attributes:
        where: The setting that says it, and the column or file.
        remedy: What to do where they are no classes.
    """

    where: str
    remedy: str


def find_several(survey: Survey, labels: LabelsOf, *, in_names: bool) -> Several | None:
    """Returns how cells hold several labels; None if they do not.

    Args:
        survey: What was found.
        labels: Where the labels are.
        in_names: Whether they are names of files or folders, which have one label.

    Raises:
        InputError: No row can be used, or names hold several labels.
    """
    if not survey.used:
        raise InputError(f"data: none of the {survey.bad:,} rows can be used; {survey.first_bad}")
    found = find_several_labels(survey.labels)
    if found is not None and decimal_comma(survey.labels) and not are_sets(survey.labels):
        return None
    if found is not None and in_names:
        cell, parts = found.cell, named_few([repr(part) for part in found.parts])
        raise InputError(
            f"{labels.where} have several labels each, such as {cell!r} ({parts}), and only a column can have several "
            "of a text; make one of them"
        )
    return found


def check_classes(survey: Survey, labels: LabelsOf) -> None:
    """Checks that labels are classes by their number and length.

    Raises:
        InputError: They are numbers with a decimal comma, there are too many, or one is too long.
    """
    if number := decimal_comma(survey.labels):
        raise InputError(
            f"{labels.where} has numbers with a decimal comma, such as {number!r}; write them with a point, and "
            f"data.label_threshold makes two classes of them{rejected(survey)}"
        )
    if len(survey.labels) > MOST_LABELS:
        raise InputError(
            f"{labels.where} has more than {MOST_LABELS:,} different values, so it is no class; "
            f"{labels.remedy}{rejected(survey)}"
        )
    longest = max(survey.labels, key=len)
    if len(longest) > LONGEST_LABEL:
        raise InputError(
            f"{labels.where} has a value of {len(longest):,} characters, {longest[:20]!r} and so on, which is no "
            f"class; correct the row, or {labels.remedy}{rejected(survey)}"
        )
    if survey.used >= 10 and len(survey.labels) > survey.used / 2:
        raise InputError(
            f"{labels.where} has {len(survey.labels):,} different values in {survey.used:,} rows, so it is no class; "
            f"{labels.remedy}{rejected(survey)}"
        )


def check_two_classes(survey: Survey, labels: LabelsOf, spellings: list[str]) -> None:
    """Checks that there are two classes.

    Args:
        survey: What was found.
        labels: Where the labels are.
        spellings: Values that were taken for another spelling of a label.

    Raises:
        InputError: There is one only.
    """
    if len(survey.labels) > 1:
        return
    alike = f" (and, as other spellings of it, {named_few([repr(value) for value in spellings])})" if spellings else ""
    raise InputError(
        f"{labels.where} has one value only, {next(iter(survey.labels))!r}{alike}; two classes are the least: "
        f"{labels.remedy}{rejected(survey)}"
    )


def rare_classes(survey: Survey) -> list[str]:
    """Returns the labels that have too few texts to be split, the rarest last; none where fewer than two are left."""
    rare = [label for label, _ in survey.labels.most_common() if len(survey.texts[label]) < FEWEST_TEXTS]
    return rare if len(survey.labels) - len(rare) > 1 else []


def rejected(survey: Survey) -> str:
    """Returns the end of an error: how many rows cannot be used and why; nothing if all can."""
    if not survey.bad:
        return ""
    kinds = ", ".join(f"{count:,} x {kind}" for kind, count in survey.reasons.most_common())
    return (
        f"; {survey.bad:,} of {survey.bad + survey.used:,} rows cannot be used ({kinds}), the first on "
        f"{survey.first_bad}: fix these first, if they have the other labels"
    )
