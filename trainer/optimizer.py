"""AdamW as BERT is fine-tuned with it: decoupled weight decay, warm-up, linear decay, clipped gradients."""

from __future__ import annotations

import tensorflow as tf
import tf_keras

# Devlin et al. 2018, appendix A.3; epsilon as in their code. Bias correction is part of Keras's Adam (Mosbach et al.
# 2021 show that leaving it out makes fine-tuning unstable).
BETA_1 = 0.9
BETA_2 = 0.999
EPSILON = 1e-6
# Mosbach et al. 2021, table 4.
CLIP_NORM = 1.0


class WarmupLinearDecay(tf_keras.optimizers.schedules.LearningRateSchedule):
    """Rises linearly to the peak over the first steps, then falls linearly to zero.

    Args:
      peak: the highest rate.
      total_steps: steps of the whole training.
      warmup_fraction: the part of them over which the rate rises.
    """

    def __init__(self, peak: float, total_steps: int, warmup_fraction: float):
        super().__init__()
        self.peak = peak
        self.total_steps = total_steps
        self.warmup_fraction = warmup_fraction

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        """Gives the rate at a step (int64 scalar, from 0), float32 scalar."""
        # The first step already learns: it is number 1 of the warm-up.
        done = tf.cast(step, tf.float32) + 1.0
        warmup = tf.maximum(1.0, self.total_steps * self.warmup_fraction)
        left = (self.total_steps + 1.0 - done) / tf.maximum(1.0, self.total_steps + 1.0 - warmup)
        return self.peak * tf.clip_by_value(tf.minimum(done / warmup, left), 0.0, 1.0)

    def get_config(self) -> dict[str, float]:
        """The constructor's arguments, as Keras asks of a schedule."""
        return {"peak": self.peak, "total_steps": self.total_steps, "warmup_fraction": self.warmup_fraction}


class AdamW(tf_keras.optimizers.AdamW):
    """Keras's AdamW with the gradients of embeddings made dense before they are clipped.

    Keras clips sparse gradients before it adds up the rows that name one token twice, so their norm comes out by how
    the batch was split: the same rows gave other weights on two devices than on one (tf_keras 2.16,
    ``_BaseOptimizer.apply_gradients``).
    """

    def compute_gradients(
        self, loss: tf.Tensor, var_list: list[tf.Variable], tape: tf.GradientTape | None = None
    ) -> list[tuple[tf.Tensor, tf.Variable]]:
        """As Keras's, each gradient a tensor of its variable's shape."""
        pairs = super().compute_gradients(loss, var_list, tape)
        return [(None if gradient is None else tf.convert_to_tensor(gradient), v) for gradient, v in pairs]


def is_decayed(path: str) -> bool:
    """Whether weight decay applies to the variable at this path.

    It does to kernels and embeddings, never to biases or to the scales and offsets of normalisations (Devlin et al.
    2018).
    """
    return path.rsplit("/", 1)[-1] in ("kernel", "embeddings", "weight")


def make_optimizer(
    variables: dict[str, tf.Variable],
    *,
    learning_rate: float,
    total_steps: int,
    warmup_fraction: float,
    weight_decay: float,
) -> tf_keras.optimizers.Optimizer:
    """Makes AdamW for these variables; call it under the strategy's scope.

    Args:
      variables: the trained variables by path.
      learning_rate: the peak rate.
      total_steps: optimiser steps of the whole training.
      warmup_fraction: part of the steps over which the rate rises.
      weight_decay: the decoupled decay, multiplied by the current rate.
    """
    optimizer = AdamW(
        learning_rate=WarmupLinearDecay(learning_rate, total_steps, warmup_fraction),
        weight_decay=weight_decay,
        beta_1=BETA_1,
        beta_2=BETA_2,
        epsilon=EPSILON,
        global_clipnorm=CLIP_NORM,
    )
    optimizer.exclude_from_weight_decay(var_list=[v for path, v in variables.items() if not is_decayed(path)])
    return optimizer
