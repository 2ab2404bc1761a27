"""Transform's `preprocessing_fn`: raw text to token ids, in the graph that is also served."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from fullbake.components.tokenizer.bert_tokenizer import BertTokenizer
from fullbake.components.tokenizer.tokenizer_spec import TokenizerSpec
from fullbake.contract.errors import InputError
from fullbake.contract.names import LABEL, TEXT, TEXT_PAIR
from fullbake.trainer.encoder.base_model import check_pairs, open_base


def preprocessing_fn(inputs: dict[str, tf.Tensor], custom_config: dict[str, Any]) -> dict[str, tf.Tensor]:
    """Tokenizes text and numbers the labels.

    Args:
        inputs: `text` and `label` (and `text_pair`), string `(batch_size, 1)`.
        custom_config: A `TokenizerSpec` as a dictionary, and `labels`: the labels in the order of their class index.

    Returns:
        `input_ids` and `attention_mask` (and `token_type_ids` for pairs), int64 `(batch_size, max_length)`, and
        `label`, int64 `(batch_size,)`. Of a text that is read in windows it is `(batch_size, row_length)`: what all of
        them cover, in one row, from which they are cut later (`trainer.data.window_cutting`).

    Raises:
        InputError: The base cannot read pairs, or they are to be read in windows.
    """
    spec = TokenizerSpec.from_dict({key: value for key, value in custom_config.items() if key != "labels"})
    base = open_base(spec.base, spec.revision, spec.base_hash)
    truncation = spec.truncation if spec.windows is None else "head"
    tokenizer = BertTokenizer.from_folder(base, max_length=spec.row_length, truncation=truncation)
    pair = inputs.get(TEXT_PAIR)
    if pair is not None:
        check_pairs(base)
        if spec.windows is not None:
            raise InputError("windows are not defined for pairs of sentences; use head", field="truncation")
    features = tokenizer(tf.squeeze(inputs[TEXT], axis=1), None if pair is None else tf.squeeze(pair, axis=1))
    # The data gate has seen to it that every label is in the list; argmax finds where.
    # tf.equal: in the graphs of TensorFlow 1 that Transform can be told to use, == compares tensor objects.
    features[LABEL] = tf.argmax(tf.equal(inputs[LABEL], tf.constant(custom_config["labels"])), axis=1)
    return features
