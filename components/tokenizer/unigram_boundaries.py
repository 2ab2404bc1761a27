"""Where long texts of a unigram tokenizer are cut."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from fullbake.components.tokenizer.charsmap import folded_characters, joins_nothing, read_charsmap
from fullbake.components.tokenizer.unicode_tables import PUNCTUATION, WHITESPACE, code_points
from fullbake.components.tokenizer.unigram_files import WORD_MARK, UnigramFiles

_TABLE_SIZE = 0x10000  # Unicode's first plane
_REPLACEMENT = 0xFFFD
_MOST_OCTETS = 16  # of the window's end, or start, in which it is cut where there is no space


def plain_characters(files: UnigramFiles) -> np.ndarray:
    """Says beside which characters a space surely parts two words, whatever is around.

    Such a character becomes something that is no white space, nor punctuation that is a word; it goes on with nothing
    before it, and nothing but a mark goes on with it. So a space between two of them is a word's beginning, and no step
    of the normalizer sees both sides of it.

    Returns:
        bool `(65537,)`: by code point; the last is of all beyond.
    """
    folded, mapped = folded_characters(files.folding), read_charsmap(files.charsmap) if files.charsmap else {}
    blank = {*map(chr, code_points(WHITESPACE)), " ", WORD_MARK}
    if files.parts_punctuation:  # a space before it is a word, unless the text begins with it
        blank |= set(map(chr, code_points(PUNCTUATION)))
    alone = joins_nothing()
    plain = np.zeros(_TABLE_SIZE + 1, bool)
    for code in range(_TABLE_SIZE):
        text = folded.get(chr(code), chr(code))
        if alone[code] and text and all(alone[ord(char)] for char in text):
            image = "".join(mapped.get(char, char) for char in text)
            plain[code] = bool(image) and blank.isdisjoint(image) and chr(code) not in blank
    # What is not UTF-8, such as half of a character at the end of what is looked at.
    plain[_REPLACEMENT] = False
    return plain


class Boundaries:
    """Where long texts are cut."""

    def __init__(self, plain: np.ndarray) -> None:
        """Makes the table, `plain_characters`, part of the graph that is being built."""
        self._plain = tf.constant(plain)

    def boundary(self, text: tf.Tensor, *, first: bool) -> tf.Tensor:
        """Returns a place in a long text that no token goes over.

        That is before a space between plain characters. Where there is none it is before any space, and where there is
        none either, within a word, at the end of the text (or its start, where the first place is wanted), which bounds
        the memory: only the few tokens round such a place may be others than those of the whole.

        Args:
            text: String [], of some length.
            first: Whether the first such place is wanted or the last.

        Returns:
            How many bytes are before it, int32.
        """
        codes, places = tf.strings.unicode_decode_with_offsets(text, "UTF-8", errors="replace")
        places = tf.cast(places, tf.int32)
        is_plain = tf.gather(self._plain, tf.minimum(codes, _TABLE_SIZE))
        follows_plain = tf.concat([[False], is_plain[:-1]], 0)
        precedes_plain = tf.concat([is_plain[1:], [False]], 0)
        is_space = tf.equal(codes, ord(" "))
        inside = places > 0
        near = places <= _MOST_OCTETS if first else places >= tf.strings.length(text) - _MOST_OCTETS
        found = tf.constant(-1)
        for is_place in (inside & near, inside & is_space, is_space & follows_plain & precedes_plain):
            those = tf.boolean_mask(places, is_place)
            here = tf.concat([those, [-1]], 0)[0] if first else tf.concat([[-1], those], 0)[-1]
            found = tf.where(here >= 0, here, found)
        return found
