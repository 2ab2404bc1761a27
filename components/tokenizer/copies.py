"""Copies of elements, as many as each is to have, in a TensorFlow graph."""

import tensorflow as tf


def copy_each(counts: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Says of which element each copy is; `tf.repeat` takes memory for as many copies of all as of the one of the most.

    Args:
        counts: int32 [M], how many copies of each element there are to be.

    Returns:
        int32 [sum of counts] both: the number of the element, and that of the copy among those of the element.
    """
    ends = tf.cumsum(counts)
    total = tf.reduce_sum(counts)
    # Of how many elements all copies are before a place: so many numbers there are of them.
    source = tf.cumsum(tf.math.unsorted_segment_sum(tf.ones_like(ends), ends, total + 1))[:-1]
    return source, tf.range(total) - tf.gather(ends - counts, source)
