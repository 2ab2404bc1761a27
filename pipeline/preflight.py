"""Checks of a config, its data and its base model, before the first component starts and without an import of TFX."""

from __future__ import annotations

import math
import os
from pathlib import Path

from fullbake.components.data.data_file import DataFile
from fullbake.components.data.data_files import is_address, match_files
from fullbake.components.data.data_folders import CORPUS_BASE, INPUT_BASE, TEST_BASE
from fullbake.components.data.file_rows import check_data_file
from fullbake.components.data.ingest.input_files import other_pattern
from fullbake.components.data.label_place import IN_COLUMNS, LabelPlace, as_data_files, check_labels
from fullbake.components.data.row_format import RowFormat
from fullbake.components.data.spans import of_any_span, of_newest_spans
from fullbake.components.serving.baseline import find_baseline
from fullbake.components.tokenizer.kinds_of_files import read_files
from fullbake.contract.errors import InputError
from fullbake.contract.results.result import MULTI_LABEL, SINGLE_LABEL
from fullbake.pipeline.config.config import Config
from fullbake.pipeline.config.config_keys import CONFIG_KEYS
from fullbake.trainer.approaches import APPROACHES
from fullbake.trainer.devices.local_devices import check_local_devices
from fullbake.trainer.encoder.base_model import base_sizes, check_masked_lm, check_pairs, resolve_base
from fullbake.trainer.encoder.base_weights import check_weights, old_head_note
from fullbake.trainer.encoder.family_shapes import Sizes


def check_inputs(config: Config) -> list[str]:
    """Checks this machine's devices, the data files' headers and the base model.

    The corpus is checked if the approach pre-trains; no other approach reads it.

    Returns:
        What is allowed and yet should be known, a sentence each.

    Raises:
        InputError: No such device, no file, an empty one, a column that is not there, or a base model that is not there
            or cannot be used with this config.
    """
    check_local_devices(config.training.distribution)
    _check_data(config)
    if config.data.test_base is not None:
        _check_other_folder(TEST_BASE, config.data.test_base, config.row_format, config.data.test_label_place)
    if config.pretraining.corpus_base is not None and APPROACHES[config.model.approach].pretrains:
        _check_other_folder(
            CORPUS_BASE, config.pretraining.corpus_base, config.data.row_format.unlabelled(), IN_COLUMNS
        )
    return _check_base(config)


def serving_folder(config: Config, root: Path) -> str:
    """Returns the folder to which a run with this output root pushes its model."""
    folder = config.push.serving_dir or str(root / "serving")
    # Beam and Transform write absolute paths into the graph and the metadata; so it may not be relative.
    return folder if is_address(folder) else os.path.abspath(folder)


def check_bounds(config: Config) -> None:
    """Checks that the gate asks anything of the model.

    Raises:
        InputError: There is no bound, and the config does not say that this is meant.
    """
    if not config.gate.min_recall and not config.gate.allow_no_bounds:
        label = config.data.labels[-1]
        raise InputError(
            "gate.min_recall: no label has a bound, so any model would be pushed; give each label one, such as "
            f"{{{label}: 0.6}}, or set gate.allow_no_bounds to true"
        )


def check_baseline(config: Config, serving_dir: str) -> None:
    """Checks the model in production, with which the new one is to be compared.

    Args:
        config: What is to run.
        serving_dir: Where the model will be pushed.

    Raises:
        InputError: The folder is none, or the model in it cannot be compared with and the config does not say to go on.
    """
    if os.path.isfile(serving_dir):
        raise InputError(f"push.serving_dir: {serving_dir} is a file; name a folder")
    if config.gate.max_recall_drop is not None:
        find_baseline(
            serving_dir,
            config.data.labels,
            list(config.data.text_columns),
            task=MULTI_LABEL if config.data.multi_label else SINGLE_LABEL,
            accept_loss=config.gate.accept_baseline_loss,
        )


