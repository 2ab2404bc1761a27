"""The weights that encoders of a family have, by their sizes. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping

# By name: vocabulary, positions, longest (row, in tokens), types (0: none), embedding, hidden, feed_forward, layers,
# heads; distances: how many between tokens are told apart, where they have embeddings; convolution: how many tokens
# DeBERTa's spans (0: there is none).
Sizes = Mapping[str, int]
# By PyTorch's name of it, without the family's prefix, the shape of a weight in PyTorch.
Shapes = dict[str, tuple[int, ...]]


def _dense(name: str, units: int, inputs: int) -> Shapes:
    return {f"{name}.weight": (units, inputs), f"{name}.bias": (units,)}


def _norm(name: str, width: int) -> Shapes:
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def _embeddings(sizes: Sizes) -> Shapes:
    width = sizes["embedding"]
    tables = {"word": sizes["vocabulary"], "position": sizes["positions"], "token_type": sizes["types"]}
    shapes: Shapes = {f"embeddings.{name}_embeddings.weight": (rows, width) for name, rows in tables.items() if rows}
    return shapes | _norm("embeddings.LayerNorm", width)


def _feed_forward(layer: str, sizes: Sizes) -> Shapes:
    """What follows the attention in a layer of BERT's kind."""
    hidden, feed_forward = sizes["hidden"], sizes["feed_forward"]
    shapes = _dense(f"{layer}.intermediate.dense", feed_forward, hidden)
    return shapes | _dense(f"{layer}.output.dense", hidden, feed_forward) | _norm(f"{layer}.output.LayerNorm", hidden)


def bert_shapes(sizes: Sizes) -> Shapes:
    """The weights of an encoder that is built as BERT, without a pooler."""
    hidden = sizes["hidden"]
    shapes = _embeddings(sizes)
    if sizes["embedding"] != hidden:
        shapes |= _dense("embeddings_project", hidden, sizes["embedding"])
    for layer in (f"encoder.layer.{number}" for number in range(sizes["layers"])):
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            shapes |= _dense(f"{layer}.attention.{part}", hidden, hidden)
        shapes |= _norm(f"{layer}.attention.output.LayerNorm", hidden)
        shapes |= _feed_forward(layer, sizes)
    return shapes


def distilbert_shapes(sizes: Sizes) -> Shapes:
    """The weights of a DistilBERT."""
    hidden, feed_forward = sizes["hidden"], sizes["feed_forward"]
    shapes = _embeddings(sizes)
    for layer in (f"transformer.layer.{number}" for number in range(sizes["layers"])):
        for part in ("q_lin", "k_lin", "v_lin", "out_lin"):
            shapes |= _dense(f"{layer}.attention.{part}", hidden, hidden)
        shapes |= _norm(f"{layer}.sa_layer_norm", hidden)
        shapes |= _dense(f"{layer}.ffn.lin1", feed_forward, hidden)
        shapes |= _dense(f"{layer}.ffn.lin2", hidden, feed_forward)
        shapes |= _norm(f"{layer}.output_layer_norm", hidden)
    return shapes


def albert_shapes(sizes: Sizes) -> Shapes:
    """The weights of an ALBERT, whose layers share those of their group."""
    hidden, feed_forward = sizes["hidden"], sizes["feed_forward"]
    shapes = _embeddings(sizes) | _dense("encoder.embedding_hidden_mapping_in", hidden, sizes["embedding"])
    for layer in (f"encoder.albert_layer_groups.{number}.albert_layers.0" for number in range(sizes["layers"])):
        for part in ("query", "key", "value", "dense"):
            shapes |= _dense(f"{layer}.attention.{part}", hidden, hidden)
        shapes |= _norm(f"{layer}.attention.LayerNorm", hidden)
        shapes |= _dense(f"{layer}.ffn", feed_forward, hidden)
        shapes |= _dense(f"{layer}.ffn_output", hidden, feed_forward)
        shapes |= _norm(f"{layer}.full_layer_layer_norm", hidden)
    return shapes


def mpnet_shapes(sizes: Sizes) -> Shapes:
    """The weights of an MPNet, without a pooler: one table of distances between tokens serves all layers."""
    hidden = sizes["hidden"]
    shapes = _embeddings(sizes) | {"encoder.relative_attention_bias.weight": (sizes["distances"], sizes["heads"])}
    for layer in (f"encoder.layer.{number}" for number in range(sizes["layers"])):
        for part in ("q", "k", "v", "o"):
            shapes |= _dense(f"{layer}.attention.attn.{part}", hidden, hidden)
        shapes |= _norm(f"{layer}.attention.LayerNorm", hidden)
        shapes |= _feed_forward(layer, sizes)
    return shapes


def deberta_shapes(sizes: Sizes) -> Shapes:
    """The weights of a DeBERTa of version 2 or 3: not places of tokens, but distances between them have vectors."""
    hidden = sizes["hidden"]
    shapes: Shapes = {"embeddings.word_embeddings.weight": (sizes["vocabulary"], hidden)}
    shapes |= _norm("embeddings.LayerNorm", hidden)
    shapes |= {"encoder.rel_embeddings.weight": (2 * sizes["distances"], hidden)} | _norm("encoder.LayerNorm", hidden)
    if sizes["convolution"]:
        shapes |= {"encoder.conv.conv.weight": (hidden, hidden, sizes["convolution"])}
        shapes |= {"encoder.conv.conv.bias": (hidden,)} | _norm("encoder.conv.LayerNorm", hidden)
    for layer in (f"encoder.layer.{number}" for number in range(sizes["layers"])):
        for part in ("self.query_proj", "self.key_proj", "self.value_proj", "output.dense"):
            shapes |= _dense(f"{layer}.attention.{part}", hidden, hidden)
        shapes |= _norm(f"{layer}.attention.output.LayerNorm", hidden)
        shapes |= _feed_forward(layer, sizes)
    return shapes


def albert_pooler_shapes(sizes: Sizes) -> Shapes:
    """The weights of ALBERT's pooler."""
    return _dense("pooler", sizes["hidden"], sizes["hidden"])


def pooler_shapes(sizes: Sizes) -> Shapes:
    """The weights of BERT's pooler."""
    return _dense("pooler.dense", sizes["hidden"], sizes["hidden"])
