"""SentencePiece's unigram tokenizer as a TensorFlow graph: text to the ids of its tokens, none cut off."""

from __future__ import annotations

import functools

import numpy as np
import tensorflow as tf

from fullbake.components.tokenizer.charsmap import Charsmap, folded_characters, normalize, read_charsmap
from fullbake.components.tokenizer.copies import copy_each
from fullbake.components.tokenizer.pieces import RowLayout
from fullbake.components.tokenizer.piecewise import PiecewiseTokenizer
from fullbake.components.tokenizer.unicode_tables import PUNCTUATION, WHITESPACE, code_points
from fullbake.components.tokenizer.unigram_boundaries import Boundaries, plain_characters
from fullbake.components.tokenizer.unigram_files import (
    CHARSMAP,
    FOLD,
    JOIN_QUOTES,
    JOIN_SPACES,
    STRIP,
    WORD_MARK,
    UnigramFiles,
)
from fullbake.components.tokenizer.unigram_model import UnigramTables, find_pieces

_SPACE, _MARK = ord(" "), ord(WORD_MARK)


@functools.lru_cache(maxsize=4)
def unigram_of(files: UnigramFiles) -> Unigram:
    """Returns the tokenizer of these files, made and traced once in a process."""
    return Unigram(files)


class Unigram(PiecewiseTokenizer):
    """Finds the tokens of texts, those of Hugging Face's fast tokenizer of the same tokenizer.json.

    Its members are those of `pieces.Pieces`. Bytes that are not UTF-8 count as U+FFFD, one for each that Python's
    `errors="replace"` gives. One difference is meant: special tokens that a user types are ordinary text, where Hugging
    Face's unigram model, whose vocabulary holds them, makes them special again even with `split_special_tokens=True`.
    """

    # Each different word of a chunk is spelled once. On tweets a row took 64 us of one core in chunks of 256 KiB, 40 in
    # chunks of 1 MiB, which have 3 and 5 times as many words as different ones.
    chunk_bytes = 1 << 20

    def __init__(self, files: UnigramFiles) -> None:
        """Makes the tables.

        Args:
            files: Vocabulary and settings.
        """
        super().__init__()
        self._files = files
        self.layout = RowLayout(
            start=files.start_id,
            end=files.end_id,
            between=files.between_ids,
            pad=files.pad_id,
            has_types=files.has_types,
        )
        self.unknown_id = files.unknown_id
        self.begins_word = np.array([piece.startswith(WORD_MARK) for piece in files.pieces])
        self._maps = {}
        if FOLD in files.steps:
            self._maps[FOLD] = Charsmap(folded_characters(files.folding), by_grapheme=False)
        if CHARSMAP in files.steps:
            self._maps[CHARSMAP] = Charsmap(read_charsmap(files.charsmap))
        self._tables = UnigramTables(files)
        self._plain = plain_characters(files)

    def tables(self) -> Boundaries:
        """What is known of texts beside the vocabulary, which is part of the graph as soon as a piece is looked up."""
        return Boundaries(self._plain)

    def tokenize_chunk(self, text: tf.Tensor, tables: Boundaries) -> tuple[tf.Tensor, tf.Tensor]:
        """Text, string [N], to all ids, int64, one row after the other, and how many each row has, int64 [N]."""
        del tables
        decoded = tf.strings.unicode_decode(text, "UTF-8", errors="replace")
        codes, rows = decoded.values, decoded.value_rowids()
        codes, rows = self._normalize(codes, rows, tf.size(text))
        codes, rows, begins = self._words(codes, rows)
        starts = tf.where(begins)[:, 0]
        words, place = _different(
            tf.RaggedTensor.from_row_splits(codes, tf.concat([starts, [tf.size(codes, tf.int64)]], 0), validate=False)
        )
        tokens = tf.gather(self._spell(words), place)
        rows = tf.gather(rows, starts)
        lengths = tf.math.unsorted_segment_sum(tokens.row_lengths(), rows, tf.size(text, tf.int64))
        return tf.cast(tokens.values, tf.int64), lengths

    def _normalize(self, codes: tf.Tensor, rows: tf.Tensor, count: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Characters of so many rows, int32 [M], and their rows, as the normalizer makes them."""
        for step in self._files.steps:
            if step == JOIN_QUOTES:
                for quote in "`'":
                    codes, rows = _join_quotes(codes, rows, ord(quote))
            elif step == JOIN_SPACES:
                is_space = tf.equal(codes, _SPACE)
                codes, rows = _keep(~(is_space & _follows(is_space, rows)), codes, rows)
            elif step in self._maps:
                codes, rows = normalize(self._maps[step], codes, rows)
            else:
                codes, rows = _strip(codes, rows, count, both=step == STRIP)
        return codes, rows

    def _spell(self, words: tf.RaggedTensor) -> tf.RaggedTensor:
        """The tokens of words, int32 [W, (characters)], each of which has a mark in front."""
        codes, word = words.values, words.value_rowids()
        begins = ~_follows(tf.ones_like(codes, tf.bool), word)
        places, ids = find_pieces(self._tables, codes, begins)
        ids, word = self._spell_unknown(codes, ids, places, tf.gather(word, places))
        return tf.RaggedTensor.from_value_rowids(ids, word, words.nrows(), validate=False)

    def _words(self, codes: tf.Tensor, rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Puts a mark before each text, or each part of it, that has none, and finds all marks.

        Parts are what is between white space, or each punctuation character and what is between these.
        """
        begins = ~_follows(tf.ones_like(codes, tf.bool), rows)
        if self._files.parts_at_whitespace:
            is_space = _is_whitespace(codes)
            codes, rows, begins = _keep(~is_space, codes, rows, begins | _follows(is_space, rows))
        if self._files.parts_punctuation:
            is_alone = _is_in(PUNCTUATION, codes)
            begins |= is_alone | _follows(is_alone, rows)
        codes = tf.where(tf.equal(codes, _SPACE), _MARK, codes)
        is_new = begins & tf.not_equal(codes, _MARK)
        source, number = copy_each(1 + tf.cast(is_new, tf.int32))
        is_mark = tf.gather(is_new, source) & tf.equal(number, 0)
        codes = tf.where(is_mark, _MARK, tf.gather(codes, source))
        return codes, tf.gather(rows, source), tf.equal(codes, _MARK)

    def _spell_unknown(
        self, codes: tf.Tensor, ids: tf.Tensor, places: tf.Tensor, word: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Makes one token of a word's unknown characters that follow each other, or their bytes."""
        is_unknown = tf.equal(ids, self.unknown_id)
        if not self._files.byte_ids:
            ids, word = _keep(~(is_unknown & _follows(is_unknown, word)), ids, word)
            return ids, word
        codes = tf.gather(codes, places)
        octets = 1 + sum(tf.cast(codes >= bound, tf.int32) for bound in (0x80, 0x800, 0x10000))
        octets = tf.where(is_unknown, octets, 1)
        source, number = copy_each(octets)
        width = tf.gather(octets, source)
        bits = tf.bitwise.right_shift(tf.gather(codes, source), 6 * (width - 1 - number))
        lead = tf.gather([0, 0, 0xC0, 0xE0, 0xF0], width) + bits
        # Not by unicode_encode, which makes U+FFFD of what Unicode will never assign.
        byte = tf.where(tf.equal(number, 0), lead, 0x80 + tf.bitwise.bitwise_and(bits, 0x3F))
        byte_ids = tf.gather(tf.constant(self._files.byte_ids, tf.int32), tf.bitwise.bitwise_and(byte, 0xFF))
        ids = tf.where(tf.gather(is_unknown, source), byte_ids, tf.gather(ids, source))
        return ids, tf.gather(word, source)


def _different(words: tf.RaggedTensor) -> tuple[tf.RaggedTensor, tf.Tensor]:
    """Words, int32 [W, (characters)], each once, for most are there many times; and the place of each, int32 [W]."""
    # As strings, which would have U+FFFD for what Unicode will never assign, U+FFFE and its like.
    is_never_assigned = tf.equal(tf.bitwise.bitwise_and(words.values, 0xFFFE), 0xFFFE) | (
        (words.values >= 0xFDD0) & (words.values <= 0xFDEF)
    )

    def once() -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        unique, place = tf.unique(tf.strings.unicode_encode(words, "UTF-8"))
        found = tf.strings.unicode_decode(unique, "UTF-8")
        return found.values, found.row_splits, place

    values, splits, place = tf.cond(
        tf.reduce_any(is_never_assigned),
        lambda: (words.values, words.row_splits, tf.range(tf.cast(words.nrows(), tf.int32))),
        once,
    )
    return tf.RaggedTensor.from_row_splits(values, splits, validate=False), place


def _join_quotes(codes: tf.Tensor, rows: tf.Tensor, quote: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Makes a quotation mark of each two such characters in a row."""
    is_quote = tf.equal(codes, quote)
    opens = is_quote & ~_follows(is_quote, rows)
    count = tf.cumsum(tf.cast(is_quote, tf.int32))
    first = tf.concat([[0], tf.boolean_mask(count, opens)], 0)
    in_run = count - tf.gather(first, tf.cumsum(tf.cast(opens, tf.int32)))
    is_second = is_quote & tf.equal(tf.bitwise.bitwise_and(in_run, 1), 1)
    becomes = tf.concat([is_second[1:], [False]], 0)[: tf.size(codes)]
    codes = tf.where(becomes, ord('"'), codes)
    return tf.boolean_mask(codes, ~is_second), tf.boolean_mask(rows, ~is_second)


def _strip(codes: tf.Tensor, rows: tf.Tensor, count: tf.Tensor, *, both: bool) -> tuple[tf.Tensor, tf.Tensor]:
    """Removes white space at the end of each of so many rows, or at both ends."""
    place, is_space = tf.range(tf.size(codes)), _is_whitespace(codes)
    last = tf.math.unsorted_segment_max(tf.where(is_space, -1, place), rows, count)
    kept = place <= tf.gather(last, rows)
    if both:
        first = tf.math.unsorted_segment_min(tf.where(is_space, tf.size(codes), place), rows, count)
        kept &= place >= tf.gather(first, rows)
    return _keep(kept, codes, rows)


def _keep(kept: tf.Tensor, *values: tf.Tensor) -> tuple[tf.Tensor, ...]:
    return tuple(tf.boolean_mask(those, kept) for those in values)


def _follows(what: tf.Tensor, group: tf.Tensor) -> tf.Tensor:
    """Whether the element before is of the same group, and `what` holds of it; bool [M]."""
    return tf.concat([[False], what[:-1] & tf.equal(group[1:], group[:-1])], 0)[: tf.size(group)]


def _is_whitespace(codes: tf.Tensor) -> tf.Tensor:
    return _is_in(WHITESPACE, codes)


def _is_in(ranges: str, codes: tf.Tensor) -> tf.Tensor:
    """Whether characters are of a set, bool [M]."""
    those = code_points(ranges)
    table = np.zeros(those[-1] + 2, bool)  # the last cell is of all characters beyond
    table[those] = True
    return tf.gather(tf.constant(table), tf.minimum(codes, len(table) - 1))
