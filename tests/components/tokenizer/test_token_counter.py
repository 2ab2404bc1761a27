"""Counts outside the graph against Hugging Face's `BertTokenizerFast`."""

import re

import pytest

from fullbake.components.tokenizer.token_counter import TokenCounter
from fullbake.components.tokenizer.tokenizer_files import read_tokenizer_files
from tests.components.parity.comparison import Parity
from tests.components.parity.folders import cased_folder, minilm_folder
from tests.components.parity.texts import random_texts

TEXTS = [
    "",
    " \t\n",
    "Hello worlds! 👍 👍👍",
    "오늘 점심은 정말 맛있었습니다",
    "[SEP] [UNK] is what a user typed",
    "a\u0301\u200bb\x1cc\u3000d\x0be\u0085f",
    "x" * 101 + " " + "y" * 100,
    "漢字かな交じり文 and Latin",
    "the same the same the same",
]


def counted_by_hugging_face(parity: Parity, texts: list[str]) -> list[tuple[int, int, int]]:
    encodings = parity.theirs.backend_tokenizer.encode_batch(texts, add_special_tokens=False)
    return [
        (
            len(encoding.tokens),
            encoding.ids.count(parity.theirs.unk_token_id),
            sum(not re.match("##.", token, re.DOTALL) for token in encoding.tokens),
        )
        for encoding in encodings
    ]


@pytest.mark.parametrize("cased", [False, True], ids=["uncased", "cased"])
def test_counts_are_those_of_hugging_faces_tokenizer(cased, tmp_path):
    folder = cased_folder(tmp_path / "cased") if cased else minilm_folder()
    texts = [*TEXTS, *random_texts(3000, seed=5)]
    expected = counted_by_hugging_face(Parity(folder), texts)
    counter = TokenCounter(read_tokenizer_files(folder))
    assert list(map(tuple, counter.count(texts).tolist())) == expected
    assert list(map(tuple, counter.count(texts[::-1]).tolist())) == expected[::-1], "of parts that are known"
    assert sum(unknown for _, unknown, _ in expected) > 100


def test_what_is_known_of_words_does_not_grow_without_end():
    counter = TokenCounter(read_tokenizer_files(minilm_folder()))
    for start in range(0, 1 << 20, 1 << 17):
        long_words = [f"{number:064d}" for number in range(start, start + (1 << 13))]
        before = counter.count([" ".join(long_words)])
    assert len(counter._places) < 2 * (1 << 20) / 64
    assert counter.count([" ".join(long_words)]).tolist() == before.tolist()


def test_a_long_text_without_spaces_is_counted_in_bounded_parts():
    counter = TokenCounter(read_tokenizer_files(minilm_folder()))
    assert counter.count(["漢" * 200_000, ""]).tolist() == [[200_000, 0, 200_000], [0, 0, 0]]
    assert len(counter._places) == 2