def _check_data(config: Config) -> None:
    data = config.data
    if is_address(data.input_base):  # ExampleGen looks there
        return
    _check_folder(INPUT_BASE, data.input_base, "name the folder and give the file's name as data.pattern")
    files = match_files(data.input_base, of_any_span(data.pattern))
    if not files:
        raise InputError(
            f"data.pattern: no file in {data.input_base!r} matches {data.pattern!r}; check both, or put a CSV there"
        )
    # An older span may have had other columns.
    newest = of_newest_spans(files, data.input_base, data.pattern, data.window)
    _check_files(newest, data.input_base, data.pattern, data.label_place, config.row_format, INPUT_BASE)


def _check_other_folder(key: str, folder: str, fmt: RowFormat, place: LabelPlace) -> None:
    if is_address(folder):
        return
    _check_folder(key, folder, "name the folder the file is in")
    pattern = other_pattern(place)
    files = match_files(folder, pattern)
    if not files:
        raise InputError("no file is in {folder!r}; put one there, or set it to null", field=key, folder=folder)
    _check_files(files, folder, pattern, place, fmt, key)


def _check_files(paths: list[str], folder: str, pattern: str, place: LabelPlace, fmt: RowFormat, key: str) -> None:
    files = as_data_files(paths, folder, pattern, place, 0, source=key)
    if not files:
        raise InputError("no file with texts is in {folder!r}; put it beside the labels", field=key, folder=folder)
    check_labels(files, fmt, key)
    for file in files:
        _check_file(file, fmt, key)


def _check_folder(key: str, folder: str, remedy_for_a_file: str) -> None:
    if os.path.isdir(folder):
        return
    remedy = (
        remedy_for_a_file
        if os.path.isfile(folder)
        else "name a folder of CSV files; a relative path starts at the current directory"
    )
    raise InputError("{folder!r} is not a folder; {remedy}", field=key, folder=folder, remedy=remedy)


def _check_file(file: DataFile, fmt: RowFormat, source: str) -> None:
    try:
        check_data_file(file, fmt, source)
    except OSError as error:
        raise InputError(
            "{file} cannot be read: {reason}; fix it, or take it away", field=source, file=file.name, reason=str(error)
        ) from error


def _check_base(config: Config) -> list[str]:
    folder: Path = resolve_base(config.model.base, config.model.revision)
    read_files(folder)
    check_weights(folder, pooler=config.head == "hf")
    if APPROACHES[config.model.approach].pretrains:
        check_masked_lm(folder)
    if config.data.text_pair_column is not None:
        check_pairs(folder)
    sizes = base_sizes(folder)
    longest = sizes["longest"]
    if config.model.max_length > longest:
        raise InputError(
            f"model.max_length: {config.model.max_length} is more than the {longest} positions that "
            f"{config.model.base} has; set it to {longest} or less"
        )
    _check_next_sentence(config, sizes)
    _check_unfreezing(config, sizes)
    note = old_head_note(folder, CONFIG_KEYS["base"])
    return [note] if note else []


def _check_next_sentence(config: Config, sizes: Sizes) -> None:
    if not (config.pretraining.next_sentence and APPROACHES[config.model.approach].pretrains):
        return
    if sizes["types"] < 2:
        raise InputError(
            f"pretraining.next_sentence: {config.model.base} cannot tell a first sentence from a second (its "
            "config.json has no type_vocab_size of 2 or more); set it to false, or name a base that can, such as "
            "bert-base-uncased, as model.base"
        )


def _check_unfreezing(config: Config, sizes: Sizes) -> None:
    per_epoch, epochs = config.training.unfreeze_layers_per_epoch, config.training.epochs
    if per_epoch is None:
        return
    groups, of = sizes["layers"], f"the {sizes['layers']} layers of {config.model.base}"
    if APPROACHES[config.model.approach].trains.encoder == "weights":
        groups += 1  # the embeddings join last, as one more layer (see trainer.optimization.rates)
        of += " and its embeddings"
    if groups > per_epoch * epochs:
        raise InputError(
            f"training.unfreeze_layers_per_epoch: {per_epoch} an epoch over {epochs} epochs leaves "
            f"{groups - per_epoch * epochs} of the {groups} ({of}) untrained; set it to {math.ceil(groups / epochs)} "
            "or more, or raise training.epochs"
        )
