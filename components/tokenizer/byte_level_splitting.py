r"""Splitting into words as byte-level BPE does, as a TensorFlow graph, and the bytes of these.

The expression is GPT-2's (Radford et al. 2019), which RoBERTa took over:
`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`.
Where its matches begin follows from each character's kind and its neighbours, so nothing has to be searched.
"""

import functools

import numpy as np
import tensorflow as tf

from fullbake.components.tokenizer import byte_level_tables
from fullbake.components.tokenizer.unicode_tables import code_points

# Kinds of characters.
OTHER, LETTER, NUMBER, SPACE = range(4)
_NONE = 4  # beyond a row's start and end

_PAGE_BITS = 8
_PAGE_SIZE = 1 << _PAGE_BITS
_CODE_POINTS = 0x110000
_QUOTE, _BLANK = map(ord, "' ")


@functools.cache
def kind_pages() -> tuple[np.ndarray, np.ndarray]:
    """The kind of every code point c, `kinds[pages[c >> 8] + (c & 255)]`.

    Returns:
        int32 [4352] and int32 [number of different pages * 256].
    """
    kinds = np.full(_CODE_POINTS, OTHER, np.int32)
    for kind, name in ((LETTER, "LETTERS"), (NUMBER, "NUMBERS"), (SPACE, "SPACES")):
        kinds[code_points(getattr(byte_level_tables, name))] = kind
    pages, places = np.unique(kinds.reshape(-1, _PAGE_SIZE), axis=0, return_inverse=True)
    return places.reshape(-1).astype(np.int32) * _PAGE_SIZE, pages.reshape(-1)


def split_into_bytes(text: tf.Tensor, pages: tf.Tensor, kinds: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Splits texts into words.

    Args:
        text: String [N], UTF-8; what is not counts as U+FFFD, as Python's `errors="replace"` has it.
        pages: As `kind_pages` gives them.
        kinds: The same.

    Returns:
        The bytes of all texts, int32 [B]; whether a word begins with each, bool [B]; and its text, int64 [B].
    """
    decoded = tf.strings.unicode_decode(text, "UTF-8", errors="replace")
    characters, rows = decoded.values, decoded.value_rowids()
    page = tf.gather(pages, tf.bitwise.right_shift(characters, _PAGE_BITS))
    kind = tf.gather(kinds, page + tf.bitwise.bitwise_and(characters, _PAGE_SIZE - 1))
    begins = _word_begins(characters, kind, rows)

    octets = _utf8(characters)  # [M, 4], -1 where there is none
    is_there = octets >= 0
    begins = tf.stack([begins, *[tf.zeros_like(begins)] * 3], 1)
    rows = tf.broadcast_to(rows[:, tf.newaxis], tf.shape(octets))
    return tf.boolean_mask(octets, is_there), tf.boolean_mask(begins, is_there), tf.boolean_mask(rows, is_there)


def _word_begins(characters: tf.Tensor, kind: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    """Whether a word begins with each character, bool [M]; the arguments are [M]."""

    def neighbour(values: tf.Tensor, distance: int, beyond: int) -> tf.Tensor:
        return tf.where(tf.equal(_shift(rows, distance, -1), rows), _shift(values, distance, beyond), beyond)

    before, after = neighbour(kind, -1, _NONE), neighbour(kind, 1, _NONE)
    is_space = tf.equal(kind, SPACE)
    # Of white space before a word the last one is apart: the word takes it along if it is a blank.
    ends_space = tf.not_equal(after, SPACE) & tf.not_equal(after, _NONE)
    begins = tf.where(
        is_space,
        tf.not_equal(before, SPACE) | ends_space,
        tf.not_equal(before, kind) & tf.not_equal(neighbour(characters, -1, -1), _BLANK),
    )
    first, second = neighbour(characters, 1, -1), neighbour(characters, 2, -1)

    def follows(ending: str) -> tf.Tensor:
        found = tf.equal(first, ord(ending[0]))
        return found & tf.equal(second, ord(ending[1])) if ending[1:] else found

    is_quote = begins & tf.equal(characters, _QUOTE)
    short = is_quote & functools.reduce(tf.logical_or, map(follows, ("s", "t", "m", "d")))
    long = is_quote & functools.reduce(tf.logical_or, map(follows, ("re", "ve", "ll")))
    begins &= ~_shift(short | long, -1, False)
    return begins | _shift(short, -2, False) | _shift(long, -3, False)


def _shift(values: tf.Tensor, distance: int, fill: int | bool) -> tf.Tensor:
    """Of each place the value that stands so many places after it (before it, if negative); [M]."""
    filled = tf.fill([abs(distance)], tf.constant(fill, values.dtype))
    size = tf.size(values)
    if distance < 0:
        return tf.concat([filled, values], 0)[:size]
    return tf.concat([values, filled], 0)[distance:]


def _utf8(characters: tf.Tensor) -> tf.Tensor:
    """The bytes of characters, int32 [M], in UTF-8: int32 [M, 4], -1 after the last. unicode_encode has no U+FFFE."""

    def continuation(shift: int) -> tf.Tensor:
        return 0x80 + tf.bitwise.bitwise_and(tf.bitwise.right_shift(characters, shift), 0x3F)

    none = -tf.ones_like(characters)
    forms = [
        [characters, none, none, none],
        [0xC0 + tf.bitwise.right_shift(characters, 6), continuation(0), none, none],
        [0xE0 + tf.bitwise.right_shift(characters, 12), continuation(6), continuation(0), none],
        [0xF0 + tf.bitwise.right_shift(characters, 18), continuation(12), continuation(6), continuation(0)],
    ]
    octets = tf.stack(forms[0], 1)
    for form, lowest in zip(forms[1:], (0x80, 0x800, 0x10000), strict=True):
        octets = tf.where((characters >= lowest)[:, tf.newaxis], tf.stack(form, 1), octets)
    return octets
