"""What BERT's normalisation makes of each single character, as arrays that a graph can look up.

BertNormalizer (remove control characters, set Chinese characters apart, decompose and strip accents, lower-case) treats
each character by itself, with one exception: NFD sorts neighbouring combining marks. So the whole of it, and the word
boundaries of BertPreTokenizer after it, are one table from character to outcome. NumPy only.
"""

import dataclasses
import functools
import unicodedata

import numpy as np

from fullbake.components.tokenizer import unicode_tables

# What becomes of a character: the low three bits of its cell in the table.
SPACE = 0  # parts words
LETTER = 1  # belongs to a word
ALONE = 2  # is a word: punctuation, Chinese characters
REMOVED = 3  # leaves no trace
REMOVED_BASE = 4  # the same, but combining marks are not sorted across it (combining class 0)
EXPANDED = 5  # becomes several characters
MARK = 6  # belongs to a word, and NFD sorts it among its neighbours
KIND_BITS = 3
KIND_MASK = (1 << KIND_BITS) - 1
RARE = EXPANDED  # the kinds from here on need work that most text does not

PAGE_BITS = 8  # the table has two levels, so that the many pages without anything special are stored once
PAGE_SIZE = 1 << PAGE_BITS
CODE_POINTS = 0x110000
LONGEST_EXPANSION = 3  # Hangul syllables of three jamo, musical notes with stem and flag

# TensorFlow's unicode_encode writes U+FFFD for each of Unicode's 66 noncharacters, so the graph spells them with
# stand-ins from the private use area, in text and vocabulary alike. clean_text has emptied that area. Without it (no
# BERT is so) the 66 private characters are taken for the others: no matter, unless the vocabulary has one of either.
PLANE_ENDS = [plane + end for plane in range(0, CODE_POINTS, 0x10000) for end in (0xFFFE, 0xFFFF)]
NONCHARACTERS = [*range(0xFDD0, 0xFDF0), *PLANE_ENDS]
STAND_INS = dict(zip(NONCHARACTERS, range(0xE000, 0xE000 + len(NONCHARACTERS)), strict=True))


@dataclasses.dataclass(frozen=True)
class CharacterMap:
    """The outcome of each character.

    The cell of code point c is `cells[pages[c >> PAGE_BITS] + (c & (PAGE_SIZE - 1))]`: its kind in the low KIND_BITS
    bits, and above them (an arithmetic shift) a number: the distance to the resulting character; for EXPANDED the row
    of `expansions`; for MARK the combining class, the character staying as it is.

    Attributes:
        pages: int32 [4352], where each page begins in `cells`.
        cells: int32 [number of different pages * 256].
        expansions: int32 [rows, LONGEST_EXPANSION, 2], for each resulting character its code point and its cell;
            rows are filled up with REMOVED.
    """

    pages: np.ndarray
    cells: np.ndarray
    expansions: np.ndarray


@functools.cache
def character_map(
    *, clean_text: bool, handle_chinese_chars: bool, strip_accents: bool, lowercase: bool
) -> CharacterMap:
    """The outcome of every code point under these settings of BertNormalizer; made once in a process.

    Args:
        clean_text: Whether control characters are removed.
        handle_chinese_chars: Whether each Chinese character is a word.
        strip_accents: Whether text is decomposed (NFD) and non-spacing marks are removed.
        lowercase: Whether each character is replaced by its lower-case form.

    Returns:
        The table, of some 200 kB.
    """
    rules = _Rules(clean_text, handle_chinese_chars, strip_accents, lowercase)
    cells = np.full(CODE_POINTS, LETTER, np.int32)
    uniform = rules.uniform()
    for kind, codes in uniform.items():
        cells[list(codes)] = _cell(kind, 0)
    expansions: list[list[tuple[int, int]]] = []
    for code in rules.touched().difference(*uniform.values()):
        outcome = rules.outcome(code)
        if len(outcome) == 1:
            image, kind, combining_class = outcome[0]
            cells[code] = _cell(kind, combining_class if kind == MARK else image - code)
        else:
            cells[code] = _cell(EXPANDED, len(expansions))
            row = [(image, _cell(kind, combining_class)) for image, kind, combining_class in outcome]
            expansions.append(row + [(0, REMOVED)] * (LONGEST_EXPANSION - len(row)))
    place_of: dict[bytes, int] = {}
    places = [place_of.setdefault(page.tobytes(), len(place_of)) for page in cells.reshape(-1, PAGE_SIZE)]
    return CharacterMap(
        pages=np.array(places, np.int32) * PAGE_SIZE,
        cells=np.frombuffer(b"".join(place_of), np.int32),
        expansions=np.array(expansions or [[(0, REMOVED)] * LONGEST_EXPANSION], np.int32),
    )


def _cell(kind: int, number: int) -> int:
    return (number << KIND_BITS) | kind


class _Rules:
    """BertNormalizer and BertPreTokenizer, for one character at a time."""

    def __init__(self, clean_text: bool, handle_chinese_chars: bool, strip_accents: bool, lowercase: bool) -> None:
        def members(ranges: str, switched_on: bool = True) -> set[int]:
            return set(unicode_tables.code_points(ranges)) if switched_on else set()

        self.removed = members(unicode_tables.REMOVED, clean_text)
        self.chinese = members(unicode_tables.CHINESE, handle_chinese_chars)
        self.decomposed = members(unicode_tables.DECOMPOSED, strip_accents)
        self.reordered = members(unicode_tables.REORDERED, strip_accents)
        self.nonspacing = members(unicode_tables.NONSPACING, strip_accents)
        self.whitespace = members(unicode_tables.WHITESPACE)
        self.punctuation = members(unicode_tables.PUNCTUATION)
        self.lowercase = unicode_tables.lowercase_map() if lowercase else {}

    def uniform(self) -> dict[int, set[int]]:
        """By kind, the many code points that need no look at each: they become nothing, or stay, as words."""
        special = self.decomposed | self.reordered | self.nonspacing | self.whitespace | self.lowercase.keys()
        return {REMOVED: self.removed, ALONE: self.chinese - self.removed - special - STAND_INS.keys()}

    def touched(self) -> set[int]:
        """The code points that are not just letters that stay as they are."""
        plain = self.removed | self.chinese | self.decomposed | self.reordered | self.nonspacing
        return plain | self.whitespace | self.punctuation | self.lowercase.keys() | STAND_INS.keys()

    def outcome(self, code: int) -> list[tuple[int, int, int]]:
        """(code point, kind, combining class) of each character that a code point becomes, unless it is `uniform`."""
        parts = unicodedata.normalize("NFD", chr(code)) if code in self.decomposed else chr(code)
        kept: list[tuple[int, int, int]] = []
        has_base = False
        for part in map(ord, parts):
            has_base |= part not in self.reordered
            if part in self.nonspacing:
                continue
            for image in map(ord, self.lowercase.get(part, chr(part)).translate(STAND_INS)):
                combining_class = unicodedata.combining(chr(part)) if part in self.reordered else 0
                kept.append((image, self._kind(image, code, combining_class), combining_class))
        return kept or [(code, REMOVED_BASE if has_base else REMOVED, 0)]

    def _kind(self, image: int, source: int, combining_class: int) -> int:
        if image in self.whitespace:
            return SPACE
        if source in self.chinese or image in self.punctuation:
            return ALONE
        return MARK if combining_class else LETTER
