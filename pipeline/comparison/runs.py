"""Trains approaches on the same data, each with several seeds, and compares what they decide on the same test rows."""

from __future__ import annotations

import contextlib
import gc
import hashlib
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_text  # noqa: F401  (the served graph holds its ops)
import tf_keras
from tfx.types import artifact_utils
from tfx.types.standard_artifacts import Examples
from tfx.utils import path_utils

from fullbake.contract.errors import InputError
from fullbake.contract.names import (
    CORPUS_SPLIT,
    EXAMPLES_SIGNATURE,
    LABEL,
    LABEL_OUTPUT,
    LABELS_SEPARATOR,
    MASKED_LABEL,
    SLAB_ROWS,
    TEST_SPLIT,
)
from fullbake.contract.progress import Activity
from fullbake.pipeline.captured_output import captured_output
from fullbake.pipeline.comparison.comparison import Comparison
from fullbake.pipeline.comparison.markdown import to_markdown
from fullbake.pipeline.comparison.outcome import Outcome
from fullbake.pipeline.comparison.page import render_page
from fullbake.pipeline.component_log import ComponentLog
from fullbake.pipeline.config.config import Config
from fullbake.pipeline.local_runner import train_locally
from fullbake.pipeline.preflight import check_inputs
from fullbake.pipeline.run_record import RunRecord
from fullbake.trainer.approaches import APPROACHES

# What is compared unless --approach names others.
FOUNDING_APPROACHES = ("further_pretrain", "fine_tune", "frozen")
COMPARISON_FOLDER = "comparison"
_TRAINING_COMPONENTS = ("Pretrainer", "Tuner", "Trainer")
_SEEDS = 2**32  # as many as training.seed of the config can be, which are NumPy's


def compare_approaches(
    config: Config,
    root: Path,
    *,
    approaches: Sequence[str],
    seeds: int,
    on_training: Callable[[str, int, int, int], None],
    on_component: Callable[[str, float | None], None],
    on_warning: Callable[[str], None],
    on_activity: Callable[[Activity], None] = lambda activity: None,
    capture: bool = False,
) -> Comparison:
    """Trains each approach with each seed and compares what they decide.

    All trainings share one output root, so that what they have in common is made once: the examples, the tokens, and
    for each seed the further pre-trained base. With `pretraining.corpus_base` the examples, their statistics and the
    tokens are made twice, with the corpus for approaches that pre-train and without it for the others. What was trained
    before an interruption, by this or by a single run, is not trained again.

    Args:
        config: The data, and the settings of its own approach (see `variant`).
        root: The output root; `comparison/` in it gets `comparison.html`, `.md` and `.json`.
        approaches: Keys of `trainer.approaches.APPROACHES`.
        seeds: How many; the first is the config's, the next one more.
        on_training: Called with approach, seed, number and count before each training.
        on_component: As in `pipeline.local_runner.run_locally`.
        on_warning: Likewise.
        on_activity: Likewise.
        capture: Likewise, of all that is called.

    Raises:
        InputError: The data or the base model cannot be used, the last seed is too great, or the data changed on the
            way, so that not all were trained and judged on the same rows.
    """
    if config.training.seed + seeds > _SEEDS:
        raise InputError(
            f"--seeds {seeds}: counted from training.seed ({config.training.seed}) they go beyond {_SEEDS - 1:,}, the "
            "greatest there is; take a smaller training.seed or fewer seeds"
        )
    # Seed by seed: after the first round each approach has been seen.
    variants = [
        variant(config, approach, config.training.seed + number) for number in range(seeds) for approach in approaches
    ]
    for each in variants[: len(approaches)]:
        check_inputs(each)
    folder = root.absolute() / COMPARISON_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    outcomes: dict[tuple[str, int], Outcome] = {}
    truth = np.zeros((0, 0), np.int8)
    first_rows = None
    log_file = folder / "run.log"
    with (
        captured_output(log_file) if capture else contextlib.nullcontext(),
        ComponentLog(log_file, config.beam.args, on_component, on_warning, on_activity),
    ):
        for number, each in enumerate(variants, 1):
            approach, seed = each.model.approach, each.training.seed
            on_training(approach, seed, number, len(variants))
            record = train_locally(each, root)
            rows = _rows(record)
            first_rows = first_rows or rows
            if rows != first_rows:
                raise InputError(_changed(config, approach, seed))
            truth, outcomes[approach, seed] = _outcome(each, record)
            tf_keras.backend.clear_session()
            gc.collect()
    in_order = [outcome for name in approaches for (approach, _), outcome in outcomes.items() if approach == name]
    comparison = Comparison(config.data.labels, truth, in_order)
    _write(folder, "comparison.json", json.dumps(comparison.to_dict(), indent=1, ensure_ascii=False))
    _write(folder, "comparison.md", to_markdown(comparison))
    _write(folder, "comparison.html", render_page(comparison, config.name, config.to_yaml()))
    return comparison


