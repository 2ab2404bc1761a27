"""Which script a text is written in."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np

from fullbake.components.tokenizer.scripts import NO_LETTERS

# Where the first word of a letter's Unicode name is not what its script is called.
_NAMES = {"Cjk": "Han", "Ideographic": "Han", "Hiragana": "Kana", "Katakana": "Kana"}
_WIDTHS = ("FULLWIDTH ", "HALFWIDTH ")
_UNSEEN = 255
_LONGEST = 1 << 16  # characters; of a longer text the start decides


class ScriptFinder:
    """Finds the script that most letters of a text have. A character is looked up in Unicode's names once.

    Example:
        >>> ScriptFinder().scripts_of(["What?", "война и peace", "👍 10"])
        ['Latin', 'Cyrillic', 'no letters']
    """

    def __init__(self) -> None:
        self._numbers = {NO_LETTERS: 0}
        self._table = np.full(0x110000, _UNSEEN, np.uint8)  # by code point, the number of its script

    def scripts_of(self, texts: Sequence[str]) -> list[str]:
        """Returns the script of each text; of two with as many letters, the one that was met first in all texts.

        Args:
            texts: Each character takes about 30 bytes while this lasts.
        """
        texts = [text[:_LONGEST] for text in texts]
        codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), "<u4")
        found = self._table[codes]
        for code in np.unique(codes[found == _UNSEEN]).tolist():
            self._table[code] = self._number(chr(code))
        found = self._table[codes].astype(np.int64)
        rows = np.repeat(np.arange(len(texts)), [len(text) for text in texts])
        kinds = len(self._numbers)
        letters = np.bincount(rows * kinds + found, minlength=len(texts) * kinds).reshape(len(texts), kinds)
        letters[:, 0] = 0  # what is no letter decides only where there is none
        names = list(self._numbers)
        return [names[number] for number in letters.argmax(axis=1).tolist()]

    def _number(self, character: str) -> int:
        if not character.isalpha():
            return 0
        name = unicodedata.name(character, "OTHER")
        for width in _WIDTHS:
            name = name.removeprefix(width)
        script = name.split(maxsplit=1)[0].capitalize()
        return self._numbers.setdefault(_NAMES.get(script, script), min(len(self._numbers), _UNSEEN - 1))
