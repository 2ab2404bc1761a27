"""BERT's tokenizer as part of the TensorFlow graph, token for token that of Hugging Face's `BertTokenizerFast`."""

from pathlib import Path

import tensorflow as tf

from fullbake.components.tokenizer.tokenizer_files import TokenizerFiles, read_tokenizer_files
from fullbake.components.tokenizer.wordpiece import wordpiece_of
from fullbake.contract.errors import InputError
from fullbake.contract.names import ATTENTION_MASK, INPUT_IDS, TOKEN_TYPE_IDS

# Sun et al. 2019, "How to Fine-Tune BERT for Text Classification?", 5.3.1: of 510 tokens the first 128, the last 382.
HEAD_TOKENS = 128


class BertTokenizer:
    """Turns text into the ids that a BERT-family encoder reads.

    The ids are those of `BertTokenizerFast` for every text, whatever Unicode it holds; bytes that are not UTF-8 count
    as U+FFFD, one for each that Python's `errors="replace"` gives. One difference is meant: special tokens that a user
    types, such as "[SEP]", are ordinary text here, so that nobody can forge the structure of the input (Hugging Face
    does the same with `split_special_tokens=True`).

    Only constants and stateless operations come into the graph (of tensorflow_text: FastWordpieceTokenizer), so it can
    be called in a `tf.function`, in Transform's `preprocessing_fn` and in a SavedModel, which then loads wherever
    `tensorflow_text` is imported. No table of RE2 or ICU takes part: see components/tokenizer/unicode_tables.py.
    Tensors are compared with `tf.equal`, because `==` compares the objects themselves while a TF1 graph is built.

    Example:
        >>> tokenizer = BertTokenizer.from_folder("checkpoints/base", max_length=6)
        >>> tokenizer(tf.constant(["Hello!"]))["input_ids"]
        <tf.Tensor: shape=(1, 6), dtype=int64, numpy=array([[ 101, 7592,  999,  102,    0,    0]])>
    """

    def __init__(self, files: TokenizerFiles, *, max_length: int, truncation: str = "head") -> None:
        """Makes the tables, unless this process has them already.

        Args:
            files: Vocabulary and settings.
            max_length: Tokens in a row, with the special ones; at least 3.
            truncation: What is kept of a text that is too long. "head": its first tokens. "head_tail": the first 128
                (or half of the room, where it is less than 256) and the last ones.

        Raises:
            InputError: `max_length` or `truncation` is out of range, or the vocabulary cannot be compiled.
        """
        if max_length < 3:
            raise InputError(f"max_length: {max_length} leaves no room between [CLS] and [SEP]; use 3 or more")
        if truncation not in ("head", "head_tail"):
            raise InputError(f"truncation: {truncation!r} is unknown; use head or head_tail")
        self.max_length = max_length
        self.truncation = truncation
        self.files = files
        self.wordpiece = wordpiece_of(files)

    @classmethod
    def from_folder(cls, folder: str | Path, *, max_length: int, truncation: str = "head") -> "BertTokenizer":
        """The tokenizer of the model in a folder: vocabulary and casing are those of its files.

        Args:
            folder: A model folder in Hugging Face format, with tokenizer.json or vocab.txt.
            max_length: Tokens in a row, with the special ones; at least 3.
            truncation: "head" or "head_tail", see the constructor.

        Returns:
            The tokenizer.

        Raises:
            InputError: The folder has no WordPiece tokenizer, or an argument is out of range.
        """
        return cls(read_tokenizer_files(folder), max_length=max_length, truncation=truncation)

    def __call__(self, text: tf.Tensor, text_pair: tf.Tensor | None = None) -> dict[str, tf.Tensor]:
        """Tokenizes, adds [CLS] and [SEP], truncates and pads.

        Args:
            text: String [N], UTF-8.
            text_pair: String [N], the second sentences. Pairs are truncated at the end of the longer one ("longest
                first"), to equal lengths if both are too long.

        Returns:
            `input_ids` and `attention_mask`, for pairs also `token_type_ids`: int64 [N, max_length].

        Raises:
            InputError: Pairs with truncation "head_tail".
        """
        if text_pair is None:
            room = self.max_length - 2
            last = room - self._most_in_head() if self.truncation == "head_tail" else 0
            tokens = self.wordpiece.tokenize(text, first=room, last=last)
            return self._assemble([(tokens, tf.minimum(tokens.row_lengths(), room))])
        if self.truncation != "head":
            raise InputError("truncation: head_tail is not defined for pairs of sentences; use head")
        # Of an odd room the longer text gets one token more: so their whole lengths are needed.
        first, second = self.wordpiece.tokenize(text), self.wordpiece.tokenize(text_pair)
        kept_first, kept_second = _longest_first(first.row_lengths(), second.row_lengths(), self.max_length - 3)
        return self._assemble([(first, kept_first), (second, kept_second)])

    def _assemble(self, segments: list[tuple[tf.RaggedTensor, tf.Tensor]]) -> dict[str, tf.Tensor]:
        """Puts [CLS], the kept tokens of each segment with [SEP] after them, and padding into rows.

        Args:
            segments: Tokens, int64 [N, (tokens)], and how many of each row are kept, int64 [N].

        Returns:
            As `__call__`.
        """
        ids_of = self.files.token_id
        cls_id, sep_id, pad_id = (
            tf.constant(ids_of(token), tf.int64)
            for token in (self.files.cls_token, self.files.sep_token, self.files.pad_token)
        )
        position = tf.range(self.max_length, dtype=tf.int64)[tf.newaxis]  # [1, max_length]
        start = tf.ones_like(segments[0][1])[:, tf.newaxis]  # [N, 1], where the segment begins
        input_ids = tf.where(position < start, cls_id, pad_id)
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
            input_ids = tf.where(tf.equal(position, end), sep_id, input_ids)
            token_type_ids = tf.where(
                (position >= start) & (position <= end), tf.constant(number, tf.int64), token_type_ids
            )
            start = end + 1
        features = {INPUT_IDS: input_ids, ATTENTION_MASK: tf.cast(position < start, tf.int64)}
        if len(segments) > 1:
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