def variant(config: Config, approach: str, seed: int) -> Config:
    """Returns the same config with another approach and seed.

    What the config says of rates is meant for its own approach: an approach that trains something else of the base
    takes its own rate, and is not tuned. A head is kept by the config's own approach only.

    Args:
        config: The config of the comparison.
        approach: A key of `trainer.approaches.APPROACHES`.
        seed: Of the training.
    """
    values: dict[str, Any] = config.model_dump()
    values["model"]["approach"] = approach
    values["training"]["seed"] = seed
    if approach != config.model.approach:
        values["model"]["head"] = None
    if APPROACHES[approach].trains.encoder != APPROACHES[config.model.approach].trains.encoder:
        for key in ("learning_rate", "head_learning_rate", "layer_decay", "unfreeze_layers_per_epoch"):
            del values["training"][key]
        del values["tuning"]
    return Config.model_validate(values)


def _examples(record: RunRecord) -> Examples:
    examples = Examples()
    examples.set_mlmd_artifact(record.artifacts["CsvExampleGen"]["examples"])
    return examples


def _rows(record: RunRecord) -> str:
    """Returns the fingerprint of the labelled rows, those that are trained on and those that are judged on."""
    examples = _examples(record)
    # Only approaches that pre-train read the corpus.
    splits = [split for split in artifact_utils.decode_split_names(examples.split_names) if split != CORPUS_SPLIT]
    return fingerprint([artifact_utils.get_split_uri([examples], split) for split in splits])


def _changed(config: Config, approach: str, seed: int) -> str:
    keys = "data.input_base" if config.data.test_base is None else "data.input_base or data.test_base"
    return (
        f"{keys}: the files changed while the approaches were trained, so that {approach} with seed {seed} got other "
        "rows than the trainings before it; leave the files as they are and run compare again"
    )


def _outcome(config: Config, record: RunRecord) -> tuple[np.ndarray, Outcome]:
    """Returns the labels of each test row, and what the trained model decides."""
    model = path_utils.serving_model_path(record.artifacts["Trainer"]["model"].uri)
    split = artifact_utils.get_split_uri([_examples(record)], TEST_SPLIT)
    truth, decided = decide(model, split, config.data.labels, multi_label=config.data.multi_label)
    training = record.training
    if training.parameters is None or training.learning_rate is None:
        raise ValueError(f"{training.FILE}: lacks parameters or learning_rate")
    return truth, Outcome(
        approach=config.model.approach,
        seed=config.training.seed,
        decided=decided,
        seconds={name: record.spent[name] for name in _TRAINING_COMPONENTS if name in record.spent},
        trainable=training.parameters.trainable,
        total=training.parameters.total,
        learning_rate=training.learning_rate,
    )


def decide(model: str, split: str, labels: Sequence[str], *, multi_label: bool) -> tuple[np.ndarray, np.ndarray]:
    """Runs a model's serving graph over the raw examples of a split.

    Args:
        model: A SavedModel of `trainer.export`.
        split: A folder of gzip-compressed TFRecords with `text` and `label`.
        labels: The labels in the order of their class index.
        multi_label: Whether a row can have any number of them.

    Returns:
        For each row, in the order of the files, its labels as of `Comparison`, and those decided as of `Outcome`.
    """
    loaded = tf.saved_model.load(model)  # kept: its variables live as long as it does
    serve = loaded.signatures[EXAMPLES_SIGNATURE]
    features = {name: tf.io.RaggedFeature(tf.string) for name in (LABEL, MASKED_LABEL)}
    truth: list[np.ndarray] = []
    decided: list[np.ndarray] = []
    for serialized in _batches(split):
        parsed = tf.io.parse_example(serialized, features)
        served = serve(examples=serialized)[LABEL_OUTPUT]
        has_label, masked = (_matrix(parsed[name], labels) for name in (LABEL, MASKED_LABEL))
        truth.append(has_label.astype(np.int8) - masked)
        decided.append(_matrix(tf.strings.split(served, LABELS_SEPARATOR) if multi_label else served[:, None], labels))
    return np.concatenate(truth), np.concatenate(decided)


def _matrix(names: tf.Tensor | tf.RaggedTensor, labels: Sequence[str]) -> np.ndarray:
    """Says which labels are among the names of each row: bool `(rows, labels)`."""
    dense = names.to_tensor("") if isinstance(names, tf.RaggedTensor) else names
    found: np.ndarray = tf.reduce_any(dense[:, :, None] == tf.constant(list(labels)), axis=1).numpy()
    return found


def fingerprint(splits: Sequence[str]) -> str:
    """Returns a fingerprint that is the same only for the same rows in the same order.

    Args:
        splits: Folders of gzip-compressed TFRecords.

    Returns:
        A SHA-256 over the serialized examples, in the order in which `decide` reads them, in hexadecimal digits.
    """
    whole = hashlib.sha256()
    for split in splits:
        rows = hashlib.sha256()
        for serialized in _batches(split):
            for row in serialized.numpy():
                # Of each row its own hash: they are all equally long, so no row can lend bytes to the next.
                rows.update(hashlib.sha256(row).digest())
        whole.update(rows.digest())
    return whole.hexdigest()


def _batches(split: str) -> tf.data.Dataset:
    files = sorted(tf.io.gfile.glob(os.path.join(split, "*")))
    return tf.data.TFRecordDataset(files, compression_type="GZIP").batch(SLAB_ROWS)


def _write(folder: Path, name: str, text: str) -> None:
    # Renamed when whole: a comparison that is looked at while it is made again is never half a page.
    unfinished = folder / f".{name}.unfinished"
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(folder / name)
