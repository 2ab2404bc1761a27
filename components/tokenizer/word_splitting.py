"""BERT's normalising and splitting into words, as a TensorFlow graph."""

import tensorflow as tf

from fullbake.components.tokenizer import bert_characters as characters
from fullbake.components.tokenizer.graph_tables import GraphTables, kind_of


def split_words(text: tf.Tensor, tables: GraphTables, *, reorders: bool) -> tf.RaggedTensor:
    """Normalises texts and splits them into words.

    Args:
        text: String [N], UTF-8.
        tables: The tables.
        reorders: Whether characters may become several, or be sorted.

    Returns:
        The characters of each word, int32 [N, (words), (characters)].
    """
    # The space that ends each row keeps words, and runs of combining marks, within rows.
    decoded = tf.strings.unicode_decode(tf.strings.join([text, " "]), "UTF-8", errors="replace")
    code_points, row_ends = decoded.values, decoded.row_splits[1:]
    cells = tables.look_up(code_points)
    if reorders:
        code_points, cells, row_ends = tf.cond(
            tf.reduce_any(kind_of(cells) >= characters.RARE),
            lambda: _resolve_rare(code_points, cells, row_ends, tables),
            lambda: (code_points, cells, row_ends),
        )
    kinds = kind_of(cells)
    code_points += tf.bitwise.right_shift(cells, characters.KIND_BITS)

    kept = tf.not_equal(kinds, characters.REMOVED) & tf.not_equal(kinds, characters.REMOVED_BASE)
    kept_before = tf.cumsum(tf.cast(kept, tf.int64))
    row_ends = tf.gather(kept_before, row_ends - 1)
    code_points, kinds = tf.boolean_mask(code_points, kept), tf.boolean_mask(kinds, kept)

    is_letter = tf.equal(kinds, characters.LETTER)
    follows_letter = tf.concat([[False], is_letter[:-1]], 0)
    begins = tf.equal(kinds, characters.ALONE) | (is_letter & ~follows_letter)
    words_before = tf.cumsum(tf.cast(begins, tf.int64))
    words_in_rows = tf.concat([[tf.constant(0, tf.int64)], tf.gather(words_before, row_ends - 1)], 0)

    in_word = tf.not_equal(kinds, characters.SPACE)
    code_points, begins = tf.boolean_mask(code_points, in_word), tf.boolean_mask(begins, in_word)
    size = tf.size(code_points, out_type=tf.int64)
    words = tf.RaggedTensor.from_row_splits(code_points, tf.concat([tf.where(begins)[:, 0], [size]], 0), validate=False)
    return tf.RaggedTensor.from_row_splits(words, words_in_rows, validate=False)


def _resolve_rare(
    code_points: tf.Tensor, cells: tf.Tensor, row_ends: tf.Tensor, tables: GraphTables
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Replaces EXPANDED characters by what they become, and sorts MARKs as NFD does; the rest is left as it is.

    Args:
        code_points: int32 [M].
        cells: int32 [M].
        row_ends: int64 [N].
        tables: The tables.

    Returns:
        The same three, with M' = M * LONGEST_EXPANSION characters, of which those not needed are REMOVED.
    """
    width = characters.LONGEST_EXPANSION
    number = tf.bitwise.right_shift(cells, characters.KIND_BITS)
    itself = tf.stack([code_points, cells], 1)[:, tf.newaxis]  # [M, 1, 2]
    itself = tf.pad(itself, [[0, 0], [0, width - 1], [0, 0]], constant_values=characters.REMOVED)
    is_expanded = tf.equal(kind_of(cells), characters.EXPANDED)
    expansion = tf.gather(tables.expansions, tf.where(is_expanded, number, 0))
    resolved = tf.reshape(tf.where(is_expanded[:, tf.newaxis, tf.newaxis], expansion, itself), [-1, 2])
    code_points, cells = resolved[:, 0], resolved[:, 1]

    # NFD sorts each run of combining marks by class. Of the marks that are removed later, only what parts runs counts.
    kinds = kind_of(cells)
    is_mark = tf.equal(kinds, characters.MARK)
    run = tf.cumsum(tf.cast(~is_mark & tf.not_equal(kinds, characters.REMOVED), tf.int64))
    places = tf.where(is_mark)  # [K, 1]
    combining_class = tf.cast(tf.bitwise.right_shift(cells, characters.KIND_BITS), tf.int64)
    order = tf.argsort(tf.gather_nd(run * 256 + combining_class, places), stable=True)
    marks = tf.gather(tf.gather_nd(code_points, places), order)
    code_points = tf.tensor_scatter_nd_update(code_points, places, marks)
    return code_points, tf.where(is_mark, characters.LETTER, cells), row_ends * width
