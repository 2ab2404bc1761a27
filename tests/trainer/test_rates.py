import pytest

from fullbake.trainer.approaches import APPROACHES, EVERYTHING, HEAD_ONLY, Phase
from fullbake.trainer.models.classifier import Classifier
from fullbake.trainer.models.heads import HEADS
from fullbake.trainer.optimization.rates import Rate, encoder_depth, group_of, rate_of, rate_table

WHOLE, HEAD = Phase(EVERYTHING, 1e-4), Phase(HEAD_ONLY, 1e-2)
EMBEDDINGS = "encoder/embeddings/word_embeddings/weight"
BOTTOM, TOP = (f"encoder/encoder/layer_._{layer}/attention/self/query/kernel" for layer in (0, 3))


def test_all_learn_alike_unless_asked_otherwise():
    table = rate_table(WHOLE, 4)
    for path in (EMBEDDINGS, BOTTOM, TOP, "encoder/pooler/dense/kernel", "head/logits/kernel"):
        assert rate_of(path, table) == Rate(1.0, 0)


def test_each_layer_decays_from_the_one_above_and_the_embeddings_most():
    table = rate_table(WHOLE, 4, layer_decay=0.5, head_multiplier=10.0)
    found = [rate_of(path, table).multiplier for path in (TOP, BOTTOM, EMBEDDINGS, "head/classifier/kernel")]
    assert found == [1.0, 0.125, 0.0625, 10.0]


def test_layers_join_from_the_top_and_the_embeddings_last():
    table = rate_table(WHOLE, 4, layers_per_epoch=2)
    layers = [f"encoder/transformer/layer_._{layer}/ffn/lin1/bias" for layer in range(4)]
    assert [rate_of(path, table).from_epoch for path in (*layers, EMBEDDINGS, "head/x/bias")] == [1, 1, 0, 0, 2, 0]


def test_what_a_phase_does_not_train_has_no_rate():
    table = rate_table(HEAD, 4)
    assert rate_of(TOP, table) is None
    assert rate_of("head/logits/kernel", table) == Rate()


def test_a_variable_that_no_pattern_matches_is_an_error():
    with pytest.raises(LookupError, match="decoder/kernel"):
        rate_of("decoder/kernel", rate_table(WHOLE, 4))


@pytest.mark.parametrize("model_type", ["bert", "distilbert", "electra"])
@pytest.mark.parametrize("head", HEADS)
def test_every_variable_of_every_base_is_in_the_table_of_every_phase(base_of, model_type: str, head: str):
    paths = Classifier.from_base(base_of(model_type), head, ("a", "b", "c")).paths()
    assert encoder_depth(paths) == 2
    groups = {group_of(path) for path in paths if path.startswith("encoder/")}
    assert groups - {"pooler"} == {"embeddings", "layer 1", "layer 2"}
    for approach in APPROACHES.values():
        for phase in approach.phases:
            table = rate_table(phase, 2, layer_decay=0.9)
            for path in paths:
                assert (rate_of(path, table) is not None) is phase.is_trained(path)
