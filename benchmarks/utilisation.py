"""Model FLOPs utilisation: what part of the processor's matrix-product peak a training step reaches."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from benchmarks.ours import BATCH, rows_per_second
from benchmarks.results import Result, seconds, side_by_side
from benchmarks.texts import BASE, packed
from fullbake.trainer.encoder.base_model import read_base_config, resolve_base

STEPS = 10
SIZE = 2048


def main() -> None:
    """Measures steps of rows that are all 64, and all 128 tokens long."""
    left, right = (tf.random.stateless_normal((SIZE, SIZE), seed) for seed in ((1, 2), (3, 4)))
    product = tf.function(lambda: tf.matmul(left, right))

    def peak() -> float:
        # The fastest of many: what the processor can do, not what it does on average.
        return 2 * SIZE**3 / min(seconds(lambda: product().numpy()) for _ in range(20))

    for length in (64, 128):
        ids = np.random.default_rng(0).integers(1000, 20000, (STEPS * BATCH, length)).tolist()
        split = packed(ids)
        speed, of_peak = side_by_side(lambda split=split: rows_per_second(split, "float32"), peak)
        reached = speed * training_flops(length)
        figures = f"{reached / 1e9:.0f} of {of_peak / 1e9:.0f} GFLOP/s, {1000 * BATCH / speed:.0f} ms a step"
        Result(f"model FLOPs utilisation, length {length}", reached / of_peak, "", 0.60, figures).print()


def training_flops(length: int) -> float:
    """Floating-point operations that training on a row takes.

    They are three times those of the matrix products of its forward pass.

    Args:
        length: Tokens of the row.
    """
    config = read_base_config(resolve_base(BASE))
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    # Of each token: query, key, value and output; the two layers between; scores and their sum over the row.
    token = 2 * (4 * hidden**2 + 2 * hidden * inner) + 2 * 2 * length * hidden
    return 3.0 * config["num_hidden_layers"] * length * token


if __name__ == "__main__":
    main()
