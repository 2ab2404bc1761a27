"""Transform's `preprocessing_fn`: raw text to token ids, in the graph that is also served."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from fullbake.components.tokenizer.row_tokenizer import RowTokenizer
from fullbake.components.tokenizer.tokenizer_spec import TokenizerSpec
from fullbake.contract.errors import InputError
from fullbake.contract.names import LABEL, MASKED_LABEL, TEXT, TEXT_PAIR
from fullbake.contract.progress import tell
from fullbake.trainer.encoder.base_model import check_pairs, open_base


def preprocessing_fn(inputs: dict[str, tf.Tensor], custom_config: dict[str, Any]) -> dict[str, tf.Tensor]:
    """Tokenizes text and numbers the labels.

    Args:
        inputs: `text` (and `text_pair`), string `(batch_size, 1)`; `label` likewise or, where a row has any number of
            labels, `label` and `masked_label`, sparse strings `(batch_size, at most num_labels)`.
        custom_config: A `TokenizerSpec` as a dictionary; `labels`: the labels in the order of their class index; and
            `multi_label`: whether a row has any number of them. Default: false.

    Returns:
        `input_ids` and `attention_mask` (and `token_type_ids` for pairs), int64 `(batch_size, max_length)`, and
        `label`, int64 `(batch_size,)`: the class index; or `(batch_size, num_labels)`: 1 where a row has the label, 0
        where it has not, -1 where nobody knows. Of a text that is read in windows `input_ids` and `attention_mask` are
        `(batch_size, row_length)`: what all of them cover, in one row, from which they are cut later
        (`trainer.data.window_cutting`).

    Raises:
        InputError: The base cannot read pairs, or they are to be read in windows.
    """
    tell("building the tokenizer, then tokenizing the texts")
    labels, multi_label = custom_config["labels"], custom_config.get("multi_label", False)
    spec = TokenizerSpec.from_dict(
        {key: value for key, value in custom_config.items() if key not in ("labels", "multi_label")}
    )
    base = open_base(spec.base, spec.revision, spec.base_hash)
    truncation = spec.truncation if spec.windows is None else "head"
    tokenizer = RowTokenizer.from_folder(base, max_length=spec.row_length, truncation=truncation)
    pair = inputs.get(TEXT_PAIR)
    if pair is not None:
        check_pairs(base)
        if spec.windows is not None:
            raise InputError("windows are not defined for pairs of sentences; use head", field="truncation")
    features = tokenizer(tf.squeeze(inputs[TEXT], axis=1), None if pair is None else tf.squeeze(pair, axis=1))
    # The data gate has seen to it that every label is in the list.
    if multi_label:
        has_label, masked = (_among(inputs[name], labels) for name in (LABEL, MASKED_LABEL))
        features[LABEL] = tf.cast(has_label, tf.int64) - tf.cast(masked, tf.int64)
    else:
        # tf.equal: in the graphs of TensorFlow 1 that Transform can be told to use, == compares tensor objects.
        features[LABEL] = tf.argmax(tf.equal(inputs[LABEL], tf.constant(labels)), axis=1)
    return features


def _among(given: tf.SparseTensor, labels: list[str]) -> tf.Tensor:
    """Says of each row and label whether it is given: bool `(batch_size, num_labels)`."""
    dense = tf.sparse.to_dense(given, default_value="")
    return tf.reduce_any(tf.equal(dense[:, :, None], tf.constant(labels)), axis=1)
