"""A long text of a unigram tokenizer is worked on in pieces, and has the tokens of the whole."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
import tensorflow as tf

from fullbake.components.tokenizer.row_tokenizer import RowTokenizer
from fullbake.components.tokenizer.unigram import unigram_of
from tests.components.parity.comparison import Parity
from tests.components.parity.folders import unigram_folder
from tests.components.tokenizer.languages import SENTENCES

# What may come between two words: more of it may be one space in the end, or nothing.
BETWEEN = (
    *(" ", "  ", " \t", "\t ", "\n", " \n", "\r\n", "\u00a0 ", " \u3000", "\u2581 ", " \u2581", " \u200b ", "\x01 "),
    *(" \u0301", "\u0301 ", "'' ", "`` ", "` `", "! ", " !", "\u02d8 ", " \u02d8", "\ufffd ", "\u0600 ", "\r \u0301"),
)


# Of each normalizer one.
KINDS = (
    "XLM-R as converted today",
    "XLM-R as of 2020",
    "XLM-R without a charsmap",
    "ALBERT",
    "DeBERTa v2",
    "DeBERTa v3",
)


@pytest.fixture(params=KINDS)
def parity(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Parity]:
    """Texts of more than 400 bytes are long ones, also in what is traced."""
    unigram_of.cache_clear()
    monkeypatch.setattr("fullbake.components.tokenizer.piecewise.PIECE_BYTES", 400)
    yield Parity(unigram_folder(request.param, tmp_path))
    unigram_of.cache_clear()


def spoken_texts(count: int) -> list[str]:
    """Texts of a thousand bytes, of words of many languages and of what may come between; a space is most frequent.

    In each 400 bytes there is a place to cut.
    """
    source = random.Random(5)  # noqa: S311
    words = [word for sentences in SENTENCES.values() for sentence in sentences for word in sentence.split()]
    texts = []
    for _ in range(count):
        parts = [part for _ in range(80) for part in (source.choice(words), source.choice((" ",) * 30 + BETWEEN))]
        texts.append("".join(parts))
    return texts


def test_a_text_in_pieces_has_the_tokens_of_the_whole_and_is_cut_as_that_is(parity: Parity):
    texts = spoken_texts(150)
    assert parity.differences(texts) == []
    whole = [encoding.ids for encoding in parity.theirs.backend_tokenizer.encode_batch(texts, add_special_tokens=False)]
    for truncation in ("head", "head_tail"):
        tokenizer = RowTokenizer(parity.ours.pieces, max_length=62, truncation=truncation)
        ours = tf.function(tokenizer)(tf.constant(texts))["input_ids"].numpy()
        head = 60 if truncation == "head" else 30
        layout = parity.ours.pieces.layout
        for row, ids in enumerate(whole):
            kept = ids if len(ids) <= 60 else ids[:head] + ids[len(ids) - (60 - head) :]
            expected = [layout.start, *kept, layout.end]
            assert ours[row].tolist() == expected + [layout.pad] * (62 - len(expected)), texts[row]
