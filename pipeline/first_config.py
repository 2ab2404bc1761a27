"""A first config for a data file: what `fullbake init` makes."""

import itertools
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields

import yaml

from fullbake.components.data.compression import without_compression
from fullbake.components.data.data_files import match_files, opened
from fullbake.components.data.dialect import Dialect
from fullbake.components.data.file_kinds import WrongKindError
from fullbake.components.data.formats import format_of
from fullbake.components.data.reading import check_file
from fullbake.components.data.row_format import RowFormat
from fullbake.components.evaluation.wilson import CONFIDENCE, rows_needed
from fullbake.contract.errors import InputError
from fullbake.pipeline.config.config_keys import CONFIG_KEYS
from fullbake.pipeline.config.data_config import UNPRINTABLE
from fullbake.pipeline.data_survey import Survey, check_classes, survey_files
from fullbake.pipeline.first_source import FirstSource, find_source

MAX_BAD_FRACTION = 0.01
"""The config's own default: up to this share of bad rows is quarantined, more needs a look at the file."""

MAX_LENGTH = 512
"""The positions BERT and DistilBERT have (Devlin et al. 2018)."""

COVERED = 0.99
"""The share of texts that must fit whole: doubling the length more than doubles the work, for the few longest."""

SKEW = 0.25
"""The rarest class is weighted up when it has less than this part of what it would have if all were equally frequent.

At 6% of three classes (a skew of 0.17) an unweighted MiniLM found only 4 in 10 of the rarest class; at the mildest
skews weights cost more precision than they win recall.
"""

MIN_RECALL = 0.5
"""Bound for each of three or more labels: far above chance, and one a usable classifier passes on every class."""

MIN_RECALL_OF_TWO = 0.6
"""Bound for each of two labels, where chance alone gives 0.5."""

_LENGTH_STEP = 16  # lengths that are a multiple of it suit the matrix units of GPUs
_TEST_SHARE = 0.1  # of the split 8 : 1 : 1
_FEW_IN_TEST = 3


def make_first_config(
    path: str | os.PathLike[str], text_column: str, label_column: str, text_pair_column: str | None = None
) -> str:
    """Makes a config from a data file: labels and their balance, a maximum length that fits, bounds for the gate.

    Of CSV, delimiter and encoding are found out: the delimiter is the one that gives the header the columns asked for;
    the encoding is what a byte-order mark says, else UTF-8 if most of what is not ASCII decodes, else Windows-1252.
    Labels are sorted, whole numbers by value, so that more data of the same kind gives the same class indices. The
    length is an estimate without a vocabulary, the 99th percentile rounded up to a multiple of 16. Class weights,
    bounds and the treatment of bad rows follow `SKEW`, `MIN_RECALL`, `MIN_RECALL_OF_TWO` and `MAX_BAD_FRACTION`.

    Args:
        path: The file; its suffix says which format it has, and whether it is compressed. Or a folder that
            `save_to_disk` of Hugging Face's datasets wrote.
        text_column: Name of the column with the text.
        label_column: Name of the column with the label.
        text_pair_column: Name of the column with the second text of a pair; None for single texts.

    Returns:
        The config as YAML with comments.

    Raises:
        InputError: The file cannot be read, lacks a column, has no usable row, or its labels are no classes.
    """
    source = find_source(os.fspath(path))
    path = source.files[0]
    fmt = RowFormat(text_column, label_column, (), text_pair_column, names=CONFIG_KEYS)
    notes: tuple[str, ...] = ()
    try:
        find_dialect = format_of(path, labelled=True).find_dialect
        if find_dialect is not None:
            found = find_dialect(lambda: opened(path), fmt)
            fmt, notes = found.fmt, found.notes
        with opened(path) as stream:
            check_file(stream, os.path.basename(path), fmt)
        survey = survey_files(source.files, fmt)
        test_rows = _rows_to_test(source, fmt, survey)
    except WrongKindError as error:
        raise InputError(f"{path} {error}") from error
    except OSError as error:
        raise InputError(f"{path}: the file cannot be read: {getattr(error, 'strerror', None) or error}") from error
    check_classes(survey, fmt)
    return "\n".join(_config_lines(source, fmt, survey, test_rows, notes)) + "\n"


def _rows_to_test(source: FirstSource, fmt: RowFormat, survey: Survey) -> dict[str, float]:
    """Returns about how many rows of each label there will be to test with; a test set without labels is none."""
    if source.test_base is not None:
        tested = survey_files(match_files(source.test_base, "*"), fmt)
        if tested.used:
            return {label: float(tested.labels[label]) for label in survey.labels}
        source.test_base = None
        source.notes[0] = "split 'train' is trained on; split 'test' is no test set, for none of its rows can be used: "
        source.notes[0] += tested.first_bad
    return {label: rows * _TEST_SHARE for label, rows in survey.labels.items()}


