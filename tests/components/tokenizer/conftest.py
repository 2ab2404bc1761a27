"""Tokenizers that several test files compare with Hugging Face's."""

import pytest

from tests.components.parity.comparison import Parity
from tests.components.parity.folders import cased_folder, minilm_folder, save_tokenizer
from tests.components.parity.texts import random_texts

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


@pytest.fixture(scope="module")
def uncased():
    return Parity(minilm_folder())


@pytest.fixture(scope="module")
def cased(tmp_path_factory):
    return Parity(cased_folder(tmp_path_factory.mktemp("cased")))


@pytest.fixture(params=["uncased", "cased"])
def parity(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def spelling_folder(tmp_path):
    """A vocabulary in which single characters are tokens, so that hardly anything is [UNK]."""
    texts = random_texts(3000, seed=5)
    probe = Parity(minilm_folder())
    words = probe.theirs.backend_tokenizer
    normal = {char for text in texts for char in words.normalizer.normalize_str(text)} | set("\ufffd\U0001f600é")
    characters = sorted(char for char in normal | set("".join(texts)) if char not in " \n\r" and not char.isspace())
    return save_tokenizer(tmp_path / "spelling", [*SPECIAL, *characters, *(f"##{char}" for char in characters)])
