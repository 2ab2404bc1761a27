"""Whether a pushed model still answers, by opening it."""

from __future__ import annotations

import tensorflow as tf
import tensorflow_text  # noqa: F401  (the served graph holds its ops)

from fullbake.components.serving.plain_path import plain_path
from fullbake.components.serving.pushed_models import read_about
from fullbake.contract.names import ABOUT_FILE, EXAMPLES_SIGNATURE, LABEL_OUTPUT, PROBABILITIES_OUTPUT


def opening_fault(model: str) -> str | None:
    """Returns why a version cannot be compared with, or None if it labels a row (see `pushed_models.fault`)."""
    about = read_about(model)
    if about is None:
        return f"has no usable {ABOUT_FILE}"
    value = tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"hello"]))
    row = tf.train.Example(features=tf.train.Features(feature=dict.fromkeys(about.text_features, value)))
    try:
        with plain_path(model) as plain:
            saved = tf.saved_model.load(plain)
        answer = saved.signatures[EXAMPLES_SIGNATURE](examples=tf.constant([row.SerializeToString()]))
        label, probabilities = answer[LABEL_OUTPUT][0].numpy().decode(), answer[PROBABILITIES_OUTPUT][0].numpy()
    except Exception as error:  # TensorFlow has as many kinds as there are ways to be damaged
        lines = str(error).strip().splitlines() or [type(error).__name__]
        return f"cannot be opened ({lines[0][:200]})"
    if label not in about.labels or len(probabilities) != len(about.labels):
        return f"does not decide the labels that it names ({', '.join(about.labels[:5])})"
    return None
