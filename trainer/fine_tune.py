"""The Trainer's `run_fn`: from tokenized examples to an exported classifier."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
import tf_keras

from fullbake.contract.errors import DivergedError, InputError
from fullbake.contract.names import TRAINING_FILE
from fullbake.trainer.approaches import Phase, forgetting_warning
from fullbake.trainer.data.frozen_features import FrozenEncoder
from fullbake.trainer.data.input_pipeline import Split, TokenizedSplit, evaluation_dataset, training_dataset
from fullbake.trainer.decision import Threshold, choose_threshold, measure_threshold, score_split
from fullbake.trainer.devices.allocator import keep_freed_memory
from fullbake.trainer.devices.distribution import Placement, choose_placement
from fullbake.trainer.devices.precision import set_precision
from fullbake.trainer.encoder.base_model import hash_base, open_base
from fullbake.trainer.encoder.base_weights import old_head_note
from fullbake.trainer.encoder.encoder_shift import relative_shift
from fullbake.trainer.epoch_checkpoints import EpochCheckpoints, Progress
from fullbake.trainer.export import export_model, served_copy
from fullbake.trainer.learner import Learner
from fullbake.trainer.models.classifier import Classifier
from fullbake.trainer.optimization.optimizer import make_optimizer
from fullbake.trainer.optimization.rates import Rate, encoder_depth, rate_of, rate_table
from fullbake.trainer.spec import PretrainingSpec, TrainingSpec

if TYPE_CHECKING:
    from tfx.components.trainer.fn_args_utils import FnArgs

# Rows that are evaluated at once: at length 512 and 12 heads their attention scores take 400 MB.
EVALUATION_ROWS = 32

_PLACES = ("base", "revision", "base_hash", "checkpoints", "vectors")


def run_fn(fn_args: FnArgs) -> None:
    """Fine-tunes a base model and exports it.

    Args:
        fn_args: TFX's arguments. `custom_config["spec"]` holds a `TrainingSpec` as a dict; `transform_output` the
            Transform graph; `train_files` and `eval_files` its examples; `base_model` the base after further
            pre-training, if there was one; `hyperparameters` what the Tuner found, if there was one. The SavedModel
            goes to `serving_model_dir`; TensorBoard's logs and `training.json` to `model_run_dir`.
    """
    spec = TrainingSpec.from_dict(fn_args.custom_config["spec"])
    if fn_args.hyperparameters:
        spec = dataclasses.replace(spec, learning_rate=fn_args.hyperparameters["values"]["learning_rate"])
    base = Path(fn_args.base_model or open_base(spec.base, spec.revision, spec.base_hash))
    # Before anything else of TensorFlow's: workers can meet only then.
    placement = choose_placement(spec.distribution, spec.mixed_precision, base)
    transform = tft.TFTransformOutput(fn_args.transform_output)
    run_folder = Path(fn_args.model_run_dir)
    run_folder.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="fullbake-") as scratch:
        train, evaluate = read_splits(fn_args.train_files, fn_args.eval_files, fn_args.transform_output, Path(scratch))
        checkpoints = checkpoint_folder(spec, [hash_base(base), train.digest(), evaluate.digest()])
        classifier, record = train_classifier(
            spec,
            placement,
            base,
            train,
            evaluate,
            scratch=Path(scratch),
            logs=run_folder,
            checkpoints=checkpoints,
        )
        threshold = _decide(spec, classifier, base, evaluate)
    record["decision_threshold"] = threshold.to_dict() if threshold else None
    export_model(
        classifier,
        spec,
        transform,
        Path(fn_args.serving_model_dir),
        base=base,
        threshold=threshold.value if threshold else None,
    )
    record["seconds"] = round(time.monotonic() - started, 1)
    (run_folder / TRAINING_FILE).write_text(json.dumps(record, indent=1), encoding="utf-8")
    remove_checkpoints(checkpoints)


def read_splits(
    train_files: list[str], eval_files: list[str], transform_output: str, scratch: Path
) -> tuple[TokenizedSplit, TokenizedSplit]:
    """Packs the train and the eval split below a scratch folder; see `TokenizedSplit.read`."""
    feature_spec = tft.TFTransformOutput(transform_output).transformed_feature_spec()
    return (
        TokenizedSplit.read(train_files, feature_spec, scratch / "train"),
        TokenizedSplit.read(eval_files, feature_spec, scratch / "eval"),
    )


def checkpoint_folder(spec: TrainingSpec | PretrainingSpec, inputs: list[str]) -> Path | None:
    """A folder for the checkpoints of one training, named by all that decides what is trained.

    Args:
        spec: How it is trained, and where all checkpoints are kept; None is returned where nowhere.
        inputs: The contents of what is trained and of what it is trained on: another training has another folder.
    """
    if spec.checkpoints is None:
        return None
    # Names and places decide nothing: the same files may have another path tomorrow, and others have this one.
    settings = {name: value for name, value in spec.to_dict().items() if name not in _PLACES}
    return Path(spec.checkpoints, hashlib.sha256(json.dumps([settings, *inputs]).encode()).hexdigest()[:16])


def remove_checkpoints(folder: Path | None) -> None:
    """Removes what `checkpoint_folder` named: the trained model is kept elsewhere now."""
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


def train_classifier(
    spec: TrainingSpec,
    placement: Placement,
    base: Path,
    train: TokenizedSplit,
    evaluate: TokenizedSplit,
    *,
    scratch: Path,
    logs: Path | None = None,
    checkpoints: Path | None = None,
) -> tuple[Classifier, dict[str, Any]]:
    """Trains a classifier.

    Args:
        spec: What to train, and how.
        placement: Where.
        base: The folder of the base model.
        train: The rows that are learned.
        evaluate: The rows that each epoch is measured on.
        scratch: A folder for the vectors of a frozen base, where `spec` names none.
        logs: Where TensorBoard's logs go.
        checkpoints: Where each epoch's state is kept, and found again if the training was interrupted; whoever keeps
            the trained classifier removes it. On one CPU device the classifier is then that of an undisturbed training,
            bit for bit.

    Returns:
        The trained classifier, and what is known of its training: `epochs` (a list of measures of the last phase),
        `probe_epochs` (those of the phase before it, if there is one), `best_epoch` (whose weights were kept),
        `parameters`, `encoder_shift` (see `trainer.encoder.encoder_shift`), and what was chosen.
    """
    tf_keras.utils.set_random_seed(spec.seed)
    placement = placement.as_begun(checkpoints)
    strategy = placement.strategy
    placement.check_accumulation("training", spec.gradient_accumulation_steps)
    print(f"training on {placement}", flush=True)
    warnings = [forgetting_warning(spec.row, spec.learning_rate), old_head_note(base)]
    keep_freed_memory()
    set_precision(placement.policy)
    try:
        with strategy.scope():
            classifier = Classifier.from_base(base, spec.head, spec.labels, pooling=spec.pooling)
        paths = classifier.paths()
        start = {path: v.numpy() for path, v in paths.items() if path.startswith("encoder/")}
        *before, last = spec.row.phases
        last = dataclasses.replace(last, learning_rate=spec.learning_rate)
        *probe_epochs, epochs = (
            _train_phase(
                spec,
                phase,
                placement,
                classifier,
                train,
                evaluate,
                scratch=scratch,
                logs=logs if phase is last else None,
                checkpoints=None if checkpoints is None else checkpoints / f"phase-{number}",
            )
            for number, phase in enumerate([*before, last])
        )
    finally:
        set_precision("float32")
    record = {
        "epochs": epochs,
        "probe_epochs": list(itertools.chain(*probe_epochs)),
        "best_epoch": _kept_epoch(spec, epochs),
        "parameters": {
            "total": _count(classifier.variables),
            "trainable": _count(list(trained_variables(classifier, last).values())),
        },
        "encoder_shift": relative_shift(start, paths) if last.base_is_trainable else {},
        "approach": spec.approach,
        "head": spec.head,
        "learning_rate": spec.learning_rate,
        "distribution": placement.found,
        "precision": placement.policy,
        "warnings": [warning for warning in warnings if warning],
    }
    return classifier, record


def _train_phase(
    spec: TrainingSpec,
    phase: Phase,
    placement: Placement,
    classifier: Classifier,
    train: TokenizedSplit,
    evaluate: TokenizedSplit,
    *,
    scratch: Path,
    logs: Path | None = None,
    checkpoints: Path | None = None,
) -> list[dict[str, float]]:
    verbose = 1 if sys.stdout.isatty() else 2
    steps = -(-len(train) // spec.step_rows)
    epochs = phase.epochs or spec.epochs
    with placement.strategy.scope():
        trained = trained_variables(classifier, phase)
        network: tf_keras.Model = classifier if phase.base_is_trainable else classifier.head
        learner = Learner(
            network,
            list(trained.values()),
            num_labels=len(spec.labels),
            batch_size=spec.step_rows,
            seed=spec.seed,
            accumulation_steps=spec.gradient_accumulation_steps,
            class_weights=class_weights(spec.class_weights, train.labels, len(spec.labels)),
        )
        optimizer: tf_keras.optimizers.Optimizer = make_optimizer(
            trained,
            learning_rate=phase.learning_rate,
            total_steps=steps * epochs,
            warmup_fraction=spec.warmup_fraction,
            weight_decay=spec.weight_decay,
            rates=variable_rates(spec, phase, classifier),
            steps_per_epoch=steps,
        )
        if placement.policy == "mixed_float16":
            optimizer = tf_keras.mixed_precision.LossScaleOptimizer(optimizer)
        learner.compile(optimizer=optimizer)
    progress = Progress()
    keep = EpochCheckpoints(checkpoints, learner, progress)
    keep.restore()
    if progress.epochs < epochs and not _stops(spec, progress.found):
        data: tuple[Split, Split] = (train, evaluate)
        if not phase.base_is_trainable:
            folder = Path(spec.vectors) if spec.vectors else scratch
            with placement.strategy.scope():
                encoder = FrozenEncoder(classifier, folder, dtype=spec.frozen_vectors, verbose=verbose)
                data = encoder.encode(train), encoder.encode(evaluate)
        learner.fit(
            training_dataset(
                data[0],
                spec.step_rows,
                spec.seed,
                static_shapes=placement.static_shapes,
                dealt=progress.epochs * steps,
            ),
            initial_epoch=progress.epochs,
            epochs=epochs,
            steps_per_epoch=steps,
            validation_data=evaluation_dataset(data[1], EVALUATION_ROWS),
            callbacks=[_Measures(spec, progress), *_tensorboard(logs), keep],
            verbose=verbose,
        )
    if progress.best is not None:
        with placement.strategy.scope():
            network.set_weights(progress.best)
    return progress.found


def trained_variables(classifier: Classifier, phase: Phase) -> dict[str, tf.Variable]:
    """The variables that a phase trains, by path; statistics such as batch normalisation's means never are."""
    learnable = {id(variable) for variable in classifier.trainable_variables}
    return {
        path: variable
        for path, variable in classifier.paths().items()
        if phase.is_trained(path) and id(variable) in learnable
    }


