"""The tokenizer in the graph finds the tokens that Hugging Face's BertTokenizerFast finds."""

import csv
import itertools
import json
from pathlib import Path

import pytest
import tensorflow as tf
from transformers import BertTokenizerFast

from fullbake.components.tokenizer import bert_characters, unicode_tables
from tests.components import unicode_table_derivation as derivation
from tests.components.parity.comparison import Parity
from tests.components.parity.folders import save_tokenizer
from tests.components.parity.texts import CONTEXTS, random_texts, telling_values
from tests.components.tokenizer.conftest import SPECIAL

SHARED_DATA = Path(__file__).resolve().parents[3].parent / "shared" / "data"


def test_the_unicode_tables_are_what_the_installed_tokenizers_library_does():
    stored = {name: value for name, value in vars(unicode_tables).items() if name.isupper()}
    assert derivation.derive() == stored


def test_combining_classes_are_those_by_which_the_library_sorts():
    library = derivation.normalizers.NFD()
    codes = unicode_tables.code_points(unicode_tables.REORDERED)
    by_class = {bert_characters.unicodedata.combining(chr(code)): chr(code) for code in codes}
    for code, (other_class, other) in itertools.product(codes, by_class.items()):
        pair = f"a{other}{chr(code)}"
        swaps = other_class > bert_characters.unicodedata.combining(chr(code))
        assert (library.normalize_str(pair) != pair) == swaps, f"U+{code:04X} after U+{ord(other):04X}"


@pytest.mark.parametrize("context", CONTEXTS)
def test_words_are_the_same_for_every_kind_of_unicode_character(parity, context):
    assert parity.word_differences(map(CONTEXTS[context], telling_values())) == []


def test_ids_are_the_same_for_every_kind_of_unicode_character_within_a_word(parity):
    # In the other contexts the words decide, and those are compared above; `make parity` does them all, for every
    # character.
    assert parity.differences(map(CONTEXTS["a{c}b"], telling_values())) == []


def test_words_and_ids_are_the_same_for_twenty_thousand_random_strings(parity):
    texts = random_texts(20_000)
    assert parity.word_differences(texts) == []
    assert parity.differences(texts) == []


@pytest.mark.parametrize(
    "settings",
    [{"strip_accents": False}, {"do_lower_case": False, "strip_accents": True, "tokenize_chinese_chars": False}],
    ids=str,
)
def test_words_are_the_same_under_every_setting_that_the_files_can_hold(tmp_path, settings):
    parity = Parity(save_tokenizer(tmp_path, SPECIAL, **settings))
    assert parity.word_differences(map(CONTEXTS["a{c}b"], telling_values())) == []
    assert parity.word_differences(random_texts(10_000, seed=1)) == []


def test_ids_are_the_same_where_the_vocabulary_has_every_character(spelling_folder):
    parity = Parity(spelling_folder)
    texts = random_texts(20_000, seed=2)
    assert parity.differences(texts) == []
    unknown = parity.ours.pieces.tokenize(tf.constant(texts)).values.numpy() == SPECIAL.index("[UNK]")
    assert unknown.mean() < 0.2


@pytest.mark.parametrize("name", ["davidson_hate_speech.csv", "banking77_train.csv", "banking77_test.csv"])
def test_every_text_of_the_real_data_sets_gives_the_same_ids(parity, name):
    path = SHARED_DATA / name
    if not path.is_file():
        pytest.skip(f"{name} is not there")
    with path.open(encoding="utf-8", newline="") as lines:
        texts = [field for row in csv.reader(lines) for field in row]
    assert len(texts) > 3000
    assert parity.differences(texts) == []


def test_words_over_a_hundred_characters_are_unknown_however_many_bytes_they_have(spelling_folder):
    parity = Parity(spelling_folder)
    letters = ("a", "é", "\U0001f600", "가", "각", "İ", "漢")
    texts = [letter * length for letter in letters for length in (33, 34, 50, 51, 99, 100, 101, 102, 5000)]
    texts += ["a" * 100 + "\u0301" * 50, "a\u200b" * 100, "a" * 100 + "!" + "b" * 101 + " c"]
    assert parity.differences(texts) == []
    unknown = SPECIAL.index("[UNK]")
    hundred, more = parity.ours.pieces.tokenize(tf.constant(["\U0001f600" * 100, "\U0001f600" * 101])).to_list()
    assert (len(hundred), more) == (100, [unknown])


def test_bytes_that_are_not_utf8_count_as_pythons_replacement_characters(tmp_path):
    # Only without clean_text do replacement characters survive to be counted.
    tokens = ["a", "\ufffd", "\u07c1", "\U0001f7bf", "\ufeff"]
    folder = save_tokenizer(tmp_path, [*SPECIAL, *tokens, *(f"##{token}" for token in tokens)])
    content = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    content["normalizer"]["clean_text"] = False
    (folder / "tokenizer.json").write_text(json.dumps(content), encoding="utf-8")
    parity = Parity(folder)
    telling = bytes.fromhex("00 41 80 8f 90 9f a0 bb bf c1 c2 e0 e1 ed ef f0 f1 f4 f5 ff")
    texts = [bytes(text) for length in (1, 2, 3, 4) for text in itertools.product(telling, repeat=length)]
    ours = parity.ours.pieces.tokenize(tf.constant(texts)).to_list()
    decoded = [text.decode(errors="replace") for text in texts]
    theirs = [e.ids for e in parity.theirs.backend_tokenizer.encode_batch_fast(decoded, add_special_tokens=False)]
    assert [text for text, a, b in zip(texts, ours, theirs, strict=True) if a != b] == []


def test_bytes_that_are_not_utf8_leave_no_trace_in_a_bert_tokenizer(parity):
    texts = [b"caf\xe9 ol\xc3\xa9", b"\xff\xfe", b"a\xf0\x9f\x98", b"\xed\xa0\x80b", b"x\xef\xbf\xbfy\xef\xbf"]
    expected = [parity.theirs.encode(text.decode(errors="replace"), add_special_tokens=False) for text in texts]
    assert parity.ours.pieces.tokenize(tf.constant(texts)).to_list() == expected


def test_special_tokens_typed_by_users_are_ordinary_text(uncased):
    texts = ["ok [SEP] not [MASK]ed [CLS][PAD] [UNK]", "[sep]", "[unused1] ##ing"]
    ids = uncased.ours.pieces.tokenize(tf.constant(texts))
    assert not set(ids.values.numpy()) & set(uncased.theirs.all_special_ids)
    expected = uncased.theirs(texts, add_special_tokens=False, split_special_tokens=True)["input_ids"]
    assert ids.to_list() == expected


def test_the_reference_is_hugging_faces_fast_tokenizer(uncased):
    assert type(uncased.theirs) is BertTokenizerFast
    assert uncased.theirs.is_fast
