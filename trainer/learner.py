"""What Keras fits: one training step and one evaluation step of a classifier, or of its head alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf
import tf_keras

from fullbake.trainer.models.dropout import StepDropout
from fullbake.trainer.optimization.accumulation import accumulated_gradients


class MacroRecall(tf_keras.metrics.Metric):
    """The mean of the classes' recalls, each class counting alike however rare it is.

    A class without a row counts for nothing.
    """

    def __init__(self, num_labels: int):
        super().__init__(name="macro_recall")
        self.right = self.add_weight(name="right", shape=(num_labels,), initializer="zeros")
        self.rows = self.add_weight(name="rows", shape=(num_labels,), initializer="zeros")

    def update_state(self, labels: tf.Tensor, logits: tf.Tensor, sample_weight: None = None) -> None:
        """Counts a batch: labels int32 `(batch_size,)`, logits float32 `(batch_size, num_labels)`."""
        del sample_weight
        truth = tf.one_hot(labels, logits.shape[1])
        decided = tf.one_hot(tf.argmax(logits, axis=1), logits.shape[1])
        self.right.assign_add(tf.reduce_sum(truth * decided, axis=0))
        self.rows.assign_add(tf.reduce_sum(truth, axis=0))

    def reset_state(self) -> None:
        """Forgets what was counted."""
        self.right.assign(tf.zeros_like(self.right))
        self.rows.assign(tf.zeros_like(self.rows))

    def result(self) -> tf.Tensor:
        """Float32 scalar."""
        recalls = tf.math.divide_no_nan(self.right, self.rows)
        return tf.math.divide_no_nan(tf.reduce_sum(recalls), tf.reduce_sum(tf.cast(self.rows > 0, tf.float32)))


class Learner(tf_keras.Model):
    """Trains some variables of a network with cross-entropy.

    The loss of a batch is the sum over its rows divided by the global batch size, so that the same rows give the same
    gradients on one device and on several, whatever share of them each device gets.

    Args:
        network: Gives logits, float32 `(batch_size, num_labels)`.
        trained: The variables to train.
        num_labels: Number of labels.
        batch_size: Rows to a step, over all replicas.
        seed: Of dropout.
        accumulation_steps: In how many parts the rows of a step are computed (see `trainer.optimization.accumulation`).
        class_weights: What a row of each class weighs in the loss, by class index.
    """

    def __init__(
        self,
        network: tf_keras.Model,
        trained: list[tf.Variable],
        *,
        num_labels: int,
        batch_size: int,
        seed: int,
        class_weights: Sequence[float],
        accumulation_steps: int = 1,
    ):
        super().__init__(name="learner")
        self.network = network
        self.dropout = StepDropout(network, seed)
        self.trained = trained
        self.batch_size = batch_size
        self.accumulation_steps = accumulation_steps
        self.class_weights = tf.constant(class_weights, tf.float32)
        self.loss_mean = tf_keras.metrics.Mean(name="loss")
        self.accuracy = tf_keras.metrics.SparseCategoricalAccuracy(name="accuracy")
        self.macro_recall = MacroRecall(num_labels)

    @property
    def metrics(self) -> list[tf_keras.metrics.Metric]:
        """Keras resets these at the start of each epoch."""
        return [self.loss_mean, self.accuracy, self.macro_recall]

    def call(self, inputs: Any, training: bool = False) -> tf.Tensor:
        """Gives logits, float32 `(batch_size, num_labels)`."""
        return self.network(inputs, training=training)

    # Nothing here or in the encoders needs AutoGraph, and converting them takes most of the time to the first step.
    @tf.autograph.experimental.do_not_convert
    def train_step(self, data: tuple[Any, tf.Tensor]) -> dict[str, tf.Tensor]:
        """One optimiser step on a batch of inputs and int32 labels `(batch_size,)`."""
        gradients, (logits, losses) = accumulated_gradients(
            self._loss, data, self.accumulation_steps, self.optimizer, self.trained
        )
        self.optimizer.apply_gradients(gradients)
        _, labels = data
        return self._measure(labels, logits, losses)

    @tf.autograph.experimental.do_not_convert
    def test_step(self, data: tuple[Any, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Measures a batch; its loss is not weighted by class."""
        inputs, labels = data
        logits = self.network(inputs, training=False)
        return self._measure(labels, logits, tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))

    def _loss(
        self, data: tuple[Any, tf.Tensor], share: tf.Tensor, part: tf.Tensor
    ) -> tuple[tf.Tensor, tuple[tf.Tensor, tf.Tensor]]:
        inputs, labels = data
        with self.dropout.at(self.optimizer.iterations, part):
            logits = self.network(inputs, training=True)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
        losses *= tf.gather(self.class_weights, labels)
        loss = tf.nn.compute_average_loss(losses, global_batch_size=self.batch_size)
        if self.network.losses:
            loss += tf.nn.scale_regularization_loss(tf.add_n(self.network.losses)) * share
        return loss, (logits, losses)

    def _measure(self, labels: tf.Tensor, logits: tf.Tensor, losses: tf.Tensor) -> dict[str, tf.Tensor]:
        self.loss_mean.update_state(losses)
        self.accuracy.update_state(labels, logits)
        self.macro_recall.update_state(labels, logits)
        return {metric.name: metric.result() for metric in self.metrics}
