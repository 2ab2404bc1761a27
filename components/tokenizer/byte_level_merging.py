"""Byte-pair encoding as a TensorFlow graph: bytes become tokens, the pair of the lowest rank first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from fullbake.components.tokenizer.byte_level_files import ByteLevelFiles, byte_alphabet

_NO_RANK = np.iinfo(np.int32).max


@dataclass(frozen=True)
class MergeTable:
    """The merges as arrays that a graph can look up.

    Attributes:
        byte_ids: Of each byte, the id of its token, int64 [256].
        meets: Whether a token holds the byte y after the byte x, bool [256 * 256], at 256 x + y. Where none does, no
            merge goes over, so that what is before and after can be worked on apart.
        width: The key of a pair is `first id * width + second id`.
        keys: Of each merge, ascending, int64 [K].
        ranks: Its rank, int32 [K].
        merged: The id of the token that it makes, int64 [K].
        at_once: Whether all its places in a word can be merged in one step, bool [K]: where no merge of the new token
            has a lower rank, as in every vocabulary in which no token is made in two ways.
    """

    byte_ids: np.ndarray
    meets: np.ndarray
    width: int
    keys: np.ndarray
    ranks: np.ndarray
    merged: np.ndarray
    at_once: np.ndarray


def merge_table(files: ByteLevelFiles) -> MergeTable:
    """Makes the arrays of a tokenizer's files."""
    ids, alphabet = files.vocabulary, byte_alphabet()
    width = max(ids.values()) + 1
    # Of a pair that is there twice, the last counts.
    by_key = {ids[first] * width + ids[second]: rank for rank, (first, second) in enumerate(files.merges)}
    keys = np.array(sorted(by_key), np.int64).reshape(-1)
    ranks = np.array([by_key[key] for key in keys.tolist()], np.int32)
    merged = np.array([ids["".join(files.merges[rank])] for rank in ranks.tolist()], np.int64)
    lowest_of = np.full(width, _NO_RANK, np.int32)
    for part in (keys // width, keys % width):
        np.minimum.at(lowest_of, part, ranks)
    byte_of = {character: byte for byte, character in enumerate(alphabet)}
    meets = np.zeros(256 * 256, bool)
    for first, second in files.merges:
        if first[-1:] in byte_of and second[:1] in byte_of:
            meets[256 * byte_of[first[-1]] + byte_of[second[0]]] = True
    return MergeTable(
        byte_ids=np.array([ids[character] for character in alphabet], np.int64),
        meets=meets,
        width=width,
        keys=keys,
        ranks=ranks,
        merged=merged,
        at_once=ranks < lowest_of[merged],
    )


class GraphMerges:
    """The merges as tensors of the graph that is being built."""

    def __init__(self, table: MergeTable) -> None:
        self._byte_ids = tf.constant(table.byte_ids)
        self._meets = tf.constant(table.meets)
        self._width = table.width
        # One more, which no pair has, so that what is looked up is there.
        self._keys = tf.constant(np.append(table.keys, np.iinfo(np.int64).max))
        self._ranks = tf.constant(np.append(table.ranks, np.int32(_NO_RANK)))
        self._merged = tf.constant(np.append(table.merged, 0))
        self._at_once = None if table.at_once.all() else tf.constant(np.append(table.at_once, True))

    def are_apart(self, octets: tf.Tensor) -> tf.Tensor:
        """Whether no token holds each byte and the one before it, bool [B]; of the first that is not said."""
        pairs = tf.concat([[0], octets[:-1]], 0)[: tf.size(octets)] * 256 + octets
        return ~tf.gather(self._meets, pairs)

    def tokenize(self, pieces: tf.RaggedTensor) -> tf.RaggedTensor:
        """Merges the bytes of pieces of words, none of them empty.

        Each step merges in each piece the pair of the lowest rank, at all its places, and takes out the pieces that are
        done; so there are at most as many steps as the piece of the most merges needs.

        Args:
            pieces: int32 [P, (bytes)].

        Returns:
            int64 [P, (tokens)].
        """

        def array() -> tf.TensorArray:
            return tf.TensorArray(tf.int64, size=1, dynamic_size=True, element_shape=[None], infer_shape=False)

        ids = tf.gather(self._byte_ids, pieces.values)
        places = tf.range(tf.size(ids, tf.int64))
        unmerged = tf.zeros([0], tf.int64)
        flat = tf.TensorShape([None])
        *_, found, found_places = tf.while_loop(
            lambda number, ids, *_: tf.size(ids) > 0,
            self._merge_once,
            (
                tf.constant(1),
                *(ids, pieces.value_rowids(), places),
                *(array().write(0, unmerged), array().write(0, unmerged)),
            ),
            shape_invariants=(tf.TensorShape([]), flat, flat, flat, *[tf.TensorShape(None)] * 2),
            parallel_iterations=1,
        )
        places = found_places.concat()
        order = tf.argsort(places)
        rows = tf.gather(pieces.value_rowids(), tf.gather(places, order))
        return tf.RaggedTensor.from_value_rowids(
            tf.gather(found.concat(), order), rows, nrows=pieces.nrows(), validate=False
        )

    def _merge_once(
        self,
        number: tf.Tensor,
        ids: tf.Tensor,
        pieces: tf.Tensor,
        places: tf.Tensor,
        found: tf.TensorArray,
        found_places: tf.TensorArray,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.TensorArray, tf.TensorArray]:
        """A step.

        Args:
            number: Of the step.
            ids: Of the tokens that may still be merged, piece by piece, int64 [M].
            pieces: Which piece each is of, int64 [M], ascending.
            places: Where each begins, int64 [M].
            found: By step, the ids in pieces that were done.
            found_places: Where these begin.
        """
        goes_on = tf.equal(pieces[1:], pieces[:-1])
        begins = tf.concat([[True], ~goes_on], 0)
        piece = tf.cumsum(tf.cast(begins, tf.int32)) - 1  # numbered anew
        keys = ids[:-1] * self._width + ids[1:]
        merge = tf.searchsorted(self._keys, keys)
        is_merge = goes_on & tf.equal(tf.gather(self._keys, merge), keys)
        merge = tf.concat([tf.where(is_merge, merge, tf.size(self._keys) - 1), [tf.size(self._keys) - 1]], 0)
        ranks = tf.gather(self._ranks, merge)
        lowest = tf.gather(tf.math.segment_min(ranks, piece), piece)
        is_done = tf.equal(lowest, _NO_RANK)
        chosen = tf.equal(ranks, lowest) & ~is_done
        # Of places that overlap ("aaa") every other one, from the left.
        index = tf.range(tf.size(ids))
        follows = tf.concat([[False], chosen[:-1]], 0)
        run_begins = chosen & ~follows
        run = tf.maximum(tf.cumsum(tf.cast(run_begins, tf.int32)) - 1, 0)
        run_start = tf.gather(tf.concat([tf.boolean_mask(index, run_begins), [0]], 0), run)
        chosen &= tf.equal((index - run_start) % 2, 0)
        if self._at_once is not None:
            first = tf.gather(tf.math.segment_min(tf.where(chosen, index, _NO_RANK), piece), piece)
            chosen &= tf.gather(self._at_once, merge) | tf.equal(index, first)
        ids = tf.where(chosen, tf.gather(self._merged, merge), ids)
        stays = ~tf.concat([[False], chosen[:-1]], 0)
        done, open_ones = stays & is_done, stays & ~is_done
        return (
            number + 1,
            *(tf.boolean_mask(values, open_ones) for values in (ids, pieces, places)),
            found.write(number, tf.boolean_mask(ids, done)),
            found_places.write(number, tf.boolean_mask(places, done)),
        )
