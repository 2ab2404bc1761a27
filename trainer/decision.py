"""The thresholds from which labels are decided: chosen on the eval split, or given by the config and measured there."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf
import tf_keras

from fullbake.contract.errors import InputError
from fullbake.contract.progress import tell
from fullbake.contract.results.training import Threshold
from fullbake.trainer.data.input_pipeline import Split, batches_by_length
from fullbake.trainer.data.reading import Texts
from fullbake.trainer.models.classifier import Classifier
from fullbake.trainer.models.window_pooling import over_windows
from fullbake.trainer.spec import TrainingSpec
from fullbake.trainer.tasks.table import SINGLE_LABEL, Task

# TensorFlow's CPU kernels take smaller float32 numbers for zero, so no threshold may lie below.
_LEAST = float(np.finfo(np.float32).tiny)


def decide_thresholds(spec: TrainingSpec, served: Callable[[], Classifier], evaluate: Texts) -> dict[str, Threshold]:
    """Chooses the thresholds that a spec asks for, or measures the one it names.

    Args:
        spec: How the classifier was made.
        served: Makes the classifier as it is served.
        evaluate: The rows that they are chosen or measured on.

    Returns:
        By label; of two classes, that of the second. Empty where the spec names none.

    Raises:
        InputError: As `choose_threshold`.
    """
    if spec.decision_threshold is None:
        return {}
    tell("scoring the eval split for the decision threshold")
    probabilities = score_split(over_windows(served(), spec.windows), evaluate, task=spec.task)
    thresholds = {}
    for label, truth in spec.task.thresholded(evaluate.labels, spec.labels).items():
        known = truth >= 0
        scores, has_label = probabilities[known, spec.labels.index(label)], truth[known] == 1
        if spec.decision_threshold == "auto":
            thresholds[label] = choose_threshold(scores, has_label, spec.threshold_min_recall[label], label)
        else:
            thresholds[label] = measure_threshold(scores, has_label, float(spec.decision_threshold))
    return thresholds


def choose_threshold(probabilities: np.ndarray, has_label: np.ndarray, min_recall: float, label: str) -> Threshold:
    """Chooses the threshold of best precision among those that keep the recall of a label.

    Of equally precise ones, that of the higher recall is taken. The value is a float32 number midway between the lowest
    score that is decided and the next one down, so that float32 arithmetic decides these rows as they were counted, and
    a small difference between two machines changes nothing. A score of zero is never decided; where that puts
    `min_recall` out of reach, the threshold of the highest recall is taken, for the gate to judge.

    Args:
        probabilities: Of the label, float `(rows,)`. NaN counts as zero.
        has_label: Whether each row has it, bool `(rows,)`.
        min_recall: The least recall of the label, from 0 to 1.
        label: What it is called.

    Raises:
        InputError: No row has it.
    """
    scores = _scores(probabilities)
    if not has_label.any():
        raise InputError(
            "no row of the eval split has the label {label!r}, for which {decision_threshold}: auto chooses; add rows "
            "of it, give eval a larger part in {split}, or set a number",
            field="labels",
            label=label,
        )
    order = np.argsort(-scores, kind="stable")
    scores, found = scores[order], np.cumsum(has_label[order])
    # A threshold takes all rows of one score or none: each candidate ends with the last row of its score.
    ends = np.flatnonzero((np.diff(scores, append=np.float32(0)) != 0) & (scores > 0))
    if not len(ends):
        return measure_threshold(probabilities, has_label, _LEAST).model_copy(update={"chosen": True})
    # The gate divides and compares likewise, so a bound met here by a hair is met there.
    recall = found[ends] / found[-1]
    precision = found[ends] / (ends + 1)
    admissible = recall >= min(min_recall, recall[-1])
    best = np.flatnonzero(admissible & (precision == precision[admissible].max()))[-1]
    upper = float(scores[ends[best]])
    lower = float(scores[ends[best] + 1]) if ends[best] + 1 < len(scores) else 0.0
    return Threshold(
        value=_between(lower, upper), recall=float(recall[best]), precision=float(precision[best]), chosen=True
    )


def measure_threshold(probabilities: np.ndarray, has_label: np.ndarray, value: float) -> Threshold:
    """Measures a given threshold.

    Args:
        probabilities: Of the label, float `(rows,)`. NaN counts as zero.
        has_label: Whether each row has it, bool `(rows,)`.
        value: The threshold, above 0 and at most 1.
    """
    decided = _scores(probabilities) >= np.float32(value)
    right = np.count_nonzero(has_label & decided)
    rows, decisions = np.count_nonzero(has_label), np.count_nonzero(decided)
    return Threshold(
        value=value,
        recall=right / rows if rows else None,
        precision=right / decisions if decisions else None,
        chosen=False,
    )


def score_split(
    network: tf_keras.Model, split: Split, most_windows: int = 32, task: Task | None = SINGLE_LABEL
) -> np.ndarray:
    """Computes the probability of each label for every row, in inference mode (no dropout).

    Args:
        network: Returns the logits of what `split.take` returns.
        split: The rows.
        most_windows: Windows, or rows of one, that go through the model at once, those of the longest rows first so
            that little of them is padding.
        task: What the logits mean; None: they are returned themselves.

    Returns:
        Float32 `(rows, num_labels)`, in the order of the split's rows.
    """
    read = tf.identity if task is None else task.probabilities
    score = tf.function(
        lambda batch: read(network(batch, training=False)),
        input_signature=[split.signature(None, full_width=False)],
        autograph=False,
    )
    batches = batches_by_length(split, most_windows)
    scored = np.concatenate([score(tf.nest.map_structure(tf.constant, split.take(rows))).numpy() for rows in batches])
    probabilities = np.empty_like(scored)
    probabilities[np.concatenate(batches)] = scored
    return probabilities


def _scores(probabilities: np.ndarray) -> np.ndarray:
    scores = np.nan_to_num(np.asarray(probabilities, np.float32))
    return np.where(scores < _LEAST, np.float32(0), scores)


def _between(lower: float, upper: float) -> float:
    middle = float(np.float32(max((lower + upper) / 2, _LEAST)))
    # Between two neighbouring float32 numbers there is none, and the middle may be rounded to the lower.
    return middle if middle > lower else upper
