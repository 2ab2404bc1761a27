"""Byte-level BPE in the graph finds the tokens that Hugging Face's RobertaTokenizerFast finds."""

import itertools
import json
import random
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel

from fullbake.components.tokenizer import byte_level_tables
from fullbake.components.tokenizer.byte_level_bpe import ByteLevelBpe, byte_level_bpe_of
from fullbake.components.tokenizer.byte_level_files import ByteLevelFiles, byte_alphabet
from fullbake.components.tokenizer.byte_level_splitting import kind_pages
from fullbake.components.tokenizer.row_tokenizer import RowTokenizer
from tests.components import byte_level_derivation as derivation
from tests.components.parity.comparison import Parity
from tests.components.parity.folders import BYTE_LEVEL_SPECIAL, train_byte_level
from tests.components.parity.texts import CONTEXTS, random_texts, real_texts, split_texts, telling_values


@pytest.fixture(scope="module", params=[False, True], ids=["as it is", "a space before it"])
def parity(request, tmp_path_factory):
    return Parity(train_byte_level(tmp_path_factory.mktemp("trained"), add_prefix_space=request.param))


def test_the_tables_are_what_the_installed_tokenizers_library_does():
    stored = {name: value for name, value in vars(byte_level_tables).items() if name.isupper()}
    assert derivation.derive() == stored


def test_the_splitting_takes_characters_for_what_the_tables_say():
    codes = [*range(0x3100), *range(0x3100, 0xD800, 61), *range(0xE000, 0x110000, 61)]
    pages, kinds = kind_pages()
    names = ("", "LETTERS", "NUMBERS", "SPACES")
    ours = [names[kinds[pages[code >> 8] + (code & 255)]] for code in codes]
    assert ours == derivation.kinds_where_text_is_split(codes)


@pytest.mark.parametrize("context", CONTEXTS)
def test_ids_are_the_same_for_every_kind_of_unicode_character(parity, context):
    assert parity.differences(map(CONTEXTS[context], telling_values())) == []


def test_ids_are_the_same_for_random_strings(parity):
    assert parity.differences(random_texts(20_000)) == []


def test_ids_are_the_same_for_real_texts(parity):
    texts = real_texts()[::20]  # `make parity` compares all of them
    if not texts:
        pytest.skip("the real data sets are not there")
    assert len(texts) > 2000
    assert parity.differences(texts) == []


def test_ids_are_the_same_where_contractions_white_space_and_kinds_meet(parity):
    texts = [
        "it's",
        "'s's",
        " 's",
        "\n's",
        "''s",
        "'sabc'd",
        "'S",
        "'",
        "' s",
        "a'",
        "x 'll'",
        "",
        " ",
        "a  b \n\n c \t",
    ]
    assert parity.differences(texts + split_texts(20_000)) == []


def test_bytes_that_are_not_utf8_count_as_pythons_replacement_characters(parity):
    telling = bytes.fromhex("00 20 41 80 9f a0 bf c2 e0 ed ef f0 f4 ff")
    texts = [bytes(text) for length in (1, 2, 3, 4) for text in itertools.product(telling, repeat=length)]
    assert parity.differences(texts) == []


def test_special_tokens_typed_by_users_are_ordinary_text(parity):
    texts = ["<s>", "ok </s></s> not <mask> <pad>", " <mask>", "<unk>"]
    assert parity.differences(texts) == []
    ids = parity.ours.pieces.tokenize(tf.constant(texts))
    assert not set(ids.values.numpy()) & set(parity.theirs.all_special_ids)


def test_long_words_are_the_same(parity):
    chosen = random.Random(0)  # noqa: S311
    texts = ["a" * 10_000, "ab" * 5_000, "ー" * 10_000, "'" * 10_000, " " * 10_000]
    texts += [
        "".join(chosen.choices(letters, k=10_000)) for letters in ("acgt", "abcdefghijklmnopqrstuvwxyz", "あいうえ")
    ]
    assert parity.differences(texts) == []


@pytest.mark.parametrize("max_length", [5, 22, 23, 64])
def test_rows_of_pairs_are_the_same(parity, max_length):
    first, second = split_texts(500, seed=1) + random_texts(500, seed=1), random_texts(1000, seed=2)
    ours = RowTokenizer(parity.ours.pieces, max_length=max_length)(tf.constant(first), tf.constant(second))
    options = {"padding": "max_length", "max_length": max_length, "return_tensors": "np"}
    theirs = parity.theirs(first, second, truncation="longest_first", **options)
    assert set(ours) == set(theirs)
    for name, value in ours.items():
        np.testing.assert_array_equal(value, theirs[name], err_msg=name)


