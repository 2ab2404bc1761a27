"""BERT's normalising, splitting and WordPiece as a TensorFlow graph: text to the ids of its tokens, none cut off."""

import functools

import tensorflow as tf
import tensorflow_text as tf_text

from fullbake.components.tokenizer import bert_characters as characters
from fullbake.components.tokenizer.graph_tables import GraphTables
from fullbake.components.tokenizer.pieces import RowLayout
from fullbake.components.tokenizer.piecewise import PiecewiseTokenizer
from fullbake.components.tokenizer.token_counter import continuing_tokens
from fullbake.components.tokenizer.tokenizer_files import TokenizerFiles
from fullbake.components.tokenizer.vocabulary_model import compile_vocabulary
from fullbake.components.tokenizer.word_splitting import split_words

# RE2's own bound on {n} in a regular expression.
LONGEST_REPETITION = 1000


@functools.lru_cache(maxsize=4)
def wordpiece_of(files: TokenizerFiles) -> "WordPiece":
    """Returns the tokenizer of these files, made and traced once in a process; a run asks for it a dozen times.

    Raises:
        InputError: The vocabulary cannot be compiled.
    """
    return WordPiece(files)


class WordPiece(PiecewiseTokenizer):
    """Finds the tokens of texts, those of Hugging Face's `BertTokenizerFast` for every text, whatever Unicode it holds.

    MPNet's differs from it in the special tokens alone. Its members are those of `pieces.Pieces`. Bytes that are not
    UTF-8 count as U+FFFD, one for each that Python's `errors="replace"` gives. No table of RE2 or ICU takes part: see
    components/tokenizer/unicode_tables.py.
    """

    def __init__(self, files: TokenizerFiles) -> None:
        """Makes the tables.

        Args:
            files: Vocabulary and settings.

        Raises:
            InputError: The vocabulary cannot be compiled.
        """
        super().__init__()
        self._files = files
        cls_id, sep_id, pad_id, self.unknown_id = (
            files.token_id(token) for token in (files.cls_token, files.sep_token, files.pad_token, files.unk_token)
        )
        between = (sep_id,) * files.separators
        self.layout = RowLayout(start=cls_id, end=sep_id, between=between, pad=pad_id, has_types=files.separators == 1)
        self.begins_word = ~continuing_tokens(files)
        self._characters = characters.character_map(
            clean_text=files.clean_text,
            handle_chinese_chars=files.handle_chinese_chars,
            strip_accents=files.strip_accents,
            lowercase=files.lowercase,
        )
        self._model = compile_vocabulary(files)

    def tables(self) -> GraphTables:
        """Makes the tables part of the graph that is being built."""
        return GraphTables(self._characters, self._model, self._files.handle_chinese_chars)

    def shorten(self, text: tf.Tensor) -> tf.Tensor:
        """Leaves out letters of words that are too long to be known: a word is unknown however many more they are."""
        longest = self._files.max_input_chars_per_word + 1
        if longest > LONGEST_REPETITION:
            return text
        return tf.strings.regex_replace(text, f"([0-9A-Za-z]{{{longest}}})[0-9A-Za-z]+", r"\1")

    def words(self, text: tf.Tensor) -> tf.RaggedTensor:
        """Normalises and splits, without looking anything up in the vocabulary; for tests.

        Args:
            text: String [N], UTF-8.

        Returns:
            string [N, (words)].
        """
        spelled = self._split_words(text, self.tables())
        return spelled.with_values(tf.strings.unicode_encode(spelled.values, "UTF-8"))

    def tokenize_chunk(self, text: tf.Tensor, tables: GraphTables) -> tuple[tf.Tensor, tf.Tensor]:
        """Text, string [N], to all ids, int64, one row after the other, and how many each row has, int64 [N]."""
        spelled = self._split_words(text, tables)
        words = tf.strings.unicode_encode(spelled.values, "UTF-8")
        is_long = spelled.values.row_lengths() > self._files.max_input_chars_per_word
        words = tf.where(is_long, self._files.unk_token, words)
        wordpiece = tf_text.FastWordpieceTokenizer(model_buffer=tables.wordpiece_model)
        tokens = spelled.with_values(wordpiece.tokenize(words)).merge_dims(1, 2)
        return tokens.flat_values, tokens.row_lengths()

    def _split_words(self, text: tf.Tensor, tables: GraphTables) -> tf.RaggedTensor:
        return split_words(text, tables, reorders=self._files.strip_accents or self._files.lowercase)
