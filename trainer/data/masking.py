"""Masks whole batches for masked-LM training, inside `tf.data`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from fullbake.trainer.encoder.tokenizer import open_tokenizer

# Devlin et al. 2018, section 3.1: of the chosen tokens 80% become [MASK], 10% another token, 10% stay as they are.
MASKED = 0.8
REPLACED = 0.1
# At width 512 and 15% half as many again as the mean is nearly five standard deviations above it.
STATIC_PLACES = 1.5
# By the tokenizer's model, whether a token goes on with the word before it.
_CONTINUES: dict[str, Callable[[str], bool]] = {
    "WordPiece": lambda token: token.startswith("##"),
    "Unigram": lambda token: not token.startswith("▁"),
    "BPE": lambda token: not token.startswith("Ġ"),
}
_FIRST_BEGINS = ("BPE",)  # of these a text's first token begins a word, whatever it is
SENTENCE_ENDS = (".", "!", "?", "…", "。", "！", "？", "।", "؟", "۔")


@dataclass(frozen=True)
class Vocabulary:
    """What masking has to know of a vocabulary.

    Attributes:
        mask_id: The id of `[MASK]`, or what hides a token here.
        special: Bool `(vocabulary_size,)`: ids that are never masked and never put in, such as `[CLS]`.
        continues: Bool `(vocabulary_size,)`: pieces that go on with the word before them (`##s`; of SentencePiece `s`).
        ends_sentence: Bool `(vocabulary_size,)`: full stops and the like.
        first_begins: Whether a token after a special one begins a word, whatever it is.
    """

    mask_id: int
    special: np.ndarray
    continues: np.ndarray
    ends_sentence: np.ndarray
    first_begins: bool = False

    @classmethod
    def read(cls, base: Path) -> Vocabulary:
        """Reads the vocabulary of a base model's folder."""
        tokenizer = open_tokenizer(base)
        kind = type(tokenizer.backend_tokenizer.model).__name__
        ids = tokenizer.get_vocab()
        # A line that the vocabulary has twice leaves a gap in the ids, which is never put into a text.
        tokens = [""] * (max(ids.values()) + 1)
        for token, number in ids.items():
            tokens[number] = token
        continues = _CONTINUES[kind]
        return cls(
            mask_id=tokenizer.mask_token_id,
            special=np.array([not token for token in tokens])
            | np.isin(np.arange(len(tokens)), tokenizer.all_special_ids),
            continues=np.array([continues(token) for token in tokens]),
            ends_sentence=np.array([token.removeprefix("▁") in SENTENCE_ENDS for token in tokens]),
            first_begins=kind in _FIRST_BEGINS,
        )


@dataclass(frozen=True)
class Masker:
    """Chooses the tokens that are to be guessed, and hides them.

    Attributes:
        vocabulary: Of the base model.
        probability: Of each token, special ones aside, to be chosen; each row has at least one.
        whole_word: Choose words instead of tokens: all pieces of a word or none.
        seed: With it and the number of a batch, what is chosen is fixed.
        static_shapes: Give each batch `STATIC_PLACES` times the places that its width needs on average, as TPUs must
            have it; the few beyond stay hidden and are not guessed. Else as many as the row with the most has.
    """

    vocabulary: Vocabulary
    probability: float
    whole_word: bool
    seed: int
    static_shapes: bool = False

    def __call__(self, number: tf.Tensor, features: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Masks a batch.

        Args:
            number: int64 scalar, the number of the batch: the same number, seed and rows have the same masks.
            features: `input_ids` and `attention_mask`, int32 `(batch_size, width)`; others pass through.

        Returns:
            The features with masked `input_ids`, and `positions`, int32 `(batch_size, places)`: where something is
            to be guessed; `targets`, int32 `(batch_size, places)`: what stood there; `weights`, float32
            `(batch_size, places)`: 1, or 0 where a row has fewer positions than places; `shares`, the same over the
            sum of the batch's weights: each hidden token's share of the batch's loss, on whatever device its row is.
        """
        ids = features["input_ids"]
        maskable = (features["attention_mask"] > 0) & ~tf.gather(self.vocabulary.special, ids)
        choice, kind, other = (
            tf.random.stateless_uniform(tf.shape(ids), tf.stack([tf.cast(self.seed * 3 + draw, tf.int64), number]))
            for draw in range(3)
        )
        chosen = self._choose(ids, maskable, choice)
        replacements = tf.constant(np.flatnonzero(~self.vocabulary.special), tf.int32)
        replacement = tf.gather(replacements, tf.cast(other * float(len(replacements)), tf.int32))
        hidden = tf.where(kind < MASKED, self.vocabulary.mask_id, tf.where(kind < MASKED + REPLACED, replacement, ids))
        # The chosen positions of each row, in front; the rest is weighted away.
        counts = tf.reduce_sum(tf.cast(chosen, tf.int32), axis=1)
        width = tf.shape(ids)[1]
        # At least one, where a batch has nothing to hide: Hugging Face's heads do not take none.
        places = tf.maximum(1, tf.reduce_max(counts))
        if self.static_shapes:
            places = min(ids.shape[1], 1 + int(np.ceil(ids.shape[1] * self.probability * STATIC_PLACES)))
        positions = tf.argsort(tf.where(chosen, 0, 1) * width + tf.range(width), axis=1)[:, :places]
        weights = tf.sequence_mask(counts, places, tf.float32)
        return {
            **features,
            "input_ids": tf.where(chosen, hidden, ids),
            "positions": positions,
            "targets": tf.gather(ids, positions, batch_dims=1),
            "weights": weights,
            "shares": tf.math.divide_no_nan(weights, tf.reduce_sum(weights)),
        }

    def _choose(self, ids: tf.Tensor, maskable: tf.Tensor, choice: tf.Tensor) -> tf.Tensor:
        if self.whole_word:
            begins = ~tf.gather(self.vocabulary.continues, ids)
            if self.vocabulary.first_begins:
                begins |= ~tf.pad(maskable, [[0, 0], [1, 0]])[:, :-1]
            starts = maskable & begins
            word = tf.maximum(tf.cumsum(tf.cast(starts, tf.int32), axis=1) - 1, 0)
            choice = tf.gather(choice, word, batch_dims=1)
        choice = tf.where(maskable, choice, 1.0)
        lowest = tf.reduce_min(choice, axis=1, keepdims=True)
        return maskable & ((choice < self.probability) | (choice == lowest))