@pytest.fixture
def small_pieces(monkeypatch):
    """Texts of more than 24 bytes are long ones, also in what is traced."""
    byte_level_bpe_of.cache_clear()
    monkeypatch.setattr("fullbake.components.tokenizer.piecewise.PIECE_BYTES", 24)
    yield
    byte_level_bpe_of.cache_clear()


@pytest.mark.parametrize("truncation", ["head", "head_tail"])
@pytest.mark.parametrize("add_prefix_space", [False, True])
def test_a_long_text_in_pieces_is_cut_as_the_whole_is(small_pieces, tmp_path, truncation, add_prefix_space):
    parity = Parity(train_byte_level(tmp_path, vocab_size=600, add_prefix_space=add_prefix_space))
    source = random.Random(3)  # noqa: S311
    octets = b"ab 's1!\n\xc2\xa0\xc2\x85\xe3\x80\x80\xe2\x80\x83\xe6\xbc\xa2\xf0\x9f"
    texts = [text.encode() for count in (2, 5) for text in map("".join, zip(*[iter(split_texts(600))] * count))]  # noqa: B905
    texts += [bytes(source.choices(octets, k=source.randint(20, 150))) for _ in range(300)]
    texts += ["漢字。 ".encode() * 9, "漢\u3000 字".encode() * 9, b" " * 99, b"\n" * 99, b"x" * 99]
    assert parity.differences(texts) == []
    whole = parity.theirs.backend_tokenizer.encode_batch_fast(
        [text.decode(errors="replace") for text in texts], add_special_tokens=False
    )
    for max_length in (3, 40):
        tokenizer = RowTokenizer(parity.ours.pieces, max_length=max_length, truncation=truncation)
        ours = tf.function(tokenizer)(tf.constant(texts))["input_ids"].numpy()
        room = max_length - 2
        head = min(128, room // 2) if truncation == "head_tail" else room
        for row, ids in enumerate(encoding.ids for encoding in whole):
            kept = ids if len(ids) <= room else ids[:head] + ids[len(ids) - (room - head) :]
            expected = [0, *kept, 2]
            assert ours[row].tolist() == expected + [1] * (max_length - len(expected)), texts[row]


def test_merges_of_any_order_are_done_in_the_librarys_order():
    # Merges as no training leaves them: a new token's own merge may come before the one that makes it.
    chosen = random.Random(1)  # noqa: S311
    out_of_order = 0
    for _ in range(8):
        tokens = [*"abc"]
        merges = []
        for _ in range(chosen.randint(3, 25)):
            pair = (chosen.choice(tokens), chosen.choice(tokens))
            if len("".join(pair)) <= 8 and pair not in merges:
                merges.append(pair)
                tokens = list(dict.fromkeys([*tokens, "".join(pair)]))
        chosen.shuffle(merges)
        vocabulary = {
            token: number
            for number, token in enumerate(dict.fromkeys([*BYTE_LEVEL_SPECIAL, *byte_alphabet(), *tokens]))
        }
        files = ByteLevelFiles(vocabulary, tuple(merges), False, "<s>", "</s>", 2, "<pad>", "<unk>", "<mask>")
        theirs = Tokenizer(BPE(vocabulary, merges))
        theirs.pre_tokenizer = ByteLevel(add_prefix_space=False)
        ours = ByteLevelBpe(files)
        out_of_order += not ours.merges.at_once.all()
        texts = ["".join(chosen.choices("abc", k=chosen.randint(1, 30))) for _ in range(300)]
        expected = [encoding.ids for encoding in theirs.encode_batch(texts)]
        assert ours.tokenize(tf.constant(texts)).to_list() == expected
    assert out_of_order > 3


def test_a_folder_of_vocab_json_and_merges_txt_is_the_same_tokenizer(tmp_path: Path):
    folder = train_byte_level(tmp_path, vocab_size=900)
    whole = Parity(folder).ours.pieces
    (folder / "tokenizer.json").unlink()
    texts = tf.constant(random_texts(500))
    parity = Parity(folder)
    assert parity.differences(random_texts(500)) == []
    assert parity.ours.pieces.tokenize(texts).to_list() == whole.tokenize(texts).to_list()


def test_a_tokenizer_json_as_roberta_base_has_it_is_read(tmp_path: Path):
    folder = train_byte_level(tmp_path, vocab_size=900)
    content = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    content["model"].pop("type")
    content["model"] |= {"continuing_subword_prefix": "", "end_of_word_suffix": "", "fuse_unk": False}
    content["model"]["merges"] = [" ".join(pair) for pair in content["model"]["merges"]]
    content["pre_tokenizer"].pop("use_regex")
    (folder / "tokenizer.json").write_text(json.dumps(content), encoding="utf-8")
    assert Parity(folder).differences(random_texts(500)) == []
