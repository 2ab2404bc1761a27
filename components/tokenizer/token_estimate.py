"""Estimates the tokens of texts where the vocabulary is not at hand."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Literal

import numpy as np

# Words that most English texts have and few others. Of words of other languages an English vocabulary makes pieces of
# about two letters, of English ones seldom more than one piece.
_ENGLISH = re.compile(r"\b(?:the|and|you|this|that|with|are|have|was)\b", re.IGNORECASE)
_LATIN = "A-Za-z\u00c0-\u024f\u1e00-\u1eff"
_MARKS = "\u0300-\u036f"
_ENGLISH_LETTERS, _OTHER_LETTERS = 4, 2


def _pieces(letters: int) -> re.Pattern[str]:
    return re.compile(rf"(?:[{_LATIN}][{_MARKS}]*){{1,{letters}}}|[0-9]{{1,2}}|[^\s0-9{_LATIN}{_MARKS}]")


_OF_ENGLISH, _OF_OTHERS = _pieces(_ENGLISH_LETTERS), _pieces(_OTHER_LETTERS)


class TokenEstimate:
    """Estimates rather too many tokens than too few: what it says to fit must fit.

    A piece is up to four Latin letters of a text that looks English and up to two of another, up to two digits, or any
    other character; of Hangul it is a letter, not a syllable, where the base takes text apart (NFD), as those do that
    lower-case it. Against MiniLM's vocabulary, which is that of bert-base-uncased: of 99% of English tweets 84 (in
    truth 80), questions to a bank 66 (51); of the translated messages of a program in Korean 354 (301), Russian 368
    (347), Hindi 118 (93), Arabic 371 (337), Japanese 200 (169), German 202 (144). Of Chinese, where Latin names are
    among it, 119 (134).

    Attributes:
        exact: Whether tokens are counted, not estimated.
    """

    exact = False

    def __init__(self, base: str):
        """Makes it for a base model.

        Args:
            base: Its name; if that says "cased" it does not lower-case.
        """
        cased = "cased" in base.lower() and "uncased" not in base.lower()
        self._form: Literal["NFC", "NFD"] = "NFC" if cased else "NFD"

    def count(self, texts: Sequence[str]) -> np.ndarray:
        """Estimates the tokens of each text, without special tokens.

        Returns:
            int64 [N, 3]: tokens, then zeros: which are unknown or begin a word cannot be told.
        """
        counts = np.zeros((len(texts), 3), np.int64)
        counts[:, 0] = [self._pieces(text) for text in texts]
        return counts

    def _pieces(self, text: str) -> int:
        if not text.isascii():
            text = unicodedata.normalize(self._form, text)
        pieces = _OF_ENGLISH if _ENGLISH.search(text) else _OF_OTHERS
        return sum(1 for _ in pieces.finditer(text))  # one by one: a text may be long
