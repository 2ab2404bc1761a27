"""The tasks that can be learned, one row each. Imports nothing heavy: TensorFlow comes with the first arithmetic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

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
        sums_to_one: Whether the probabilities of a row add up to 1.
    """

    name: str
    problem_type: str
    score: str
    sums_to_one: bool

    def targets(self, feature: np.ndarray) -> np.ndarray:
        """From Transform's `label` feature of some rows to what is learned of them, a row each."""

    def class_weights(self, kind: str, targets: np.ndarray, num_labels: int) -> list[float]:
        """What a row of each class weighs in the loss.

        Args:
            kind: `none`: 1 each; `balanced`: each class has the same weight in sum, and a row weighs 1 on average.
            targets: Of the train split.
            num_labels: Number of labels.
        """

    def losses(self, targets: tf.Tensor, logits: tf.Tensor, class_weights: tf.Tensor | None = None) -> tf.Tensor:
        """The loss of each row, float32 `(batch_size,)`.

        Args:
            targets: A row each.
            logits: Float32 `(batch_size, num_labels)`.
            class_weights: What a row of each class weighs, float32 `(num_labels,)`; None: 1 each.
        """

    def probabilities(self, logits: tf.Tensor) -> tf.Tensor:
        """The probability of each label; both float32 `(batch_size, num_labels)`."""

    def decide(self, probabilities: tf.Tensor, threshold: float | None = None) -> tf.Tensor:
        """The index of the label that is decided for each row, int64 `(batch_size,)`.

        Args:
            probabilities: Float32 `(batch_size, num_labels)`.
            threshold: Of two labels, the probability of the second from which it is decided; None: the likelier label
                wins.
        """

    def metrics(self, num_labels: int) -> list[tf_keras.metrics.Metric]:
        """What each epoch measures beside the loss, `score` among them; they are updated with targets and logits."""


SINGLE_LABEL: Task = SingleLabel()
TASKS: dict[str, Task] = {task.name: task for task in (SINGLE_LABEL,)}
