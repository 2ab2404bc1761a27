"""What Keras fits in fine-tuning: the training step and the evaluation step of a classifier, or of its head alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

from fullbake.trainer.models.dropout import StepDropout
from fullbake.trainer.optimization.accumulation import accumulated_gradients
from fullbake.trainer.tasks.table import Task


class ClassifierStep(tf_keras.Model):
    """Trains some variables of a network by the loss of a task.

    The loss of a batch is the sum over its rows divided by the global batch size, so that the same rows give the same
    gradients on one device and on several, whatever share of them each device gets.

    Args:
        network: Returns logits, float32 `(batch_size, num_labels)`.
        trained: The variables to train.
        task: Its loss and metrics.
        num_labels: Number of labels.
        batch_size: Rows to a step, over all replicas.
        seed: Of dropout.
        accumulation_steps: In how many parts the rows of a step are computed (see `trainer.optimization.accumulation`).
        class_weights: What rows weigh in the loss, as the task's `class_weights` returns it.
    """

    def __init__(
        self,
        network: tf_keras.Model,
        trained: list[tf.Variable],
        *,
        task: Task,
        num_labels: int,
        batch_size: int,
        seed: int,
        class_weights: np.ndarray,
        accumulation_steps: int = 1,
    ):
        super().__init__(name="classifier_step")
        self.network = network
        self.dropout = StepDropout(network, seed)
        self.trained = trained
        self.task = task
        self.batch_size = batch_size
        self.accumulation_steps = accumulation_steps
        self.class_weights = tf.constant(class_weights, tf.float32)
        self.loss_mean = tf_keras.metrics.Mean(name="loss")
        self.measures = task.metrics(num_labels)

    @property
    def metrics(self) -> list[tf_keras.metrics.Metric]:
        """Keras resets these at the start of each epoch."""
        return [self.loss_mean, *self.measures]

    def call(self, inputs: Any, training: bool = False) -> tf.Tensor:
        """Returns logits, float32 `(batch_size, num_labels)`."""
        return self.network(inputs, training=training)

    # Nothing here or in the encoders needs AutoGraph, and converting them takes most of the time to the first step.
    @tf.autograph.experimental.do_not_convert
    def train_step(self, data: tuple[Any, tf.Tensor]) -> dict[str, tf.Tensor]:
        """One optimiser step on a batch of inputs and targets."""
        gradients, (logits, losses) = accumulated_gradients(
            self._loss, data, self.accumulation_steps, self.optimizer, self.trained
        )
        self.optimizer.apply_gradients(gradients)
        _, targets = data
        return self._measure(targets, logits, losses)

    @tf.autograph.experimental.do_not_convert
    def test_step(self, data: tuple[Any, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Measures a batch; its loss is not weighted by class."""
        inputs, targets = data
        logits = self.network(inputs, training=False)
        return self._measure(targets, logits, self.task.losses(targets, logits))

    def _loss(
        self, data: tuple[Any, tf.Tensor], share: tf.Tensor, part: tf.Tensor
    ) -> tuple[tf.Tensor, tuple[tf.Tensor, tf.Tensor]]:
        inputs, targets = data
        with self.dropout.at(self.optimizer.iterations, part):
            logits = self.network(inputs, training=True)
        losses = self.task.losses(targets, logits, self.class_weights)
        loss = tf.nn.compute_average_loss(losses, global_batch_size=self.batch_size)
        if self.network.losses:
            loss += tf.nn.scale_regularization_loss(tf.add_n(self.network.losses)) * share
        return loss, (logits, losses)

    def _measure(self, targets: tf.Tensor, logits: tf.Tensor, losses: tf.Tensor) -> dict[str, tf.Tensor]:
        self.loss_mean.update_state(losses)
        for measure in self.measures:
            measure.update_state(targets, logits)
        return {metric.name: metric.result() for metric in self.metrics}
