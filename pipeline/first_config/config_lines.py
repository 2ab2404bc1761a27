"""The lines of a first config."""

import itertools
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from fullbake.components.data.columns import shorten
from fullbake.components.data.compression import without_compression
from fullbake.components.data.label_place import COLUMN, LabelPlace
from fullbake.components.data.row_format import RowFormat
from fullbake.components.evaluation.wilson import CONFIDENCE, rows_needed
from fullbake.contract.named_few import named_few
from fullbake.pipeline.config.label_config import is_printable
from fullbake.pipeline.data_survey import Survey
from fullbake.pipeline.first_config.class_check import FEWEST_TEXTS
from fullbake.pipeline.first_config.first_source import FirstSource
from fullbake.pipeline.first_config.model_lines import FirstModel, model_lines
from fullbake.pipeline.first_config.scores import number_in_yaml
from fullbake.pipeline.first_config.written import written_lines
from fullbake.pipeline.first_config.yaml_text import rows_in_words, scalar

MAX_BAD_FRACTION = 0.01
"""The config's own default: up to this share of bad rows is quarantined, more needs a look at the file."""

SKEW = 0.25
"""The rarest class is weighted up when it has less than this part of what it would have if all were equally frequent.

At 6% of three classes (a skew of 0.17) an unweighted MiniLM found only 4 in 10 of the rarest class; at the mildest
skews weights cost more precision than they win recall.
"""

MIN_RECALL = 0.5
"""Bound for each of three or more labels: far above chance, and one a usable classifier passes on every class."""

MIN_RECALL_OF_TWO = 0.6
"""Bound for each of two labels, where chance alone gives 0.5."""

_TEST_SHARE = 0.1  # of the split 8 : 1 : 1
_SPLITS = 3
FEW_IN_TEST = 3
_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]+")


@dataclass(frozen=True)
class Classes:
    """What the values of the label column come to.

    Attributes:
        values: Value -> rows.
        same: Value -> the label of which it is another spelling.
        near: Value -> the label for which it may be a slip.
        rare: Labels with too few texts to be split.
        columns: Columns that each say of one class whether a text has it.
        scores: The least and the greatest value, if they are numbers on a scale.
        votes: Columns that seem to count the votes for each class.
    """

    values: Mapping[str, int]
    same: Mapping[str, str]
    near: Mapping[str, str]
    rare: Sequence[str]
    columns: Sequence[str]
    scores: tuple[float, float] | None = None
    votes: Sequence[str] = ()


def config_lines(
    source: FirstSource,
    fmt: RowFormat,
    survey: Survey,
    tested: Survey | None,
    classes: Classes,
    model: FirstModel,
    notes: Sequence[str],
) -> Iterator[str]:
    """Yields the config of data files.

    Args:
        source: The files.
        fmt: How they are written, with labels and threshold where they are scores.
        survey: What was found, other spellings counted as the label that they are mapped to.
        tested: The same of the test set; None if there is none.
        classes: What the labels are.
        model: The base model and how well it fits.
        notes: What people should know of how the files are written.
    """
    labels = list(fmt.labels) if classes.scores else _in_order(survey.labels)
    labels = [label for label in labels if label not in classes.rare]
    untested = [label for label in labels if tested is not None and not tested.labels[label]]
    untested = untested if len(labels) - len(untested) > 1 else []  # else nothing is left to learn
    labels = [label for label in labels if label not in untested]
    names = label_names(labels)
    used = sum(survey.labels[label] for label in labels)
    even = used / len(labels)
    rarest = min(survey.labels[label] for label in labels) / even
    test_rows = {
        label: rows_in_test(rows) if tested is None else float(tested.labels[label])
        for label, rows in survey.labels.items()
    }
    yield from head_lines(source, fmt, used)
    yield from place_lines(source.place, fmt)
    yield from _column_lines(fmt, classes)
    yield f"  labels:  # {len(labels)} classes, in the order of their index; an even share is {1 / len(labels):.1%}"
    for label in labels:
        count = survey.labels[label]
        few = (
            "" if test_rows[label] >= FEW_IN_TEST else f"; few: about {test_rows[label]:.1f} will be in the test split"
        )
        yield f"    - {scalar(names[label])}  # {rows_in_words(count)}, {count / used:.1%}{few}"
    yield from _value_lines(fmt, survey, classes, names)
    yield from _left_out_lines(survey, classes.rare, untested)
    yield from written_lines(source, fmt, notes)
    yield from bad_row_lines(survey)
    yield from repeat_lines(survey)
    yield from model_lines(model)
    yield "training:"
    yield "  epochs: 3"
    yield (
        f"  class_weights: {'balanced' if rarest < SKEW else 'none'}"
        f"  # the rarest class has {rarest:.0%} of an even share; balanced below {SKEW:.0%}"
    )
    yield "gate:"
    yield "  min_recall:  # a start: a model is pushed only if it finds this part of each class in the test split"
    yield from gate_lines(names, test_rows, MIN_RECALL_OF_TWO if len(labels) == 2 else MIN_RECALL)


