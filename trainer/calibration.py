"""Temperature scaling (Guo et al. 2017): one number that makes a classifier as sure of itself as it is right."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fullbake.contract.results.training import Calibration
from fullbake.trainer.data.reading import Texts
from fullbake.trainer.decision import score_split
from fullbake.trainer.models.classifier import Classifier
from fullbake.trainer.models.window_pooling import over_windows
from fullbake.trainer.spec import TrainingSpec

LEAST, MOST = 1e-4, 1e4
"""No temperature lies beyond: a classifier that would need one has learned nothing that a number could mend."""

_HALVINGS = 80
"""Of an interval of logarithms: enough for the last digit of a double."""


def calibrate(spec: TrainingSpec, served: Callable[[], Classifier], evaluate: Texts) -> Calibration | None:
    """Fits the temperature that a spec asks for.

    Args:
        spec: How the classifier was made.
        served: Makes the classifier as it is served, not yet calibrated.
        evaluate: The rows that it is fitted on.

    Returns:
        None where the spec does not ask for it.
    """
    if not spec.calibrate:
        return None
    logits = score_split(over_windows(served(), spec.windows), evaluate, task=None)
    margins = spec.task.margins(evaluate.labels, logits)
    temperature = fit_temperature(margins)
    return Calibration(
        temperature=temperature,
        answers=len(margins),
        loss_before=mean_loss(margins, 1.0),
        loss=mean_loss(margins, temperature),
    )


def fit_temperature(margins: np.ndarray) -> float:
    """Finds the number by which logits are divided so that the true answers become the likeliest.

    The mean negative log-likelihood is convex in the inverse of the temperature, so the place where its slope is zero
    is found by halving. Where every answer is right there is none: the surer, the likelier. Then the mean confidence is
    made (n + 1) / (n + 2), what n right answers of n say of the next one (Laplace's rule of succession).

    Args:
        margins: As `trainer.tasks.table.Task.margins` returns them, float64 `(answers, choices)`.

    Returns:
        From `LEAST` to `MOST`; 1 where there is no answer.
    """
    answers = len(margins)
    if not answers:
        return 1.0

    all_right = bool(margins.max() <= 0)

    def excess(inverse: float) -> float:
        """Rises with the inverse of the temperature, and is zero where the logits are sure enough."""
        sums = _log_sum(inverse * margins)
        if all_right:
            return float(np.exp(-sums).mean()) - (answers + 1) / (answers + 2)
        return float((np.exp(inverse * margins - sums[:, None]) * margins).sum(axis=1).mean())

    low, high = -np.log(MOST), -np.log(LEAST)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if excess(np.exp(middle)) > 0 else (middle, high)
    return float(np.exp(-(low + high) / 2))


def mean_loss(margins: np.ndarray, temperature: float) -> float:
    """The mean negative log-likelihood of the true answers at a temperature, in nats.

    Args:
        margins: As `fit_temperature` takes them.
        temperature: Above 0.
    """
    return float(_log_sum(margins / temperature).mean()) if len(margins) else 0.0


def _log_sum(values: np.ndarray) -> np.ndarray:
    """The logarithm of each row's sum of exponentials, without overflow."""
    greatest = values.max(axis=1)
    summed: np.ndarray = greatest + np.log(np.exp(values - greatest[:, None]).sum(axis=1))
    return summed
