"""The Pretrainer's `run_fn`: further masked-LM training of the base, on the task's own text."""

from __future__ import annotations

import dataclasses
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
import tf_keras

from fullbake.contract.names import PRETRAINING_FILE
from fullbake.contract.progress import tell
from fullbake.contract.results.pretraining import Perplexity, Pretraining
from fullbake.trainer.data.input_pipeline import Split, TokenizedSplit, evaluation_dataset, training_dataset
from fullbake.trainer.data.masking import Masker, Vocabulary
from fullbake.trainer.data.next_sentence import SentencePairs
from fullbake.trainer.data.reading import read_splits, windows_of
from fullbake.trainer.devices.distribution import Placement, choose_placement
from fullbake.trainer.encoder.base_model import hash_base, open_base
from fullbake.trainer.encoder.encoder_shift import relative_shift
from fullbake.trainer.epoch_checkpoints import Progress, checkpoint_folder, remove_checkpoints
from fullbake.trainer.models.masked_lm import MaskedLanguageModel, masked_losses
from fullbake.trainer.spec import PretrainingSpec
from fullbake.trainer.training_loop import Batches, Job, Schedule, check_loss, prepared, run_job, steps_of_epoch

if TYPE_CHECKING:
    from tfx.components.trainer.fn_args_utils import FnArgs

# Sun et al. 2019, section 5.4; weight decay as in Devlin et al. 2018.
WARMUP_FRACTION = 0.1
WEIGHT_DECAY = 0.01
# A new head learns the frequencies of words within so many steps; what the perplexity falls after that, the encoder
# learned from the text.
EARLY_STEPS = 200
# Rows that are measured at once.
EVALUATION_ROWS = 32


def run_fn(fn_args: FnArgs) -> None:
    """Trains a base model further and writes it in Hugging Face's format.

    Args:
        fn_args: TFX's arguments. `custom_config["spec"]` holds a `PretrainingSpec` as a dict; `train_files` the
            examples that are learned, those of an unlabelled corpus among them; `eval_files` those that are measured
            only. The model goes to `serving_model_dir`, `pretraining.json` to `model_run_dir`.
    """
    spec = PretrainingSpec.from_dict(fn_args.custom_config["spec"])
    base = open_base(spec.base, spec.revision, spec.base_hash)
    placement = choose_placement(spec.distribution, spec.mixed_precision, base)
    run_folder = Path(fn_args.model_run_dir)
    run_folder.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="fullbake-") as scratch:
        tell("reading the tokenized texts")
        transform = tft.TFTransformOutput(fn_args.transform_output)
        texts, measured = read_splits(
            fn_args.train_files, fn_args.eval_files, transform, Path(scratch), windows=spec.windows
        )
        train, evaluate = windows_of(texts), windows_of(measured)
        checkpoints = checkpoint_folder(spec, [hash_base(base), train.digest(), evaluate.digest()])
        model, pretraining = pretrain(spec, placement, base, train, evaluate, checkpoints=checkpoints)
    tell("writing the base that was trained further")
    model.encoder.write(base, Path(fn_args.serving_model_dir), more=model.encoder.left_out(base))
    seconds = round(time.monotonic() - started, 1)
    pretraining = pretraining.model_copy(update={"rows": len(texts), "seconds": seconds})
    (run_folder / PRETRAINING_FILE).write_text(pretraining.to_json(), encoding="utf-8")
    remove_checkpoints(checkpoints)


