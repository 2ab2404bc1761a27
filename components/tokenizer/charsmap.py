"""SentencePiece's precompiled normalisation as Hugging Face's `tokenizers` applies it, as a TensorFlow graph.

The map holds strings and what replaces them. SentencePiece replaces the longest that fits; `tokenizers` goes from
grapheme to grapheme: one of fewer than six bytes becomes, as a whole, what replaces the SHORTEST string that it begins
with; of others, and of those that begin with none, each character is replaced by itself. So a Latin letter and a
combining accent are composed, and the accent after a circled digit is lost: a model was trained on the one, and is used
with the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import tensorflow as tf
from tokenizers import normalizers
from tokenizers.normalizers import Sequence

from fullbake.components.tokenizer import grapheme_tables
from fullbake.components.tokenizer.copies import copy_each
from fullbake.components.tokenizer.unicode_tables import code_points

_SHORT_BYTES = 6  # a grapheme of fewer is looked up as a whole
_PAGE_BITS = 8
_UNICODE_SIZE = 0x110000
# The rest is CJK ideographs, private use and what Unicode has not assigned: no step changes those.
_FOLDABLE = "1-33ff a000-d7ff f900-1ffff 2f800-2fa1f e0000-e0fff"
# The classes of characters; those from _EXTENDING to _LINKER go on with what is before them.
_PLAIN, _CONTROL, _CR, _LF, _PREPENDED, _EXTENDING, _ZWJ, _LINKER = range(8)
_L, _V, _T, _LV, _LVT, _PICTOGRAPH, _CONSONANT = range(8, 15)
# Hangul in Grapheme_Cluster_Break: leading consonants, vowels, trailing consonants; syllables by arithmetic.
_HANGUL = {_L: "1100-115f a960-a97c", _V: "1160-11a7 d7b0-d7c6", _T: "11a8-11ff d7cb-d7fb"}
_GOES_ON_AFTER = {_V: (_L, _V, _LV), _T: (_V, _T, _LV, _LVT), _L: (_L,), _LV: (_L,), _LVT: (_L,), _LF: (_CR,)}


class Charsmap:
    """A precompiled map, read.

    Attributes:
        pages: int32 `(4352,)`: by a code point's upper bits, where its page begins in `cells`.
        cells: int32 `(256 * different pages,)`: the number of what replaces a character, and from bit 4 on; 0: nothing
            does; below, its class in Grapheme_Cluster_Break.
        texts: int32: the code points of all replacements, one after the other.
        starts: int32: by number, where a replacement begins in `texts`.
        sizes: int32: by number, how many code points it has.
        pair_keys: int64, ascending: strings of two or three characters that a short grapheme may begin with, 21 bits
            each.
        pair_numbers: int32: the numbers of their replacements.

    Args:
        replacements: Strings, and what replaces them.
        by_grapheme: Whether short graphemes are looked up whole; else each character is.
    """

    def __init__(self, replacements: Mapping[str, str], *, by_grapheme: bool = True) -> None:
        self.by_grapheme = by_grapheme
        numbers = {text: number for number, text in enumerate(dict.fromkeys(replacements.values()), start=1)}
        texts = ["", *numbers]
        self.texts = np.array([ord(char) for text in texts for char in text] + [0], np.int32)
        self.sizes = np.array([len(text) for text in texts], np.int32)
        self.starts = np.cumsum(self.sizes, dtype=np.int32) - self.sizes
        table = _grapheme_classes()
        pairs = {}
        for key, text in replacements.items():
            if len(key) == 1:
                table[ord(key)] |= numbers[text] << 4
            elif len(key) <= 3:  # No grapheme of fewer than six bytes has more characters.
                pairs[sum(ord(char) << 21 * (2 - place) for place, char in enumerate(key))] = numbers[text]
        self.pair_keys = np.array([*sorted(pairs), np.iinfo(np.int64).max], np.int64)
        self.pair_numbers = np.array([*(pairs[key] for key in sorted(pairs)), 0], np.int32)
        different, self.pages = np.unique(table.reshape(-1, 1 << _PAGE_BITS), axis=0, return_inverse=True)
        self.cells = different.reshape(-1)
        self.pages = (self.pages.reshape(-1) << _PAGE_BITS).astype(np.int32)


def read_charsmap(blob: bytes) -> dict[str, str]:
    """Reads the strings of a precompiled map and what replaces them, as far as they are ever looked up.

    Args:
        blob: As SentencePiece writes it: the size of a double array, the array, and the replacements.

    Returns:
        By string, what replaces it: those that a short grapheme can hold, and that begin with no other.
    """
    size = int.from_bytes(blob[:4], "little")
    units = np.frombuffer(blob[4 : 4 + size], np.uint32)
    texts = blob[4 + size :]
    octets = np.arange(1, 256)
    found = {}
    # A node is a place in the array; its children are at that place, xor its offset, xor their byte.
    waiting = [(0, b"")]
    while waiting:
        place, key = waiting.pop()
        unit = int(units[place])
        below = place ^ ((unit >> 10) << ((unit & 0x200) >> 6))
        if key and unit & 0x100:
            start = int(units[below]) & 0x7FFFFFFF
            found[key.decode()] = texts[start : texts.index(b"\0", start)].decode()
        elif len(key) < _SHORT_BYTES - 1:
            children = below ^ octets
            inside = children[children < len(units)]
            is_child = units[inside] & 0x800000FF == inside ^ below
            waiting.extend((int(child), key + bytes([int(child) ^ below])) for child in inside[is_child])
    return found


def folded_characters(steps: Iterable[str]) -> dict[str, str]:
    """What characters become by steps of `tokenizers` that look at one alone, as that library does them."""
    library = Sequence([getattr(normalizers, step)() for step in steps])
    folded = {char: library.normalize_str(char) for char in map(chr, code_points(_FOLDABLE))}
    return {char: text for char, text in folded.items() if char != text}


def joins_nothing() -> np.ndarray:
    """Of each code point, whether a grapheme may begin and end with it, whatever but a mark is beside it, bool."""
    classes = _grapheme_classes()
    return (classes == _PLAIN) | (classes > _LINKER)


def _grapheme_classes() -> np.ndarray:
    table = np.zeros(_UNICODE_SIZE, np.int32)
    table[0xAC00:0xD7A4] = _LVT
    table[0xAC00:0xD7A4:28] = _LV
    sets = {
        _EXTENDING: grapheme_tables.EXTENDING,
        _PREPENDED: grapheme_tables.PREPENDED,
        _CONTROL: grapheme_tables.CONTROLS,
        _LINKER: grapheme_tables.LINKERS,
        _PICTOGRAPH: grapheme_tables.PICTOGRAPHS,
        _CONSONANT: grapheme_tables.CONSONANTS,
        **_HANGUL,
    }
    for number, ranges in sets.items():
        table[code_points(ranges)] = number
    table[[ord("\r"), ord("\n"), 0x200D]] = _CR, _LF, _ZWJ
    return table


def normalize(charsmap: Charsmap, codes: tf.Tensor, rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Normalises characters.

    Args:
        charsmap: The map.
        codes: int32 [M], the characters of all rows.
        rows: int64 [M], ascending: the row of each.

    Returns:
        The same of what they become.
    """
    page = tf.gather(tf.constant(charsmap.pages), tf.bitwise.right_shift(codes, _PAGE_BITS))
    cells = tf.gather(tf.constant(charsmap.cells), page + tf.bitwise.bitwise_and(codes, (1 << _PAGE_BITS) - 1))
    numbers, kinds = tf.bitwise.right_shift(cells, 4), tf.bitwise.bitwise_and(cells, 15)
    is_kept = tf.ones_like(codes, tf.bool)
    if charsmap.by_grapheme:
        numbers, is_kept = tf.cond(
            # Hangul alone makes no short grapheme.
            tf.reduce_any((kinds >= _PREPENDED) & (kinds <= _LINKER) | tf.equal(kinds, _CR)),
            lambda: _join_graphemes(charsmap, codes, rows, numbers, kinds),
            lambda: (numbers, is_kept),
        )
    is_replaced = numbers > 0
    counts = tf.where(is_replaced, tf.gather(tf.constant(charsmap.sizes), numbers), tf.cast(is_kept, tf.int32))
    source, within = copy_each(counts)
    place = tf.gather(tf.gather(tf.constant(charsmap.starts), numbers), source) + within
    replaced = tf.gather(is_replaced, source)
    text = tf.gather(tf.constant(charsmap.texts), tf.where(replaced, place, 0))
    return tf.where(replaced, text, tf.gather(codes, source)), tf.gather(rows, source)


