"""Cuts rows of tokens into windows, in the graph: the same function makes training data and is served."""

from __future__ import annotations

import tensorflow as tf

from fullbake.contract.names import ATTENTION_MASK, INPUT_IDS
from fullbake.trainer.windows import Windows


def cut_windows(features: dict[str, tf.Tensor], windows: Windows) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
    """Cuts each row into windows, each between a `[CLS]` and a `[SEP]` of its own.

    They are those of Hugging Face's `BertTokenizerFast` with `max_length`, `stride` and `return_overflowing_tokens`:
    each begins `windows.step` tokens after the one before it, and the one that reaches the end of the text is the last.

    Args:
        features: `input_ids` and `attention_mask`, int32 `(rows, width)`: rows of one text, `[CLS]` its tokens `[SEP]`,
            padded at their end.
        windows: How to cut. No row has more than `windows.row_length` tokens.

    Returns:
        The same features of the windows, int32 `(windows, width)`, where `width` is at most `windows.length`, row by
        row; and the row that each is of, int32 `(windows,)`. Each row has one at least: a row that fits is its own.
    """
    ids = features[INPUT_IDS]
    lengths = tf.reduce_sum(features[ATTENTION_MASK], axis=1)
    counts = 1 + -(-tf.maximum(0, lengths - windows.length) // windows.step)
    row, number = tf.unstack(tf.cast(tf.where(tf.sequence_mask(counts)), tf.int32), axis=1)
    end = tf.gather(lengths, row)[:, tf.newaxis]
    start = number[:, tf.newaxis] * windows.step
    size = tf.minimum(windows.length, end - start)
    width = tf.shape(ids)[1]
    position = tf.range(tf.minimum(windows.length, width))[tf.newaxis]
    inside = position < size
    source = tf.where(tf.equal(position, 0), 0, tf.where(tf.equal(position, size - 1), end - 1, start + position))
    cut = tf.gather(tf.reshape(ids, [-1]), row[:, tf.newaxis] * width + tf.where(inside, source, 0))
    return {INPUT_IDS: tf.where(inside, cut, 0), ATTENTION_MASK: tf.cast(inside, tf.int32)}, row
