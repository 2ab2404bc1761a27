"""Which part of an encoder a variable is in, by its path. Imports nothing heavy."""

from __future__ import annotations

import re
from collections.abc import Iterable

ENCODER = "encoder/"
"""The path of each variable of an encoder begins with this."""
HEAD = "head/"
"""The path of each variable of a head begins with this."""

# ALBERT has groups of layers that share their weights, so each is one.
_LAYER = re.compile(r"encoder/.*layer(?:_groups)?_\._(\d+)/.*")
# Those of distances between tokens, which the layers of MPNet and DeBERTa share, count among the embeddings. So does
# DeBERTa's convolution over them, whose outcome is added to that of the first layer.
_EMBEDDINGS = (
    "encoder/embeddings",
    "encoder/encoder/embedding_hidden_mapping_in",
    "encoder/encoder/relative_attention_bias",
    "encoder/encoder/rel_embeddings",
    "encoder/encoder/LayerNorm",
    "encoder/encoder/conv",
)


def count_layers(paths: Iterable[str]) -> int:
    """The number of layers that the variables at these paths make up."""
    return len({match[1] for path in paths if (match := _LAYER.fullmatch(path))})


def below_top(path: str, depth: int) -> int | None:
    """Counts the layers above the one that holds a variable of the encoder.

    Args:
        path: Of the variable.
        depth: Number of layers.

    Returns:
        From 0 for the top layer to `depth` for the embeddings, which are below all; None for what is above the top
        layer, such as a pooler.
    """
    layer = _LAYER.fullmatch(path)
    if layer:
        return depth - 1 - int(layer[1])
    return depth if path.startswith(_EMBEDDINGS) else None


def part_of(path: str) -> str:
    """The part of the encoder that a variable is in: `embeddings`, `layer 1` and so on from the bottom, or `pooler`."""
    layer = _LAYER.fullmatch(path)
    if layer:
        return f"layer {int(layer[1]) + 1}"
    return "embeddings" if path.startswith(_EMBEDDINGS) else "pooler"