def head_lines(source: FirstSource, fmt: RowFormat, used: int) -> Iterator[str]:
    """Yields the first lines, to the columns of texts; `used` rows can be used."""
    yield f"# Made by `fullbake init` from {source.name!r}, {used:,} usable rows. Check it, then:"
    yield "#   fullbake run CONFIG"
    yield f"name: {scalar(_slug(source.name))}"
    yield "data:"
    yield from (f"  # {note}" for note in source.notes)
    yield f"  input_base: {scalar(source.input_base)}"
    if source.test_base is not None:
        yield f"  test_base: {scalar(source.test_base)}"
    yield f"  pattern: {scalar(source.pattern)}"
    yield f"  text_column: {scalar(fmt.text_column)}"
    if fmt.text_pair_column is not None:
        yield f"  text_pair_column: {scalar(fmt.text_pair_column)}"


def repeat_lines(survey: Survey, conflicting: str = "with several labels") -> Iterator[str]:
    """Yields comments on rows that repeat or contradict others; `conflicting` says of a text what makes it one."""
    yield from (f"  # {said}" for said in survey.repeats)
    if survey.repeats:
        yield f"  # on_duplicate: drop would use the first of equal rows, on_conflict: drop no text {conflicting}"


def gate_lines(names: Mapping[str, str], test_rows: Mapping[str, float], bound: float) -> Iterator[str]:
    """Yields a bound for each label.

    Args:
        names: Label -> what it is called in the config.
        test_rows: Label -> about how many test rows have it.
        bound: The bound.
    """
    needed = rows_needed(bound, CONFIDENCE)
    for label, name in names.items():
        rows = test_rows[label]
        few = (
            f"  # about {rows:.1f} test rows, and to show it with {CONFIDENCE:.0%} confidence takes {needed}"
            if needed and rows < needed
            else ""
        )
        yield f"    {scalar(name)}: {bound}{few}"


def place_lines(place: LabelPlace, fmt: RowFormat) -> Iterator[str]:
    """Yields where the labels are, but for several columns of them."""
    if place.label_from != COLUMN:
        yield f"  label_from: {place.label_from}"
        return
    if place.labels_file is not None:
        yield f"  labels_file: {scalar(place.labels_file)}"
    if fmt.id_column is not None:
        yield f"  id_column: {scalar(fmt.id_column)}"
    if not fmt.label_columns and (place.labels_file is None or fmt.id_column is not None):
        yield f"  label_column: {scalar(fmt.label_column)}"


def _column_lines(fmt: RowFormat, classes: Classes) -> Iterator[str]:
    if fmt.label_column.strip() in classes.columns:
        others = named_few([repr(column) for column in classes.columns if column != fmt.label_column.strip()])
        yield f"  # Other columns hold 0 and 1 alone, as this one: {shorten(others)}. A text may be of several"
        yield "  # classes then: this config learns the one; label_columns learns all (name each as --label, or none)."
    if classes.votes:
        votes = named_few([repr(column) for column in classes.votes], most=10)
        yield f"  # {shorten(votes)} seem to count votes: data.votes takes the label with the most of them."
    if len(classes.values) > 2 and all(_WHOLE_NUMBER.fullmatch(value) for value in classes.values):
        yield "  # The labels are whole numbers. If they are a scale, label_threshold makes two classes of them."


