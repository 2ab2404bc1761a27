import numpy as np
import pytest
import tensorflow as tf

from trainer.optimizer import BETA_1, BETA_2, EPSILON, WarmupLinearDecay, is_decayed, make_optimizer


def rates(schedule: WarmupLinearDecay, steps: int) -> list[float]:
    return [float(schedule(tf.constant(step, tf.int64))) for step in range(steps)]


def test_the_rate_rises_to_the_peak_and_falls_to_almost_zero():
    found = rates(WarmupLinearDecay(1.0, 100, 0.1), 100)
    assert found[:10] == pytest.approx([0.1 * (step + 1) for step in range(10)])
    assert max(found) == found[9] == pytest.approx(1.0)
    assert np.diff(found[9:]) == pytest.approx(np.full(90, -1 / 91), abs=1e-6)
    assert found[-1] == pytest.approx(1 / 91, abs=1e-6)


@pytest.mark.parametrize("fraction", [0.0, 1.0])
def test_no_warm_up_and_nothing_but_warm_up_are_both_possible(fraction: float):
    found = rates(WarmupLinearDecay(1.0, 10, fraction), 10)
    assert found[0] == pytest.approx(1.0 if fraction == 0 else 0.1)
    assert all(0 < rate <= 1 for rate in found)


def test_a_single_step_learns():
    assert rates(WarmupLinearDecay(1.0, 1, 0.1), 1) == [1.0]


@pytest.mark.parametrize(
    ("path", "decayed"),
    [
        ("encoder/encoder/layer_._0/attention/self/query/kernel", True),
        ("encoder/embeddings/word_embeddings/weight", True),
        ("encoder/embeddings/position_embeddings/embeddings", True),
        ("encoder/encoder/layer_._0/attention/self/query/bias", False),
        ("encoder/embeddings/LayerNorm/gamma", False),
        ("encoder/transformer/layer_._0/sa_layer_norm/beta", False),
        ("head/batch_normalization_0/gamma", False),
    ],
)
def test_weight_decay_spares_biases_and_normalisations(path: str, decayed: bool):
    assert is_decayed(path) is decayed


def test_one_step_is_adam_with_decoupled_decay_on_a_clipped_gradient():
    kernel, bias = tf.Variable([[3.0]]), tf.Variable([3.0])
    optimizer = make_optimizer(
        {"head/kernel": kernel, "head/bias": bias},
        learning_rate=0.1,
        total_steps=1,
        warmup_fraction=0.0,
        weight_decay=0.5,
    )
    optimizer.apply_gradients([(tf.constant([[30.0]]), kernel), (tf.constant([40.0]), bias)])
    # The norm of (30, 40) is 50, so the gradients are clipped to (0.6, 0.8); bias-corrected, the first step of Adam is
    # the gradient over its own size.
    for variable, gradient, decay in ((kernel, 0.6, 0.5), (bias, 0.8, 0.0)):
        mean, square = (1 - BETA_1) * gradient, (1 - BETA_2) * gradient**2
        rate = 0.1 * np.sqrt(1 - BETA_2) / (1 - BETA_1)
        expected = 3.0 - 0.1 * decay * 3.0 - rate * mean / (np.sqrt(square) + EPSILON)
        assert float(variable.numpy().squeeze()) == pytest.approx(expected, rel=1e-5)
