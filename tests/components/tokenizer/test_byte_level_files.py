"""What is read from the files of a byte-level BPE tokenizer, what is refused, and its counts outside the graph."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fullbake.components.tokenizer.byte_level_counter import ByteLevelCounter
from fullbake.components.tokenizer.byte_level_files import ByteLevelFiles, byte_alphabet
from fullbake.components.tokenizer.kinds_of_files import read_files
from fullbake.components.tokenizer.split_tokens import SplitCounter
from fullbake.components.tokenizer.tokenizer_spec import TokenizerSpec
from fullbake.contract.errors import InputError
from tests.components.parity.comparison import Parity
from tests.components.parity.folders import train_byte_level
from tests.components.parity.texts import random_texts, split_texts
from tests.components.raw_examples import write_examples


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return train_byte_level(tmp_path_factory.mktemp("trained"), vocab_size=600)


@pytest.fixture
def folder(trained, tmp_path):
    return Path(shutil.copytree(trained, tmp_path / "base"))


def change(path, change):
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def test_tokenizer_json_and_the_other_files_say_the_same(folder):
    whole = read_files(folder)
    (folder / "tokenizer.json").unlink()
    assert read_files(folder) == whole
    assert isinstance(whole, ByteLevelFiles)
    assert (whole.separators, whole.add_prefix_space) == (2, False)
    assert [whole.token_id(token) for token in (whole.cls_token, whole.pad_token, whole.sep_token)] == [0, 1, 2]


def test_reading_does_not_import_tensorflow(folder):
    program = (
        "import sys; from fullbake.components.tokenizer.kinds_of_files import read_files;"
        "read_files(sys.argv[1]);"
        "assert not {'tensorflow', 'transformers', 'tokenizers'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", program, str(folder)], check=True)


@pytest.mark.parametrize(
    ("change_it", "message"),
    [
        (lambda content: content["model"].update(dropout=0.1), "its model says dropout 0.1, which RoBERTa's"),
        (lambda content: content["model"].update(byte_fallback=True), "its model says byte_fallback true"),
        (lambda content: content["model"].update(ignore_merges=True), "its model says ignore_merges true"),
        (lambda content: content["model"].update(end_of_word_suffix="</w>"), 'end_of_word_suffix "</w>"'),
        (lambda content: content["model"].update(novelty=1), "its model says novelty 1"),
        (lambda content: content["pre_tokenizer"].update(use_regex=False), "its pre_tokenizer says use_regex false"),
        (
            lambda content: content.update(pre_tokenizer={"type": "Metaspace"}),
            'its pre_tokenizer says type "Metaspace"',
        ),
        (lambda content: content.update(pre_tokenizer=None), "its pre_tokenizer says type null"),
        (lambda content: content.update(normalizer={"type": "NFC"}), "it has a normalizer (NFC), RoBERTa's has none"),
        (lambda content: content.update(post_processor=None), "its post_processor does not make"),
        (lambda content: content["post_processor"].update(sep=["</s>", 7]), "its post_processor does not make"),
        (lambda content: content["model"]["vocab"].pop("Ġ"), "the vocabulary lacks 'Ġ', the token of a byte"),
        (lambda content: content["model"]["merges"].append(["a", "漢"]), "lacks '漢', the token of a merge"),
        (lambda content: content["model"]["merges"].append("a b c"), "cannot be read as a tokenizer"),
        (
            lambda content: content["added_tokens"].append({"id": 700, "content": "<user>", "special": False}),
            "1 tokens were added beside the byte-level BPE vocabulary (<user>)",
        ),
    ],
)
def test_what_is_not_known_is_refused_in_one_line(folder, change_it, message):
    change(folder / "tokenizer.json", change_it)
    with pytest.raises(InputError) as refusal:
        read_files(folder)
    assert message in str(refusal.value)
    assert str(folder) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_class_that_means_something_else_and_missing_merges_are_refused(folder):
    change(folder / "tokenizer_config.json", lambda config: config.update(tokenizer_class="GPT2Tokenizer"))
    with pytest.raises(InputError, match="its tokenizer is a GPT2Tokenizer, not RoBERTa's byte-level BPE"):
        read_files(folder)
    change(folder / "tokenizer_config.json", lambda config: config.update(tokenizer_class="RobertaTokenizer"))
    (folder / "tokenizer.json").unlink()
    (folder / "merges.txt").unlink()
    with pytest.raises(InputError, match=r"vocab\.json has no merges\.txt beside it"):
        read_files(folder)


def test_one_separator_between_two_texts_is_read(folder):
    def template(content):
        special = {
            token: {"id": token, "ids": [index], "tokens": [token]} for token, index in (("<s>", 0), ("</s>", 2))
        }
        start, end = ({"SpecialToken": {"id": token, "type_id": 0}} for token in special)
        first, second = ({"Sequence": {"id": text, "type_id": 0}} for text in "AB")
        content["post_processor"] = {
            "type": "TemplateProcessing",
            "single": [start, first, end],
            "pair": [start, first, end, second, end],
            "special_tokens": special,
        }

    change(folder / "tokenizer.json", template)
    assert read_files(folder).separators == 1


def test_the_alphabet_is_that_of_the_library():
    from tokenizers.pre_tokenizers import ByteLevel

    assert sorted(byte_alphabet()) == sorted(ByteLevel.alphabet())


@pytest.mark.parametrize("add_prefix_space", [False, True])
def test_counts_outside_the_graph_are_those_of_the_tokens(tmp_path, add_prefix_space):
    parity = Parity(train_byte_level(tmp_path, vocab_size=600, add_prefix_space=add_prefix_space))
    texts = ["", " ", "<s> it's </s>", *random_texts(500), *split_texts(500)]
    counts = ByteLevelCounter(read_files(tmp_path)).count(texts)
    for text, row in zip(texts, counts.tolist(), strict=True):
        tokens = parity.theirs.tokenize(text)
        assert row == [len(tokens), 0, sum(not at or token.startswith("Ġ") for at, token in enumerate(tokens))]


@pytest.mark.parametrize("pairs", [False, True], ids=["texts", "pairs"])
def test_a_splits_tokens_are_counted_as_outside_the_graph(base_of, tmp_path, pairs):
    base = base_of("roberta")
    texts = ["you are a good person", "zebra, it's", "lovely" + " lovely" * 29]
    rows = [(text, "the day") if pairs else (text,) for text in texts]
    write_examples(tmp_path / "examples", [("fine", *row) for row in rows])
    spec = TokenizerSpec(str(base), None, 24, "head")
    lengths, scripts = SplitCounter(spec).count(str(tmp_path / "examples"))
    counts = sum(ByteLevelCounter(read_files(base)).count(list(column)) for column in zip(*rows, strict=True))
    expected = np.minimum(counts[:, 0] + (4 if pairs else 2), 25)
    assert lengths.counts == tuple(np.bincount(expected, minlength=26).tolist())
    (count,) = scripts.values()
    assert (count.tokens, count.unknown, count.words) == tuple(counts.sum(axis=0).tolist())
    assert count.words == 5 + 2 + 30 + 6 * pairs
