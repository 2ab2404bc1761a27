"""Transform's `preprocessing_fn`: raw text to token ids, in the graph that is also served."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from fullbake.components.tokenizer.bert_tokenizer import BertTokenizer
from fullbake.components.tokenizer.tokenizer_spec import TokenizerSpec
from fullbake.contract.names import LABEL, TEXT, TEXT_PAIR
from fullbake.trainer.encoder.base_model import check_pairs, open_base


def preprocessing_fn(inputs: dict[str, tf.Tensor], custom_config: dict[str, Any]) -> dict[str, tf.Tensor]:
    """Tokenizes text and numbers the labels.

    Args:
        inputs: `text` and `label` (and `text_pair`), string `(batch_size, 1)`.
        custom_config: A `TokenizerSpec` as a dictionary, and `labels`: the labels in the order of their class index.

    Returns:
        `input_ids` and `attention_mask` (and `token_type_ids` for pairs), int64 `(batch_size, max_length)`, and
        `label`, int64 `(batch_size,)`.
    """
    spec = TokenizerSpec.from_dict({key: value for key, value in custom_config.items() if key != "labels"})
    base = open_base(spec.base, spec.revision, spec.base_hash)
    tokenizer = BertTokenizer.from_folder(base, max_length=spec.max_length, truncation=spec.truncation)
    pair = inputs.get(TEXT_PAIR)
    if pair is not None:
        check_pairs(base)
    features = tokenizer(tf.squeeze(inputs[TEXT], axis=1), None if pair is None else tf.squeeze(pair, axis=1))
    # The data gate has seen to it that every label is in the list; argmax finds where.
    # tf.equal: in the graphs of TensorFlow 1 that Transform can be told to use, == compares tensor objects.
    features[LABEL] = tf.argmax(tf.equal(inputs[LABEL], tf.constant(custom_config["labels"])), axis=1)
    return features
