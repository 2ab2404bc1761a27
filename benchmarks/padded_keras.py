"""What people run today: every text padded to 512 tokens, a Keras model on Hugging Face's encoder, `fit`."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
import tf_keras
from transformers import TFAutoModel

from benchmarks.ours import BATCH
from benchmarks.results import seconds
from benchmarks.texts import BASE, LABELS, MAX_LENGTH, tokenizer
from fullbake.trainer.encoder.base_model import resolve_base


class PaddedKeras:
    """A classifier as a script would have it.

    Args:
        texts: What it trains on; labels are drawn at random.
        trainable: Whether the base is trained too.
    """

    def __init__(self, texts: list[str], *, trainable: bool = True):
        self.texts = texts
        self.tokenizer = tokenizer()
        self.inputs = self.tokenize()
        self.labels = np.random.default_rng(3).integers(0, len(LABELS), len(texts))
        encoder = TFAutoModel.from_pretrained(resolve_base(BASE))
        encoder.trainable = trainable
        inputs = {name: tf_keras.Input((MAX_LENGTH,), dtype=tf.int32, name=name) for name in self.inputs}
        cls = encoder(inputs).last_hidden_state[:, 0]
        self.model = tf_keras.Model(inputs, tf_keras.layers.Dense(len(LABELS), activation="softmax")(cls))
        self.model.compile(optimizer=tf_keras.optimizers.Adam(5e-5), loss="sparse_categorical_crossentropy")

    def tokenize(self) -> dict[str, np.ndarray]:
        """The texts, padded to 512 tokens: int32 `(rows, 512)`."""
        tokens = self.tokenizer(
            self.texts, padding="max_length", truncation=True, max_length=MAX_LENGTH, return_tensors="np"
        )
        return {name: tokens[name].astype(np.int32) for name in ("input_ids", "attention_mask")}

    def epoch(self) -> float:
        """Seconds of an epoch."""
        return seconds(lambda: self.model.fit(self.inputs, self.labels, batch_size=BATCH, verbose=0))

    def rows_per_second(self) -> float:
        """Rows a second of an epoch."""
        return len(self.texts) / self.epoch()

    def predicted_rows_per_second(self, rows_at_once: int) -> float:
        """Rows a second of `predict`, tokenizing included."""

        def predict() -> None:
            tokens = self.tokenize()
            self.model.predict(tokens, batch_size=rows_at_once, verbose=0)

        return len(self.texts) / seconds(predict)
