"""The tokenizer's tables in a TensorFlow graph: what becomes of each character, where words end, the vocabulary."""

import numpy as np
import tensorflow as tf

from fullbake.components.tokenizer import bert_characters as characters


class GraphTables:
    """The tables as tensors of the graph that is being built.

    Args:
        table: The outcome of each character.
        wordpiece_model: The vocabulary, as `vocabulary_model.compile_vocabulary` makes it.
        chinese_apart: Whether each Chinese character is a word.
    """

    def __init__(self, table: characters.CharacterMap, wordpiece_model: np.ndarray, chinese_apart: bool) -> None:
        self.pages = tf.constant(table.pages)
        self.cells = tf.constant(table.cells)
        self.expansions = tf.constant(table.expansions)
        self.wordpiece_model = tf.constant(wordpiece_model)
        ascii_kinds = table.cells[table.pages[0] : table.pages[0] + 128] & characters.KIND_MASK
        ends_words = np.isin(ascii_kinds, [characters.SPACE, characters.ALONE])
        self._ends_words = tf.constant(np.pad(ends_words, (0, 128)))  # by byte
        self._chinese_apart = chinese_apart

    def boundary(self, text: tf.Tensor, *, first: bool) -> tf.Tensor:
        """Returns a place in a text where no word and no run of combining marks goes on, whatever is around it.

        That is before each ASCII character that parts words or is a word, and before each of the ideographs from U+5000
        to U+9FFF. In well-formed and in damaged UTF-8 alike, a character never goes on over such a byte.

        Args:
            text: String [].
            first: Whether the first such place is wanted or the last.

        Returns:
            How many bytes are before it, int32; -1 where there is none, or the text begins with it and the last was
            wanted.
        """
        octets = tf.cast(tf.io.decode_raw(text, tf.uint8), tf.int32)
        is_place = tf.gather(self._ends_words, octets)
        if self._chinese_apart:
            follows = tf.equal(tf.bitwise.bitwise_and(octets, 0xC0), 0x80)
            is_lead = (octets[:-2] >= 0xE5) & (octets[:-2] <= 0xE9)
            is_place |= tf.pad(is_lead & follows[1:-1] & follows[2:], [[0, 2]])[: tf.size(octets)]
        places = tf.cast(tf.where(is_place)[:, 0], tf.int32)
        if first:
            return tf.concat([places, [-1]], 0)[0]
        place = tf.concat([[-1], places], 0)[-1]
        return tf.where(place > 0, place, -1)

    def look_up(self, code_points: tf.Tensor) -> tf.Tensor:
        """Returns the cells of code points, int32 [M] both."""
        page = tf.gather(self.pages, tf.bitwise.right_shift(code_points, characters.PAGE_BITS))
        return tf.gather(self.cells, page + tf.bitwise.bitwise_and(code_points, characters.PAGE_SIZE - 1))


def kind_of(cells: tf.Tensor) -> tf.Tensor:
    """Returns what becomes of characters, by their cells."""
    return tf.bitwise.bitwise_and(cells, characters.KIND_MASK)
