"""How far training moved an encoder: a destroyed one is seen, not guessed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from fullbake.trainer.optimization.rates import group_of


def relative_shift(start: Mapping[str, np.ndarray], now: Mapping[str, tf.Variable]) -> dict[str, float]:
    """The distance of each part of an encoder from where it started.

    Args:
        start: By path, the encoder's weights before training.
        now: By path, the variables after it; paths that `start` lacks are passed over.

    Returns:
        By part (`embeddings`, `layer 1` and so on from the bottom, `pooler` if there is one), the L2 norm of the
        difference of all its weights over the L2 norm of the weights at the start. 0 is untouched. A MiniLM that
        learned 77 classes well had moved by 0.06 in its farthest layer, one that a rate of 2e-3 had brought down to
        chance by 0.28; a pooler moves far in healthy trainings too.
    """
    moved: dict[str, float] = {}
    size: dict[str, float] = {}
    for path, before in start.items():
        group = group_of(path)
        moved[group] = moved.get(group, 0.0) + float(np.sum(np.square(now[path].numpy() - before, dtype=np.float64)))
        size[group] = size.get(group, 0.0) + float(np.sum(np.square(before, dtype=np.float64)))
    return {group: float(np.sqrt(moved[group] / size[group])) if size[group] else 0.0 for group in moved}
