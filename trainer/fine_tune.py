"""The Trainer's `run_fn`: from tokenized examples to an exported classifier."""

from __future__ import annotations

import dataclasses
import itertools
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from fullbake.contract.names import TRAINING_FILE
from fullbake.contract.progress import tell
from fullbake.contract.results.training import Epoch, Parameters, Training
from fullbake.contract.setting_names import setting_names
from fullbake.trainer.approaches import forgetting_warning
from fullbake.trainer.calibration import calibrate
from fullbake.trainer.data.reading import Texts, read_splits
from fullbake.trainer.decision import decide_thresholds
from fullbake.trainer.devices.distribution import Placement, choose_placement
from fullbake.trainer.encoder.base_model import hash_base, open_base
from fullbake.trainer.encoder.base_weights import old_head_note
from fullbake.trainer.encoder.encoder_shift import relative_shift
from fullbake.trainer.epoch_checkpoints import checkpoint_folder, remove_checkpoints
from fullbake.trainer.export import export_model, served_copy
from fullbake.trainer.fine_tuning_phase import kept_epoch, train_phase, trained_variables
from fullbake.trainer.models.classifier import Classifier
from fullbake.trainer.spec import TrainingSpec
from fullbake.trainer.tasks.table import SINGLE_LABEL
from fullbake.trainer.training_loop import prepared

if TYPE_CHECKING:
    from tfx.components.trainer.fn_args_utils import FnArgs


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
        tell("reading the tokenized texts")
        train, evaluate = read_splits(
            fn_args.train_files, fn_args.eval_files, transform, Path(scratch), spec.task, spec.windows
        )
        checkpoints = checkpoint_folder(spec, [hash_base(base), train.digest(), evaluate.digest()])
        classifier, training = train_classifier(
            spec,
            placement,
            base,
            train,
            evaluate,
            scratch=Path(scratch),
            logs=run_folder,
            checkpoints=checkpoints,
        )
        calibration = calibrate(spec, lambda: served_copy(classifier, spec, base), evaluate)
        temperature = None if calibration is None else calibration.temperature
        thresholds = decide_thresholds(spec, lambda: served_copy(classifier, spec, base, temperature), evaluate)
    tell("exporting the model")
    export_model(
        classifier,
        spec,
        transform,
        Path(fn_args.serving_model_dir),
        base=base,
        thresholds={label: threshold.value for label, threshold in thresholds.items()},
        temperature=temperature,
    )
    seconds = round(time.monotonic() - started, 1)
    decided = (
        {"decision_threshold": thresholds.get(spec.labels[1])}
        if spec.task is SINGLE_LABEL
        else {"decision_thresholds": thresholds}
    )
    training = training.model_copy(update={**decided, "calibration": calibration, "seconds": seconds})
    (run_folder / TRAINING_FILE).write_text(training.to_json(), encoding="utf-8")
    remove_checkpoints(checkpoints)


def train_classifier(
    spec: TrainingSpec,
    placement: Placement,
    base: Path,
    train: Texts,
    evaluate: Texts,
    *,
    scratch: Path,
    logs: Path | None = None,
    checkpoints: Path | None = None,
) -> tuple[Classifier, Training]:
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
        The trained classifier, and what is known of its training; the decision threshold and the time it all took are
        not known yet.
    """
    names = setting_names()
    warnings = [
        forgetting_warning(spec.row, spec.learning_rate, names["learning_rate"]),
        old_head_note(base, names["base"]),
    ]
    *before, last = spec.row.phases
    last = dataclasses.replace(last, learning_rate=spec.learning_rate)
    with prepared(spec, placement, checkpoints, section="training", what="training") as placement:
        tell("loading the base model")
        with placement.strategy.scope():
            classifier = Classifier.from_base(base, spec.head, spec.labels, pooling=spec.pooling, task=spec.task)
            if spec.row.adapters:
                classifier.encoder.adapt(spec.row.adapters)
        start = classifier.encoder.plain_weights()
        *probe_epochs, epochs = (
            train_phase(
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
    trained = trained_variables(classifier, last)
    training = Training(
        epochs=tuple(Epoch.model_validate(epoch) for epoch in epochs),
        probe_epochs=tuple(Epoch.model_validate(epoch) for epoch in itertools.chain(*probe_epochs)),
        best_epoch=kept_epoch(spec, epochs),
        parameters=Parameters(total=_count(classifier.variables), trainable=_count(list(trained.values()))),
        # Of the base's own weights: the report's bounds are for these, and do not hold for what adapters add.
        encoder_shift=(
            relative_shift(start, classifier.encoder.plain_weights()) if trained.keys() & start.keys() else {}
        ),
        approach=spec.approach,
        head=spec.head,
        learning_rate=spec.learning_rate,
        distribution=placement.found,
        precision=placement.policy,
        warnings=tuple(warning for warning in warnings if warning),
    )
    return classifier, training


def _count(variables: list[tf.Variable]) -> int:
    return int(sum(np.prod(variable.shape) for variable in variables))
