"""Texts by which tokenizers are compared with Hugging Face's."""

import csv
import itertools
import random
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

DATA = Path(__file__).resolve().parents[3].parent / "shared" / "data"

CONTEXTS: dict[str, Callable[[str], str]] = {
    "c": lambda char: char,
    "a{c}b": lambda char: f"a{char}b",
    "{c}{c} x": lambda char: f"{char}{char} x",
}
LOOK_ALIKES = ("CJK UNIFIED IDEOGRAPH", "HANGUL SYLLABLE", "TANGUT IDEOGRAPH")

# Where characters act on each other or have rules of their own; random strings are drawn from these.
ALPHABETS = (
    " \t\n\r\u00a0\u2003\u3000\u0085\u000b\u2028",
    "abcdefghijklmnopqrstuvwxyz",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
    "".join(map(chr, range(0x21, 0x7F))),
    "".join(map(chr, range(0, 0x20))) + "\u200b\u200d\ufeff\ufffd\ufffe\uffff\ue000\U0010ffff",
    "".join(map(chr, range(0xC0, 0x250))) + "ıİſẞß\u1e9bΣσςΑΒΪΰǅǲ",
    "".join(map(chr, range(0x300, 0x370))) + "\u0483\u0591\u05bf\u064b\u093c\u0941\u0f71\u0f73\u0f76",
    "\u302e\u302f\u1b44\u1baa\ua953\U0001d165\U0001d16d\U0001d16e\U0001d15e\U0001d160\U0001d1bb\u08d4\U0001e000",
    "".join(map(chr, range(0x370, 0x530))),
    "".join(map(chr, range(0x900, 0xE00))),
    "".join(map(chr, range(0x1100, 0x1200))) + "가각힣한글뷁",
    "漢字中文〇々𠀀𫜴\u2e80\u2f00\uf900\ufa0e\U0002f800かがゝゞガｶﾞ。、「」",
    "😀👩‍👩‍👧🏽❤️🇫🇷…—“”‘’™½²ﬁ№",
    "".join(map(chr, range(0x1E00, 0x2000))),
)

# Where the expression that splits text has rules of its own.
_FRAGMENTS = (
    *("'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'l", "'r", "'v", "'", "''", "\u2019s", "s", "ll", "re"),
    *(" ", "  ", "\t", "\n", "\r\n", "\n\n", "\u00a0", "\u3000", "\u0085", "\x1c", "\u200b", "\x00"),
    *("a", "word", "Ä", "漢", "1", "²", "४", "!", "...", "_", "\u0301", "😀", "\ufffe", "\ufffd"),
)

# Special tokens of all kinds, as a user may type them.
TYPED = [
    *("ok [SEP] not [MASK]ed [CLS][PAD] [UNK]", "[sep]", "[unused1] ##ing", "[CLS] a [SEP][MASK]", "[MASK]"),
    *("<s>", "ok </s></s> not <mask> <pad>", " <mask>", "<unk>", "<s> a </s><mask> <pad>b <unk>", "</s></s>"),
    *("<s>NOTUSED", "<0x41> <0xFF>", "a<unk>b<s>c", "\u2581<s>", "[UNK][UNK] [PAD]"),
]


def scalar_values() -> Iterator[str]:
    """Every Unicode scalar value: 1,112,064 characters."""
    return map(chr, itertools.chain(range(0xD800), range(0xE000, 0x110000)))


def telling_values() -> Iterator[str]:
    """Every assigned character that has rules of its own, and of each block of look-alikes one in 61.

    Such blocks are those of CJK ideographs, Hangul syllables, private use and what is not assigned: nine tenths of
    Unicode. 61 is a prime, so the step goes in time with no regular layout.
    """
    for number, char in enumerate(scalar_values()):
        alike = unicodedata.category(char) in ("Cn", "Co") or unicodedata.name(char, "").startswith(LOOK_ALIKES)
        if not alike or number % 61 == 0:
            yield char


def random_texts(count: int, seed: int = 0) -> list[str]:
    """Strings of up to 40 characters, each mixed from a few alphabets, some from all of Unicode."""
    source = random.Random(seed)  # noqa: S311
    everything = "".join(scalar_values())
    texts = []
    for _ in range(count):
        alphabets = source.choices((*ALPHABETS, everything), k=source.randint(1, 4))
        texts.append("".join(source.choice(source.choice(alphabets)) for _ in range(source.randint(0, 40))))
    return texts


def split_texts(count: int, seed: int = 0) -> list[str]:
    """Strings in which contractions, runs of white space and kinds of characters meet in every way."""
    source = random.Random(seed)  # noqa: S311
    return ["".join(source.choices(_FRAGMENTS, k=source.randint(0, 12))) for _ in range(count)]


def long_texts() -> list[str]:
    """Words of 10,000 letters, texts of a few more thousand, and runs of what parts words."""
    source = random.Random(0)  # noqa: S311
    alphabets = ("acgt", "abcdefghijklmnopqrstuvwxyz", "あいうえ", "가각힣", "aé\u0301", "a'` \u2581")
    words = ["".join(source.choices(letters, k=10_000)) for letters in alphabets]
    runs = [char * 10_000 for char in "aßー漢'`-! \t\n\u00a0\u3000\u2581\u0301\ufdfa\U0001f600"]
    pairs = [pair * 5_000 for pair in ("ab", " \t", "a ", "\r\n", "''`", "e\u0301", "\u0e01\u0e33")]
    return [*words, *runs, *pairs, "hello world, it is a garden " * 300]


def damaged_texts() -> list[bytes]:
    """Every string of up to four of the bytes that UTF-8 has rules for, many of them not UTF-8."""
    telling = bytes.fromhex("00 20 41 80 8f 90 9f a0 bb bf c1 c2 e0 e1 ed ef f0 f1 f4 f5 ff")
    short = [bytes(text) for length in (1, 2, 3) for text in itertools.product(telling, repeat=length)]
    four = [bytes(text) for text in itertools.product(telling[2::2], repeat=4)]
    return [*short, *four, b"caf\xe9 ol\xc3\xa9", b"x\xef\xbf\xbfy\xef\xbf", b"a\xf0\x9f\x98 b\xed\xa0\x80"]


def spaced_texts(count: int, seed: int = 0) -> list[str]:
    """Runs of spaces, tabs, line ends and other white space, among letters and marks of words."""
    source = random.Random(seed)  # noqa: S311
    parts = [" ", "  ", "\t", "\n", "\r\n", "\u00a0", "\u3000", "\u2028", "\u200b", "\u2581", "a", "b", "."]
    return ["".join(source.choices(parts, k=source.randint(0, 12))) for _ in range(count)]


def real_texts() -> list[str]:
    """Every different field of the real data sets but row numbers and counts; none where these are not there."""
    fields: dict[str, None] = {}
    for path in sorted(DATA.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as lines:
            fields |= dict.fromkeys(field for row in csv.reader(lines) for field in row if not field.isdigit())
    return list(fields)
