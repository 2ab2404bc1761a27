"""Gradients of a batch that does not fit in memory at once: computed part by part, and added up."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, TypeAlias

import tensorflow as tf
import tf_keras

# A gradient of a variable: dense, of some of its rows, or None where the loss does not depend on it.
Gradient: TypeAlias = tf.Tensor | tf.IndexedSlices | None


def accumulated_gradients(
    loss_of: Callable[[Any, tf.Tensor, tf.Tensor], tuple[tf.Tensor, tuple[tf.Tensor, ...]]],
    batch: Any,
    steps: int,
    optimizer: tf_keras.optimizers.Optimizer,
    variables: list[tf.Variable],
) -> tuple[list[tuple[Gradient, tf.Variable]], tuple[tf.Tensor, ...]]:
    """Computes the gradients of a batch, for `optimizer.apply_gradients`.

    The loss must be a sum over rows, so that those of the parts add up to that of the batch. They then add up to the
    same gradients (dropout draws other numbers, and batch normalisation sees one part at a time).

    Args:
        loss_of: From a part of the batch, the share of the batch's rows that it holds (float32 scalar), and the part's
            number from 0 (int32 scalar), to its loss and some tensors with a row for each of its rows.
        batch: Tensors, or a structure of them, with one row for each row of the batch.
        steps: Into how many parts the batch is dealt; as few rows as it has parts or fewer go one by one.
        optimizer: Scales the loss, if its precision needs that.
        variables: What is trained.

    Returns:
        Pairs of gradient and variable, and the tensors of `loss_of` for the whole batch.
    """

    def gradients_of(part: Any, share: tf.Tensor, number: tf.Tensor) -> tuple[list[Gradient], tuple[tf.Tensor, ...]]:
        with tf.GradientTape() as tape:
            loss, outputs = loss_of(part, share, number)
        return [gradient for gradient, _ in optimizer.compute_gradients(loss, variables, tape)], outputs

    if steps == 1:
        gradients, outputs = gradients_of(batch, tf.constant(1.0), tf.constant(0))
        return list(zip(gradients, variables, strict=True)), outputs

    rows = tf.shape(tf.nest.flatten(batch)[0])[0]
    size = tf.maximum(1, -(-rows // steps))

    def gradients_from(start: tf.Tensor) -> tuple[list[Gradient], tuple[tf.Tensor, ...]]:
        part = tf.nest.map_structure(lambda tensor: tensor[start : start + size], batch)
        here = tf.minimum(size, rows - start)
        share = tf.cast(here, tf.float32) / tf.cast(tf.maximum(1, rows), tf.float32)
        return gradients_of(part, share, start // size)

    # The first part is computed before the loop: it shows which gradients there are, and of which kind.
    gradients, outputs = gradients_from(tf.constant(0))
    has_gradient = [gradient is not None for gradient in gradients]

    def add_part(start: tf.Tensor, sums: list[Any], done: tuple[tf.Tensor, ...]) -> tuple[Any, ...]:
        gradients, outputs = gradients_from(start)
        found = itertools.compress(gradients, has_gradient)
        sums = [_sum(left, right) for left, right in zip(sums, found, strict=True)]
        return start + size, sums, tuple(tf.concat(pair, axis=0) for pair in zip(done, outputs, strict=True))

    sums = list(itertools.compress(gradients, has_gradient))
    # One part after the other: side by side, they would take the memory of the whole.
    with tf.control_dependencies(tf.nest.flatten(sums, expand_composites=True)):
        start = tf.identity(size)
    _, sums, outputs = tf.while_loop(
        lambda start, *_: start < rows,
        add_part,
        (start, sums, outputs),
        shape_invariants=(
            tf.TensorShape([]),
            [_shape(gradient) for gradient in sums],
            tuple(tf.TensorShape([None]).concatenate(output.shape[1:]) for output in outputs),
        ),
        parallel_iterations=1,
    )
    added = iter(sums)
    return [(next(added) if has else None, v) for has, v in zip(has_gradient, variables, strict=True)], outputs


def _sum(left: tf.Tensor | tf.IndexedSlices, right: tf.Tensor | tf.IndexedSlices) -> tf.Tensor | tf.IndexedSlices:
    if isinstance(left, tf.IndexedSlices):
        values = tf.concat([left.values, right.values], axis=0)
        return tf.IndexedSlices(values, tf.concat([left.indices, right.indices], axis=0), left.dense_shape)
    return left + right


def _shape(gradient: tf.Tensor | tf.IndexedSlices) -> Any:
    if isinstance(gradient, tf.IndexedSlices):
        shape = tf.TensorShape([None]).concatenate(gradient.values.shape[1:])
        return tf.IndexedSlicesSpec(shape, gradient.values.dtype, gradient.indices.dtype, gradient.dense_shape.dtype)
    return gradient.shape