def variable_rates(spec: TrainingSpec, phase: Phase, classifier: Classifier) -> dict[str, Rate]:
    """The rate of each variable that a phase trains, by path (see `trainer.optimization.rates`)."""
    paths = classifier.paths()
    depth = encoder_depth(paths)
    if not depth and (spec.layer_decay != 1.0 or spec.unfreeze_layers_per_epoch is not None):
        raise InputError(
            "training.layer_decay, training.unfreeze_layers_per_epoch: no layers can be told apart in this base; leave "
            "both out, or take a bert, distilbert or electra"
        )
    table = (
        rate_table(
            phase,
            depth,
            head_multiplier=(spec.head_learning_rate or spec.learning_rate) / spec.learning_rate,
            layer_decay=spec.layer_decay,
            layers_per_epoch=spec.unfreeze_layers_per_epoch,
        )
        if phase.base_is_trainable
        else rate_table(phase, depth)
    )
    return {path: rate for path in paths if (rate := rate_of(path, table)) is not None}


def _decide(spec: TrainingSpec, classifier: Classifier, base: Path, evaluate: TokenizedSplit) -> Threshold | None:
    if spec.decision_threshold is None:
        return None
    probabilities = score_split(served_copy(classifier, spec, base), evaluate)[:, 1]
    if spec.decision_threshold == "auto":
        return choose_threshold(probabilities, evaluate.labels, spec.threshold_min_recall or 0.0)
    return measure_threshold(probabilities, evaluate.labels, float(spec.decision_threshold))


