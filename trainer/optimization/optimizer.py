"""AdamW as BERT is fine-tuned with it: decoupled weight decay, warm-up, linear decay, clipped gradients."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf
import tf_keras

from fullbake.trainer.optimization.rates import Rate

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
        peak: The highest rate.
        total_steps: Steps of the whole training.
        warmup_fraction: The part of them over which the rate rises.
    """

    def __init__(self, peak: float, total_steps: int, warmup_fraction: float):
        super().__init__()
        self.peak = peak
        self.total_steps = total_steps
        self.warmup_fraction = warmup_fraction

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        """Returns the rate at a step (int64 scalar, from 0), float32 scalar."""
        # The first step already learns: it is number 1 of the warm-up.
        done = tf.cast(step, tf.float32) + 1.0
        warmup = tf.maximum(1.0, self.total_steps * self.warmup_fraction)
        left = (self.total_steps + 1.0 - done) / tf.maximum(1.0, self.total_steps + 1.0 - warmup)
        return self.peak * tf.clip_by_value(tf.minimum(done / warmup, left), 0.0, 1.0)

    def get_config(self) -> dict[str, float]:
        """The constructor's arguments, as Keras asks of a schedule."""
        return {"peak": self.peak, "total_steps": self.total_steps, "warmup_fraction": self.warmup_fraction}


class AdamW(tf_keras.optimizers.Optimizer):
    """AdamW in as few passes over memory as it takes, with a rate and a first step of its own for each variable.

    On a small encoder Keras's AdamW takes almost as long as the arithmetic of the batch: it makes a dozen passes over
    each variable, and a dense gradient of the size of the whole vocabulary for the few rows of the embeddings that a
    batch touches. Here a dense variable is updated by TensorFlow's fused kernel, and of embeddings with a sparse
    gradient only the touched rows are, moments and decay included ("lazy" Adam).

    Args:
        learning_rate: The schedule.
        weight_decay: The decoupled decay, multiplied by the current rate.
        clip_norm: Bound on the global norm of the gradients.
    """

    def __init__(
        self, learning_rate: tf_keras.optimizers.schedules.LearningRateSchedule, weight_decay: float, clip_norm: float
    ):
        # XLA is slower on CPU, and the kernels are fused already. Keras's own decay is off: at 0, its default, it would
        # still make a pass over each variable at each step.
        super().__init__(name="AdamW", weight_decay=None, jit_compile=False)
        self._learning_rate = self._build_learning_rate(learning_rate)
        self._decay = weight_decay
        self._clip_norm = clip_norm
        self._settings: dict[str, tuple[float, int, bool]] = {}

    def set_rate(self, variable: tf.Variable, *, multiplier: float, first_step: int, decayed: bool) -> None:
        """Says how a variable is updated; each needs it before the first step.

        Args:
            variable: The variable.
            multiplier: Its share of the scheduled rate.
            first_step: The step, from 0, at which it joins; Adam's bias correction counts from there.
            decayed: Whether weight decay applies.
        """
        self._settings[self._var_key(variable)] = (multiplier, first_step, decayed)

    def build(self, var_list: list[tf.Variable]) -> None:
        """Makes both moments of each variable."""
        super().build(var_list)
        if getattr(self, "_built", False):
            return
        self._built = True
        self._first = [self.add_variable_from_reference(v, "m") for v in var_list]
        self._second = [self.add_variable_from_reference(v, "v") for v in var_list]

    def compute_gradients(
        self, loss: tf.Tensor, var_list: list[tf.Variable], tape: tf.GradientTape | None = None
    ) -> list[tuple[tf.Tensor, tf.Variable]]:
        """As Keras's, with nothing for the variables that have not joined yet."""
        return [
            (self._once_joined(gradient, variable), variable)
            for gradient, variable in super().compute_gradients(loss, var_list, tape)
        ]

    def _once_joined(self, gradient: tf.Tensor | None, variable: tf.Variable) -> tf.Tensor | None:
        first_step = self._settings[self._var_key(variable)][1]
        if gradient is None or not first_step:
            return gradient
        joined = tf.cast(self.iterations >= first_step, gradient.dtype)
        if isinstance(gradient, tf.IndexedSlices):
            return tf.IndexedSlices(gradient.values * joined, gradient.indices, gradient.dense_shape)
        return gradient * joined

    def _clip_gradients(self, gradients: list[tf.Tensor]) -> list[tf.Tensor]:
        # Rows that name one token twice are added up first: clipped before, their norm comes out by how the batch was
        # split, and the same rows give other weights on two devices than on one (tf_keras 2.16,
        # `_BaseOptimizer.apply_gradients`).
        return tf.clip_by_global_norm(super()._deduplicate_sparse_grad(gradients), self._clip_norm)[0]

    def _deduplicate_sparse_grad(self, gradients: list[tf.Tensor]) -> list[tf.Tensor]:
        return gradients  # they were, before they were clipped

    def update_step(self, gradient: tf.Tensor, variable: tf.Variable) -> None:
        """Updates a variable and its moments by a gradient of its shape, or by that of some of its rows."""
        key = self._var_key(variable)
        multiplier, first_step, decayed = self._settings[key]
        first, second = self._first[self._index_dict[key]], self._second[self._index_dict[key]]
        steps = tf.cast(self.iterations - first_step, tf.float32)
        rate = tf.cast(self.learning_rate, tf.float32) * multiplier * tf.cast(steps >= 0, tf.float32)
        done = tf.maximum(steps, 0.0) + 1.0
        power_1, power_2 = tf.pow(BETA_1, done), tf.pow(BETA_2, done)
        kept = 1.0 - rate * (self._decay if decayed else 0.0)
        if not isinstance(gradient, tf.IndexedSlices):
            if decayed and self._decay:
                variable.assign(variable * kept)
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle,
                m=first.handle,
                v=second.handle,
                beta1_power=power_1,
                beta2_power=power_2,
                lr=rate,
                beta1=BETA_1,
                beta2=BETA_2,
                epsilon=EPSILON,
                grad=gradient,
                use_locking=True,
            )
            return
        rows, values = gradient.indices, gradient.values
        mean = BETA_1 * tf.gather(first, rows) + (1.0 - BETA_1) * values
        square = BETA_2 * tf.gather(second, rows) + (1.0 - BETA_2) * tf.square(values)
        first.scatter_update(tf.IndexedSlices(mean, rows))
        second.scatter_update(tf.IndexedSlices(square, rows))
        step = rate * tf.sqrt(1.0 - power_2) / (1.0 - power_1) * mean / (tf.sqrt(square) + EPSILON)
        variable.scatter_update(tf.IndexedSlices(tf.gather(variable, rows) * kept - step, rows))


