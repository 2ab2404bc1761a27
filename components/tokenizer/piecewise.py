"""Tokenizing texts of any length in bounded memory: many short ones at a time, a long one in pieces."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Protocol

import tensorflow as tf

# Text is worked on in pieces of about this many bytes (never less than a row), which bounds the memory that the
# arrays of characters take, some hundred bytes to a character. On tweets pieces of 64 and 256 KiB took 0.24 s, of
# 1 MiB 0.34 s, of 4 MiB 0.40 s: they leave the processor's caches.
CHUNK_BYTES = 1 << 18

# A longer text is cut into pieces of about this many bytes, of which only those that are needed are worked on: whole,
# a text of 10 MB took 6 s and 0.4 GB. No less, so that what people write (a chapter of a novel) stays in one piece.
PIECE_BYTES = 1 << 16

# Text, string [N], to all ids, int64, one row after the other, and how many each row has, int64 [N].
_TokenizeChunk = Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]


class Tables(Protocol):
    """What a kind of tokenizer keeps in the graph."""

    def boundary(self, text: tf.Tensor, *, first: bool) -> tf.Tensor:
        """Returns a place in a text that no token goes over, whatever is around the text.

        Args:
            text: String [].
            first: Whether the first such place is wanted or the last.

        Returns:
            How many bytes are before it, int32; -1 where there is none, or the text begins with it and the last was
            wanted.
        """


class PiecewiseTokenizer:
    """The tokens of texts, chunk by chunk and piece by piece; a kind of tokenizer says how those of a chunk are found.

    A kind calls the constructor, and defines `tables`, `tokenize_chunk` and, where it has to, `prepare` and `shorten`.

    Attributes:
        chunk_bytes: Of about how many bytes a chunk of rows is.
    """

    chunk_bytes = CHUNK_BYTES

    def __init__(self) -> None:
        """Nothing is traced yet."""
        self._traced: dict[bool, Callable[..., tuple[tf.Tensor, tf.Tensor]]] = {}

    def tables(self) -> Any:
        """Makes the tables, `Tables`, part of the graph that is being built."""
        raise NotImplementedError

    def tokenize_chunk(self, text: tf.Tensor, tables: Any) -> tuple[tf.Tensor, tf.Tensor]:
        """Text, string [N], to all ids, int64, one row after the other, and how many each row has, int64 [N]."""
        raise NotImplementedError

    def prepare(self, text: tf.Tensor) -> tf.Tensor:
        """What is to be done to whole texts, string [N], before anything else."""
        return text

    def shorten(self, text: tf.Tensor) -> tf.Tensor:
        """Leaves out what changes no token from long texts, string [N]."""
        return text

    def tokenize(self, text: tf.Tensor, *, first: int | None = None, last: int = 0) -> tf.RaggedTensor:
        """Tokenizes alone: no special tokens, no truncation but that of very long texts, where it is asked for.

        Args:
            text: String [N], UTF-8.
            first: How many tokens from the start of a text are needed; of a text longer than `PIECE_BYTES` that has
                more, some of those after them are left out. Default: all of them.
            last: How many from its end are needed all the same.

        Returns:
            int64 [N, (tokens)].

        Raises:
            ValueError: `text` is not of rank 1.
        """
        text = tf.convert_to_tensor(text, tf.string)
        text.shape.assert_has_rank(1)
        ids, lengths = self._graph(last > 0)(
            text, tf.constant(tf.int32.max if first is None else first), tf.constant(last)
        )
        return tf.RaggedTensor.from_row_lengths(ids, lengths, validate=False)

    def _graph(self, with_end: bool) -> Callable[..., tuple[tf.Tensor, tf.Tensor]]:
        """Returns `_tokenize` as a function with its tables in it, which any graph can call without tracing it again.

        Args:
            with_end: Whether tokens from the end are asked for.
        """
        if with_end not in self._traced:
            numbers = [tf.TensorSpec([], tf.int32)] * 2
            with tf.init_scope():  # it belongs to no graph
                self._traced[with_end] = tf.function(
                    functools.partial(self._tokenize, with_end=with_end),
                    input_signature=[tf.TensorSpec([None], tf.string), *numbers],
                    autograph=False,
                ).get_concrete_function()
        return self._traced[with_end]

    def _tokenize(
        self, text: tf.Tensor, first: tf.Tensor, last: tf.Tensor, *, with_end: bool
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """As `tokenize`: all ids, int64, one row after the other, and how many each row has, int64 [N]."""
        text = self.prepare(text)
        tables = self.tables()
        # A function, so that the graph holds it once, not at each of the places where it is called.
        tokenize_chunk = tf.function(
            lambda chunk: self.tokenize_chunk(chunk, tables),
            input_signature=[tf.TensorSpec([None], tf.string)],
            autograph=False,
        )
        is_long = tf.strings.length(text) > PIECE_BYTES
        ids, lengths = self._tokenize_rows(tf.where(is_long, "", text), tokenize_chunk)

        def with_long_ones() -> tuple[tf.Tensor, tf.Tensor]:
            long_ones = tf.boolean_mask(text, is_long)
            more, sizes = self._tokenize_long(long_ones, first, last if with_end else None, tables, tokenize_chunk)
            sizes = tf.scatter_nd(tf.where(is_long), sizes, tf.shape(is_long, tf.int64))
            parts = (
                tf.RaggedTensor.from_row_lengths(*part, validate=False) for part in ((ids, lengths), (more, sizes))
            )
            tokens = tf.concat(list(parts), axis=1)
            return tokens.values, tokens.row_lengths()

        return tf.cond(tf.reduce_any(is_long), with_long_ones, lambda: (ids, lengths))

    def _tokenize_rows(self, text: tf.Tensor, tokenize_chunk: _TokenizeChunk) -> tuple[tf.Tensor, tf.Tensor]:
        """As `_tokenize_chunk`, chunk by chunk."""
        chunk_of_row = tf.cumsum(tf.cast(tf.strings.length(text) + 1, tf.int64)) // self.chunk_bytes
        chunks = tf.cast(tf.reduce_max(tf.concat([[0], chunk_of_row], 0)), tf.int32) + 1
        bounds = tf.searchsorted(chunk_of_row, tf.range(tf.cast(chunks, tf.int64) + 1))

        def next_chunk(
            index: tf.Tensor, ids: tf.TensorArray, lengths: tf.TensorArray
        ) -> tuple[tf.Tensor, tf.TensorArray, tf.TensorArray]:
            found, sizes = tokenize_chunk(text[bounds[index] : bounds[index + 1]])
            return index + 1, ids.write(index, found), lengths.write(index, sizes)

        arrays = [
            tf.TensorArray(tf.int64, size=chunks, element_shape=[None], infer_shape=False) for _ in ("ids", "lengths")
        ]
        _, ids, lengths = tf.while_loop(
            lambda index, *_: index < chunks, next_chunk, (tf.constant(0), *arrays), parallel_iterations=1
        )
        return ids.concat(), lengths.concat()

    def _tokenize_long(
        self,
        text: tf.Tensor,
        first: tf.Tensor,
        last: tf.Tensor | None,
        tables: Tables,
        tokenize_chunk: _TokenizeChunk,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """As `_tokenize_rows`, piece by piece, as far as is asked for; `last` is None where only the start is."""
        text = self.shorten(text)
        start, complete = self._tokenize_pieces(text, first, tables, tokenize_chunk)
        if last is None:
            return start.values, start.row_lengths()
        # The same from the end: rows and their pieces are met in the reverse of their order.
        backwards = tf.reverse(tf.where(complete, "", text), [0])
        end, _ = self._tokenize_pieces(backwards, last, tables, tokenize_chunk, from_end=True)
        both = tf.concat([start, end], axis=1)
        return both.values, both.row_lengths()

    def _tokenize_pieces(
        self,
        text: tf.Tensor,
        enough: tf.Tensor,
        tables: Tables,
        tokenize_chunk: _TokenizeChunk,
        *,
        from_end: bool = False,
    ) -> tuple[tf.RaggedTensor, tf.Tensor]:
        """Tokenizes piece by piece until there are enough tokens.

        A piece ends where every word ends that begins before: so its tokens are those that it has in the whole text.

        Args:
            text: String [M].
            enough: Of how many tokens of a text no further piece is needed, int32 [].
            tables: The tables.
            tokenize_chunk: Tokenizes.
            from_end: Whether the last piece comes first. Then the texts must be in reverse order; the result is not.

        Returns:
            int64 [M, (tokens)]: of each text its first tokens, or its last ones; and bool [M], whether that is all.
        """
        rows = tf.size(text)

        def take_piece(
            row: tf.Tensor,
            taken: tf.Tensor,
            width: tf.Tensor,
            count: tf.Tensor,
            number: tf.Tensor,
            ids: tf.TensorArray,
            lengths: tf.TensorArray,
            row_of: tf.TensorArray,
            complete: tf.TensorArray,
        ) -> tuple[Any, ...]:
            left = tf.strings.length(text[row]) - taken
            size = tf.minimum(width, left)
            is_all = tf.equal(size, left)
            window = tf.strings.substr(text[row], left - size if from_end else taken, size)
            place = tables.boundary(window, first=from_end)
            is_found = is_all | (place >= 0)
            place = tf.maximum(place, 0)
            begin, end = (place, size) if from_end else (tf.constant(0), place)
            begin, end = tf.where(is_all, 0, begin), tf.where(is_all, size, end)
            end = tf.where(is_found, end, begin)
            tokens, _ = tokenize_chunk(tf.strings.substr(window, begin, end - begin)[tf.newaxis])
            taken += end - begin
            count += tf.size(tokens)
            is_done = is_found & is_all
            leave = is_done | (count >= enough)
            return (
                row + tf.cast(leave, tf.int32),
                tf.where(leave, 0, taken),
                tf.where(is_found, PIECE_BYTES, 2 * width),
                tf.where(leave, 0, count),
                number + 1,
                ids.write(number, tokens),
                lengths.write(number, tf.size(tokens, tf.int64)),
                row_of.write(number, row),
                complete.write(row, is_done),
            )

        def array(dtype: tf.DType, shape: list[int | None], size: tf.Tensor | int = 0) -> tf.TensorArray:
            return tf.TensorArray(dtype, size=size, dynamic_size=True, element_shape=shape, infer_shape=False)

        zero = tf.constant(0)
        *_, ids, lengths, row_of, complete = tf.while_loop(
            lambda row, *_: row < rows,
            take_piece,
            (
                *(zero, zero, tf.constant(PIECE_BYTES), zero, zero),
                *(array(tf.int64, [None]), array(tf.int64, []), array(tf.int32, []), array(tf.bool, [], rows)),
            ),
            parallel_iterations=1,
        )
        values, lengths, row_of = ids.concat(), lengths.stack(), row_of.stack()
        if from_end:
            pieces = tf.RaggedTensor.from_row_lengths(values, lengths, validate=False)
            pieces = tf.gather(pieces, tf.range(pieces.nrows() - 1, -1, -1))
            values, row_of = pieces.values, rows - 1 - row_of
            lengths = tf.reverse(lengths, [0])
            row_of = tf.reverse(row_of, [0])
        tokens = tf.RaggedTensor.from_row_lengths(
            values, tf.math.unsorted_segment_sum(lengths, row_of, rows), validate=False
        )
        return tokens, complete.stack()
