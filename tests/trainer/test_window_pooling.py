from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from fullbake.trainer.models.classifier import Classifier
from fullbake.trainer.models.window_pooling import WindowPooling, over_windows, pool_windows
from fullbake.trainer.windows import Windows
from tests.trainer.trainings import LABELS
from tests.trainer.windowed import WINDOWS, in_windows, mixed_rows, packed, tensors

LOGITS = tf.constant([[1.0, -4.0], [3.0, -5.0], [2.0, -6.0], [-1.0, 7.0]])
ROW = tf.constant([0, 0, 0, 1])


@pytest.mark.parametrize(
    ("pooling", "pooled", "gradient"),
    [
        ("max", [[3, -4], [-1, 7]], [[0, 10], [1, 0], [0, 0], [100, 1000]]),
        ("mean", [[2, -5], [-1, 7]], [[1 / 3, 10 / 3], [1 / 3, 10 / 3], [1 / 3, 10 / 3], [100, 1000]]),
    ],
)
def test_windows_are_pooled_label_by_label_and_the_gradient_goes_where_it_came_from(pooling, pooled, gradient):
    windows = Windows(10, 2, 4, pooling)
    with tf.GradientTape() as tape:
        tape.watch(LOGITS)
        found = pool_windows(LOGITS, ROW, tf.constant(2), windows)
        loss = tf.reduce_sum(found * [[1.0, 10.0], [100.0, 1000.0]])
    np.testing.assert_allclose(found, pooled)
    np.testing.assert_allclose(tape.gradient(loss, LOGITS), gradient, rtol=1e-6)
    shuffled = [2, 3, 0, 1]
    again = pool_windows(tf.gather(LOGITS, shuffled), tf.gather(ROW, shuffled), tf.constant(2), windows)
    np.testing.assert_allclose(again, pooled)


@pytest.mark.parametrize("pooling", ["max", "mean"])
def test_a_network_reads_each_window_and_no_padding(pooling: str):
    seen = []
    spy = tf_keras.layers.Lambda(lambda vectors: seen.append(vectors.numpy()) or vectors, dynamic=True)
    network = WindowPooling(tf_keras.Sequential([spy]), Windows(10, 2, 4, pooling))
    vectors = np.array([[[1, 2], [3, 0], [5, 1]], [[-1, -2], [0, 0], [0, 0]]], np.float32)
    found = network((tf.constant(vectors), tf.constant([3, 1])))
    expected = {"max": [[5, 2], [-1, -2]], "mean": [[3, 1], [-1, -2]]}[pooling]
    np.testing.assert_allclose(found, expected)
    np.testing.assert_array_equal(seen[-1], [[1, 2], [3, 0], [5, 1], [-1, -2]])


@pytest.mark.parametrize("pooling", ["max", "mean"])
@pytest.mark.parametrize("head", ["hf", "linear", "mlp"])
def test_rows_of_one_window_have_the_logits_and_gradients_of_head_bit_for_bit(
    base: Path, tmp_path: Path, head: str, pooling: str
):
    windows = Windows(10, 2, 4, pooling)
    rows = [row for row in mixed_rows(80) if len(row[0]) <= 10]
    plain, split = packed(rows, 10), in_windows(rows, tmp_path, windows)
    classifier = Classifier.from_base(base, head, LABELS)
    network = over_windows(classifier, windows)
    numbers = np.arange(len(rows))
    found = []
    for model, batch in ((classifier, plain.take(numbers)), (network, split.take(numbers))):
        with tf.GradientTape() as tape:
            logits = model(tensors(batch), training=False)
            loss = tf.reduce_sum(tf.nn.softmax(logits)[:, 0])
        found.append([logits, *map(tf.convert_to_tensor, tape.gradient(loss, classifier.trainable_variables))])
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_logits_of_a_row_are_those_of_its_windows_pooled(base: Path, tmp_path: Path):
    split = in_windows(mixed_rows(40), tmp_path)
    classifier = Classifier.from_base(base, "linear", LABELS)
    of_windows = classifier(tensors(split.windows.take(np.arange(len(split.windows)))), training=False).numpy()
    expected = [
        of_windows[start:stop].max(axis=0) for start, stop in zip(split.bounds[:-1], split.bounds[1:], strict=True)
    ]
    found = over_windows(classifier, WINDOWS)(tensors(split.take(np.arange(40))), training=False)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_without_windows_the_network_is_itself(base: Path):
    classifier = Classifier.from_base(base, "linear", LABELS)
    assert over_windows(classifier, None) is classifier
