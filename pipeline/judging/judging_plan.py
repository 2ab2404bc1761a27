"""What is judged on which rows and against which bounds: all that can be known, and refused, without TensorFlow."""

from __future__ import annotations

import datetime
import itertools
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from fullbake.components.data.dialect import Dialect
from fullbake.components.data.label_place import COLUMN
from fullbake.components.data.row_format import NULL_VALUES, RowFormat
from fullbake.components.data.row_slices import NO_SLICES, RowSlices
from fullbake.components.evaluation.gate import GateSpec
from fullbake.contract.errors import InputError
from fullbake.contract.results.about import About, Labelling
from fullbake.contract.results.push import PushedBounds
from fullbake.contract.results.result import MULTI_LABEL
from fullbake.pipeline.config.label_config import LABEL_COLUMN
from fullbake.pipeline.config.loading import load_config
from fullbake.pipeline.gate_spec import gate_spec
from fullbake.pipeline.judging.judged_model import JudgedModel, check_comparable, find_judged_model
from fullbake.pipeline.judging.judging_options import JudgingOptions
from fullbake.pipeline.judging.labelled_file import ColumnNames, find_format

if TYPE_CHECKING:
    from fullbake.pipeline.config.config import Config

FOLDER = "evaluations"
"""Where evaluations go if nobody says where, below the current folder."""

_MOST_BAD = 0.01  # as `data.max_bad_fraction`


@dataclass(frozen=True)
class JudgingPlan:
    """A file, one model or two, and the bounds of the first.

    Attributes:
        file: The file.
        models: The model that is judged, and maybe one that it is compared with.
        row_format: How the file is read.
        gate: The bounds.
        output: The folder that gets the report; it is not there yet, or empty.
        on_bad_row: As of `CsvExampleGen`, and so the next three.
        max_bad_fraction: Likewise.
        on_duplicate: Likewise.
        on_conflict: Likewise.
        show_texts: Whether the report may show texts.
        notes: What people should know of all this, a sentence each, without its stop.
    """

    file: Path
    models: tuple[JudgedModel, ...]
    row_format: RowFormat
    gate: GateSpec
    output: Path
    on_bad_row: str
    max_bad_fraction: float
    on_duplicate: str
    on_conflict: str
    show_texts: bool
    notes: tuple[str, ...]


def plan_judging(models: Sequence[str], file: Path, options: JudgingOptions, output: Path | None = None) -> JudgingPlan:
    """Makes a plan.

    Args:
        models: One or two: versions' folders, serving folders or output roots.
        file: The labelled file.
        options: What was said.
        output: The folder that gets the report; None: one below `FOLDER`, named after the model and the time.

    Raises:
        InputError: Any of it cannot be used.
    """
    if len(models) not in (1, 2):
        raise InputError(f"--model: {len(models)} are given; give the model to judge, or it and one to compare it with")
    found = tuple(find_judged_model(model) for model in models)
    if len(found) == 2:
        check_comparable(*found)
    about = found[0].about
    options.check_labels(about.labels)
    output = _new_output(found[0].name) if output is None else _checked_output(output)
    config = None if options.config is None else load_config(options.config, options.overrides)
    try:
        fmt, columns = _of_model(about, options) if config is None else _of_config(config, about, options)
        fmt = replace(fmt, slices=_slices(fmt.slices, options), names=options.names)
        fmt, notes = find_format(file, fmt, columns, options.said)
        gate = _gate(about, fmt, options, found[0].bounds if config is None else gate_spec(config).bounds, notes)
    except InputError as error:
        raise InputError(error.text(options.names)) from error
    notes += [
        f"{model.name} was trained on {file.name}: how good it is on texts that it does not know, this does not say"
        for model in found
        if model.was_trained_on(file)
    ]
    data = config.data if config else None
    return JudgingPlan(
        file=file,
        models=found,
        row_format=fmt,
        gate=gate,
        output=output,
        on_bad_row=options.on_bad_row or (data.on_bad_row if data else "fail"),
        max_bad_fraction=_first(options.max_bad_fraction, data.max_bad_fraction if data else None, _MOST_BAD),
        on_duplicate=data.on_duplicate if data else "keep",
        on_conflict=data.on_conflict if data else "keep",
        show_texts=config.report.show_texts if config else True,
        notes=tuple(notes),
    )


def _first(*values: float | None) -> float:
    return next(value for value in values if value is not None)


def _checked_output(folder: Path) -> Path:
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise InputError(f"--output: {folder} is there already, and is not overwritten; name a new folder")
    if not os.access(next(parent for parent in folder.absolute().parents if parent.exists()), os.W_OK):
        raise InputError(f"--output: {folder} cannot be made; name a folder that can be written to")
    return folder


def _new_output(model: str) -> Path:
    name = f"{model}-{datetime.datetime.now():%Y-%m-%dT%H-%M-%S}"
    names = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
    return _checked_output(next(Path(FOLDER, name) for name in names if not Path(FOLDER, name).exists()))


