"""Counts the tokens of texts outside a graph, without TensorFlow: exactly, as Hugging Face's `tokenizers` does."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import numpy as np
from tokenizers import Regex, Tokenizer, normalizers
from tokenizers.models import Unigram, WordPiece
from tokenizers.normalizers import BertNormalizer, Precompiled, Replace, Strip
from tokenizers.normalizers import Sequence as Normalizers
from tokenizers.pre_tokenizers import BertPreTokenizer, Metaspace, Punctuation, WhitespaceSplit
from tokenizers.pre_tokenizers import Sequence as PreTokenizers

from fullbake.components.tokenizer.tokenizer_files import TokenizerFiles
from fullbake.components.tokenizer.unigram_files import (
    CHARSMAP,
    FOLD,
    JOIN_QUOTES,
    JOIN_SPACES,
    STRIP,
    STRIP_END,
    WORD_MARK,
    UnigramFiles,
)

# At these no token goes on, whatever the settings; at other white space neither, but there the tokenizer sees to it. A
# longer part is cut, so that memory stays bounded: that may give one token more.
_PART = re.compile(r"[^ \t\n\r]{1,65536}")
# Between such characters, which no normalisation takes away or makes a space of, a unigram tokenizer's word ends,
# whatever is around.
_LETTER = r"[^\W\u037a\ufc5e-\ufc63\ufe70-\ufe7f\uff9e\uff9f]"
# Where punctuation is a word, the space before it is one too: that before what it is in, or becomes by NFKC, stays.
_NO_PUNCTUATION = r"(?![_\u2474-\u2487\u3220-\u3229])"
_MOST_KEPT = 1 << 20  # characters of known parts, some 30 MB


class TokenCounter:
    """Counts what `RowTokenizer` makes of texts: special tokens that a user types are ordinary text.

    A part between two spaces is tokenized once for as long as it is known, so most words cost a look into a table.

    Attributes:
        exact: Whether tokens are counted, not estimated.
        between: How many special tokens stand between two texts.

    Example:
        >>> TokenCounter(read_tokenizer_files("checkpoints/base")).count(["Hello worlds! 👍"])
        array([[5, 1, 4]])
    """

    exact = True

    def __init__(self, files: TokenizerFiles | UnigramFiles):
        """Makes the tokenizer.

        Args:
            files: Vocabulary and settings.
        """
        if isinstance(files, UnigramFiles):
            self.between = len(files.between_ids)
            self._tokenizer, self._unknown = _unigram(files), files.unknown_id
            self._continuing = np.array([not piece.startswith(WORD_MARK) for piece in files.pieces])
            become = self._tokenizer.normalizer.normalize_str
            spaces = [space for space in " \t\n\r" if files.parts_at_whitespace or become(f"a{space}b") == "a b"]
            begins = _NO_PUNCTUATION + _LETTER if files.parts_punctuation else _LETTER
            between = re.compile(f"(?<={_LETTER}|[.,;:!?])[{''.join(spaces)}](?={begins})")
            self._parts: Callable[[str], list[str]] = between.split
        else:
            self.between = files.separators
            self._tokenizer, self._unknown = _wordpiece(files), files.token_id(files.unk_token)
            self._continuing, self._parts = continuing_tokens(files), _PART.findall
        self._places: dict[str, int] = {}
        self._counts = np.zeros((0, 3), np.int64)
        self._characters = 0

    def count(self, texts: Sequence[str]) -> np.ndarray:
        """Counts the tokens of each text, without special tokens and without a cut.

        Args:
            texts: As many as fit well into memory.

        Returns:
            int64 [N, 3]: tokens, those of them that are unknown, and those that begin a word.
        """
        if self._characters > _MOST_KEPT:
            self._places.clear()
            self._counts, self._characters = self._counts[:0], 0
        rows = [self._parts(text) for text in texts]
        new = [part for part in dict.fromkeys(chain.from_iterable(rows)) if part not in self._places]
        if new:
            self._places.update(zip(new, range(len(self._places), len(self._places) + len(new)), strict=True))
            self._characters += sum(map(len, new))
            self._counts = np.concatenate([self._counts, self._count_parts(new)])
        places = np.fromiter(map(self._places.__getitem__, chain.from_iterable(rows)), np.int64)
        ends = np.cumsum([0, *map(len, rows)])
        summed = np.concatenate([np.zeros((1, 3), np.int64), np.cumsum(self._counts[places], axis=0)])
        return np.asarray(summed[ends[1:]] - summed[ends[:-1]])

    def _count_parts(self, parts: list[str]) -> np.ndarray:
        counts = np.zeros((len(parts), 3), np.int64)
        for row, encoding in enumerate(self._tokenizer.encode_batch_fast(parts, add_special_tokens=False)):
            ids = encoding.ids
            if len(ids) == 1:  # most are
                counts[row] = 1, ids[0] == self._unknown, not self._continuing[ids[0]]
            elif ids:
                array = np.array(ids)
                counts[row] = len(ids), (array == self._unknown).sum(), (~self._continuing[array]).sum()
        return counts


def _wordpiece(files: TokenizerFiles) -> Tokenizer:
    tokenizer = Tokenizer(
        WordPiece(
            dict(files.vocabulary),
            unk_token=files.unk_token,
            max_input_chars_per_word=files.max_input_chars_per_word,
            continuing_subword_prefix=files.continuing_prefix,
        )
    )
    tokenizer.normalizer = BertNormalizer(
        clean_text=files.clean_text,
        handle_chinese_chars=files.handle_chinese_chars,
        strip_accents=files.strip_accents,
        lowercase=files.lowercase,
    )
    tokenizer.pre_tokenizer = BertPreTokenizer()
    return tokenizer


def _unigram(files: UnigramFiles) -> Tokenizer:
    # Special tokens are spelled as no text spells them, for in a text they are none.
    vocabulary = [
        (f"\0{piece}" if number in files.special else piece, score)
        for number, (piece, score) in enumerate(zip(files.pieces, files.scores, strict=True))
    ]
    tokenizer = Tokenizer(Unigram(vocabulary, unk_id=files.unknown_id, byte_fallback=bool(files.byte_ids)))
    known: dict[str, list[Any]] = {
        JOIN_QUOTES: [Replace("``", '"'), Replace("''", '"')],
        FOLD: [getattr(normalizers, step)() for step in files.folding],
        CHARSMAP: [Precompiled(files.charsmap)] if files.charsmap else [],
        STRIP: [Strip()],
        STRIP_END: [Strip(left=False, right=True)],
        JOIN_SPACES: [Replace(Regex(" {2,}"), " ")],
    }
    tokenizer.normalizer = Normalizers([part for step in files.steps for part in known[step]])
    splits = [
        *([WhitespaceSplit()] if files.parts_at_whitespace else []),
        *([Punctuation(behavior="isolated")] if files.parts_punctuation else []),
        Metaspace(WORD_MARK, prepend_scheme="always"),
    ]
    tokenizer.pre_tokenizer = PreTokenizers(splits)
    return tokenizer


def continuing_tokens(files: TokenizerFiles) -> np.ndarray:
    """Returns which ids are of tokens that continue a word, bool [greatest id + 1]."""
    continuing = np.zeros(max(files.vocabulary.values()) + 1, bool)
    prefix = files.continuing_prefix
    continuing[[index for token, index in files.vocabulary.items() if token.startswith(prefix) and token != prefix]] = 1
    return continuing
