"""A long text is worked on in pieces, and has the tokens of the whole."""

import random

import numpy as np
import pytest
import tensorflow as tf

from fullbake.components.tokenizer.row_tokenizer import RowTokenizer
from fullbake.components.tokenizer.wordpiece import wordpiece_of
from tests.components.parity.comparison import Parity
from tests.components.parity.folders import minilm_folder
from tests.components.parity.texts import random_texts


@pytest.fixture
def small_pieces(monkeypatch):
    """Texts of more than 24 bytes are long ones, also in what is traced."""
    wordpiece_of.cache_clear()
    monkeypatch.setattr("fullbake.components.tokenizer.piecewise.PIECE_BYTES", 24)
    yield
    wordpiece_of.cache_clear()


SENTENCES = (
    "Good, bad!",
    "漢字。中文",
    "x\u0301\u0323!\u0323\u0301 y",
    "\ufeff\u200b" * 9,
    "e" * 120,
    "\t\n ",
    "가각 é",
)


def long_texts(seed: int) -> list[str]:
    """Texts of some hundred bytes in which all that ends words, or does not, comes to lie where a piece may end."""
    source = random.Random(seed)  # noqa: S311
    texts = ["".join(texts) for texts in zip(*[iter(random_texts(400, seed=seed))] * 4, strict=True)]
    texts += ["".join(source.choices(SENTENCES, k=5)) for _ in range(100)]
    return [*texts, *(sentence * 20 for sentence in SENTENCES), "", "a", " " * 99, "\u0301" * 99, "é" * 90, "Ж" * 120]


def damaged_texts(seed: int) -> list[bytes]:
    """Texts that are mostly not UTF-8."""
    source = random.Random(seed)  # noqa: S311
    octets = b"ab !\xc3\xa9\xe6\xbc\xa2\xe5\xf0\x9f"
    return [bytes(source.choices(octets, k=source.randint(20, 150))) for _ in range(150)]


@pytest.fixture
def pieces(small_pieces, spelling_folder):
    """A tokenizer whose graph is made for small pieces, and whose tokens are mostly single characters."""
    return Parity(spelling_folder)


def test_a_text_in_pieces_has_the_tokens_of_the_whole(pieces):
    assert pieces.differences(long_texts(7)) == []
    assert Parity(minilm_folder()).differences(long_texts(7)) == []


@pytest.mark.parametrize("truncation", ["head", "head_tail"])
def test_a_text_in_pieces_is_cut_as_the_whole_is(pieces, truncation):
    texts = [*(text.encode() for text in long_texts(8)), *damaged_texts(9)]
    decoded = [text.decode(errors="replace") for text in texts]
    whole = [e.ids for e in pieces.theirs.backend_tokenizer.encode_batch_fast(decoded, add_special_tokens=False)]
    for max_length in (3, 40):
        tokenizer = RowTokenizer(pieces.ours.pieces, max_length=max_length, truncation=truncation)
        ours = tf.function(tokenizer)(tf.constant(texts))["input_ids"].numpy()
        room = max_length - 2
        head = min(128, room // 2) if truncation == "head_tail" else room
        layout = tokenizer.pieces.layout
        cls, sep, pad = layout.start, layout.end, layout.pad
        for row, ids in enumerate(whole):
            kept = ids if len(ids) <= room else ids[:head] + ids[len(ids) - (room - head) :]
            expected = [cls, *kept, sep]
            assert ours[row].tolist() == expected + [pad] * (max_length - len(expected)), texts[row]


def test_pairs_in_pieces_are_cut_as_the_whole_ones_are(pieces):
    first, second = long_texts(10), long_texts(11)[::-1]
    # Of an odd room, the longer text keeps one token more.
    tokenizer = RowTokenizer(pieces.ours.pieces, max_length=22)
    ours = tf.function(tokenizer)(tf.constant(first), tf.constant(second))
    options = {"padding": "max_length", "max_length": 22, "split_special_tokens": True, "return_tensors": "np"}
    theirs = pieces.theirs(first, second, truncation="longest_first", **options)
    for name, value in ours.items():
        np.testing.assert_array_equal(value, theirs[name], err_msg=name)


def test_a_text_is_cut_only_before_characters_that_end_every_word(uncased):
    tables = uncased.ours.pieces.tables()
    codes = [*range(0x80), *range(0x80, 0xD800, 89), *range(0x4E00, 0xA000, 211), *range(0xE000, 0x30000, 997)]
    place = tf.function(lambda text: tables.boundary(text, first=False), input_signature=[tf.TensorSpec([], tf.string)])
    cut = [char for char in map(chr, codes) if place(f"x{char}") > 0]
    assert {" ", "\t", "\n", "!", "~"} <= set(cut)
    assert len(cut) > 200
    before, after = "x\u0301\u0323", "\u0301\u0323y"
    apart = uncased.ours.pieces.words(tf.constant([before, *(f"{char}{after}" for char in cut)])).to_list()
    whole = uncased.ours.pieces.words(tf.constant([f"{before}{char}{after}" for char in cut])).to_list()
    assert whole == [apart[0] + words for words in apart[1:]]
