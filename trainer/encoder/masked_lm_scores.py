"""Hugging Face's masked-LM heads, one row a family: from an encoder's vectors to scores over the vocabulary."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

# By family (see `trainer.encoder.families`), of a `*ForMaskedLM` and vectors of its last hidden state. Each ends in the
# embedding table itself: the decoder is tied to it.
SCORES: dict[str, Callable[[Any, tf.Tensor], tf.Tensor]] = {
    "bert": lambda model, vectors: model.mlm(vectors),
    "distilbert": lambda model, vectors: model.vocab_projector(
        model.vocab_layer_norm(model.act(model.vocab_transform(vectors)))
    ),
    "electra": lambda model, vectors: model.generator_lm_head(model.generator_predictions(vectors)),
    "roberta": lambda model, vectors: model.lm_head(vectors),
    "albert": lambda model, vectors: model.predictions(vectors),
    "xlm-roberta": lambda model, vectors: model.lm_head(vectors),
    "mpnet": lambda model, vectors: model.lm_head(vectors),
    "camembert": lambda model, vectors: model.lm_head(vectors),
    "deberta-v2": lambda model, vectors: model.mlm(vectors),
}