def _join_graphemes(
    charsmap: Charsmap, codes: tf.Tensor, rows: tf.Tensor, numbers: tf.Tensor, kinds: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """The numbers of what replaces characters, and which are kept where nothing does, graphemes taken whole."""
    size = tf.size(codes)
    begins = ~_go_on(kinds, rows)
    grapheme = tf.cumsum(tf.cast(begins, tf.int32)) - 1
    octets = 1 + sum(tf.cast(codes >= bound, tf.int32) for bound in (0x80, 0x800, 0x10000))
    graphemes = tf.reduce_max(tf.concat([[-1], grapheme], 0)) + 1
    is_short = tf.math.unsorted_segment_sum(octets, grapheme, graphemes) < _SHORT_BYTES
    first = tf.cast(tf.where(begins), tf.int32)[:, 0]

    def char_at(offset: int) -> tf.Tensor:
        """The characters that far into graphemes, int64; 0 where they are shorter."""
        place = tf.minimum(first + offset, size - 1)
        inside = (first + offset < size) & tf.equal(tf.gather(grapheme, place), tf.range(graphemes))
        return tf.cast(tf.where(inside, tf.gather(codes, place), 0), tf.int64)

    two = tf.bitwise.left_shift(char_at(0), tf.constant(42, tf.int64)) | tf.bitwise.left_shift(
        char_at(1), tf.constant(21, tf.int64)
    )
    whole = tf.gather(numbers, first)
    keys, key_numbers = tf.constant(charsmap.pair_keys), tf.constant(charsmap.pair_numbers)
    for key in (two, two | char_at(2)):
        found = tf.searchsorted(keys, key)
        number = tf.where(tf.equal(tf.gather(keys, found), key), tf.gather(key_numbers, found), 0)
        whole = tf.where(whole > 0, whole, number)
    is_whole = tf.gather(is_short & (whole > 0), grapheme)
    numbers = tf.where(is_whole, tf.where(begins, tf.gather(whole, grapheme), 0), numbers)
    return numbers, ~is_whole


def _go_on(kinds: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    """Whether characters go on with the grapheme of the one before, bool [M], by annex 29's rules GB3 to GB11."""
    previous = tf.concat([[_CONTROL], kinds[:-1]], 0)[: tf.size(kinds)]
    extends = (kinds >= _EXTENDING) & (kinds <= _LINKER)
    goes_on = extends & ((previous < _CONTROL) | (previous > _LF))  # GB9, GB9a
    goes_on |= tf.equal(previous, _PREPENDED) & ((kinds < _CONTROL) | (kinds > _LF))  # GB9b
    for kind, befores in _GOES_ON_AFTER.items():
        for before in befores:
            goes_on |= tf.equal(kinds, kind) & tf.equal(previous, before)
    # Pictographs over a ZWJ (GB11) and Indic consonants over a linker (GB9c) look back to what was extended.
    anchors = tf.concat([[0], tf.cast(tf.where(~extends)[:, 0], tf.int32)], 0)
    anchor = tf.gather(anchors, tf.cumsum(tf.cast(~extends, tf.int32), exclusive=True))
    base = tf.gather(kinds, anchor)
    linkers = tf.cumsum(tf.cast(tf.equal(kinds, _LINKER), tf.int32))
    goes_on |= (
        tf.equal(kinds, _PICTOGRAPH)
        & tf.equal(base, _PICTOGRAPH)
        & tf.equal(previous, _ZWJ)
        & tf.equal(tf.gather(rows, anchor), rows)
    )
    goes_on |= (
        tf.equal(kinds, _CONSONANT)
        & tf.equal(base, _CONSONANT)
        & (linkers > tf.gather(linkers, anchor))
        & tf.equal(tf.gather(rows, anchor), rows)
    )
    return goes_on & tf.concat([[False], tf.equal(rows[1:], rows[:-1])], 0)[: tf.size(kinds)]
