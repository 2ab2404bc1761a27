import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from fullbake.trainer.tasks.table import SINGLE_LABEL, TASKS

LOGITS = tf.constant([[2.0, 0.0, -1.0], [0.0, 0.0, 3.0], [1.0, 1.5, 0.0], [0.0, 4.0, 0.0]])
TARGETS = np.array([0, 2, 0, 1], np.int32)


def test_a_task_is_known_without_tensorflow():
    code = "import sys, fullbake.trainer.tasks.table; assert not {'tensorflow', 'tf_keras'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_what_tuning_and_early_stopping_watch_is_measured(task):
    assert task.score in [metric.name for metric in task.metrics(3)]


def test_balanced_weights_make_classes_weigh_alike():
    labels = np.array([0] * 90 + [1] * 10, np.int32)
    weights = SINGLE_LABEL.class_weights("balanced", labels, 2)
    assert weights[0] * 90 == pytest.approx(weights[1] * 10) == pytest.approx(50)
    assert SINGLE_LABEL.class_weights("none", labels, 2).tolist() == [1.0, 1.0]


def test_the_loss_of_a_row_is_that_of_its_label_and_weighs_what_its_class_does():
    losses = SINGLE_LABEL.losses(TARGETS, LOGITS)
    right = SINGLE_LABEL.probabilities(LOGITS).numpy()[np.arange(4), TARGETS]
    np.testing.assert_allclose(losses, -np.log(right), rtol=1e-5)
    weighed = SINGLE_LABEL.losses(TARGETS, LOGITS, tf.constant([2.0, 1.0, 0.0]))
    np.testing.assert_allclose(weighed, losses * np.array([2.0, 0.0, 2.0, 1.0]), rtol=1e-6)


def test_probabilities_add_up_and_the_likeliest_label_or_the_threshold_decides():
    probabilities = SINGLE_LABEL.probabilities(LOGITS)
    np.testing.assert_allclose(tf.reduce_sum(probabilities, axis=1), 1.0, rtol=1e-6)
    decided = SINGLE_LABEL.decide(probabilities, ["a", "b", "c"], {})
    assert decided.numpy().tolist() == [b"a", b"c", b"b", b"b"]
    two = tf.constant([[0.8, 0.2], [0.7, 0.3], [0.1, 0.9]])
    assert SINGLE_LABEL.decide(two, ["a", "b"], {"b": 0.3}).numpy().tolist() == [b"a", b"b", b"b"]


def test_macro_recall_is_the_mean_over_the_classes_that_have_rows():
    accuracy, macro_recall = SINGLE_LABEL.metrics(4)
    logits = tf.pad(LOGITS, [[0, 0], [0, 1]], constant_values=-9.0)
    for metric in (accuracy, macro_recall):
        metric.update_state(TARGETS, logits)
    assert float(accuracy.result()) == 0.75
    # Of the first class one row of two is right, of two more their only row; the fourth has none.
    assert float(macro_recall.result()) == pytest.approx((0.5 + 1 + 1) / 3)
