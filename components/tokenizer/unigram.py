"""SentencePiece's unigram tokenizer as a TensorFlow graph: text to the ids of its tokens, none cut off."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from fullbake.components.tokenizer.charsmap import Charsmap, folded_characters, normalize, read_charsmap
from fullbake.components.tokenizer.copies import copy_each
from fullbake.components.tokenizer.pieces import RowLayout
from fullbake.components.tokenizer.unicode_tables import PUNCTUATION, WHITESPACE, code_points
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

# Text is worked on in chunks of about this many bytes (never less than a text), which bounds the memory that the tables
# of the pieces that end at each character take: 4 bytes to each character and each length of a piece.
CHUNK_BYTES = 1 << 16

# Of a longer text only what is needed is worked on, where that is said.
LONG_BYTES = 1 << 16
# And of one that still is longer, for want of spaces, this much of its start and its end.
MOST_BYTES = 1 << 16

_SPACE, _MARK = ord(" "), ord(WORD_MARK)


@functools.lru_cache(maxsize=4)
def unigram_of(files: UnigramFiles) -> Unigram:
    """Returns the tokenizer of these files, made and traced once in a process."""
    return Unigram(files)


class Unigram:
    """Finds the tokens of texts, those of Hugging Face's fast tokenizer of the same tokenizer.json.

    Its members are those of `pieces.Pieces`. Bytes that are not UTF-8 count as U+FFFD, one for each that Python's
    `errors="replace"` gives. One difference is meant: special tokens that a user types are ordinary text, where Hugging
    Face's unigram model, whose vocabulary holds them, makes them special again even with `split_special_tokens=True`.
    """

    def __init__(self, files: UnigramFiles) -> None:
        """Makes the tables.

        Args:
            files: Vocabulary and settings.
        """
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
        self._traced: Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]] | None = None

    def tokenize(self, text: tf.Tensor, *, first: int | None = None, last: int = 0) -> tf.RaggedTensor:
        """Tokenizes alone: no special tokens, no truncation but that of very long texts, where it is asked for.

        Args:
            text: String [N], UTF-8.
            first: How many tokens from the start of a text are needed; of a text longer than `LONG_BYTES` that has
                more, some of those after them are left out. Default: all of them.
            last: How many from its end are needed all the same.

        Returns:
            int64 [N, (tokens)].

        Raises:
            ValueError: `text` is not of rank 1.
        """
        text = tf.convert_to_tensor(text, tf.string)
        text.shape.assert_has_rank(1)
        if self._traced is None:
            with tf.init_scope():  # it belongs to no graph
                numbers = [tf.TensorSpec([], tf.int32)] * 2
                self._traced = tf.function(
                    self._tokenize, input_signature=[tf.TensorSpec([None], tf.string), *numbers], autograph=False
                ).get_concrete_function()
        # Fewer than the greatest number, to which others are added.
        ids, lengths = self._traced(text, tf.constant(1 << 30 if first is None else first), tf.constant(last))
        return tf.RaggedTensor.from_row_lengths(ids, lengths, validate=False)

    def _tokenize(self, text: tf.Tensor, first: tf.Tensor, last: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """All ids, int64, one row after the other, and how many each row has, int64 [N]."""
        text = tf.cond(
            tf.reduce_any(tf.strings.length(text) > LONG_BYTES) & (first < 1 << 30),
            lambda: tf.map_fn(lambda row: _shorten(row, first, last), text, parallel_iterations=1),
            lambda: text,
        )
        chunk_of_row = tf.cumsum(tf.cast(tf.strings.length(text) + 1, tf.int64)) // CHUNK_BYTES
        chunks = tf.cast(tf.reduce_max(tf.concat([[0], chunk_of_row], 0)), tf.int32) + 1
        bounds = tf.searchsorted(chunk_of_row, tf.range(tf.cast(chunks, tf.int64) + 1))

        def next_chunk(
            index: tf.Tensor, ids: tf.TensorArray, lengths: tf.TensorArray
        ) -> tuple[tf.Tensor, tf.TensorArray, tf.TensorArray]:
            found, sizes = self._tokenize_chunk(text[bounds[index] : bounds[index + 1]])
            return index + 1, ids.write(index, found), lengths.write(index, sizes)

        arrays = [
            tf.TensorArray(tf.int64, size=chunks, element_shape=[None], infer_shape=False) for _ in ("ids", "lengths")
        ]
        _, ids, lengths = tf.while_loop(
            lambda index, *_: index < chunks, next_chunk, (tf.constant(0), *arrays), parallel_iterations=1
        )
        return ids.concat(), lengths.concat()

    def _tokenize_chunk(self, text: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        decoded = tf.strings.unicode_decode(text, "UTF-8", errors="replace")
        codes, rows = decoded.values, decoded.value_rowids()
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
                codes, rows = _strip(codes, rows, tf.size(text), both=step == STRIP)
        codes, rows, begins = self._words(codes, rows)
        places, ids = find_pieces(self._tables, codes, begins)
        ids, rows = self._spell_unknown(codes, begins, ids, places, rows)
        lengths = tf.math.unsorted_segment_sum(tf.ones_like(rows), rows, tf.size(text))
        return tf.cast(ids, tf.int64), lengths

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
        self, codes: tf.Tensor, begins: tf.Tensor, ids: tf.Tensor, places: tf.Tensor, rows: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Makes one token of a word's unknown characters that follow each other, or their bytes."""
        rows = tf.gather(rows, places)
        is_unknown = tf.equal(ids, self.unknown_id)
        if not self._files.byte_ids:
            word = tf.gather(tf.cumsum(tf.cast(begins, tf.int32)), places)
            kept = ~(is_unknown & _follows(is_unknown, word))
            return tf.boolean_mask(ids, kept), tf.boolean_mask(rows, kept)
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
        return ids, tf.gather(rows, source)


