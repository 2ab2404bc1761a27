from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from fullbake.trainer.models.classifier import Classifier
from fullbake.trainer.optimization.accumulation import accumulated_gradients
from fullbake.trainer.optimization.optimizer import make_optimizer
from tests.trainer.test_pretrain import counting_rows
from tests.trainer.test_pretrain import run as pretrain
from tests.trainer.tokenized import random_rows, read_split
from tests.trainer.trainings import make_spec, train

ROWS = 7
DATA = np.random.default_rng(0)
IDS = tf.constant(DATA.integers(0, 5, ROWS), tf.int32)
TARGETS = tf.constant(DATA.normal(size=ROWS), tf.float32)


def gradients(steps: int, *, scaled: bool = False) -> tuple[list[np.ndarray | None], np.ndarray, list[int]]:
    """The gradients of an embedding, a dense and an unused variable, what each row gave, and the parts' sizes."""
    table = tf.Variable(tf.reshape(tf.range(20.0), (5, 4)) / 20)
    kernel, unused = tf.Variable(tf.ones((4, 1))), tf.Variable(1.0)
    variables = {"table": table, "kernel": kernel, "unused": unused}
    optimizer = make_optimizer(variables, learning_rate=0.1, total_steps=1, warmup_fraction=0.0, weight_decay=0.0)
    if scaled:
        optimizer = tf_keras.mixed_precision.LossScaleOptimizer(optimizer)
    seen: list[tuple[int, int]] = []

    def loss_of(part, share, number):
        ids, targets = part
        tf.py_function(lambda *found: seen.append(tuple(map(int, found))), [number, tf.size(ids)], [])
        scores = tf.squeeze(tf.gather(table, ids) @ kernel, 1)
        return tf.reduce_sum(tf.square(scores - targets)) + share * tf.reduce_sum(kernel**2), (scores,)

    @tf.function
    def computed():
        found, (scores,) = accumulated_gradients(loss_of, (IDS, TARGETS), steps, optimizer, list(variables.values()))
        # A sparse gradient stays one: the optimiser touches only those rows.
        assert isinstance(found[0][0], tf.IndexedSlices)
        return [None if gradient is None else tf.convert_to_tensor(gradient) for gradient, _ in found], scores

    found, scores = computed()
    assert sorted(number for number, _ in seen) == list(range(len(seen)))
    sizes = [size for _, size in sorted(seen)]
    return [None if gradient is None else gradient.numpy() for gradient in found], scores.numpy(), sizes


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("steps", [2, 3, 7, 20])
def test_the_gradients_of_the_parts_are_those_of_the_whole(steps: int, scaled: bool):
    (table, kernel, unused), scores, _ = gradients(1)
    (in_parts, kernel_in_parts, unused_in_parts), scores_in_parts, sizes = gradients(steps, scaled=scaled)
    np.testing.assert_allclose(in_parts, table, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(kernel_in_parts, kernel, rtol=1e-5)
    assert unused is unused_in_parts is None
    np.testing.assert_allclose(scores_in_parts, scores, rtol=1e-6)
    assert sizes == {2: [4, 3], 3: [3, 3, 1], 7: [1] * 7, 20: [1] * 7}[steps]


def encoder(classifier: Classifier) -> np.ndarray:
    paths = sorted(path for path in classifier.paths() if path.startswith("encoder/"))
    return np.concatenate([classifier.paths()[path].numpy().ravel() for path in paths])


def test_two_batches_to_a_step_train_as_one_of_their_size(base_without_dropout: Path, tmp_path: Path):
    # 45 rows: the last step of an epoch has 13.
    splits = [read_split(random_rows(rows, seed), tmp_path / str(seed)) for seed, rows in ((1, 45), (2, 11))]
    spec = make_spec(base_without_dropout, head="linear", epochs=2, batch_size=16)
    whole, record = train(spec, *splits, scratch=tmp_path)
    spec = make_spec(base_without_dropout, head="linear", epochs=2, batch_size=4, gradient_accumulation_steps=4)
    in_parts, record_in_parts = train(spec, *splits, scratch=tmp_path)
    assert record_in_parts.epochs[-1].loss == pytest.approx(record.epochs[-1].loss, rel=1e-4)
    assert record_in_parts.epochs[-1].learning_rate == record.epochs[-1].learning_rate
    start = encoder(Classifier.from_base(base_without_dropout, "linear", spec.labels))
    moved = np.linalg.norm(encoder(whole) - start)
    # Sums in another order differ in their last bits, which Adam magnifies where a gradient is next to nothing.
    assert np.linalg.norm(encoder(in_parts) - encoder(whole)) < 1e-3 * moved


def test_further_pre_training_adds_up_too(base_without_dropout: Path, tmp_path: Path):
    splits = [read_split(counting_rows(rows, seed), tmp_path / str(seed)) for seed, rows in ((1, 60), (2, 11))]
    base = base_without_dropout
    _, whole = pretrain(base, *splits, epochs=2, batch_size=16)
    _, in_parts = pretrain(base, *splits, epochs=2, batch_size=4, gradient_accumulation_steps=4)
    for one, other in zip(whole.evaluations, in_parts.evaluations, strict=True):
        assert (other.step, other.loss) == (one.step, pytest.approx(one.loss, rel=1e-4))