def class_weights(kind: str, labels: np.ndarray, num_labels: int) -> list[float]:
    """What a row of each class weighs in the loss.

    Args:
        kind: `none`: 1 each; `balanced`: `rows / (classes * rows of the class)`, so that each class weighs alike in
            sum and a row weighs 1 on average.
        labels: The class indices of the train split.
        num_labels: Number of classes.
    """
    if kind == "none":
        return [1.0] * num_labels
    counts = np.bincount(labels, minlength=num_labels)
    return (len(labels) / (num_labels * np.maximum(counts, 1))).tolist()


class _Measures(tf_keras.callbacks.Callback):
    """Keeps what each epoch measured, and the best weights of a training that may stop early; and stops it."""

    def __init__(self, spec: TrainingSpec, progress: Progress) -> None:
        super().__init__()
        self._spec = spec
        self._progress = progress

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._started = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        optimizer = self.model.optimizer
        measured = {name.replace("val_", "eval_"): float(value) for name, value in (logs or {}).items()}
        if not np.isfinite(measured["loss"]):
            raise DivergedError(
                f"training.learning_rate: the loss is {measured['loss']} in epoch {epoch + 1}, so the training has "
                "diverged; lower the rate"
            )
        rate = float(tf.convert_to_tensor(optimizer.learning_rate))
        seconds = round(time.monotonic() - self._started, 2)
        found = self._progress.found
        found.append({"epoch": epoch + 1, **measured, "learning_rate": rate, "seconds": seconds})
        if self._spec.early_stopping_patience is not None and _kept_epoch(self._spec, found) == epoch + 1:
            self._progress.best = self.model.network.get_weights()
        self.model.stop_training = _stops(self._spec, found)


def _tensorboard(logs: Path | None) -> list[tf_keras.callbacks.Callback]:
    return [] if logs is None else [tf_keras.callbacks.TensorBoard(os.fspath(logs), write_graph=False)]


def _stops(spec: TrainingSpec, epochs: list[dict[str, float]]) -> bool:
    """Whether so many epochs in a row were no better than the one before them that training ends early."""
    patience = spec.early_stopping_patience
    return patience is not None and bool(epochs) and len(epochs) - _kept_epoch(spec, epochs) >= patience


def _kept_epoch(spec: TrainingSpec, epochs: list[dict[str, float]]) -> int:
    if spec.early_stopping_patience is None:
        return int(epochs[-1]["epoch"])
    return int(max(epochs, key=lambda epoch: epoch["eval_macro_recall"])["epoch"])


def _count(variables: list[tf.Variable]) -> int:
    return int(sum(np.prod(variable.shape) for variable in variables))