def _shorten(text: tf.Tensor, first: tf.Tensor, last: tf.Tensor) -> tf.Tensor:
    """Leaves out the middle of a text, string [], that is long, so that as many tokens as are needed are left.

    It is cut at spaces between ASCII letters or digits, where a word ends whatever is around, and each such word is a
    token or more. Where these are too few, it is cut anywhere beyond `MOST_BYTES`, far from the tokens that are needed.
    """

    def without_middle() -> tf.Tensor:
        octets = tf.cast(tf.io.decode_raw(text, tf.uint8), tf.int32)
        lower = tf.bitwise.bitwise_or(octets, 0x20)
        is_plain = (octets >= 0x30) & (octets <= 0x39) | (lower >= 0x61) & (lower <= 0x7A)
        places = tf.cast(tf.where(is_plain[:-2] & tf.equal(octets[1:-1], _SPACE) & is_plain[2:])[:, 0] + 1, tf.int32)
        size, count = tf.size(octets), tf.size(places)
        by_words = count > first + last
        ends = tf.concat([places, [size]], 0)
        head = tf.where(by_words, ends[tf.minimum(first, count)], size)
        tail = tf.where(by_words & (last > 0), ends[tf.maximum(count - 1 - last, 0)], size)
        is_cut = head < tail
        head = tf.where(is_cut, head, size)
        still_long = (head > MOST_BYTES) & (tf.where(is_cut, size - tail, 0) + head > 2 * MOST_BYTES)
        head, tail = tf.where(still_long, MOST_BYTES, head), tf.where(still_long, size - MOST_BYTES, tail)
        parts = [tf.strings.substr(text, 0, head), tf.strings.substr(text, tail, size - tail)]
        return tf.where(is_cut | still_long, tf.strings.join(parts, " "), text)

    return tf.cond(tf.strings.length(text) > LONG_BYTES, without_middle, lambda: text)


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
