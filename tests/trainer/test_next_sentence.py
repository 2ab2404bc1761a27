from pathlib import Path

import numpy as np
import pytest

from fullbake.trainer.data.masking import Vocabulary
from fullbake.trainer.data.next_sentence import SentencePairs
from tests.conftest import VOCABULARY
from tests.trainer.tokenized import MAX_LENGTH, read_split

CLS, SEP = VOCABULARY.index("[CLS]"), VOCABULARY.index("[SEP]")


def ids(text: str) -> list[int]:
    return [CLS, *(VOCABULARY.index(word) for word in text.split()), SEP]


TEXTS = [
    "you are bad . what a day . the garden is lovely",
    "good person ? ! not a fool",
    "one sentence only".replace("one sentence only", "what a lovely day ."),
    "idiot . " + "bad " * 18,
]


@pytest.fixture
def split(tmp_path: Path):
    return read_split([(ids(text), 0) for text in TEXTS], tmp_path)


@pytest.fixture(scope="module")
def vocabulary(base: Path) -> Vocabulary:
    return Vocabulary.read(base)


def deal(pairs: SentencePairs, row: int) -> tuple[list[str], list[str], int]:
    """The words of both segments of one row, and whether the second follows."""
    batch = pairs.take(np.array([row]))
    real = batch["attention_mask"][0] == 1
    words = np.array(VOCABULARY)[batch["input_ids"][0][real]]
    types = batch["token_type_ids"][0][real]
    assert real.sum() <= MAX_LENGTH
    assert words[-1] == "[SEP]"
    return words[types == 0].tolist(), words[types == 1].tolist(), int(batch["follows"][0])


def test_a_text_is_cut_at_the_end_of_a_sentence_and_half_are_joined_to_another_text(split, vocabulary):
    pairs = SentencePairs(split, vocabulary, 0, fixed=False)
    seen = {0: set(), 1: set()}
    for _ in range(200):
        first, second, follows = deal(pairs, 0)
        assert first[0] == "[CLS]"
        assert first[-2:] == [".", "[SEP]"]
        seen[follows].add((" ".join(first[1:-1]), " ".join(second[:-1])))
    own = {
        ("you are bad .", "what a day . the garden is lovely"),
        ("you are bad . what a day .", "the garden is lovely"),
    }
    assert seen[1] == own
    assert {first for first, _ in seen[0]} == {first for first, _ in own}
    assert not {second for _, second in seen[0]} & {second for _, second in own}


def test_half_of_the_rows_follow(split, vocabulary):
    pairs = SentencePairs(split, vocabulary, 0, fixed=False)
    follows = [deal(pairs, row)[2] for _ in range(300) for row in (0, 1)]
    assert np.mean(follows) == pytest.approx(0.5, abs=0.08)


def test_of_two_marks_in_a_row_only_the_last_ends_a_sentence(split, vocabulary):
    pairs = SentencePairs(split, vocabulary, 0, fixed=False)
    firsts = {tuple(deal(pairs, 1)[0]) for _ in range(50)}
    assert firsts == {("[CLS]", "good", "person", "?", "!", "[SEP]")}


def test_a_text_of_one_sentence_stays_as_it_is(split, vocabulary):
    pairs = SentencePairs(split, vocabulary, 0, fixed=False)
    assert deal(pairs, 2) == (["[CLS]", "what", "a", "lovely", "day", ".", "[SEP]"], [], -1)


def test_the_longer_segment_gives_way(split, vocabulary):
    pairs = SentencePairs(split, vocabulary, 0, fixed=False)
    for _ in range(50):
        first, second, follows = deal(pairs, 3)
        assert first == ["[CLS]", "idiot", ".", "[SEP]"]
        if follows:
            assert second == ["bad"] * 18 + ["[SEP]"]
            assert len(first) + len(second) <= MAX_LENGTH


def test_each_pair_has_its_share_of_the_loss(split, vocabulary):
    batch = SentencePairs(split, vocabulary, 0, fixed=True).take(np.arange(4))
    assert batch["follows"][2] == -1
    assert batch["follow_shares"].tolist() == pytest.approx([1 / 3, 1 / 3, 0, 1 / 3])


def test_a_training_that_goes_on_sees_the_pairs_it_would_have_seen(split, vocabulary):
    whole = SentencePairs(split, vocabulary, 0, fixed=False)
    seen = [deal(whole, 0) for _ in range(9)]
    resumed = SentencePairs(split, vocabulary, 0, fixed=False, dealt=4)
    assert [deal(resumed, 0) for _ in range(5)] == seen[4:]


def test_measuring_sees_the_same_pairs_each_time_and_training_others(split, vocabulary):
    def passes(fixed: bool) -> list[list]:
        pairs = SentencePairs(split, vocabulary, 0, fixed=fixed)
        return [[deal(pairs, row) for row in (0, 1, 3)] for _ in range(8)]

    assert all(one == passes(True)[0] for one in passes(True))
    assert len({str(one) for one in passes(False)}) > 1
    assert passes(False) == passes(False), "a seed fixes them"