def _value_lines(fmt: RowFormat, survey: Survey, classes: Classes, names: Mapping[str, str]) -> Iterator[str]:
    if classes.scores and fmt.label_threshold is not None:
        low, high = (f"{survey.labels[label]:,}" for label in fmt.labels)
        yield (
            f"  label_threshold: {number_in_yaml(fmt.label_threshold)}  # {low} of the numbers, which go from "
            f"{classes.scores[0]:g} to {classes.scores[1]:g}, are below it, {high} are not; check it"
        )
    shown = ((label, name) for label, name in names.items() if name != label)
    lines = [f"    {scalar(label)}: {scalar(name)}  # tables and logs cannot show it" for label, name in shown]
    slip = "; one letter apart, perhaps a slip: check it; a class of its own belongs in labels"
    for found, note in ((classes.same, ""), (classes.near, slip)):
        for value, label in sorted(found.items(), key=lambda item: (item[1], item[0])):
            if label in names:
                rows = rows_in_words(classes.values[value])
                lines.append(f"    {scalar(value)}: {scalar(names[label])}  # {rows}{note}")
    if lines:
        yield "  label_map:  # value in the file: label, of which it seems to be another spelling; check each"
        yield from lines


def _left_out_lines(survey: Survey, rare: Sequence[str], untested: Sequence[str]) -> Iterator[str]:
    few = f"fewer than {FEWEST_TEXTS} different texts, too few to split"
    notes = []
    for note, labels in ((few, rare), ("not in the test set", untested)):
        if labels:
            named = [f"{shorten(repr(label))} ({rows_in_words(survey.labels[label])})" for label in labels]
            notes.append(f"{note}: {named_few(named)}")
    if notes:
        yield f"  rare_classes: drop  # {'; '.join(notes)}"


def bad_row_lines(survey: Survey) -> Iterator[str]:
    """Yields what quotes mean if that is not the usual, and what becomes of bad rows."""
    if survey.quoting.ordinary:
        yield "  quoting: none  # double quotes are characters like any other here: else they would join rows"
    if not survey.bad:
        yield "  on_bad_row: fail  # every row of the file can be used"
        return
    reasons = ", ".join(f"{count:,} x {kind}" for kind, count in survey.reasons.most_common())
    share = survey.bad / (survey.bad + survey.used)
    yield f"  # {survey.bad:,} rows ({share:.2%}) cannot be used: {reasons}"
    yield f"  # the first is on {survey.first_bad}"
    if share <= MAX_BAD_FRACTION:
        yield "  on_bad_row: quarantine  # they are written aside with the reason"
        yield f"  max_bad_fraction: {MAX_BAD_FRACTION}"
    else:
        yield "  on_bad_row: fail  # too many to leave out unseen: fix them, or set quarantine and max_bad_fraction"


def _in_order(labels: Counter[str]) -> list[str]:
    if all(map(_WHOLE_NUMBER.fullmatch, labels)):
        return sorted(labels, key=lambda label: (int(label), label))
    return sorted(labels)


def label_names(labels: Sequence[str], fits: Callable[[str], bool] = is_printable) -> dict[str, str]:
    """Returns a name for each label: its own, but for characters that no label may have.

    Args:
        labels: The labels.
        fits: Says of a text whether it has none of these. Default: line breaks and control characters are such.
    """
    names: dict[str, str] = {}
    for label in labels:
        if fits(label):
            names[label] = label
            continue
        shown = "".join(char if fits(char) else " " for char in label)
        base = " ".join(shown.split()) or "unnamed"
        candidates = itertools.chain([base], (f"{base} {number}" for number in itertools.count(2)))
        names[label] = next(name for name in candidates if name not in labels and name not in names.values())
    return names


def rows_in_test(rows: int) -> float:
    """Returns about how many of a class's rows will be in the test split."""
    from fullbake.components.data.ingest.stratify import LEAST  # here, for no error should wait for NumPy

    return max(rows * _TEST_SHARE, float(min(LEAST, rows // _SPLITS)))


def _slug(path: str) -> str:
    stem = without_compression(os.path.basename(path)).rsplit(".", 1)[0]
    return re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-") or "run"
