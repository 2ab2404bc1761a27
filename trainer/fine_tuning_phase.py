"""One phase of a fine-tuning: which variables it trains, on which data, and what it measures."""

from __future__ import annotations

import os
import time
from pathlib import Path

import tensorflow as tf
import tf_keras

from fullbake.contract.errors import InputError
from fullbake.trainer.approaches import Phase
from fullbake.trainer.data.frozen_features import FrozenEncoder
from fullbake.trainer.data.input_pipeline import Split, evaluation_dataset, training_dataset
from fullbake.trainer.data.reading import Texts
from fullbake.trainer.data.windowed_split import TokenizedWindows
from fullbake.trainer.devices.distribution import Placement
from fullbake.trainer.encoder.families import FAMILIES
from fullbake.trainer.encoder.layers import ENCODER
from fullbake.trainer.epoch_checkpoints import Progress
from fullbake.trainer.models.classifier import Classifier
from fullbake.trainer.models.classifier_step import ClassifierStep
from fullbake.trainer.models.window_pooling import over_windows
from fullbake.trainer.optimization.rates import Rate, rates_of
from fullbake.trainer.spec import TrainingSpec
from fullbake.trainer.training_loop import Batches, Job, Schedule, check_loss, run_job, steps_of_epoch

# Windows, or rows of one, that are evaluated at once: at length 512 and 12 heads their attention scores take 400 MB.
EVALUATION_WINDOWS = 32


def train_phase(
    spec: TrainingSpec,
    phase: Phase,
    placement: Placement,
    classifier: Classifier,
    learned: Texts,
    measured: Texts,
    *,
    scratch: Path,
    logs: Path | None = None,
    checkpoints: Path | None = None,
) -> list[dict[str, float]]:
    """Trains a classifier for one phase; the arguments are those of `trainer.fine_tune.train_classifier`.

    Returns:
        What each epoch measured.
    """
    trained = trained_variables(classifier, phase)
    trains_encoder = any(path.startswith(ENCODER) for path in trained)
    num_labels = len(spec.labels)
    with placement.strategy.scope():
        network = over_windows(classifier if trains_encoder else classifier.head, spec.windows)
        step = ClassifierStep(
            network,
            list(trained.values()),
            task=spec.task,
            num_labels=num_labels,
            batch_size=spec.step_rows,
            seed=spec.seed,
            accumulation_steps=spec.gradient_accumulation_steps,
            class_weights=spec.task.class_weights(spec.class_weights, learned.labels, num_labels),
        )

    def batches(dealt: int) -> Batches:
        data: tuple[Split, Split] = (learned, measured)
        if not trains_encoder:
            folder = Path(spec.vectors) if spec.vectors else scratch
            with placement.strategy.scope():
                encoder = FrozenEncoder(classifier, folder, dtype=spec.frozen_vectors)
                data = _encoded(encoder, learned), _encoded(encoder, measured)
        return Batches(
            training_dataset(data[0], spec.step_rows, spec.seed, static_shapes=placement.static_shapes, dealt=dealt),
            evaluation_dataset(data[1], EVALUATION_WINDOWS),
        )

    job = Job(
        step=step,
        trained=trained,
        schedule=Schedule(
            phase.learning_rate,
            spec.warmup_fraction,
            spec.weight_decay,
            variable_rates(spec, classifier, list(trained)),
        ),
        epochs=phase.epochs or spec.epochs,
        steps=steps_of_epoch(len(learned), spec),
        batches=batches,
        measures=lambda progress: [_Measures(spec, progress), *_tensorboard(logs)],
        is_over=lambda progress: stops(spec, progress.found),
    )
    progress = run_job(job, placement, checkpoints)
    if progress.best is not None:
        with placement.strategy.scope():
            network.set_weights(progress.best)
    return progress.found


def _encoded(encoder: FrozenEncoder, texts: Texts) -> Split:
    if isinstance(texts, TokenizedWindows):
        return texts.over(encoder.encode(texts.windows))
    return encoder.encode(texts)


def trained_variables(classifier: Classifier, phase: Phase) -> dict[str, tf.Variable]:
    """The variables that a phase trains, by path; statistics such as batch normalisation's means never are."""
    learnable = {id(variable) for variable in classifier.trainable_variables}
    return {
        path: variable
        for path, variable in classifier.paths().items()
        if phase.trains.includes(path) and id(variable) in learnable
    }


def variable_rates(spec: TrainingSpec, classifier: Classifier, trained: list[str]) -> dict[str, Rate]:
    """The rate of each variable that is trained, by path.

    Args:
        spec: How to train.
        classifier: What to train.
        trained: The paths of the variables that are.

    Raises:
        InputError: The spec tells layers apart, and the encoder's cannot be.
    """
    if not classifier.encoder.depth and (spec.layer_decay != 1.0 or spec.unfreeze_layers_per_epoch is not None):
        *others, last = FAMILIES
        raise InputError(
            "{layer_decay}, {unfreeze_layers_per_epoch}: no layers can be told apart in this base; leave both out, or "
            "take a {others} or {last}",
            others=", ".join(others),
            last=last,
        )
    if not any(path.startswith(ENCODER) for path in trained):
        return {path: Rate() for path in trained}  # the phase has a rate of its own for the head alone
    return rates_of(
        trained,
        classifier.encoder.below_top,
        head_multiplier=(spec.head_learning_rate or spec.learning_rate) / spec.learning_rate,
        layer_decay=spec.layer_decay,
        layers_per_epoch=spec.unfreeze_layers_per_epoch,
    )


def stops(spec: TrainingSpec, epochs: list[dict[str, float]]) -> bool:
    """Whether so many epochs in a row were no better than the one before them that training ends early."""
    patience = spec.early_stopping_patience
    return patience is not None and bool(epochs) and len(epochs) - kept_epoch(spec, epochs) >= patience


def kept_epoch(spec: TrainingSpec, epochs: list[dict[str, float]]) -> int:
    """The epoch, from 1, whose weights are kept: the last, or with early stopping the best."""
    if spec.early_stopping_patience is None:
        return int(epochs[-1]["epoch"])
    return int(max(epochs, key=lambda epoch: epoch[spec.score])["epoch"])


class _Measures(tf_keras.callbacks.Callback):
    """Keeps what each epoch measured, and the best weights of a training that may stop early; and stops it."""

    def __init__(self, spec: TrainingSpec, progress: Progress) -> None:
        super().__init__()
        self._spec = spec
        self._progress = progress

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._started = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        measured = {name.replace("val_", "eval_"): float(value) for name, value in (logs or {}).items()}
        check_loss(measured["loss"], "training", f"in epoch {epoch + 1}")
        rate = float(tf.convert_to_tensor(self.model.optimizer.learning_rate))
        seconds = round(time.monotonic() - self._started, 2)
        found = self._progress.found
        found.append({"epoch": epoch + 1, **measured, "learning_rate": rate, "seconds": seconds})
        if self._spec.early_stopping_patience is not None and kept_epoch(self._spec, found) == epoch + 1:
            self._progress.best = self.model.network.get_weights()
        self.model.stop_training = stops(self._spec, found)


def _tensorboard(logs: Path | None) -> list[tf_keras.callbacks.Callback]:
    return [] if logs is None else [tf_keras.callbacks.TensorBoard(os.fspath(logs), write_graph=False)]
