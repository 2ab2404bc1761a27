"""Byte-level BPE as a TensorFlow graph, as RoBERTa has it: text to the ids of its tokens, none cut off."""

import functools

import numpy as np
import tensorflow as tf

from fullbake.components.tokenizer.byte_level_files import ByteLevelFiles, word_beginnings
from fullbake.components.tokenizer.byte_level_merging import GraphMerges, MergeTable, merge_table
from fullbake.components.tokenizer.byte_level_splitting import kind_pages, split_into_bytes
from fullbake.components.tokenizer.pieces import RowLayout
from fullbake.components.tokenizer.piecewise import PiecewiseTokenizer


@functools.lru_cache(maxsize=4)
def byte_level_bpe_of(files: ByteLevelFiles) -> "ByteLevelBpe":
    """Returns the tokenizer of these files, made and traced once in a process; a run asks for it a dozen times."""
    return ByteLevelBpe(files)


class ByteLevelBpe(PiecewiseTokenizer):
    """Finds the tokens of texts, those of Hugging Face's `RobertaTokenizerFast` for every text.

    Its members are those of `pieces.Pieces`. Bytes that are not UTF-8 count as U+FFFD, one for each that Python's
    `errors="replace"` gives. No table of RE2 or ICU takes part: see components/tokenizer/byte_level_tables.py.
    """

    def __init__(self, files: ByteLevelFiles) -> None:
        """Makes the tables.

        Args:
            files: Vocabulary, merges and settings.
        """
        super().__init__()
        start, end, pad, self.unknown_id = (
            files.token_id(token) for token in (files.cls_token, files.sep_token, files.pad_token, files.unk_token)
        )
        self.layout = RowLayout(start=start, end=end, between=(end,) * files.separators, pad=pad, has_types=False)
        self.begins_word = np.array(word_beginnings(files))
        self._adds_space = files.add_prefix_space
        self.merges = merge_table(files)

    def tables(self) -> "ByteLevelTables":
        """Makes the tables part of the graph that is being built."""
        return ByteLevelTables(self.merges)

    def prepare(self, text: tf.Tensor) -> tf.Tensor:
        """Puts a space before texts that begin with none, where the files say so; an empty one stays empty."""
        if not self._adds_space:
            return text
        lacks_space = tf.not_equal(tf.strings.substr(text, 0, 1), " ") & tf.not_equal(text, "")
        return tf.where(lacks_space, tf.strings.join([" ", text]), text)

    def tokenize_chunk(self, text: tf.Tensor, tables: "ByteLevelTables") -> tuple[tf.Tensor, tf.Tensor]:
        """Text, string [N], to all ids, int64, one row after the other, and how many each row has, int64 [N]."""
        octets, begins, rows = split_into_bytes(text, tables.pages, tables.kinds)
        begins |= tables.merges.are_apart(octets)
        starts = tf.where(begins)[:, 0]
        pieces = tf.RaggedTensor.from_row_splits(
            octets, tf.concat([starts, [tf.size(octets, tf.int64)]], 0), validate=False
        )
        # Most pieces are there many times. As a string each byte is a character, so that all of them can be written.
        unique, place = tf.unique(tf.strings.unicode_encode(pieces, "UTF-8"))
        tokens = tables.merges.tokenize(tf.strings.unicode_decode(unique, "UTF-8"))
        tokens = tf.gather(tokens, place)
        lengths = tf.math.unsorted_segment_sum(tokens.row_lengths(), tf.gather(rows, starts), tf.size(text, tf.int64))
        return tokens.values, lengths


class ByteLevelTables:
    """The tables as tensors of the graph that is being built."""

    def __init__(self, merges: MergeTable) -> None:
        self.pages, self.kinds = map(tf.constant, kind_pages())
        self.merges = GraphMerges(merges)

    def boundary(self, text: tf.Tensor, *, first: bool) -> tf.Tensor:
        """Returns a place in a text that no word goes over, whatever is around it.

        That is before ASCII white space that follows a character which is none: with it begins either a word or a run
        of white space.

        Args:
            text: String [].
            first: Whether the first such place is wanted or the last.

        Returns:
            How many bytes are before it, int32; -1 where there is none.
        """
        octets = tf.cast(tf.io.decode_raw(text, tf.uint8), tf.int32)
        size = tf.size(octets)

        def before(distance: int) -> tf.Tensor:
            return tf.concat([tf.zeros([distance], tf.int32), octets], 0)[:size]

        last, second, third = map(before, (1, 2, 3))
        is_space = tf.equal(octets, 0x20) | ((octets >= 0x09) & (octets <= 0x0D))
        # White space beyond ASCII is U+0085 and U+00A0 (C2 ..), U+1680 (E1 ..), from U+2000 on (E2 ..), and U+3000.
        may_be_space = (
            tf.equal(second, 0xC2)
            | tf.equal(third, 0xE1)
            | tf.equal(third, 0xE2)
            | (tf.equal(third, 0xE3) & tf.equal(second, 0x80) & tf.equal(last, 0x80))
        )
        follows_other = (last >= 0x21) & (last <= 0x7E)
        follows_other |= (last >= 0x80) & ~may_be_space & (tf.range(size) >= 3)
        places = tf.cast(tf.where(is_space & follows_other)[:, 0], tf.int32)
        return tf.concat([places, [-1]], 0)[0] if first else tf.concat([[-1], places], 0)[-1]
