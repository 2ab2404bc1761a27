"""MPNet's tokenizer: BERT's WordPiece with special tokens and pairs of its own."""

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tokenizers import processors
from transformers import AutoTokenizer, MPNetTokenizerFast

from fullbake.components.tokenizer.kinds_of_files import read_files
from fullbake.components.tokenizer.row_tokenizer import RowTokenizer
from fullbake.components.tokenizer.token_counter import TokenCounter
from fullbake.contract.errors import InputError
from tests.components.parity.folders import minilm_folder
from tests.components.parity.texts import random_texts

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as all-mpnet-base-v2 is: its vocabulary is BERT's and five tokens, its config.json names MPNet."""
    folder = tmp_path_factory.mktemp("mpnet")
    words = (minilm_folder() / "vocab.txt").read_text(encoding="utf-8").split("\n")[:-1]
    (folder / "vocab.txt").write_text("\n".join([*SPECIAL, *words, "<mask>"]) + "\n", encoding="utf-8")
    MPNetTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    (folder / "config.json").write_text(json.dumps({"model_type": "mpnet"}))
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    for file in made.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


def is_as_in_hugging_face(folder: Path) -> None:
    theirs = AutoTokenizer.from_pretrained(folder)
    assert type(theirs) is MPNetTokenizerFast
    texts = ["", "Hello!", "a <mask> </s> <s> [UNK] [SEP] <unk>", "Zoë 漢字", *random_texts(300, seed=3), "word " * 50]
    pairs = [*texts[3:], *texts[:3]]
    for columns in ([texts], [texts, pairs]):
        ours = RowTokenizer.from_folder(folder, max_length=20)(*map(tf.constant, columns))
        settings = {"truncation": True, "padding": "max_length", "max_length": 20, "split_special_tokens": True}
        expected = theirs(*columns, **settings, return_tensors="np")
        assert ours.keys() == {"input_ids", "attention_mask"} == expected.keys()
        for name, value in ours.items():
            np.testing.assert_array_equal(value, expected[name])


@pytest.mark.parametrize("processor", ["as converted", "as RoBERTa's"])
def test_rows_are_those_of_hugging_face_alone_and_in_pairs(folder: Path, processor: str):
    if processor == "as RoBERTa's":
        tokenizer = MPNetTokenizerFast.from_pretrained(folder)
        tokenizer.backend_tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
        # As all-mpnet-base-v2 has it.
        tokenizer.add_special_tokens({"additional_special_tokens": ["<unk>"]})
        tokenizer.save_pretrained(folder)
    is_as_in_hugging_face(folder)


def test_a_vocabulary_alone_is_read_as_config_json_says(folder: Path):
    for file in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        (folder / file).unlink()
    is_as_in_hugging_face(folder)
    (folder / "config.json").unlink()
    (folder / "vocab.txt").write_text("\n".join([*SPECIAL, "a", "<mask>"]), encoding="utf-8")
    with pytest.raises(InputError, match=r"the unk_token .* is not in the vocabulary"):
        read_files(folder)


@pytest.mark.parametrize("name", ["do_lower_case", "strip_accents", "tokenize_chinese_chars"])
@pytest.mark.parametrize("with_tokenizer_json", [True, False])
def test_settings_do_what_they_do_in_hugging_face(folder: Path, name: str, with_tokenizer_json: bool):
    config = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps({**config, name: False}))
    if not with_tokenizer_json:
        (folder / "tokenizer.json").unlink()
    is_as_in_hugging_face(folder)


def test_two_separators_are_counted(folder: Path):
    assert TokenCounter(read_files(folder)).between == 2


def test_a_pair_that_is_put_together_as_bert_does_is_refused(folder: Path):
    content = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    del content["post_processor"]["pair"][2]
    (folder / "tokenizer.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(InputError, match="does not make <s> a </s></s> b </s> as MPNet's does"):
        read_files(folder)
