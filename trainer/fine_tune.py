"""The Trainer's ``run_fn``: from tokenized examples to an exported classifier."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
import tf_keras

from trainer.approaches import Approach, forgetting_warning
from trainer.base_model import resolve_base
from trainer.classifier import Classifier
from trainer.distribution import Placement, choose_placement, set_precision
from trainer.errors import InputError
from trainer.export import export_model
from trainer.frozen_features import EncodedSplit
from trainer.input_pipeline import Split, TokenizedSplit, evaluation_dataset, training_dataset
from trainer.learner import Learner
from trainer.optimizer import make_optimizer
from trainer.spec import TrainingSpec

if TYPE_CHECKING:
    from tfx.components.trainer.fn_args_utils import FnArgs

# Rows that are evaluated at once: at length 512 and 12 heads their attention scores take 400 MB.
EVALUATION_ROWS = 32
TRAINING_FILE = "training.json"


def run_fn(fn_args: FnArgs) -> None:
    """Fine-tunes a base model and exports it.

    Args:
      fn_args: TFX's arguments. ``custom_config["spec"]`` holds a ``TrainingSpec`` as a dict; ``transform_output`` the
        Transform graph; ``train_files`` and ``eval_files`` its examples. The SavedModel goes to
        ``serving_model_dir``; TensorBoard's logs and ``training.json`` to ``model_run_dir``.
    """
    spec = TrainingSpec.from_dict(fn_args.custom_config["spec"])
    # First of all: workers can meet only before TensorFlow does anything else.
    placement = choose_placement(spec.distribution, spec.mixed_precision)
    transform = tft.TFTransformOutput(fn_args.transform_output)
    run_folder = Path(fn_args.model_run_dir)
    run_folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fullbake-") as scratch:
        feature_spec = transform.transformed_feature_spec()
        train = TokenizedSplit.read(fn_args.train_files, feature_spec, Path(scratch, "train"))
        evaluate = TokenizedSplit.read(fn_args.eval_files, feature_spec, Path(scratch, "eval"))
        checkpoints = None
        if spec.checkpoints:
            inputs = json.dumps([spec.to_dict(), fn_args.train_files, fn_args.transform_output])
            checkpoints = Path(spec.checkpoints, hashlib.sha256(inputs.encode()).hexdigest()[:16])
        classifier, record = train_classifier(
            spec, placement, train, evaluate, scratch=Path(scratch), logs=run_folder, checkpoints=checkpoints
        )
    (run_folder / TRAINING_FILE).write_text(json.dumps(record, indent=1), encoding="utf-8")
    export_model(classifier, spec, transform, Path(fn_args.serving_model_dir))


def train_classifier(
    spec: TrainingSpec,
    placement: Placement,
    train: TokenizedSplit,
    evaluate: TokenizedSplit,
    *,
    scratch: Path,
    logs: Path | None = None,
    checkpoints: Path | None = None,
) -> tuple[Classifier, dict[str, Any]]:
    """Trains a classifier.

    Args:
      spec: what to train, and how.
      placement: where.
      train: the rows that are learned.
      evaluate: the rows that each epoch is measured on.
      scratch: a folder for the vectors of a frozen base.
      logs: where TensorBoard's logs go.
      checkpoints: where each epoch's state is kept until the training is complete, and found again if it was
        interrupted.

    Returns:
      The trained classifier, and what is known of its training: ``epochs`` (a list of measures), ``best_epoch``
      (whose weights were kept), ``parameters``, and what was chosen.
    """
    tf_keras.utils.set_random_seed(spec.seed)
    strategy = placement.strategy
    print(f"training on {placement.found}, in {placement.policy}", flush=True)
    warning = forgetting_warning(spec.row, spec.learning_rate)
    verbose = 1 if sys.stdout.isatty() else 2
    steps = -(-len(train) // spec.batch_size)

    set_precision(placement.policy)
    try:
        with strategy.scope():
            classifier = Classifier.from_base(resolve_base(spec.base, spec.revision), spec.head, spec.labels)
            trained = trained_variables(classifier, spec.row)
            network: tf_keras.Model = classifier
            data: tuple[Split, Split] = (train, evaluate)
            if not spec.row.base_is_trainable:
                network = classifier.head
                data = (
                    EncodedSplit.encode(classifier, train, scratch / "train.vectors", verbose=verbose),
                    EncodedSplit.encode(classifier, evaluate, scratch / "eval.vectors", verbose=verbose),
                )
            learner = Learner(
                network,
                list(trained.values()),
                num_labels=len(spec.labels),
                batch_size=spec.batch_size,
                class_weights=class_weights(spec.class_weights, train.labels, len(spec.labels)),
            )
            optimizer = make_optimizer(
                trained,
                learning_rate=spec.learning_rate,
                total_steps=steps * spec.epochs,
                warmup_fraction=spec.warmup_fraction,
                weight_decay=spec.weight_decay,
            )
            if placement.policy == "mixed_float16":
                optimizer = tf_keras.mixed_precision.LossScaleOptimizer(optimizer)
            # Else the first step makes the optimiser's variables, and TensorFlow traces it twice.
            optimizer.build(list(trained.values()))
            learner.compile(optimizer=optimizer)
        measures = _Measures()
        on_tpu = isinstance(strategy, tf.distribute.TPUStrategy)
        learner.fit(
            training_dataset(data[0], spec.batch_size, spec.seed, static_shapes=on_tpu),
            epochs=spec.epochs,
            steps_per_epoch=steps,
            validation_data=evaluation_dataset(data[1], EVALUATION_ROWS),
            callbacks=[measures, *_callbacks(spec, logs, checkpoints)],
            verbose=verbose,
        )
    finally:
        set_precision("float32")
    record = {
        "epochs": measures.epochs,
        "best_epoch": _kept_epoch(spec, measures.epochs),
        "parameters": {
            "total": _count(classifier.variables),
            "trainable": _count(list(trained.values())),
        },
        "approach": spec.approach,
        "head": spec.head,
        "learning_rate": spec.learning_rate,
        "distribution": placement.found,
        "precision": placement.policy,
        "warnings": [warning] if warning else [],
    }
    return classifier, record


def trained_variables(classifier: Classifier, approach: Approach) -> dict[str, tf.Variable]:
    """The variables that the approach trains, by path; statistics such as batch normalisation's means never are."""
    learnable = {id(variable) for variable in classifier.trainable_variables}
    return {
        path: variable
        for path, variable in classifier.paths().items()
        if approach.is_trained(path) and id(variable) in learnable
    }


