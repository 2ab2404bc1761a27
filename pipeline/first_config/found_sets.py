"""What a file holds whose rows can have any number of labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from fullbake.components.data.data_file import DataFile
from fullbake.components.data.row_format import RowFormat
from fullbake.contract.errors import InputError
from fullbake.contract.named_few import named_few
from fullbake.pipeline.data_survey import TEXTS_KEPT, Survey, survey_files
from fullbake.pipeline.first_config.class_check import LabelsOf, check_classes, rejected
from fullbake.pipeline.first_config.class_columns import Cells, look_at_columns
from fullbake.pipeline.first_config.first_source import FirstSource
from fullbake.pipeline.first_config.scores import threshold_between
from fullbake.pipeline.first_config.spellings import find_spellings
from fullbake.pipeline.token_survey import InitialBase, TokenSurvey

FEW = f"fewer than {TEXTS_KEPT} different texts, too few to split"
ALL = f"fewer than {TEXTS_KEPT} rows without it, so there is nothing to tell apart"


@dataclass(frozen=True)
class FoundSets:
    """Rows with any number of labels.

    Attributes:
        fmt: How they are written; it lists the labels.
        survey: What is in them.
        tokens: The tokens of their texts.
        values: Label or value that stands for one -> rows.
        left_out: Label -> why it is not learned.
        same: Value -> the label of which it is another spelling.
        near: Value -> the label for which it may be a slip.
        numbers: The least and the greatest cell of the columns, if these are numbers.
    """

    fmt: RowFormat
    survey: Survey
    tokens: TokenSurvey
    values: Mapping[str, int]
    left_out: Mapping[str, str] = field(default_factory=dict)
    same: Mapping[str, str] = field(default_factory=dict)
    near: Mapping[str, str] = field(default_factory=dict)
    numbers: tuple[float, float] | None = None


def find_label_sets(source: FirstSource, fmt: RowFormat, labels: LabelsOf, base: InitialBase) -> FoundSets:
    """Returns what the files hold.

    Args:
        source: The files.
        fmt: How they are written: with columns of labels, or with what stands between labels.
        labels: Where the labels are, for errors.
        base: The base model, for the tokens.

    Raises:
        InputError: There are no two labels that can be learned.
    """
    find = _in_columns if fmt.label_columns else _in_cells
    return find(source, fmt, labels, base)


def _in_columns(source: FirstSource, fmt: RowFormat, labels: LabelsOf, base: InitialBase) -> FoundSets:
    columns = look_at_columns(path_of_labels(source, fmt), for_columns(fmt), wanted=set(fmt.label_columns))
    numbers = _range(columns)
    threshold = None if numbers is None else 0.0 if numbers[0] < 0 else threshold_between(*numbers)
    masked = any(cells.masked for cells in columns.values())
    fmt = replace(fmt, label_threshold=threshold, missing_label="mask" if masked else "fail")
    survey, tokens = _survey(source.files, fmt, base)
    values = dict(survey.labels)
    without = {label: survey.used - survey.labels[label] - survey.masked[label] for label in fmt.labels}
    left_out = {label: ALL for label in fmt.labels if without[label] < TEXTS_KEPT}
    left_out |= dict.fromkeys(_rare(fmt, survey), FEW)
    if left_out:
        kept = tuple(label for label in fmt.labels if label not in left_out)
        _check_two(kept, labels, survey)
        fmt = replace(fmt, label_columns=kept, labels=kept)
        survey, tokens = _survey(source.files, fmt, base)
    return FoundSets(fmt, survey, tokens, values, left_out, numbers=numbers)


def _in_cells(source: FirstSource, fmt: RowFormat, labels: LabelsOf, base: InitialBase) -> FoundSets:
    survey, _ = _survey(source.files, fmt, base)
    check_classes(survey, labels)
    same, near = find_spellings(survey.labels)
    values = dict(survey.labels)
    spellings = {**same, **near}
    rows: dict[str, int] = {}
    for label, count in values.items():
        rows[spellings.get(label, label)] = rows.get(spellings.get(label, label), 0) + count
    listed = tuple(sorted(rows, key=lambda label: (-rows[label], label)))
    fmt = replace(fmt, labels=listed, label_map=spellings)
    survey, tokens = _survey(source.files, fmt, base)
    left_out = dict.fromkeys(_rare(fmt, survey), FEW)
    if left_out:
        kept = tuple(label for label in listed if label not in left_out)
        _check_two(kept, labels, survey)
        mapped = {value: label for value, label in spellings.items() if label not in left_out}
        fmt = replace(fmt, labels=kept, label_map=mapped)
        survey, tokens = _survey(source.files, fmt, base)
    _check_two(fmt.labels, labels, survey)
    return FoundSets(fmt, survey, tokens, values, left_out, same, near)


def without_untested(found: FoundSets, tested: Survey | None) -> FoundSets:
    """Returns the same without the columns of labels of which a test set has no text; None: there is no test set."""
    fmt = found.fmt
    untested = [label for label in fmt.labels if tested is not None and not tested.labels[label]]
    kept = tuple(label for label in fmt.labels if label not in untested)
    if not untested or not fmt.label_columns or len(kept) < 2:
        return found
    left_out = {**found.left_out, **dict.fromkeys(untested, "not in the test set")}
    return replace(found, fmt=replace(fmt, label_columns=kept, labels=kept), left_out=left_out)


def path_of_labels(source: FirstSource, fmt: RowFormat) -> str:
    """Returns the path of the file that has the columns with labels."""
    elsewhere = source.place.labels_path(source.input_base)
    return source.files[0].path if elsewhere is None or fmt.id_column is None else elsewhere


def for_columns(fmt: RowFormat) -> RowFormat:
    """Returns the format by which the columns with labels are looked at, in whichever file they are."""
    return fmt if fmt.id_column is None else replace(fmt, text_column=fmt.id_column, text_pair_column=None)


def _survey(files: list[DataFile], fmt: RowFormat, base: InitialBase) -> tuple[Survey, TokenSurvey]:
    tokens = TokenSurvey(base.counter)
    survey = survey_files(files, fmt, tokens)
    if not survey.used:
        unused = sum(survey.unused.values())
        aside = f", and no label is known of {unused:,}" if unused else ""
        raise InputError(f"data: none of the {survey.bad:,} rows can be used{aside}; {survey.first_bad}".rstrip("; "))
    return survey, tokens


def _range(columns: Mapping[str, Cells]) -> tuple[float, float] | None:
    numbers = [cells.numbers for cells in columns.values() if cells.numbers is not None]
    return (min(low for low, _ in numbers), max(high for _, high in numbers)) if numbers else None


def _rare(fmt: RowFormat, survey: Survey) -> list[str]:
    return [label for label in fmt.labels if len(survey.texts.get(label, ())) < TEXTS_KEPT]


def _check_two(kept: tuple[str, ...], labels: LabelsOf, survey: Survey) -> None:
    if len(kept) < 2:
        named = named_few([repr(label) for label in kept]) or "none"
        raise InputError(
            f"{labels.where}: of its labels {named} can be learned, and two are the least: of each there must be "
            f"{TEXTS_KEPT} texts with it, and as many rows without; add rows, or {labels.remedy}{rejected(survey)}"
        )
