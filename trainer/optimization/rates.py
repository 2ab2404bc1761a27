"""How fast each variable learns, and from which epoch on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from fullbake.trainer.encoder.layers import HEAD


@dataclass(frozen=True)
class Rate:
    """How fast a variable learns.

    Attributes:
        multiplier: Its share of the training's peak rate.
        from_epoch: The epoch, from 0, at whose start it joins.
    """

    multiplier: float = 1.0
    from_epoch: int = 0


def rates_of(
    paths: Iterable[str],
    below_top: Callable[[str], int | None],
    *,
    head_multiplier: float = 1.0,
    layer_decay: float = 1.0,
    layers_per_epoch: int | None = None,
) -> dict[str, Rate]:
    """The rate of each variable that is trained, by path.

    Args:
        paths: Of the trained variables.
        below_top: From the path of a variable of the encoder to the number of layers above its own; None for what
            is above the top layer, such as a pooler.
        head_multiplier: The head's rate in terms of the encoder's.
        layer_decay: The top layer has the full rate, each layer below that of the layer above times this, the
            embeddings as one more layer below (Sun et al. 2019, section 5.3.3: 0.95 does best).
        layers_per_epoch: Gradual unfreezing (Howard and Ruder 2018): the head trains from the start with this many of
            the top layers, and as many more join at each epoch, the embeddings last; None: all from the start.
    """

    def rate(path: str) -> Rate:
        if path.startswith(HEAD):
            return Rate(head_multiplier)
        below = below_top(path)
        if below is None:
            return Rate()
        return Rate(layer_decay**below, below // layers_per_epoch if layers_per_epoch else 0)

    return {path: rate(path) for path in paths}
