"""The lines of a first config whose rows can have any number of labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from fullbake.contract.named_few import named_few
from fullbake.contract.names import LABELS_SEPARATOR
from fullbake.pipeline.config.label_config import is_printable
from fullbake.pipeline.data_survey import Survey
from fullbake.pipeline.first_config.config_lines import (
    FEW_IN_TEST,
    MIN_RECALL,
    SKEW,
    bad_row_lines,
    gate_lines,
    head_lines,
    label_names,
    place_lines,
    repeat_lines,
    rows_in_test,
)
from fullbake.pipeline.first_config.first_source import FirstSource
from fullbake.pipeline.first_config.found_sets import FoundSets
from fullbake.pipeline.first_config.model_lines import FirstModel, model_lines
from fullbake.pipeline.first_config.scores import number_in_yaml
from fullbake.pipeline.first_config.written import written_lines
from fullbake.pipeline.first_config.yaml_text import rows_in_words, scalar


def set_lines(
    source: FirstSource, found: FoundSets, tested: Survey | None, model: FirstModel, notes: Sequence[str]
) -> Iterator[str]:
    """Yields the config of data files.

    Args:
        source: The files.
        found: What they hold.
        tested: The same of the test set; None if there is none.
        model: The base model and how well it fits.
        notes: What people should know of how the files are written.
    """
    fmt, survey = found.fmt, found.survey
    test_rows = {
        label: rows_in_test(survey.labels[label]) if tested is None else float(tested.labels[label])
        for label in fmt.labels
    }
    names = label_names(list(fmt.labels), lambda text: is_printable(text) and LABELS_SEPARATOR not in text)
    yield from head_lines(source, fmt, survey.used)
    yield from place_lines(source.place, fmt)
    yield from _layout_lines(found)
    key = "label_columns" if fmt.label_columns else "labels"
    share = survey.unlabelled / survey.used
    yield f"  {key}:  # a text can have several of these {len(fmt.labels)}; {share:.1%} of the rows have none"
    for label in fmt.labels:
        yield f"    - {scalar(label if fmt.label_columns else names[label])}  # {_counted(label, survey, test_rows)}"
    if fmt.label_columns and any(name != label for label, name in names.items()):
        yield "  labels:  # in the order of the columns, of which a name cannot be shown, or has a comma in it"
        yield from (f"    - {scalar(name)}" for name in names.values())
    if not fmt.label_columns:
        yield from _map_lines(found, names)
    yield from _left_out_lines(found)
    yield from written_lines(source, fmt, notes)
    yield from bad_row_lines(survey)
    yield from repeat_lines(survey, "whose labels differ")
    yield from model_lines(model)
    yield "training:"
    yield "  epochs: 3"
    even = 1 / 2  # of the rows with a label and those without it
    rarest = min(survey.labels[label] / (survey.used - survey.masked[label]) for label in fmt.labels)
    yield (
        f"  class_weights: {'balanced' if rarest < SKEW * even else 'none'}"
        f"  # the rarest label is in {rarest:.1%} of the rows; balanced below {SKEW * even:.1%}"
    )
    yield "gate:"
    yield "  min_recall:  # a start: a model is pushed only if it finds this part of the texts with each label"
    yield from gate_lines(names, test_rows, MIN_RECALL)
    yield "  # A text has a label from a probability of 0.5 on. decision_threshold: auto takes for each label that"
    yield "  # which meets its bound on the eval split."


def _layout_lines(found: FoundSets) -> Iterator[str]:
    fmt, survey = found.fmt, found.survey
    if fmt.label_separator is not None:
        several = sum("," in state for state in survey.states)
        yield (
            f"  label_separator: {scalar(fmt.label_separator)}  # cells hold several labels; there are {several:,} "
            "combinations of them"
        )
    if fmt.label_threshold is not None and found.numbers is not None:
        yield (
            f"  label_threshold: {number_in_yaml(fmt.label_threshold)}  # the columns hold numbers, from "
            f"{found.numbers[0]:g} to {found.numbers[1]:g}: from this one on a text has the label; check it"
        )
    if fmt.missing_label == "mask":
        if unused := sum(survey.unused.values()):
            yield f"  # Not used, for all their labels are missing (empty or -1): {rows_in_words(unused)}."
        if survey.masked:
            masked = [f"{label!r} in {rows_in_words(rows)}" for label, rows in survey.masked.most_common()]
            yield f"  # Missing (empty or -1) in rows with other labels: {named_few(masked)}."
        yield "  missing_label: mask  # nothing is learned or measured of a missing label"


def _counted(label: str, survey: Survey, test_rows: Mapping[str, float]) -> str:
    rows = survey.labels[label]
    few = "" if test_rows[label] >= FEW_IN_TEST else f"; few: about {test_rows[label]:.1f} will be in the test split"
    return f"{rows_in_words(rows)}, {rows / survey.used:.1%}{few}"


def _map_lines(found: FoundSets, names: Mapping[str, str]) -> Iterator[str]:
    lines = [
        f"    {scalar(label)}: {scalar(name)}  # tables and logs cannot show it, or it has a comma in it"
        for label, name in names.items()
        if name != label
    ]
    for spellings, note in ((found.same, ""), (found.near, "; perhaps a slip: check it")):
        for value, label in sorted(spellings.items(), key=lambda item: (item[1], item[0])):
            if label in names:
                rows = rows_in_words(found.values[value])
                lines.append(f"    {scalar(value)}: {scalar(names[label])}  # {rows}{note}")
    if lines:
        yield "  label_map:  # value in the file: label, of which it seems to be another spelling; check each"
        yield from lines


def _left_out_lines(found: FoundSets) -> Iterator[str]:
    by_reason: dict[str, list[str]] = {}
    for label, reason in found.left_out.items():
        by_reason.setdefault(reason, []).append(f"{label!r} ({rows_in_words(found.values.get(label, 0))})")
    for reason, labels in by_reason.items():
        yield f"  # Left out: {named_few(labels)}: {reason}."
