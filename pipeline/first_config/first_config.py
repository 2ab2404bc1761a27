"""A first config for a data file: what `fullbake init` makes."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from fullbake.components.data.data_files import match_files, opened
from fullbake.components.data.file_kinds import WrongKindError
from fullbake.components.data.formats import format_of
from fullbake.components.data.reading import check_file
from fullbake.components.data.row_format import RowFormat
from fullbake.components.data.text_encoding import escaped
from fullbake.contract.errors import InputError
from fullbake.contract.named_few import named_few
from fullbake.pipeline.config.config_keys import CONFIG_KEYS
from fullbake.pipeline.data_survey import Survey, merge_labels, survey_files
from fullbake.pipeline.first_config.class_check import (
    check_classes,
    check_single_labels,
    check_two_classes,
    rare_classes,
)
from fullbake.pipeline.first_config.class_columns import find_class_columns
from fullbake.pipeline.first_config.config_lines import Classes, config_lines
from fullbake.pipeline.first_config.model_lines import DEFAULT_APPROACH, DEFAULT_BASE, FirstModel
from fullbake.pipeline.first_config.scores import LABELS, are_scores, score_range, threshold_between
from fullbake.pipeline.first_config.source import FirstSource, find_source
from fullbake.pipeline.first_config.spellings import find_spellings
from fullbake.pipeline.token_survey import InitialBase, TokenSurvey, find_initial_base


def make_first_config(
    path: str | os.PathLike[str],
    text_column: str,
    label_column: str,
    text_pair_column: str | None = None,
    *,
    base: str = DEFAULT_BASE,
    approach: str = DEFAULT_APPROACH,
) -> str:
    """Makes a config from a data file: labels and their balance, a maximum length that fits, bounds for the gate.

    Of CSV, delimiter and encoding are found out: the delimiter is the one that gives the header the columns asked for;
    the encoding is what a byte-order mark says, else UTF-8 if most of what is not ASCII decodes, else Windows-1252.
    Labels are sorted, whole numbers by value, so that more data of the same kind gives the same class indices. Other
    spellings of a label are mapped to it; scores are parted at a threshold; classes with too few texts to be split are
    left out. The length is the 99th percentile rounded up to a multiple of 16, of tokens counted with the base's
    tokenizer or, where that is not on this machine, estimated; nothing is fetched. Class weights, bounds and the
    treatment of bad rows follow the constants of `config_lines`.

    Args:
        path: The file; its suffix says which format it has, and whether it is compressed. Or a folder that
            `save_to_disk` of Hugging Face's datasets wrote.
        text_column: Name of the column with the text.
        label_column: Name of the column with the label.
        text_pair_column: Name of the column with the second text of a pair; None for single texts.
        base: The base model, as `trainer.encoder.base_model.resolve_base` takes it.
        approach: How it is trained, of `trainer.approaches.APPROACHES`.

    Returns:
        The config as YAML with comments.

    Raises:
        InputError: The file cannot be read, lacks a column, has no usable row, or its labels are no classes; or the
            base is named by a folder or a package and cannot be used.
    """
    found_base = find_initial_base(base)
    source = find_source(os.fspath(path))
    path = source.files[0]
    fmt = RowFormat(text_column, label_column, (), text_pair_column, names=CONFIG_KEYS)
    notes: tuple[str, ...] = ()
    with _reading(path):
        find_dialect = format_of(path, labelled=True).find_dialect
        if find_dialect is not None:
            found = find_dialect(lambda: opened(path), fmt)
            fmt, notes = found.fmt, found.notes
        _check_columns(path, fmt)
        fmt, survey, classes, tokens = _find_classes(source, fmt, found_base)
        tested = _test_survey(source, fmt, classes)
    model = FirstModel(found_base, approach, tokens)
    # A value is quoted by YAML, a comment is not; and what is escaped, YAML reads as what it was.
    return "".join(f"{escaped(line)}\n" for line in config_lines(source, fmt, survey, tested, classes, model, notes))


@contextmanager
def _reading(path: str) -> Iterator[None]:
    try:
        yield
    except WrongKindError as error:
        raise InputError(f"{path} {error}") from error
    except OSError as error:
        raise InputError(f"{path}: the file cannot be read: {getattr(error, 'strerror', None) or error}") from error


def _check_columns(path: str, fmt: RowFormat) -> None:
    try:
        with opened(path) as stream:
            check_file(stream, os.path.basename(path), fmt)
    except InputError as error:
        if error.field != "label_column" or not (columns := find_class_columns(path, fmt)):
            raise
        named = named_few([repr(column) for column in columns])
        raise InputError(
            f"{error.text(CONFIG_KEYS)}; the columns {named} hold 0 and 1 alone, as of a class each: name the one to "
            "learn as the label"
        ) from error


def _find_classes(
    source: FirstSource, fmt: RowFormat, base: InitialBase
) -> tuple[RowFormat, Survey, Classes, TokenSurvey]:
    """Returns the format with a threshold where labels are scores, what is in the file then, classes and tokens."""
    tokens = TokenSurvey(base.counter)
    survey = survey_files(source.files, fmt, tokens)
    check_single_labels(survey, fmt)
    values = survey.labels
    same: dict[str, str] = {}
    near: dict[str, str] = {}
    scores = score_range(source.files, fmt) if are_scores(values) else None
    if scores is not None:
        fmt = replace(fmt, labels=LABELS, label_threshold=threshold_between(*scores))
        tokens = TokenSurvey(base.counter)
        survey = survey_files(source.files, fmt, tokens)
    else:
        check_classes(survey, fmt)
        same, near = find_spellings(values)
        if mapped := {**same, **near}:
            survey = merge_labels(survey, mapped)
    check_two_classes(survey, fmt, [*same, *near])
    quoting = "none" if survey.quoting.ordinary else "standard"  # or it would be found out once more
    known = replace(fmt, dialect=replace(fmt.dialect, quoting=quoting))
    columns = [] if fmt.dialect.line_pattern else find_class_columns(source.files[0], known)
    return fmt, survey, Classes(values, same, near, rare_classes(survey), columns, scores), tokens


def _test_survey(source: FirstSource, fmt: RowFormat, classes: Classes) -> Survey | None:
    """Returns what is in the test set; one without labels is none, and the source has it no more."""
    if source.test_base is None:
        return None
    tested = survey_files(match_files(source.test_base, "*"), fmt)
    if tested.used:
        return merge_labels(tested, {**classes.same, **classes.near})
    source.test_base = None
    source.notes[0] = (
        "split 'train' is trained on; split 'test' is no test set, for none of its rows can be used: "
        f"{tested.first_bad}"
    )
    return None