def _of_model(about: About, options: JudgingOptions) -> tuple[RowFormat, ColumnNames]:
    """Returns how files are read by what the model says of itself, and what their columns may be called."""
    reading = about.reading
    labelling = reading.labelling or Labelling()
    in_columns = bool(labelling.label_columns or labelling.votes)
    if about.task == MULTI_LABEL and not labelling.label_columns and labelling.label_separator is None:
        raise InputError(
            "--config: this model gives a text several labels and does not say where a file has them (it was pushed "
            "by an earlier release); name the config of its training"
        )
    if options.label is not None and labelling.label_columns:
        raise InputError(
            f"--label: the labels of this model are in columns of their own ({', '.join(labelling.label_columns)}); "
            "rename those of the file, or give a config with --config"
        )
    if options.label is not None:
        labelling = labelling.model_copy(update={"votes": {}})
    elif not in_columns and reading.label_column is None:
        raise InputError("--label: this model does not say in which column a file has its labels; name it")
    fmt = RowFormat(
        text_column=about.text_columns.get("text", "text"),
        label_column=options.label or reading.label_column or LABEL_COLUMN,
        labels=about.labels,
        text_pair_column=about.text_columns.get("text_pair", "text_pair") if len(about.text_features) > 1 else None,
        dialect=Dialect.from_dict(reading.dialect),
        null_values=NULL_VALUES if reading.null_values is None else reading.null_values,
        slices=RowSlices(**reading.slicing.model_dump()),
        **labelling.model_dump(),
    )
    return fmt, _names(fmt, options)


def _of_config(config: Config, about: About, options: JudgingOptions) -> tuple[RowFormat, ColumnNames]:
    data, fmt = config.data, config.row_format
    if data.labels != about.labels:
        raise InputError(
            f"--config: data.labels ({', '.join(data.labels)}) are not those of the model ({', '.join(about.labels)}); "
            "give the config of its training"
        )
    if (about.task == MULTI_LABEL) != data.multi_label:
        raise InputError("--config: only one of model and config gives a text several labels; give the model's")
    if set(data.text_columns) != set(about.text_features):
        raise InputError("--config: data.text_pair_column: only one of model and config has a second text")
    if options.label is None and (data.label_from != COLUMN or data.labels_file is not None):
        key = "label_from" if data.label_from != COLUMN else "labels_file"
        raise InputError(f"--label: data.{key} of the config says nothing of one file; name the column of its labels")
    fmt = replace(fmt, id_column=None)
    return fmt, _names(fmt, options)


def _names(fmt: RowFormat, options: JudgingOptions) -> ColumnNames:
    if options.text_pair is not None and fmt.text_pair_column is None:
        raise InputError("--text-pair: this model reads single texts; take it away")
    pair = None if fmt.text_pair_column is None else [fmt.text_pair_column, "text_pair"]
    in_columns = fmt.label_columns or (fmt.votes and options.label is None)
    return ColumnNames(
        text=[options.text] if options.text else list(dict.fromkeys([fmt.text_column, "text"])),
        text_pair=[] if pair is None else [options.text_pair] if options.text_pair else list(dict.fromkeys(pair)),
        label=[]
        if in_columns
        else [options.label]
        if options.label
        else list(dict.fromkeys([fmt.label_column, LABEL_COLUMN])),
    )


def _slices(known: RowSlices, options: JudgingOptions) -> RowSlices:
    if options.without_slices:
        return NO_SLICES
    return RowSlices(options.slices, (), known.lengths) if options.slices else known


def _gate(
    about: About, fmt: RowFormat, options: JudgingOptions, known: PushedBounds | None, notes: list[str]
) -> GateSpec:
    """Returns the bounds, those that were said before those that are known, and adds notes on what cannot be held."""
    bounds = known or PushedBounds()
    values = bounds.model_dump()
    values["min_recall"] |= options.min_recall
    values["min_precision"] |= options.min_precision
    if options.confidence is not None:
        values["confidence"] = options.confidence
    if values["min_slice_recall"] and not fmt.slices:
        notes.append("the bounds on the recall in slices are not judged, for there are none")
        values["min_slice_recall"] = {}
    if values["min_bias_auc"] and not fmt.slices.identities:
        notes.append("the bounds on bias are not judged, for there are no identities")
        values["min_bias_auc"] = {}
    if known is None and not values["min_recall"]:
        notes.append(
            "the model does not say which bounds it met when it was pushed, so there are none; name some with "
            "--min-recall LABEL=X, or a config with --config"
        )
    for key in ("min_recall", "min_precision"):
        if options.confidence is not None and (whole := [label for label, bound in values[key].items() if bound == 1]):
            raise InputError(f"--confidence: no number of rows shows that {whole[0]!r} is at 1; lower its bound")
    return GateSpec(
        labels=about.labels,
        multi_label=about.task == MULTI_LABEL,
        sliced=bool(fmt.slices),
        identities=fmt.slices.identity_names,
        **values,
    )