def _config_lines(
    source: FirstSource, fmt: RowFormat, survey: Survey, test_rows: dict[str, float], notes: tuple[str, ...]
) -> Iterator[str]:
    labels = _in_order(survey.labels)
    names = _names(labels)
    even = survey.used / len(labels)
    rarest = min(survey.labels.values()) / even
    fitting = _percentile(survey.lengths, COVERED)
    max_length = min(MAX_LENGTH, -(-fitting // _LENGTH_STEP) * _LENGTH_STEP)
    yield f"# Made by `fullbake init` from {source.name!r}, {survey.used:,} usable rows. Check it, then:"
    yield "#   fullbake run CONFIG"
    yield f"name: {_scalar(_slug(source.name))}"
    yield "data:"
    yield from (f"  # {note}" for note in source.notes)
    yield f"  input_base: {_scalar(source.input_base)}"
    if source.test_base is not None:
        yield f"  test_base: {_scalar(source.test_base)}"
    yield f"  pattern: {_scalar(source.pattern)}"
    yield f"  text_column: {_scalar(fmt.text_column)}"
    if fmt.text_pair_column is not None:
        yield f"  text_pair_column: {_scalar(fmt.text_pair_column)}"
    yield f"  label_column: {_scalar(fmt.label_column)}"
    yield f"  labels:  # {len(labels)} classes, in the order of their index; an even share is {1 / len(labels):.1%}"
    for label in labels:
        count = survey.labels[label]
        few = (
            "" if test_rows[label] >= _FEW_IN_TEST else f"; few: about {test_rows[label]:.1f} will be in the test split"
        )
        yield f"    - {_scalar(names[label])}  # {count:,} rows, {count / survey.used:.1%}{few}"
    if mapped := [label for label in labels if names[label] != label]:
        yield "  label_map:  # what tables and logs cannot show has another name"
        yield from (f"    {_scalar(label)}: {_scalar(names[label])}" for label in mapped)
    if format_of(source.files[0], labelled=True).find_dialect is not None:
        yield from _dialect_lines(fmt.dialect, notes)
    if survey.quoting.ordinary:
        yield "  quoting: none  # double quotes are characters like any other here: else they would join rows"
    yield from _bad_row_lines(survey)
    yield from (f"  # {said}" for said in survey.repeats)
    if survey.repeats:
        yield "  # on_duplicate: drop would use the first of equal rows, on_conflict: drop no text with several labels"
    yield "model:"
    yield "  base: distilbert-base-uncased"
    yield "  approach: fine_tune"
    yield (
        f"  max_length: {max_length}  # tokens, estimated: {COVERED:.0%} of the texts have {fitting:,} or fewer, "
        f"half have {_percentile(survey.lengths, 0.5):,}, the longest has {max(survey.lengths):,}"
    )
    yield "training:"
    yield "  epochs: 3"
    yield (
        f"  class_weights: {'balanced' if rarest < SKEW else 'none'}"
        f"  # the rarest class has {rarest:.0%} of an even share; balanced below {SKEW:.0%}"
    )
    yield "gate:"
    yield "  min_recall:  # a start: a model is pushed only if it finds this part of each class in the test split"
    bound = MIN_RECALL_OF_TWO if len(labels) == 2 else MIN_RECALL
    needed = rows_needed(bound, CONFIDENCE)
    for label in labels:
        rows = test_rows[label]
        few = (
            f"  # about {rows:.1f} test rows, and to show it with {CONFIDENCE:.0%} confidence takes {needed}"
            if needed and rows < needed
            else ""
        )
        yield f"    {_scalar(names[label])}: {bound}{few}"


def _dialect_lines(dialect: Dialect, notes: tuple[str, ...]) -> Iterator[str]:
    yield from (f"  # {note}" for note in notes)
    for part in fields(Dialect):
        value = getattr(dialect, part.name)
        if part.name in ("delimiter", "encoding") or value != part.default:
            yield f"  {part.name}: {_shown(value)}"


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_scalar, value))}]"
    return str(value).lower() if isinstance(value, bool) else _scalar(str(value))


def _bad_row_lines(survey: Survey) -> Iterator[str]:
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
    if all(re.fullmatch(r"[+-]?[0-9]+", label) for label in labels):
        return sorted(labels, key=lambda label: (int(label), label))
    return sorted(labels)


def _names(labels: list[str]) -> dict[str, str]:
    """Returns a name for each label: its own, but for line breaks and control characters, which no label may have."""
    names: dict[str, str] = {}
    for label in labels:
        if not any(unicodedata.category(char) in UNPRINTABLE for char in label):
            names[label] = label
            continue
        shown = "".join(" " if unicodedata.category(char) in UNPRINTABLE else char for char in label)
        base = " ".join(shown.split()) or "unnamed"
        candidates = itertools.chain([base], (f"{base} {number}" for number in itertools.count(2)))
        names[label] = next(name for name in candidates if name not in labels and name not in names.values())
    return names


def _percentile(lengths: Counter[int], part: float) -> int:
    """Returns the least length that this part of the rows does not exceed."""
    rows = 0
    for length in sorted(lengths):
        rows += lengths[length]
        if rows >= part * lengths.total():
            break
    return length


def _slug(name: str) -> str:
    stem = without_compression(name).rsplit(".", 1)[0]
    return re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-") or "run"


def _scalar(value: str) -> str:
    """Returns YAML for a string: bare where it is a plain word that YAML reads as this very string, else quoted."""
    if re.fullmatch(r"[\w./][\w./-]*( [\w./-]+)*", value) and yaml.safe_load(value) == value:
        return value
    return yaml.safe_dump(value, default_style='"', allow_unicode=True, width=float("inf")).strip()
