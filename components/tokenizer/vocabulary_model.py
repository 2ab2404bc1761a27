"""The vocabulary of a WordPiece tokenizer as tensorflow_text reads it."""

import numpy as np
import tensorflow_text as tf_text

from fullbake.components.tokenizer import bert_characters as characters
from fullbake.components.tokenizer.tokenizer_files import TokenizerFiles
from fullbake.contract.errors import InputError

_BYTES_PER_CHARACTER = 4  # UTF-8 takes no more


def compile_vocabulary(files: TokenizerFiles) -> np.ndarray:
    """Returns the vocabulary as the model that FastWordpieceTokenizer reads, uint8.

    Its ids are places in a list, so ids that no token has are filled with entries that no word can match: words hold
    no spaces. So are tokens that WordPiece never finds: empty ones, those longer than any word, and those with a
    character that stands in for another or with U+0000 (which FastWordpieceTokenizer cannot store, and which WordPiece
    would find without clean_text only).

    Raises:
        InputError: The vocabulary cannot be compiled.
    """
    vocabulary = [f"{files.continuing_prefix} {index}" for index in range(max(files.vocabulary.values()) + 1)]
    longest = files.max_input_chars_per_word + len(files.continuing_prefix)
    longest_bytes = _BYTES_PER_CHARACTER * max(files.max_input_chars_per_word, len(files.unk_token))
    never_found = {"\0", *map(chr, characters.STAND_INS.values())}
    for token, index in files.vocabulary.items():
        if 0 < len(token) <= longest and never_found.isdisjoint(token):
            vocabulary[index] = token.translate(characters.STAND_INS)
    try:
        # What FastWordpieceTokenizer's constructor does; but that makes a constant of a million single numbers,
        # which takes TensorFlow more than a second where a graph is being built.
        model = tf_text.build_fast_wordpiece_model(
            vocabulary,
            longest_bytes,
            files.continuing_prefix,
            files.unk_token,
            True,  # no_pretokenization
            False,  # support_detokenization
        )
    except RuntimeError as error:
        raise InputError(
            f"the tokenizer's vocabulary cannot be used: {error}; save the model's tokenizer again"
        ) from error
    return np.frombuffer(model, np.uint8)
