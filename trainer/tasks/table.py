"""The tasks that can be learned, one row each. Imports nothing heavy: TensorFlow comes with the first arithmetic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from fullbake.trainer.tasks.multi_label import MultiLabel
from fullbake.trainer.tasks.single_label import SingleLabel

if TYPE_CHECKING:
    import tensorflow as tf
    import tf_keras


class Task(Protocol):
    """What labels are to a row, and the arithmetic that follows from it.

    A new task is a class with these members in a module of its own, and a row of `TASKS`.

    Attributes:
        name: A key of `TASKS`.
        problem_type: What Hugging Face's config.json calls it.
        score: The metric on the eval split that tuning and early stopping watch; higher is better.
    """

    name: str
    problem_type: str
    score: str

    def targets(self, feature: np.ndarray) -> np.ndarray:
        """From Transform's `label` feature of some rows to what is learned of them, a row each."""

    def class_weights(self, kind: str, targets: np.ndarray, num_labels: int) -> np.ndarray:
        """What rows weigh in the loss, as `losses` takes it.

        Args:
            kind: `none`: 1 each; `balanced`: each class has the same weight in sum, and a row weighs 1 on average; of a
                label that is decided by itself, having it and not having it are classes.
            targets: Of the train split.
            num_labels: Number of labels.
        """

    def losses(self, targets: tf.Tensor, logits: tf.Tensor, class_weights: tf.Tensor | None = None) -> tf.Tensor:
        """The loss of each row, float32 `(batch_size,)`.

        Args:
            targets: A row each.
            logits: Float32 `(batch_size, num_labels)`.
            class_weights: What `class_weights` returned, float32; None: 1 each.
        """

    def probabilities(self, logits: tf.Tensor) -> tf.Tensor:
        """The probability of each label; both float32 `(batch_size, num_labels)`."""

    def margins(self, targets: np.ndarray, logits: np.ndarray) -> np.ndarray:
        """How far the logit of each answer that is possible lies above that of the true one.

        Args:
            targets: What is learned of some rows.
            logits: Float `(rows, num_labels)`.

        Returns:
            Float64 `(answers, choices)`; what nobody knows is no answer. The logarithm of the sum of a row's
            exponentials is the negative log-likelihood of its answer.
        """

    def decide(self, probabilities: tf.Tensor, labels: Sequence[str], thresholds: Mapping[str, float]) -> tf.Tensor:
        """What is decided for each row, as it is served: string `(batch_size,)`.

        Args:
            probabilities: Float32 `(batch_size, num_labels)`.
            labels: In the order of their class index.
            thresholds: By label, the probability from which it is decided; empty: as the task has it.
        """

    def thresholded(self, targets: np.ndarray, labels: Sequence[str]) -> dict[str, np.ndarray]:
        """The labels that a threshold can decide: of each row 1 where it has the label, 0 where not, -1 if unknown.

        Args:
            targets: What is learned of some rows.
            labels: In the order of their class index.

        Returns:
            By label, int8 `(rows,)`.
        """

    def metrics(self, num_labels: int) -> list[tf_keras.metrics.Metric]:
        """What each epoch measures beside the loss, `score` among them; they are updated with targets and logits."""


SINGLE_LABEL: Task = SingleLabel()
MULTI_LABEL: Task = MultiLabel()
TASKS: dict[str, Task] = {task.name: task for task in (SINGLE_LABEL, MULTI_LABEL)}
