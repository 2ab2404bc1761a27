"""A base's tokenizer as part of the TensorFlow graph: rows of ids, token for token those of Hugging Face's."""

from pathlib import Path

import tensorflow as tf

from fullbake.components.tokenizer.pieces import Pieces
from fullbake.components.tokenizer.tokenizer_kinds import pieces_of
from fullbake.contract.errors import InputError
from fullbake.contract.names import ATTENTION_MASK, INPUT_IDS, TOKEN_TYPE_IDS

# Sun et al. 2019, "How to Fine-Tune BERT for Text Classification?", 5.3.1: of 510 tokens the first 128, the last 382.
HEAD_TOKENS = 128


class RowTokenizer:
    """Turns text into the ids that an encoder reads.

    The ids are those of Hugging Face's fast tokenizer for every text. One difference is meant: special tokens that a
    user types, such as "[SEP]", are ordinary text here, so that nobody can forge the structure of the input (Hugging
    Face does the same with `split_special_tokens=True`).

    Only constants and stateless operations come into the graph, so it can be called in a `tf.function`, in Transform's
    `preprocessing_fn` and in a SavedModel, which then loads wherever `tensorflow_text` is imported. Tensors are
    compared with `tf.equal`, because `==` compares the objects themselves while a TF1 graph is built.

    Example:
        >>> tokenizer = RowTokenizer.from_folder("checkpoints/base", max_length=6)
        >>> tokenizer(tf.constant(["Hello!"]))["input_ids"]
        <tf.Tensor: shape=(1, 6), dtype=int64, numpy=array([[ 101, 7592,  999,  102,    0,    0]])>
    """

    def __init__(self, pieces: Pieces, *, max_length: int, truncation: str = "head") -> None:
        """Makes it.

        Args:
            pieces: Finds the tokens.
            max_length: Tokens in a row, with the special ones; at least 3.
            truncation: What is kept of a text that is too long. "head": its first tokens. "head_tail": the first 128
                (or half of the room, where it is less than 256) and the last ones.

        Raises:
            InputError: `max_length` or `truncation` is out of range.
        """
        if max_length < 3:
            raise InputError(f"max_length: {max_length} leaves no room between the special tokens; use 3 or more")
        if truncation not in ("head", "head_tail"):
            raise InputError(f"truncation: {truncation!r} is unknown; use head or head_tail")
        self.max_length = max_length
        self.truncation = truncation
        self.pieces = pieces

    @classmethod
    def from_folder(cls, folder: str | Path, *, max_length: int, truncation: str = "head") -> "RowTokenizer":
        """The tokenizer of the model in a folder: its kind and its settings are those of its files.

        Args:
            folder: A model folder in Hugging Face format.
            max_length: Tokens in a row, with the special ones; at least 3.
            truncation: "head" or "head_tail", see the constructor.

        Returns:
            The tokenizer.

        Raises:
            InputError: As `tokenizer_kinds.pieces_of`, or an argument is out of range.
        """
        return cls(pieces_of(folder), max_length=max_length, truncation=truncation)

    def __call__(self, text: tf.Tensor, text_pair: tf.Tensor | None = None) -> dict[str, tf.Tensor]:
        """Tokenizes, adds the special tokens, truncates and pads.

        Args:
            text: String [N], UTF-8.
            text_pair: String [N], the second sentences. Pairs are truncated at the end of the longer one ("longest
                first"), to equal lengths if both are too long.

        Returns:
            `input_ids` and `attention_mask`, for pairs that the layout tells apart also `token_type_ids`: int64
            [N, max_length].

        Raises:
            InputError: Pairs with truncation "head_tail".
        """
        if text_pair is None:
            room = self.max_length - 2
            last = room - self._most_in_head() if self.truncation == "head_tail" else 0
            tokens = self.pieces.tokenize(text, first=room, last=last)
            return self._assemble([(tokens, tf.minimum(tokens.row_lengths(), room))])
        if self.truncation != "head":
            raise InputError("truncation: head_tail is not defined for pairs of sentences; use head")
        # Of an odd room the longer text gets one token more: so their whole lengths are needed.
        first, second = self.pieces.tokenize(text), self.pieces.tokenize(text_pair)
        room = self.max_length - 2 - len(self.pieces.layout.between)
        kept_first, kept_second = _longest_first(first.row_lengths(), second.row_lengths(), room)
        return self._assemble([(first, kept_first), (second, kept_second)])

    def _assemble(self, segments: list[tuple[tf.RaggedTensor, tf.Tensor]]) -> dict[str, tf.Tensor]:
        """Puts the kept tokens of each segment, the special tokens around them, and padding into rows.

        Args:
            segments: Tokens, int64 [N, (tokens)], and how many of each row are kept, int64 [N].

        Returns:
            As `__call__`.
        """
        layout = self.pieces.layout
        start_id, pad_id = (tf.constant(token, tf.int64) for token in (layout.start, layout.pad))
        position = tf.range(self.max_length, dtype=tf.int64)[tf.newaxis]  # [1, max_length]
        start = tf.ones_like(segments[0][1])[:, tf.newaxis]  # [N, 1], where the segment begins
        input_ids = tf.where(position < start, start_id, pad_id)
        token_type_ids = tf.zeros_like(input_ids)
        for number, (tokens, kept) in enumerate(segments):
            kept = kept[:, tf.newaxis]
            length = tokens.row_lengths()[:, tf.newaxis]
            offset = position - start
            head = self._head(kept) if self.truncation == "head_tail" else kept
            source = tf.where(offset < head, offset, offset + length - kept)
            inside = (offset >= 0) & (offset < kept)
            values = tf.concat([tokens.values, [pad_id]], 0)
            index = tf.where(inside, tokens.row_starts()[:, tf.newaxis] + source, 0)
            end = start + kept
            input_ids = tf.where(inside, tf.gather(values, index), input_ids)
            after = (layout.end,) if number == len(segments) - 1 else layout.between
            for token in after:
                input_ids = tf.where(tf.equal(position, end), tf.constant(token, tf.int64), input_ids)
                end += 1
            token_type_ids = tf.where(
                (position >= start) & (position < end), tf.constant(number, tf.int64), token_type_ids
            )
            start = end
        features = {INPUT_IDS: input_ids, ATTENTION_MASK: tf.cast(position < start, tf.int64)}
        if len(segments) > 1 and layout.has_types:
            features[TOKEN_TYPE_IDS] = token_type_ids
        for feature in features.values():
            feature.set_shape([None, self.max_length])
        return features

    def _head(self, kept: tf.Tensor) -> tf.Tensor:
        return tf.minimum(kept, self._most_in_head())

    def _most_in_head(self) -> int:
        return min(HEAD_TOKENS, (self.max_length - 2) // 2)


def _longest_first(first: tf.Tensor, second: tf.Tensor, room: int) -> tuple[tf.Tensor, tf.Tensor]:
    """How many tokens of each pair are kept, as `tokenizers` counts: the longer loses, then both share alike.

    Args:
        first: Lengths of the first texts, int64 [N].
        second: Lengths of the second texts, int64 [N].
        room: How many tokens there is room for.

    Returns:
        The lengths that are kept, int64 [N] both. Of an odd room the longer text (or the second) has one more.
    """
    shorter, longer = tf.minimum(first, second), tf.maximum(first, second)
    longer = tf.where(shorter + longer > room, tf.maximum(shorter, room - shorter), longer)
    half = tf.constant(room // 2, tf.int64)
    both = shorter + longer > room
    shorter, longer = tf.where(both, half, shorter), tf.where(both, room - half, longer)
    swapped = first > second
    return tf.where(swapped, longer, shorter), tf.where(swapped, shorter, longer)