def class_weights(kind: str, labels: np.ndarray, num_labels: int) -> list[float]:
    """What a row of each class weighs in the loss.

    Args:
      kind: ``none``: 1 each; ``balanced``: ``rows / (classes * rows of the class)``, so that each class weighs alike in
        sum and a row weighs 1 on average.
      labels: the class indices of the train split.
      num_labels: number of classes.
    """
    if kind == "none":
        return [1.0] * num_labels
    counts = np.bincount(labels, minlength=num_labels)
    return (len(labels) / (num_labels * np.maximum(counts, 1))).tolist()


class _Measures(tf_keras.callbacks.Callback):
    """Keeps what each epoch measured."""

    def __init__(self) -> None:
        super().__init__()
        self.epochs: list[dict[str, float]] = []

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._started = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        optimizer = self.model.optimizer
        measured = {name.replace("val_", "eval_"): float(value) for name, value in (logs or {}).items()}
        if not np.isfinite(measured["loss"]):
            raise InputError(
                f"training.learning_rate: the loss is {measured['loss']} in epoch {epoch + 1}, so the training has "
                "diverged; lower the rate"
            )
        rate = float(tf.convert_to_tensor(optimizer.learning_rate))
        seconds = round(time.monotonic() - self._started, 2)
        self.epochs.append({"epoch": epoch + 1, **measured, "learning_rate": rate, "seconds": seconds})


def _callbacks(spec: TrainingSpec, logs: Path | None, checkpoints: Path | None) -> list[tf_keras.callbacks.Callback]:
    chosen: list[tf_keras.callbacks.Callback] = []
    if spec.early_stopping_patience is not None:
        chosen.append(
            tf_keras.callbacks.EarlyStopping(
                "val_macro_recall",
                mode="max",
                patience=spec.early_stopping_patience,
                restore_best_weights=True,
                verbose=1,
            )
        )
    if logs is not None:
        chosen.append(tf_keras.callbacks.TensorBoard(os.fspath(logs), write_graph=False))
    if checkpoints is not None:
        chosen.append(tf_keras.callbacks.BackupAndRestore(os.fspath(checkpoints)))
    return chosen


def _kept_epoch(spec: TrainingSpec, epochs: list[dict[str, float]]) -> int:
    if spec.early_stopping_patience is None:
        return len(epochs)
    return int(np.argmax([epoch["eval_macro_recall"] for epoch in epochs])) + 1


def _count(variables: list[tf.Variable]) -> int:
    return int(sum(np.prod(variable.shape) for variable in variables))
