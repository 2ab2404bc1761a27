"""The vocabulary of a unigram model as tables, and the most probable pieces of words, as a TensorFlow graph."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from fullbake.components.tokenizer.unigram_files import UnigramFiles

# `tokenizers` gives what no piece spells the lowest score less this (K_UNK_PENALTY in its unigram model).
UNKNOWN_PENALTY = 10.0

_CODE_BITS = 21  # of a Unicode code point


class UnigramTables:
    """The trie of the pieces, and their scores.

    Nodes are numbered level by level, the root is 0. The node that is reached from a node by a character has the number
    of the place in `edges` where the two are, plus one.

    Attributes:
        edges: int64 `(nodes - 1,)`, ascending: the node, shifted by 21 bits, and a code point.
        piece_of_node: int32 `(nodes,)`: the id of the piece that ends there, or -1.
        scores: float64 `(1 + pieces,)`: by id plus one, minus infinity in front.
        longest: Characters of the longest piece.
    """

    def __init__(self, files: UnigramFiles) -> None:
        ids = [index for index, piece in enumerate(files.pieces) if piece and index not in files.special]
        spelled = [files.pieces[index] for index in ids]
        lengths = np.array([len(piece) for piece in spelled], np.int64)
        self.longest = int(lengths.max(initial=1))
        characters = np.frombuffer("".join(spelled).encode("utf-32-le"), np.uint32).astype(np.int64)
        starts = np.cumsum(lengths) - lengths
        node = np.zeros(len(ids), np.int64)
        levels, first = [], 1
        piece_of_node = {}
        for depth in range(self.longest):
            going_on = np.flatnonzero(lengths > depth)
            edges, place = np.unique(
                (node[going_on] << _CODE_BITS) | characters[starts[going_on] + depth], return_inverse=True
            )
            node[going_on] = first + place
            levels.append(edges)
            first += len(edges)
            for row in going_on[lengths[going_on] == depth + 1]:
                piece_of_node[int(node[row])] = ids[row]
        self.edges = np.concatenate([*levels, [np.iinfo(np.int64).max]])
        self.piece_of_node = np.full(first + 1, -1, np.int32)
        self.piece_of_node[list(piece_of_node)] = list(piece_of_node.values())
        scores = np.array(files.scores, np.float64)
        unknown = scores.min() - UNKNOWN_PENALTY
        scores[files.unknown_id] = unknown
        self.scores = np.concatenate([[-np.inf], scores])
        self.unknown_id = files.unknown_id


def find_pieces(tables: UnigramTables, code_points: tf.Tensor, begins: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Spells words by the pieces whose scores have the greatest sum, in float64 and in the order of `tokenizers`.

    Of sums that are equal the one with the longest last piece wins, at each place of a word.

    Args:
        tables: The vocabulary.
        code_points: int32 [M], of all words, one after the other.
        begins: bool [M], whether a word begins there.

    Returns:
        int64 [T], ascending: where each piece ends, the place of its last character; and int32 [T], its id.
    """
    starts = tf.cast(tf.where(begins)[:, 0], tf.int32)
    size = tf.size(code_points)
    lengths = tf.concat([starts[1:], [size]], 0)[: tf.size(starts)] - starts
    word = tf.cumsum(tf.cast(begins, tf.int32)) - 1
    ids = _match(tables, code_points, tf.gather(starts + lengths, word))
    used = _best_lengths(tables, ids, starts, lengths)
    place = tf.range(size)
    before = place - used
    jump = tf.where(before < tf.gather(starts, word), place, before)
    ends = starts + lengths - 1
    on_path = tf.tensor_scatter_nd_update(tf.zeros([size], tf.int32), ends[:, tf.newaxis], tf.ones_like(ends))

    def leap(reach: tf.Tensor, on_path: tf.Tensor, jump: tf.Tensor) -> tuple[tf.Tensor, ...]:
        reached = tf.maximum(on_path, tf.math.unsorted_segment_max(on_path, jump, size))
        return reach * 2, reached, tf.gather(jump, jump)

    longest = tf.reduce_max(tf.concat([[0], lengths], 0))
    # After each leap the path is known twice as far from the ends of words.
    _, on_path, _ = tf.while_loop(
        lambda reach, *_: reach <= longest, leap, (tf.constant(1), on_path, jump), parallel_iterations=1
    )
    places = tf.where(on_path > 0)
    column = tables.longest - tf.gather_nd(used, places)
    return places[:, 0], tf.gather_nd(ids, tf.concat([places, tf.cast(column, tf.int64)[:, tf.newaxis]], 1))


