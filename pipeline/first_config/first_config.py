"""A first config for a data file: what `fullbake init` makes."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from fullbake.components.data.data_files import match_files, opened
from fullbake.components.data.data_folders import TEST_BASE
from fullbake.components.data.file_kinds import WrongKindError
from fullbake.components.data.file_rows import check_data_file
from fullbake.components.data.formats import format_of
from fullbake.components.data.ingest.input_files import other_pattern
from fullbake.components.data.label_place import COLUMN, FILENAME, FOLDER, IN_COLUMNS, as_data_files, check_labels
from fullbake.components.data.row_format import RowFormat
from fullbake.components.data.text_encoding import escaped
from fullbake.contract.errors import InputError
from fullbake.contract.named_few import named_few
from fullbake.pipeline.config.config_keys import CONFIG_KEYS
from fullbake.pipeline.data_survey import Survey, merge_labels, survey_files
from fullbake.pipeline.first_config.class_check import (
    LabelsOf,
    check_classes,
    check_two_classes,
    find_several,
    rare_classes,
)
from fullbake.pipeline.first_config.class_columns import find_class_columns
from fullbake.pipeline.first_config.config_lines import Classes, config_lines
from fullbake.pipeline.first_config.first_source import FirstSource
from fullbake.pipeline.first_config.found_sets import find_label_sets, for_columns, path_of_labels, without_untested
from fullbake.pipeline.first_config.model_lines import DEFAULT_APPROACH, DEFAULT_BASE, FirstModel
from fullbake.pipeline.first_config.scores import LABELS, are_scores, score_range, threshold_between
from fullbake.pipeline.first_config.set_lines import set_lines
from fullbake.pipeline.first_config.several_labels import holds_lists
from fullbake.pipeline.first_config.source import find_source
from fullbake.pipeline.first_config.spellings import find_spellings
from fullbake.pipeline.first_config.vote_columns import find_vote_columns
from fullbake.pipeline.first_config.written import find_written
from fullbake.pipeline.token_survey import InitialBase, TokenSurvey, find_initial_base


def make_first_config(
    path: str | os.PathLike[str],
    text_column: str,
    label_column: str | Sequence[str] | None = None,
    text_pair_column: str | None = None,
    *,
    label_from: str = COLUMN,
    labels_file: str | None = None,
    id_column: str | None = None,
    base: str = DEFAULT_BASE,
    approach: str = DEFAULT_APPROACH,
) -> str:
    """Makes a config from a data file: labels and their balance, a maximum length that fits, bounds for the gate.

    Of CSV, delimiter and encoding are found out: the delimiter is the one that gives the header the columns asked for;
    the encoding is what a byte-order mark says, else UTF-8 if most of what is not ASCII decodes, else Windows-1252.
    Labels are sorted, whole numbers by value, so that more data of the same kind gives the same class indices. Other
    spellings of a label are mapped to it; scores are parted at a threshold; classes with too few texts to be split are
    left out. Where the label column has several labels in a cell, each is a label, the most frequent first; where there
    is a column of 0 and 1 for each label, all are learned unless one is asked for. The length is the 99th percentile
    rounded up to a multiple of 16, of tokens counted with the base's tokenizer or, where that is not on this machine,
    estimated; nothing is fetched. Class weights, bounds and the treatment of bad rows follow the constants of
    `config_lines`.

    Args:
        path: The file; its suffix says which format it has, and whether it is compressed. Or a folder that
            `save_to_disk` of Hugging Face's datasets wrote, or with another `label_from` one of files or folders whose
            names are labels.
        text_column: Name of the column with the text.
        label_column: Name of the column with the label, or names of several columns that each say of a label whether a
            text has it; None where labels are in names, or line by line, or such columns are to be found.
        text_pair_column: Name of the column with the second text of a pair; None for single texts.
        label_from: Where labels are, as of `LabelPlace`.
        labels_file: The file with the labels, if they are in another than the texts.
        id_column: Name of the column that texts and labels are joined by; None: they belong together line by line.
        base: The base model, as `trainer.encoder.base_model.resolve_base` takes it.
        approach: How it is trained, of `trainer.approaches.APPROACHES`.

    Returns:
        The config as YAML with comments.

    Raises:
        InputError: The file cannot be read, lacks a column, has no usable row, or its labels are no classes; or the
            base is named by a folder or a package and cannot be used.
    """
    source = find_source(os.fspath(path), label_from, labels_file)
    if id_column is not None and labels_file is None:
        raise InputError("--id: it joins texts with the labels of another file; name that as --labels-file")
    columns = [label_column] if isinstance(label_column, str) else list(label_column or ())
    fmt = RowFormat(text_column, "label", (), text_pair_column, id_column=id_column, names=CONFIG_KEYS)
    with _reading(source.files[0].path):
        if not columns and label_from == COLUMN and (labels_file is None or id_column is not None):
            columns = _find_columns(source, fmt)
        if len(columns) == 1:
            fmt = replace(fmt, label_column=columns[0])
        elif columns:
            _check_layout(columns, label_from, labels_file, id_column)
            fmt = replace(fmt, label_columns=tuple(columns), labels=tuple(columns))
        check_labels(source.files, fmt)
        lines = _lines(source, fmt, base, approach)
        # A value is quoted by YAML, a comment is not; and what is escaped, YAML reads as what it was.
        return "".join(f"{escaped(line)}\n" for line in lines)


def _lines(source: FirstSource, fmt: RowFormat, base_name: str, approach: str) -> Iterator[str]:
    fmt, notes = find_written(source, fmt)
    if fmt.label_columns:
        fmt = replace(fmt, labels=fmt.label_columns)  # columns without a header have got names
    elif source.place == IN_COLUMNS and holds_lists(source.files[0], fmt):
        fmt = replace(fmt, label_separator=",")
    _check_columns(source, fmt)
    base = find_initial_base(base_name)
    if not fmt.multi_label:
        tokens = TokenSurvey(base.counter)
        survey, labels = survey_files(source.files, fmt, tokens), _labels_of(source, fmt)
        several = find_several(survey, labels, in_names=source.place.label_from != COLUMN)
        if several is None:
            fmt, survey, classes, tokens = _find_classes(source, fmt, base, survey, tokens)
            tested = _test_survey(source, fmt, classes)
            return config_lines(source, fmt, survey, tested, classes, FirstModel(base, approach, tokens), notes)
        fmt = replace(fmt, label_separator=several.separator)
    found = find_label_sets(source, fmt, _labels_of(source, fmt), base)
    tested = _test_survey(source, found.fmt)
    found = without_untested(found, tested)
    return set_lines(source, found, tested, FirstModel(base, approach, found.tokens), notes)


def _find_columns(source: FirstSource, fmt: RowFormat) -> list[str]:
    """Returns the columns that each say of a label whether a text has it.

    Raises:
        InputError: There are none.
    """
    path = path_of_labels(source, fmt)
    looked_at = replace(for_columns(fmt), id_column=None, labelled=False)
    file_format = format_of(path, labelled=True)
    with _reading(path):
        if file_format.find_dialect is not None:
            looked_at = file_format.find_dialect(partial(opened, path), looked_at).fmt
        columns = find_class_columns(path, looked_at, whole=True)
    if not columns:
        raise InputError(
            "--label: the column with the labels is not named; name it or, if they are in no column, see --label-from "
            "and --labels-file (columns that hold 0 and 1 alone, as of a label each, are not there)"
        )
    return columns


def _check_layout(columns: Sequence[str], label_from: str, labels_file: str | None, id_column: str | None) -> None:
    if twice := [column for column in columns if columns.count(column) > 1]:
        raise InputError(f"--label: {twice[0]!r} is named twice; name each column once")
    if label_from != COLUMN:
        raise InputError(f"--label: labels are in columns or, with --label-from {label_from}, in names; leave out one")
    if labels_file is not None and id_column is None:
        raise InputError("--label: several columns are joined with the texts by one that both have; name it as --id")


@contextmanager
def _reading(path: str) -> Iterator[None]:
    try:
        yield
    except WrongKindError as error:
        raise InputError(f"{path} {error}") from error
    except OSError as error:
        raise InputError(f"{path}: the file cannot be read: {getattr(error, 'strerror', None) or error}") from error


def _check_columns(source: FirstSource, fmt: RowFormat) -> None:
    file = source.files[0]
    try:
        check_data_file(file, fmt)
    except InputError as error:
        if error.field != "label_column" or not (columns := find_class_columns(file.path, fmt)):
            raise
        named = named_few([repr(column) for column in columns])
        raise InputError(
            f"{error.text(CONFIG_KEYS)}; the columns {named} hold 0 and 1 alone, as of a class each: name the one to "
            "learn as the label, or all of them"
        ) from error


def _find_classes(
    source: FirstSource, fmt: RowFormat, base: InitialBase, survey: Survey, tokens: TokenSurvey
) -> tuple[RowFormat, Survey, Classes, TokenSurvey]:
    """Returns the format with a threshold where labels are scores, what is in the file then, classes and tokens."""
    values, labels = survey.labels, _labels_of(source, fmt)
    same: dict[str, str] = {}
    near: dict[str, str] = {}
    scores = score_range(source.files, fmt) if are_scores(values) else None
    if scores is not None:
        fmt = replace(fmt, labels=LABELS, label_threshold=threshold_between(*scores))
        tokens = TokenSurvey(base.counter)
        survey = survey_files(source.files, fmt, tokens)
    else:
        check_classes(survey, labels)
        same, near = find_spellings(values)
        if mapped := {**same, **near}:
            survey = merge_labels(survey, mapped)
    check_two_classes(survey, labels, [*same, *near])
    quoting = "none" if survey.quoting.ordinary else "standard"  # or it would be found out once more
    known = replace(fmt, dialect=replace(fmt.dialect, quoting=quoting))
    in_columns = source.place == IN_COLUMNS and not fmt.dialect.line_pattern
    columns = find_class_columns(source.files[0].path, known) if in_columns else []
    votes = find_vote_columns(source.files[0].path, known) if in_columns else []
    return fmt, survey, Classes(values, same, near, rare_classes(survey), columns, scores, votes), tokens


def _labels_of(source: FirstSource, fmt: RowFormat) -> LabelsOf:
    if source.place.label_from == FILENAME:
        return LabelsOf("data.label_from: the names of the files", "name the folder with a file to each class")
    if source.place.label_from == FOLDER:
        return LabelsOf("data.label_from: the names of the folders", "name the folder that has those of all classes")
    if source.place.labels_file is not None and fmt.id_column is None:
        return LabelsOf(f"data.labels_file: {source.place.labels_file}", "name another file")
    if fmt.label_columns:
        return LabelsOf("data.label_columns", "name other columns")
    return LabelsOf(f"data.label_column: column {fmt.label_column!r}", "name another column")


def _test_survey(source: FirstSource, fmt: RowFormat, classes: Classes | None = None) -> Survey | None:
    """Returns what is in the test set; one without labels is none, and the source has it no more."""
    if source.test_base is None:
        return None
    pattern = other_pattern(source.place)
    found = match_files(source.test_base, pattern)
    files = as_data_files(found, source.test_base, pattern, source.place, 0, source=TEST_BASE)
    tested = survey_files(files, fmt)
    if tested.used:
        return tested if classes is None else merge_labels(tested, {**classes.same, **classes.near})
    source.test_base = None
    source.notes[0] = (
        "split 'train' is trained on; split 'test' is no test set, for none of its rows can be used: "
        f"{tested.first_bad}"
    )
    return None
