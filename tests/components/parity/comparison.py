"""A tokenizer in the graph beside Hugging Face's, text by text."""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf
from tokenizers import Tokenizer
from transformers import AutoTokenizer

from fullbake.components.tokenizer.bert_characters import STAND_INS
from fullbake.components.tokenizer.row_tokenizer import RowTokenizer

BATCH = 20_000

Difference = tuple[str, list[int], list[int]]
"""A text, our ids, and Hugging Face's."""


class Parity:
    """A tokenizer in the graph beside Hugging Face's, made of the same folder."""

    def __init__(self, folder: Path, max_length: int = 64) -> None:
        self.folder = folder
        self.ours = RowTokenizer.from_folder(folder, max_length=max_length)
        # The one difference that is meant: special tokens in the text are text.
        self.theirs = AutoTokenizer.from_pretrained(folder, split_special_tokens=True)
        self.theirs.backend_tokenizer.no_truncation()
        self.theirs.backend_tokenizer.no_padding()

    def differences(self, texts: Iterable[str | bytes]) -> list[Difference]:
        """Where the ids are not the same."""
        return self._differences(texts, self.theirs.backend_tokenizer)

    def differences_where_special_tokens_are_typed(self, texts: Iterable[str]) -> list[Difference]:
        """The same with a tokenizer of Hugging Face's that cannot take typed special tokens for special.

        Its unigram model finds them in its vocabulary, even with `split_special_tokens=True`: here they have other
        names there, which no text holds.
        """
        content = json.loads(self.theirs.backend_tokenizer.to_str())
        if content["model"].get("type") == "Unigram":
            special = {token["content"] for token in content["added_tokens"]}
            special |= {piece for piece, _ in content["model"]["vocab"] if piece.endswith("NOTUSED")}
            content["model"]["vocab"] = [
                (f"\U0010fffe{piece}" if piece in special else piece, score)
                for piece, score in content["model"]["vocab"]
            ]
            content |= {"added_tokens": [], "post_processor": None}
            return self._differences(texts, Tokenizer.from_str(json.dumps(content)))
        return self.differences(texts)

    def word_differences(self, texts: Iterable[str]) -> list[tuple[str, str, str]]:
        """(text, our words, their words) where these differ, before the vocabulary is asked: nothing is [UNK].

        For WordPiece alone.
        """
        normalize = self.theirs.backend_tokenizer.normalizer.normalize_str
        split = self.theirs.backend_tokenizer.pre_tokenizer.pre_tokenize_str
        found = []
        for batch in _batches(texts):
            ours = self._words(tf.constant([text.encode() for text in batch])).numpy().tolist()
            for text, joined in zip(batch, ours, strict=True):
                expected = " ".join([piece for piece, _ in split(normalize(text))])
                if expected.translate(STAND_INS).encode() != joined:
                    found.append((text, joined.decode(), expected))
        return found

    @functools.cached_property
    def _words(self) -> tf.types.experimental.PolymorphicFunction:
        return tf.function(
            lambda texts: tf.strings.reduce_join(self.ours.pieces.words(texts), axis=1, separator=" "),
            input_signature=[tf.TensorSpec([None], tf.string)],
        )

    def _differences(self, texts: Iterable[str | bytes], library: Tokenizer) -> list[Difference]:
        found = []
        for batch in _batches(texts):
            encoded = [text.encode() if isinstance(text, str) else text for text in batch]
            plain = [text.decode(errors="replace") for text in encoded]
            tokens = self.ours.pieces.tokenize(tf.constant(encoded))
            theirs = [encoding.ids for encoding in library.encode_batch_fast(plain, add_special_tokens=False)]
            splits = np.concatenate([[0], np.cumsum([len(ids) for ids in theirs])])
            together = np.fromiter(itertools.chain.from_iterable(theirs), np.int64, splits[-1])
            if np.array_equal(tokens.row_splits, splits) and np.array_equal(tokens.values, together):
                continue
            found += [
                (text, ours, ids)
                for text, ours, ids in zip(plain, tokens.to_list(), theirs, strict=True)
                if ours != ids
            ]
        return found


def _batches(texts: Iterable[str | bytes]) -> Iterator[list]:
    """The texts, so many at a time that they are quickly compared."""
    remaining = iter(texts)
    while batch := list(itertools.islice(remaining, BATCH)):
        yield batch