def is_decayed(path: str) -> bool:
    """Whether weight decay applies to the variable at this path.

    It does to kernels and embeddings, never to biases or to the scales and offsets of normalisations (Devlin et al.
    2018).
    """
    return path.rsplit("/", 1)[-1] in ("kernel", "embeddings", "weight")


def make_optimizer(
    variables: Mapping[str, tf.Variable],
    *,
    learning_rate: float,
    total_steps: int,
    warmup_fraction: float,
    weight_decay: float,
    rates: Mapping[str, Rate] | None = None,
    steps_per_epoch: int = 1,
) -> AdamW:
    """Makes AdamW for these variables, built; call it under the strategy's scope.

    Args:
        variables: The trained variables by path.
        learning_rate: The peak rate.
        total_steps: Optimiser steps of the whole training.
        warmup_fraction: Part of the steps over which the rate rises.
        weight_decay: The decoupled decay, multiplied by the current rate.
        rates: By path, each variable's share of the rate and its first epoch; None: all learn at the same rate.
        steps_per_epoch: Steps of an epoch, which `rates` counts in.
    """
    optimizer = AdamW(WarmupLinearDecay(learning_rate, total_steps, warmup_fraction), weight_decay, CLIP_NORM)
    for path, variable in variables.items():
        rate = Rate() if rates is None else rates[path]
        optimizer.set_rate(
            variable,
            multiplier=rate.multiplier,
            first_step=rate.from_epoch * steps_per_epoch,
            decayed=is_decayed(path),
        )
    # Else the first step makes the moments, and TensorFlow traces it twice.
    optimizer.build(list(variables.values()))
    return optimizer