def _match(tables: UnigramTables, code_points: tf.Tensor, end_of_word: tf.Tensor) -> tf.Tensor:
    """The ids of the pieces that end at each character, int32 [M, longest], the longest first; -1 where there is none.

    Where no piece is a character alone, the unknown one is.
    """
    size, longest = tf.size(code_points), tables.longest
    edges, piece_of_node = tf.constant(tables.edges), tf.constant(tables.piece_of_node)
    codes = tf.cast(code_points, tf.int64)

    def step(
        depth: tf.Tensor, place: tf.Tensor, node: tf.Tensor, places: tf.TensorArray, pieces: tf.TensorArray
    ) -> tuple[Any, ...]:
        edge = tf.bitwise.left_shift(node, tf.constant(_CODE_BITS, tf.int64)) | tf.gather(codes, place)
        found = tf.searchsorted(edges, edge)
        goes_on = tf.equal(tf.gather(edges, found), edge)
        place, found = tf.boolean_mask(place, goes_on), tf.boolean_mask(found, goes_on)
        piece = tf.gather(piece_of_node, found + 1)
        is_piece = piece >= 0
        flat = place * longest + (longest - 1 - depth)
        places = places.write(depth, tf.boolean_mask(flat, is_piece))
        pieces = pieces.write(depth, tf.boolean_mask(piece, is_piece))
        inside = place + 1 < tf.gather(end_of_word, place)
        return (
            depth + 1,
            tf.boolean_mask(place, inside) + 1,
            tf.cast(tf.boolean_mask(found, inside), tf.int64) + 1,
            places,
            pieces,
        )

    arrays = [tf.TensorArray(tf.int32, size=longest, element_shape=[None], infer_shape=False) for _ in range(2)]
    *_, places, pieces = tf.while_loop(
        lambda depth, *_: depth < longest,
        step,
        (tf.constant(0), tf.range(size), tf.zeros([size], tf.int64), *arrays),
        shape_invariants=(
            *(tf.TensorShape([]), tf.TensorShape([None]), tf.TensorShape([None])),
            *(tf.TensorShape(None), tf.TensorShape(None)),
        ),
        parallel_iterations=1,
    )
    blank = tf.concat([tf.fill([size, longest - 1], -1), tf.fill([size, 1], tables.unknown_id)], 1)
    ids = tf.tensor_scatter_nd_update(tf.reshape(blank, [-1]), places.concat()[:, tf.newaxis], pieces.concat())
    return tf.reshape(ids, [size, longest])


def _best_lengths(tables: UnigramTables, ids: tf.Tensor, starts: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
    """The length of the piece that is the last of the best spelling up to and with each character, int32 [M]."""
    longest = tables.longest
    scores = tf.constant(tables.scores)
    # Words by length, so that those that go on are always the first.
    order = tf.argsort(lengths, direction="DESCENDING", stable=True)
    starts, negative = tf.gather(starts, order), -tf.gather(lengths, order)
    most = tf.reduce_max(tf.concat([[0], lengths], 0))
    going_on = tf.searchsorted(negative, -tf.range(1, most + 1), side="right")  # of how many words a step is

    def step(number: tf.Tensor, window: tf.Tensor, places: tf.TensorArray, used: tf.TensorArray) -> tuple[Any, ...]:
        place = starts[: going_on[number]] + number
        sums = window[: going_on[number]] + tf.gather(scores, tf.gather(ids, place) + 1)
        best = tf.reduce_max(sums, axis=1, keepdims=True)
        length = longest - tf.argmax(sums, axis=1, output_type=tf.int32)
        window = tf.ensure_shape(tf.concat([window[: going_on[number], 1:], best], 1), [None, longest])
        return number + 1, window, places.write(number, place), used.write(number, length)

    window = tf.concat([tf.fill([longest - 1], tf.constant(-np.inf, tf.float64)), [0.0]], 0)
    arrays = [tf.TensorArray(tf.int32, size=most, element_shape=[None], infer_shape=False) for _ in range(2)]
    *_, places, used = tf.while_loop(
        lambda number, *_: number < most,
        step,
        (tf.constant(0), tf.tile(window[tf.newaxis], [tf.size(starts), 1]), *arrays),
        shape_invariants=(
            *(tf.TensorShape([]), tf.TensorShape([None, longest])),
            *(tf.TensorShape(None), tf.TensorShape(None)),
        ),
        parallel_iterations=1,
    )
    empty = tf.zeros([tf.shape(ids)[0]], tf.int32)
    return tf.tensor_scatter_nd_update(empty, places.concat()[:, tf.newaxis], used.concat())
