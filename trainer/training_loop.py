"""The one loop of all trainings: fine-tuning and each phase of it, further pre-training, each trial of the Tuner."""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import tensorflow as tf
import tf_keras

from fullbake.contract.errors import DivergedError
from fullbake.contract.progress import tell
from fullbake.trainer.devices.allocator import keep_freed_memory
from fullbake.trainer.devices.distribution import Placement
from fullbake.trainer.devices.precision import set_precision
from fullbake.trainer.epoch_checkpoints import EpochCheckpoints, Progress
from fullbake.trainer.fit_progress import FitProgress
from fullbake.trainer.optimization.optimizer import make_optimizer
from fullbake.trainer.optimization.rates import Rate
from fullbake.trainer.spec import PretrainingSpec, TrainingSpec


@dataclasses.dataclass(frozen=True)
class Schedule:
    """How fast the variables learn, over a whole training.

    Attributes:
        learning_rate: The peak rate.
        warmup_fraction: Part of the steps over which the rate rises.
        weight_decay: AdamW's decoupled decay.
        rates: By path, each variable's share of the rate and its first epoch; None: all learn at the same rate.
    """

    learning_rate: float
    warmup_fraction: float
    weight_decay: float
    rates: Mapping[str, Rate] | None = None


@dataclasses.dataclass(frozen=True)
class Batches:
    """What is dealt to a training.

    Attributes:
        train: An endless stream of training batches.
        evaluate: What is measured after each epoch, or None: a callback measures something else.
    """

    train: tf.data.Dataset
    evaluate: tf.data.Dataset | None = None


@dataclasses.dataclass(frozen=True)
class Job:
    """What one training is made of.

    Attributes:
        step: What Keras fits: its `train_step` is one optimiser step. Made under the strategy's scope, not compiled.
        trained: The variables that it trains, by path.
        schedule: How fast they learn.
        epochs: How often all rows are learned.
        steps: Optimiser steps of an epoch.
        batches: Makes the batches, from the number of those that were dealt before the training was interrupted.
        measures: Makes the callbacks that measure, and keep what they found in the given progress.
        is_over: Whether a training with this progress has ended before its last epoch.
    """

    step: tf_keras.Model
    trained: Mapping[str, tf.Variable]
    schedule: Schedule
    epochs: int
    steps: int
    batches: Callable[[int], Batches]
    measures: Callable[[Progress], list[tf_keras.callbacks.Callback]]
    is_over: Callable[[Progress], bool] = lambda progress: False


@contextlib.contextmanager
def prepared(
    spec: TrainingSpec | PretrainingSpec, placement: Placement, checkpoints: Path | None, *, section: str, what: str
) -> Iterator[Placement]:
    """Sets the process up for a training: seed, memory, precision. While this lasts, models of it can be made.

    Args:
        spec: How to train.
        placement: Where.
        checkpoints: Where the training keeps its state, and may have begun before; None: nowhere.
        section: Of the settings, `training` or `pretraining`, for messages.
        what: What it is called for people.

    Yields:
        Where to train: as the training was begun, if it was.

    Raises:
        InputError: The placement does not fit the spec, or nothing can be kept in the folder.
    """
    tf_keras.utils.set_random_seed(spec.seed)
    placement = placement.as_begun(checkpoints)
    placement.check_accumulation(section, spec.gradient_accumulation_steps)
    placement.check_windows(spec.windows)
    tell(f"{what} on {placement}")
    keep_freed_memory()
    set_precision(placement.policy)
    try:
        yield placement
    finally:
        set_precision("float32")


def run_job(job: Job, placement: Placement, checkpoints: Path | None) -> Progress:
    """Trains, from the last epoch that was kept.

    Args:
        job: What to train, and on what.
        placement: Where, as `prepared` returned it.
        checkpoints: Where each epoch's state is kept, and found again if the training was interrupted; None: nowhere.

    Returns:
        What was measured, and the best weights where the job's measures keep them.
    """
    with placement.strategy.scope():
        optimizer: tf_keras.optimizers.Optimizer = make_optimizer(
            job.trained,
            learning_rate=job.schedule.learning_rate,
            total_steps=job.steps * job.epochs,
            warmup_fraction=job.schedule.warmup_fraction,
            weight_decay=job.schedule.weight_decay,
            rates=job.schedule.rates,
            steps_per_epoch=job.steps,
        )
        if placement.policy == "mixed_float16":
            optimizer = tf_keras.mixed_precision.LossScaleOptimizer(optimizer)
        job.step.compile(optimizer=optimizer)
    progress = Progress()
    keep = EpochCheckpoints(checkpoints, job.step, progress)
    keep.restore()
    if progress.epochs < job.epochs and not job.is_over(progress):
        batches = job.batches(progress.epochs * job.steps)
        job.step.fit(
            batches.train,
            initial_epoch=progress.epochs,
            epochs=job.epochs,
            steps_per_epoch=job.steps,
            validation_data=batches.evaluate,
            callbacks=[*job.measures(progress), FitProgress(job.epochs, job.steps), keep],
            verbose=0,
        )
    return progress


def steps_of_epoch(rows: int, spec: TrainingSpec | PretrainingSpec) -> int:
    """Optimiser steps over so many rows; the last one may have fewer rows than the others."""
    return -(-rows // spec.step_rows)


def check_loss(loss: float, section: str, when: str) -> None:
    """Raises DivergedError where a loss is no number any more.

    Args:
        loss: The loss.
        section: Of the settings, whose `learning_rate` was too high.
        when: In which epoch or at which step, for people.
    """
    if not math.isfinite(loss):
        raise DivergedError(
            "the loss is {loss} {when}, so the training has diverged; lower the rate",
            field=f"{section}_learning_rate",
            loss=loss,
            when=when,
        )
