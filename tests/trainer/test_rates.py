import pytest

from fullbake.trainer.encoder import layers
from fullbake.trainer.encoder.families import FAMILIES
from fullbake.trainer.models.classifier import Classifier
from fullbake.trainer.models.heads import HEADS
from fullbake.trainer.optimization.rates import Rate, rates_of

EMBEDDINGS = "encoder/embeddings/word_embeddings/weight"
BOTTOM, TOP = (f"encoder/encoder/layer_._{layer}/attention/self/query/kernel" for layer in (0, 3))
POOLER, OF_HEAD = "encoder/pooler/dense/kernel", "head/classifier/kernel"


def rates(*paths: str, **settings) -> list[Rate]:
    """Those of variables of an encoder of four layers."""
    found = rates_of(paths, lambda path: layers.below_top(path, 4), **settings)
    return [found[path] for path in paths]


def test_all_learn_alike_unless_asked_otherwise():
    assert set(rates(EMBEDDINGS, BOTTOM, TOP, POOLER, OF_HEAD)) == {Rate(1.0, 0)}


def test_each_layer_decays_from_the_one_above_and_the_embeddings_most():
    found = rates(TOP, BOTTOM, EMBEDDINGS, OF_HEAD, layer_decay=0.5, head_multiplier=10.0)
    assert [rate.multiplier for rate in found] == [1.0, 0.125, 0.0625, 10.0]


def test_layers_join_from_the_top_and_the_embeddings_last():
    numbered = [f"encoder/transformer/layer_._{layer}/ffn/lin1/bias" for layer in range(4)]
    found = rates(*numbered, EMBEDDINGS, "head/x/bias", layers_per_epoch=2)
    assert [rate.from_epoch for rate in found] == [1, 1, 0, 0, 2, 0]


def test_a_pooler_stands_above_the_top_layer():
    assert rates(POOLER, layer_decay=0.5, layers_per_epoch=1) == [Rate(1.0, 0)]


@pytest.mark.parametrize("model_type", FAMILIES)
@pytest.mark.parametrize("head", HEADS)
def test_the_layers_of_every_base_are_told_apart(base_of, model_type: str, head: str):
    encoder = Classifier.from_base(base_of(model_type), head, ("a", "b", "c")).encoder
    assert encoder.depth == 2
    assert {layers.part_of(path) for path in encoder.paths()} - {"pooler"} == {"embeddings", "layer 1", "layer 2"}
    depths = {layers.part_of(path): encoder.below_top(path) for path in encoder.paths()}
    assert depths == {"embeddings": 2, "layer 1": 1, "layer 2": 0, **({"pooler": None} if "pooler" in depths else {})}
