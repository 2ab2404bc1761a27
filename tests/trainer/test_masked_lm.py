from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from transformers import TFAutoModelForMaskedLM

from fullbake.trainer.data.masking import Masker, Vocabulary
from fullbake.trainer.encoder.families import FAMILIES
from fullbake.trainer.models.masked_lm import MaskedLanguageModel, masked_losses
from fullbake.trainer.optimization.optimizer import make_optimizer
from tests.conftest import VOCABULARY
from tests.trainer.tokenized import random_rows, read_split


@pytest.fixture
def batch(base: Path, tmp_path: Path) -> dict[str, tf.Tensor]:
    split = read_split(random_rows(12), tmp_path)
    rows = {name: tf.constant(value) for name, value in split.take(np.arange(12)).items()}
    return Masker(Vocabulary.read(base), 0.3, False, seed=0)(tf.constant(0, tf.int64), rows)


@pytest.mark.parametrize("model_type", FAMILIES)
def test_scores_at_the_positions_are_those_of_the_whole_projection(base_of: Callable, batch, model_type: str):
    model = MaskedLanguageModel.from_base(base_of(model_type))
    scores, follows = model(batch)
    assert follows is None
    assert scores.shape == (*batch["positions"].shape, model.encoder.model.config.vocab_size)
    whole = model.encoder.model({"input_ids": batch["input_ids"], "attention_mask": batch["attention_mask"]}).logits
    np.testing.assert_allclose(scores, tf.gather(whole, batch["positions"], batch_dims=1), atol=1e-5)
    # And so is the loss: that of all positions, kept where something is hidden.
    everywhere = tf.nn.sparse_softmax_cross_entropy_with_logits(
        tf.tensor_scatter_nd_update(batch["input_ids"], _indices(batch), tf.reshape(batch["targets"], [-1])), whole
    )
    kept = tf.scatter_nd(_indices(batch), tf.reshape(batch["weights"], [-1]), whole.shape[:2])
    assert float(tf.reduce_sum(masked_losses(scores, batch))) == pytest.approx(
        float(tf.reduce_sum(everywhere * kept)), rel=1e-5
    )


def _indices(batch: dict[str, tf.Tensor]) -> tf.Tensor:
    rows, places = batch["positions"].shape
    row = tf.repeat(tf.range(rows), places)
    return tf.stack([row, tf.reshape(batch["positions"], [-1])], axis=1)


def test_the_step_never_makes_a_tensor_of_scores_over_all_positions(base: Path, batch):
    model = MaskedLanguageModel.from_base(base)
    _, width = batch["input_ids"].shape

    def scores() -> tf.Tensor:
        with model.dropout.at(tf.constant(0), tf.constant(0)):
            return model(batch, training=True)[0]

    step = tf.function(scores, autograph=False).get_concrete_function()
    rows, places = batch["positions"].shape
    widest = max(
        (output.shape for op in step.graph.get_operations() for output in op.outputs if output.shape.rank is not None),
        key=lambda shape: (shape.num_elements() or 0) if shape[-1:] == [len(VOCABULARY)] else 0,
    )
    assert widest.num_elements() == rows * places * len(VOCABULARY) < rows * width * len(VOCABULARY)


@pytest.mark.parametrize("model_type", FAMILIES)
def test_the_decoder_is_the_embedding_table(base_of: Callable, model_type: str):
    model = MaskedLanguageModel.from_base(base_of(model_type))
    config = model.encoder.model.config
    shape = (config.vocab_size, getattr(config, "embedding_size", 32))
    tables = [variable for variable in model.trainable_variables if variable.shape == shape]
    assert len(tables) == 1


def test_a_head_that_the_base_carries_is_kept_and_a_missing_one_made(base: Path, tmp_path: Path):
    assert MaskedLanguageModel.from_base(base).encoder.new_head
    TFAutoModelForMaskedLM.from_pretrained(base).save_pretrained(tmp_path, safe_serialization=True)
    with_head = MaskedLanguageModel.from_base(tmp_path)
    again = MaskedLanguageModel.from_base(tmp_path)
    assert not with_head.encoder.new_head
    assert all(np.array_equal(a, b) for a, b in zip(with_head.get_weights(), again.get_weights(), strict=True))


def test_a_step_teaches_both_tasks(base: Path, batch):
    model = MaskedLanguageModel.from_base(base, next_sentence=True)
    follows = tf.constant([1, 0, -1] * 4)
    shares = tf.cast(follows >= 0, tf.float32) / 8
    types = tf.zeros_like(batch["input_ids"])
    batch = {**batch, "follows": follows, "follow_shares": shares, "token_type_ids": types}
    variables = {variable.name: variable for variable in model.trainable_variables}
    model.compile(make_optimizer(variables, learning_rate=5e-3, total_steps=200, warmup_fraction=0.0, weight_decay=0.0))
    step = tf.function(model.train_step, autograph=False)
    for _ in range(60):
        step(batch)
    scores, answers = model(batch)
    asked = follows.numpy() >= 0
    assert (tf.argmax(answers, axis=1).numpy() == follows.numpy())[asked].all()
    guessed = tf.argmax(scores, axis=2).numpy() == batch["targets"].numpy()
    assert guessed[batch["weights"].numpy() > 0].mean() > 0.9
