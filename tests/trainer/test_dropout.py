import dataclasses

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from fullbake.trainer.approaches import Adapters
from fullbake.trainer.encoder.families import FAMILIES
from fullbake.trainer.models.classifier import Classifier
from fullbake.trainer.models.classifier_step import ClassifierStep
from fullbake.trainer.models.dropout import StepDropout
from fullbake.trainer.models.masked_lm import MaskedLanguageModel
from fullbake.trainer.optimization.optimizer import make_optimizer
from fullbake.trainer.tasks.table import SINGLE_LABEL


@dataclasses.dataclass(frozen=True)
class Place:
    """All that a number drawn hangs on."""

    seed: int = 0
    step: int = 0
    part: int = 0


def drawn(place: Place, dtype: str = "float32") -> np.ndarray:
    """What two dropout layers leave of ones, one row each; drawn in a graph, by layers made anew."""
    ones = tf_keras.Input((4000,), dtype=dtype)
    layers = [tf_keras.layers.Dropout(0.25, dtype=dtype)(ones) for _ in range(2)]
    network = tf_keras.Model(ones, layers)
    source = StepDropout(network, place.seed)

    @tf.function
    def run(step):
        with source.at(step, tf.constant(place.part)):
            return [tf.cast(kept[0], tf.float32) for kept in network(tf.ones((1, 4000), dtype), training=True)]

    return np.stack(run(tf.constant(place.step, tf.int64)))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_the_same_place_draws_the_same_numbers_and_any_other_does_not(dtype: str):
    here = drawn(Place(), dtype)
    np.testing.assert_array_equal(drawn(Place(), dtype), here)
    others = [drawn(place, dtype) for place in (Place(seed=1), Place(step=1), Place(part=1))]
    seen = [*here, *(layer for other in others for layer in other)]
    for number, mask in enumerate(seen):
        assert {*np.unique(mask)} <= {0.0, np.float32(tf.cast(tf.cast(1 / 0.75, dtype), tf.float32))}
        assert (mask == 0).mean() == pytest.approx(0.25, abs=0.03)
        for other in seen[:number]:
            # Of two masks that know nothing of each other, 0.375 of the places differ.
            assert (mask != other).mean() == pytest.approx(0.375, abs=0.04)


def test_numbers_that_are_drawn_nowhere_are_an_error():
    network = tf_keras.Sequential([tf_keras.layers.Dropout(0.5)])
    StepDropout(network, 0)
    with pytest.raises(AttributeError):
        network(tf.ones((1, 4)), training=True)


def random_ops(function: tf.types.experimental.ConcreteFunction) -> list[str]:
    graph = function.graph.as_graph_def()
    nodes = [*graph.node, *(node for part in graph.library.function for node in part.node_def)]
    return [node.op for node in nodes if "Random" in node.op or ("Stateful" in node.op and "Partition" not in node.op)]


@pytest.mark.parametrize("model_type", FAMILIES)
def test_nothing_that_is_drawn_in_a_step_hangs_on_the_state_of_a_kernel(base_of, model_type: str):
    folder = base_of(model_type)
    classifier = Classifier.from_base(folder, "hf", ("a", "b"))
    classifier.encoder.adapt(Adapters(rank=2, alpha=2, dropout=0.1))
    ids = tf.ones((2, 8), tf.int32)
    batch = {"input_ids": ids, "attention_mask": ids}
    classifying = ClassifierStep(
        classifier,
        classifier.trainable_variables,
        task=SINGLE_LABEL,
        num_labels=2,
        batch_size=2,
        seed=0,
        class_weights=np.ones(2),
    )
    hidden = {"positions": ids, "targets": ids, "weights": tf.ones((2, 8)), "shares": tf.ones((2, 8))}
    for model, data in (
        (classifying, (batch, tf.constant([0, 1]))),
        (MaskedLanguageModel.from_base(folder), {**batch, **hidden}),
    ):
        paths = {str(number): variable for number, variable in enumerate(model.trainable_variables)}
        model.compile(make_optimizer(paths, learning_rate=0.1, total_steps=9, warmup_fraction=0.1, weight_decay=0.01))
        step = tf.function(model.train_step, autograph=False).get_concrete_function(data)
        ops = random_ops(step)
        assert {op for op in ops if not op.startswith("Stateless")} == set()
        # Two layers with two dropouts or three each, and that of the embeddings.
        assert ops.count("StatelessRandomUniformV2") > 4
