"""Which variable learns how fast, and from which epoch on: one table of patterns."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from fullbake.trainer.approaches import Phase

_LAYER = re.compile(r"encoder/.*layer_\._(\d+)/.*")


@dataclass(frozen=True)
class Rate:
    """How fast a variable learns.

    Attributes:
        multiplier: Its share of the training's peak rate.
        from_epoch: The epoch, from 0, at whose start it joins.
    """

    multiplier: float = 1.0
    from_epoch: int = 0


# Pairs of a pattern and a rate, None where the variable is not trained; the first that matches the whole path decides.
RateTable = list[tuple[str, Rate | None]]


def rate_table(
    phase: Phase,
    depth: int,
    *,
    head_multiplier: float = 1.0,
    layer_decay: float = 1.0,
    layers_per_epoch: int | None = None,
) -> RateTable:
    """Makes the table of a phase.

    Args:
        phase: What is trained at all.
        depth: Layers of the encoder.
        head_multiplier: The head's rate in terms of the base's.
        layer_decay: The top layer has the full rate, each layer below that of the layer above times this, the
            embeddings as one more layer below (Sun et al. 2019, section 5.3.3: 0.95 does best).
        layers_per_epoch: Gradual unfreezing (Howard and Ruder 2018): the head trains from the start with this many of
            the top layers, and as many more join at each epoch, the embeddings last; None: all from the start.
    """
    untrained: RateTable = [(pattern, None) for pattern, trained in phase.trains if not trained]

    def at_depth(below_top: int) -> Rate:
        return Rate(layer_decay**below_top, below_top // layers_per_epoch if layers_per_epoch else 0)

    return [
        *untrained,
        (r"encoder/embeddings.*", at_depth(depth)),
        *((rf"encoder/.*layer_\._{layer}/.*", at_depth(depth - 1 - layer)) for layer in range(depth)),
        (r"encoder/.*", Rate()),  # a pooler: it stands above the top layer
        (r"head/.*", Rate(head_multiplier)),
    ]


def rate_of(path: str, table: RateTable) -> Rate | None:
    """The rate of the variable at this path; None if it is not trained.

    Raises:
        LookupError: No pattern of the table matches the path.
    """
    for pattern, rate in table:
        if re.fullmatch(pattern, path):
            return rate
    raise LookupError(f"no pattern of the table of rates matches the variable {path!r}")


def group_of(path: str) -> str:
    """The part of the encoder that a variable at a path below `encoder/` is in: embeddings, a layer, or the rest."""
    layer = _LAYER.fullmatch(path)
    if layer:
        return f"layer {int(layer[1]) + 1}"
    return "embeddings" if path.startswith("encoder/embeddings") else "pooler"


def encoder_depth(paths: Iterable[str]) -> int:
    """The number of layers that the variables at these paths make up."""
    return len({match[1] for path in paths if (match := _LAYER.fullmatch(path))})