def pretrain(
    spec: PretrainingSpec,
    placement: Placement,
    base: Path,
    train: TokenizedSplit,
    evaluate: TokenizedSplit,
    *,
    checkpoints: Path | None = None,
) -> tuple[MaskedLanguageModel, Pretraining]:
    """Trains a base model further.

    Args:
        spec: How.
        placement: Where.
        base: The folder of the base model.
        train: The texts that are learned.
        evaluate: The texts whose hidden tokens measure it: the same ones each time.
        checkpoints: Where each epoch's state is kept, and found again if the training was interrupted; whoever keeps
            the trained model removes it. On one CPU device the model is then that of an undisturbed training, bit for
            bit.

    Returns:
        The trained model, and what is known of its training, but for the time it took. It was measured before any
        training, after `EARLY_STEPS` and after each epoch.

    Raises:
        InputError: The base has no masked-LM head here, or the training has diverged.
    """
    steps = steps_of_epoch(len(train), spec)
    with prepared(spec, placement, checkpoints, section="pretraining", what="further pre-training") as placement:
        tell("loading the base model")
        with placement.strategy.scope():
            model = MaskedLanguageModel.from_base(
                base,
                next_sentence=spec.next_sentence,
                accumulation_steps=spec.gradient_accumulation_steps,
                seed=spec.seed,
            )
        start = model.encoder.plain_weights()
        vocabulary = Vocabulary.read(base)
        masker = Masker(vocabulary, spec.mask_probability, spec.whole_word, spec.seed, placement.static_shapes)

        def batches(dealt: int) -> Batches:
            rows: Split = train
            if spec.next_sentence:
                rows = SentencePairs(train, vocabulary, spec.seed, fixed=False, dealt=dealt)
            learned = training_dataset(
                rows, spec.step_rows, spec.seed, static_shapes=placement.static_shapes, dealt=dealt
            )
            return Batches(_masked(learned, masker, dealt).prefetch(tf.data.AUTOTUNE))

        def measures(progress: Progress) -> list[tf_keras.callbacks.Callback]:
            rows: Split = evaluate
            if spec.next_sentence:
                rows = SentencePairs(evaluate, vocabulary, spec.seed, fixed=True)
            masks = dataclasses.replace(masker, static_shapes=False)
            measure = _measurer(model, _masked(evaluation_dataset(rows, EVALUATION_ROWS), masks))
            return [_Perplexity(measure, steps, progress)]

        job = Job(
            step=model,
            trained={variable.name.removesuffix(":0"): variable for variable in model.trainable_variables},
            schedule=Schedule(spec.learning_rate, WARMUP_FRACTION, WEIGHT_DECAY),
            epochs=spec.epochs,
            steps=steps,
            batches=batches,
            measures=measures,
        )
        progress = run_job(job, placement, checkpoints)
    pretraining = Pretraining(
        evaluations=tuple(Perplexity.model_validate(found) for found in progress.found),
        new_head=model.encoder.new_head,
        rows=len(train),
        parameters=int(sum(np.prod(variable.shape) for variable in model.trainable_variables)),
        encoder_shift=relative_shift(start, model.encoder.plain_weights()),
        learning_rate=spec.learning_rate,
        distribution=placement.found,
        precision=placement.policy,
    )
    return model, pretraining


def _masked(batches: tf.data.Dataset, masker: Masker, dealt: int = 0) -> tf.data.Dataset:
    # Batches are numbered through all epochs, so each epoch has masks of its own, also after an interruption.
    numbers = tf.data.Dataset.counter(dealt)
    return tf.data.Dataset.zip((numbers, batches)).map(
        lambda number, batch: masker(number, batch[0]), num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
    )


def _measurer(model: MaskedLanguageModel, batches: tf.data.Dataset) -> Callable[[], float]:
    """Makes a function that measures the mean loss over all hidden tokens; not Keras's, which would reset `fit`'s."""

    @tf.function(input_signature=[batches.element_spec], autograph=False)
    def losses_of(batch: dict[str, tf.Tensor]) -> tf.Tensor:
        scores, _ = model(batch, training=False)
        return tf.reduce_sum(masked_losses(scores, batch))

    def measure() -> float:
        total = guesses = 0.0
        for batch in batches:
            total += float(losses_of(batch))
            guesses += float(tf.reduce_sum(batch["weights"]))
        return total / max(guesses, 1.0)

    return measure


class _Perplexity(tf_keras.callbacks.Callback):
    """Measures the perplexity on the eval split before training, early in it, and after each epoch.

    Args:
        measure: Returns the loss in nats.
        steps: Steps of an epoch.
        progress: Keeps the measures.
    """

    def __init__(self, measure: Callable[[], float], steps: int, progress: Progress):
        super().__init__()
        self._measure = measure
        self._steps = steps
        self._done = 0
        self._progress = progress

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        if not self._progress.found:
            self._evaluate(0)

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._done = epoch * self._steps

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self._done += 1
        # At the end of an epoch it is measured anyway.
        if self._done == EARLY_STEPS and self._done % self._steps:
            self._evaluate(self._done)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._evaluate(self._done)

    def _evaluate(self, step: int) -> None:
        loss = self._measure()
        check_loss(loss, "pretraining", f"at step {step}")
        epoch = round(step / self._steps, 3)
        perplexity = float(np.exp(loss))
        self._progress.found.append({"step": step, "epoch": epoch, "loss": loss, "perplexity": perplexity})
        tell(f"step {step} (epoch {epoch:g}): perplexity {perplexity:,.1f} on the eval split")
