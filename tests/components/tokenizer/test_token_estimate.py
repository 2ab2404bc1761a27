import pytest

from fullbake.components.tokenizer.token_counter import TokenCounter
from fullbake.components.tokenizer.token_estimate import TokenEstimate
from fullbake.components.tokenizer.tokenizer_files import read_tokenizer_files
from tests.components.parity.folders import minilm_folder
from tests.components.tokenizer.languages import SENTENCES


@pytest.fixture(scope="module")
def counter():
    return TokenCounter(read_tokenizer_files(minilm_folder()))


@pytest.mark.parametrize("language", SENTENCES)
def test_the_longest_texts_have_no_more_tokens_than_is_estimated(language, counter):
    texts = [" ".join(SENTENCES[language][:number]) for number in range(1, 5)]
    estimated = TokenEstimate("distilbert-base-uncased").count(texts)[:, 0]
    counted = counter.count(texts)[:, 0]
    assert estimated.max() >= counted.max()
    if language != "emoji":  # a run of them is one unknown word, however long
        assert estimated.max() <= 1.7 * counted.max()


def test_a_cased_base_takes_no_syllable_apart():
    text = ["오늘 점심은", "Grüße"]
    assert TokenEstimate("distilbert-base-uncased").count(text)[:, 0].tolist() == [14, 3]
    assert TokenEstimate("bert-base-multilingual-cased").count(text)[:, 0].tolist() == [5, 3]
