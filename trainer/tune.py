"""The Tuner's `tuner_fn`: which learning rate does best on the eval split."""

from __future__ import annotations

import dataclasses
import gc
import json
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras_tuner
import tensorflow_transform as tft
import tf_keras
from tfx.components.tuner.component import TunerFnResult

from fullbake.contract.errors import DivergedError, InputError
from fullbake.contract.progress import tell
from fullbake.contract.setting_names import setting_names
from fullbake.trainer.data.reading import Texts, read_splits
from fullbake.trainer.devices.distribution import Placement, choose_placement
from fullbake.trainer.encoder.base_model import hash_base, open_base
from fullbake.trainer.epoch_checkpoints import checkpoint_folder
from fullbake.trainer.fine_tune import train_classifier
from fullbake.trainer.spec import TrainingSpec

if TYPE_CHECKING:
    from tfx.components.trainer.fn_args_utils import FnArgs

_SCORE_FILE = "score.json"


def tuner_fn(fn_args: FnArgs) -> TunerFnResult:
    """Makes the search for a learning rate.

    Args:
        fn_args: TFX's arguments. `custom_config` holds `spec`, a `TrainingSpec` as a dict, and `learning_rates`,
            the candidates; `transform_graph_path` is the Transform graph; `train_files` and `eval_files` its
            examples; `base_model` the base after further pre-training, or None; `working_dir` a folder for the
            search's own notes.

    Returns:
        The search and what it is called with. TFX runs it, then writes the best rate to `best_hyperparameters.txt`
        (`values.learning_rate`) and all candidates, the best first, to `tuner_results.json`.
    """
    spec = TrainingSpec.from_dict(fn_args.custom_config["spec"])
    base = Path(fn_args.base_model or open_base(spec.base, spec.revision, spec.base_hash))
    # Before anything else of TensorFlow's: workers can meet only then.
    placement = choose_placement(spec.distribution, spec.mixed_precision, base)
    search = LearningRateSearch(
        spec, placement, base, fn_args.custom_config["learning_rates"], folder=fn_args.working_dir
    )
    data = {
        "train_files": fn_args.train_files,
        "eval_files": fn_args.eval_files,
        "transform_output": fn_args.transform_graph_path,
    }
    return TunerFnResult(tuner=search, fit_kwargs=data)


class LearningRateSearch(keras_tuner.engine.base_tuner.BaseTuner):
    """Trains the same classifier once at each learning rate, all from the same start.

    The score is the task's, on the eval split, of the epoch whose weights are kept; of equal scores the lower rate
    wins. A rate at which training diverges scores 0.

    Args:
        spec: What to train, and how; its own learning rate is not used.
        placement: Where.
        base: The folder of the base model.
        rates: The candidates; they are tried from the lowest up.
        folder: Where the search keeps its notes.
    """

    def __init__(self, spec: TrainingSpec, placement: Placement, base: Path, rates: list[float], *, folder: str):
        space = keras_tuner.HyperParameters()
        # Ascending: keras-tuner's order of results is stable, so of equal scores the one that was first stays first.
        self.rates = sorted(set(rates))
        space.Choice("learning_rate", self.rates)
        oracle = keras_tuner.oracles.GridSearchOracle(
            objective=keras_tuner.Objective(spec.task.score, "max"),
            hyperparameters=space,
            # The grid ends by itself, but TFX writes as many results as this says.
            max_trials=len(self.rates),
            # What is not a divergence is a crash, and keras-tuner would pass over two of them in a row.
            max_consecutive_failed_trials=1,
        )
        oracle.verbose = 0
        super().__init__(oracle, directory=folder, project_name="learning_rate", overwrite=True)
        self.spec = spec
        self.placement = placement
        self.base = base

    def search(self, *, train_files: list[str], eval_files: list[str], transform_output: str) -> None:
        """Tries every rate.

        Args:
            train_files: Glob patterns of the examples that are learned.
            eval_files: Glob patterns of those that the rates are compared on.
            transform_output: The Transform graph.

        Raises:
            InputError: Training has diverged at every rate, or the data or the base model cannot be used.
        """
        self._diverged: list[DivergedError] = []
        self._unusable: InputError | None = None
        with tempfile.TemporaryDirectory(prefix="fullbake-") as scratch:
            transform = tft.TFTransformOutput(transform_output)
            train, evaluate = read_splits(
                train_files, eval_files, transform, Path(scratch), self.spec.task, self.spec.windows
            )
            inputs = [hash_base(self.base), train.digest(), evaluate.digest()]
            try:
                super().search(train=train, evaluate=evaluate, inputs=inputs, scratch=scratch)
            except RuntimeError:  # keras-tuner's, of the first error that is no divergence
                if self._unusable:
                    raise self._unusable from None
                raise
        if len(self._diverged) == len(self.rates):
            raise self._diverged[0]
        for rate in self.rates:
            if notes := self._notes(rate, inputs):
                shutil.rmtree(notes, ignore_errors=True)

    def run_trial(
        self,
        trial: Any,
        *,
        train: Texts,
        evaluate: Texts,
        inputs: list[str],
        scratch: str,
    ) -> float:
        """Trains at one rate and returns its score."""
        rate: float = trial.hyperparameters.get("learning_rate")
        name = f"learning rate {rate:g} ({self.rates.index(rate) + 1} of {len(self.rates)})"
        what = self.spec.task.score.replace("_", " ")
        notes = self._notes(rate, inputs)
        score = _kept_score(notes)
        if score is not None:
            tell(f"{name}: {what} {score:.4f}, found before the search was interrupted")
            return score
        tell(f"{name} begins")
        started = time.monotonic()
        diverged: DivergedError | None = None
        with tempfile.TemporaryDirectory(dir=scratch) as own:
            try:
                training = train_classifier(
                    dataclasses.replace(self.spec, learning_rate=rate),
                    self.placement,
                    self.base,
                    train,
                    evaluate,
                    scratch=Path(own),
                    checkpoints=notes,
                )[1]
                (best,) = (epoch for epoch in training.epochs if epoch.epoch == training.best_epoch)
                score = getattr(best, self.spec.score)
                found = f"{what} {score:.4f}"
            except DivergedError as error:
                # Without its traceback, which holds the frames of the training, hence the model.
                diverged, score, found = error.with_traceback(None), 0.0, error.text(setting_names())
            except InputError as error:
                self._unusable = error.with_traceback(None)
                raise
        _free_memory()
        tell(f"{name}: {found}, {time.monotonic() - started:.0f} s")
        if notes:
            shutil.rmtree(notes, ignore_errors=True)
        if diverged:
            self._diverged.append(diverged)
        elif notes:
            notes.mkdir(parents=True)
            # Renamed when whole: half a number is a number too.
            unfinished = notes / f".{_SCORE_FILE}.unfinished"
            unfinished.write_text(json.dumps(score), encoding="utf-8")
            unfinished.replace(notes / _SCORE_FILE)
        return score

    def _notes(self, rate: float, inputs: list[str]) -> Path | None:
        spec = dataclasses.replace(self.spec, learning_rate=rate)
        return checkpoint_folder(spec, ["tuning", *inputs])


def _kept_score(notes: Path | None) -> float | None:
    """The score that a search left before it was interrupted; None if there is none, or it was damaged since."""
    if notes is None:
        return None
    try:
        return float(json.loads((notes / _SCORE_FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _free_memory() -> None:
    # Keras keeps the graphs of every model until it is asked to forget them, and the objects of a model refer to each
    # other.
    tf_keras.backend.clear_session()
    gc.collect()
