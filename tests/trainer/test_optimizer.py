import numpy as np
import pytest
import tensorflow as tf

from fullbake.trainer.optimization.optimizer import (
    BETA_1,
    BETA_2,
    EPSILON,
    WarmupLinearDecay,
    is_decayed,
    make_optimizer,
)
from fullbake.trainer.optimization.rates import Rate


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


def steps_of(variables: dict[str, tf.Variable], gradients: list[list], **settings) -> None:
    options = {"learning_rate": 0.1, "total_steps": 100, "warmup_fraction": 0.0, "weight_decay": 0.1, **settings}
    optimizer = make_optimizer(variables, **options)

    @tf.function
    def step(*gradients):
        optimizer.apply_gradients(zip(gradients, variables.values(), strict=True))

    for each in gradients:
        step(*each)


def test_a_sparse_gradient_updates_the_rows_it_names_as_a_dense_one_would_and_no_other():
    start = np.arange(12, dtype=np.float32).reshape(6, 2)
    dense, sparse = tf.Variable(start), tf.Variable(start)
    # Token 4 stands twice in the batch.
    rows, values = tf.constant([4, 1, 4]), tf.constant([[0.1, 0.2], [0.3, -0.1], [0.2, 0.1]])
    slices = tf.IndexedSlices(values, rows, tf.constant([6, 2]))
    steps_of({"head/embeddings": dense}, [[tf.convert_to_tensor(slices)]] * 3)
    steps_of({"head/embeddings": sparse}, [[slices]] * 3)
    np.testing.assert_allclose(sparse.numpy()[[1, 4]], dense.numpy()[[1, 4]], rtol=1e-5)
    assert np.array_equal(sparse.numpy()[[0, 2, 3, 5]], start[[0, 2, 3, 5]])


def test_a_token_that_stands_twice_counts_once_in_the_norm_of_the_gradients():
    # As two slices the norm is 5.7, added up it is 8: the clipped gradient of the bias tells which was taken.
    table, bias = tf.Variable([[0.0]]), tf.Variable([0.0])
    twice = tf.IndexedSlices(tf.constant([[4.0], [4.0]]), tf.constant([0, 0]), tf.constant([1, 1]))
    optimizer = make_optimizer(
        {"head/embeddings": table, "head/bias": bias},
        learning_rate=0.1,
        total_steps=1,
        warmup_fraction=0.0,
        weight_decay=0.0,
    )
    optimizer.apply_gradients([(twice, table), (tf.constant([6.0]), bias)])
    # After one step the first moments are a tenth of the gradients as they were clipped.
    moments = [variable.numpy().item() for variable in optimizer.variables if variable.name.startswith("m/")]
    assert moments == [pytest.approx(0.08), pytest.approx(0.06)]


def test_a_variable_learns_at_its_share_of_the_rate():
    variables = {"head/a/bias": tf.Variable([0.0]), "head/b/bias": tf.Variable([0.0])}
    steps_of(
        variables, [[tf.constant([0.1]), tf.constant([0.1])]], rates={"head/a/bias": Rate(), "head/b/bias": Rate(0.5)}
    )
    full, half = (float(variable[0]) for variable in variables.values())
    assert half == pytest.approx(full / 2, rel=1e-6)
    assert full < 0


@pytest.mark.parametrize("sparse", [False, True])
def test_a_variable_that_joins_later_is_untouched_before_and_starts_like_a_fresh_one(sparse: bool):
    def gradient(value: float):
        dense = tf.constant([[value]])
        return tf.IndexedSlices(dense, tf.constant([0]), tf.constant([1, 1])) if sparse else dense

    late, fresh = tf.Variable([[1.0]]), tf.Variable([[1.0]])
    rates = {"head/late/kernel": Rate(1.0, from_epoch=2)}
    # A constant rate, so that the step a variable joins at does not matter.
    options = {"total_steps": 10**9, "rates": rates, "steps_per_epoch": 3}
    optimizer = make_optimizer(
        {"head/late/kernel": late}, learning_rate=0.1, warmup_fraction=0.0, weight_decay=0.1, **options
    )
    for step in range(6):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(late * 0.3)
        optimizer.minimize(loss, [late], tape=tape)
        assert float(late[0, 0]) == 1.0, step
    optimizer.apply_gradients([(gradient(0.3), late)])
    steps_of({"head/fresh/kernel": fresh}, [[gradient(0.3)]], total_steps=10**9)
    assert float(late[0, 0]) == pytest.approx(float(fresh[0, 0]), rel=1e-6)
    assert float(late[0, 0]) < 1.0


def test_a_step_makes_no_pass_of_kerass_over_the_variables():
    table, bias = tf.Variable(tf.ones([50, 4])), tf.Variable([0.0])
    variables = {"head/embeddings": table, "head/bias": bias}
    optimizer = make_optimizer(variables, learning_rate=0.1, total_steps=9, warmup_fraction=0.0, weight_decay=0.1)
    slices = tf.IndexedSlices(tf.ones([2, 4]), tf.constant([1, 3]), tf.constant([50, 4]))
    step = tf.function(lambda: optimizer.apply_gradients([(slices, table), (tf.constant([0.1]), bias)]))
    operations = {op.type for op in step.get_concrete_function().graph.get_operations()}
    assert "ResourceScatterUpdate" in operations
    assert "AssignSubVariableOp" not in operations
