"""The tokenizer in the graph gives what Hugging Face's BertTokenizerFast gives."""

import csv
import itertools
import json
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from transformers import BertTokenizerFast

from fullbake.components.tokenizer import bert_characters, unicode_tables
from fullbake.components.tokenizer.bert_tokenizer import BertTokenizer
from fullbake.components.tokenizer.wordpiece import wordpiece_of
from fullbake.contract.errors import InputError
from tests.components import unicode_table_derivation as derivation
from tests.components.tokenizer_parity import (
    CONTEXTS,
    Parity,
    cased_folder,
    minilm_folder,
    random_texts,
    save_tokenizer,
    telling_values,
)

SHARED_DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")

LOADER = """
import json, resource, sys
import tensorflow as tf
import tensorflow_text
model = tf.saved_model.load(sys.argv[1])
features = model.encode(tf.constant(json.loads(sys.argv[2])))
print(json.dumps({name: value.numpy().tolist() for name, value in features.items()}))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for sentence in ("what a lovely day, ", "e", "漢字"):
    long = model.encode(tf.constant([sentence * (10_000_000 // len(sentence.encode()))]))
    print(json.dumps(long["input_ids"][0].numpy().tolist()))
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1000)
assert not {"components", "transformers", "tokenizers"} & sys.modules.keys()
"""


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
    assert parity.id_differences(map(CONTEXTS["a{c}b"], telling_values())) == []


def test_words_and_ids_are_the_same_for_twenty_thousand_random_strings(parity):
    texts = random_texts(20_000)
    assert parity.word_differences(texts) == []
    assert parity.id_differences(texts) == []


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
    assert parity.id_differences(texts) == []
    unknown = parity.ours.wordpiece.tokenize(tf.constant(texts)).values.numpy() == SPECIAL.index("[UNK]")
    assert unknown.mean() < 0.2


@pytest.mark.parametrize("name", ["davidson_hate_speech.csv", "banking77_train.csv", "banking77_test.csv"])
def test_every_text_of_the_real_data_sets_gives_the_same_ids(parity, name):
    path = SHARED_DATA / name
    if not path.is_file():
        pytest.skip(f"{name} is not there")
    with path.open(encoding="utf-8", newline="") as lines:
        texts = [field for row in csv.reader(lines) for field in row]
    assert len(texts) > 3000
    assert parity.id_differences(texts) == []


def test_words_over_a_hundred_characters_are_unknown_however_many_bytes_they_have(spelling_folder):
    parity = Parity(spelling_folder)
    letters = ("a", "é", "\U0001f600", "가", "각", "İ", "漢")
    texts = [letter * length for letter in letters for length in (33, 34, 50, 51, 99, 100, 101, 102, 5000)]
    texts += ["a" * 100 + "\u0301" * 50, "a\u200b" * 100, "a" * 100 + "!" + "b" * 101 + " c"]
    assert parity.id_differences(texts) == []
    unknown = SPECIAL.index("[UNK]")
    hundred, more = parity.ours.wordpiece.tokenize(tf.constant(["\U0001f600" * 100, "\U0001f600" * 101])).to_list()
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
    ours = parity.ours.wordpiece.tokenize(tf.constant(texts)).to_list()
    decoded = [text.decode(errors="replace") for text in texts]
    theirs = [e.ids for e in parity.theirs.backend_tokenizer.encode_batch_fast(decoded, add_special_tokens=False)]
    assert [text for text, a, b in zip(texts, ours, theirs, strict=True) if a != b] == []


def test_bytes_that_are_not_utf8_leave_no_trace_in_a_bert_tokenizer(parity):
    texts = [b"caf\xe9 ol\xc3\xa9", b"\xff\xfe", b"a\xf0\x9f\x98", b"\xed\xa0\x80b", b"x\xef\xbf\xbfy\xef\xbf"]
    expected = [parity.theirs.encode(text.decode(errors="replace"), add_special_tokens=False) for text in texts]
    assert parity.ours.wordpiece.tokenize(tf.constant(texts)).to_list() == expected


def test_special_tokens_typed_by_users_are_ordinary_text(uncased):
    texts = ["ok [SEP] not [MASK]ed [CLS][PAD] [UNK]", "[sep]", "[unused1] ##ing"]
    ids = uncased.ours.wordpiece.tokenize(tf.constant(texts))
    assert not set(ids.values.numpy()) & set(uncased.theirs.all_special_ids)
    expected = uncased.theirs(texts, add_special_tokens=False, split_special_tokens=True)["input_ids"]
    assert ids.to_list() == expected


def test_texts_are_framed_padded_and_cut_at_the_head_as_by_hugging_face(parity):
    texts = ["", " ", "Hello!", *random_texts(300, seed=3), "word " * 700]
    for length in (3, 64):
        ours = _remade(parity, length)(tf.constant(texts))
        theirs = parity.theirs(
            texts,
            truncation=True,
            padding="max_length",
            max_length=length,
            split_special_tokens=True,
            return_tensors="np",
        )
        assert ours.keys() == {"input_ids", "attention_mask"}
        for name, value in ours.items():
            assert value.dtype == tf.int64
            np.testing.assert_array_equal(value, theirs[name])


def test_pairs_are_framed_padded_and_cut_longest_first_as_by_hugging_face(parity):
    lengths = (0, 1, 2, 3, 5, 8, 9, 10, 11, 17, 18, 19, 30)
    first, second = zip(*itertools.product(["one " * n for n in lengths], ["Two " * n for n in lengths]), strict=True)
    first, second = [*first, *random_texts(200, seed=4)], [*second, *random_texts(200, seed=6)]
    for length in (4, 20, 21):
        ours = _remade(parity, length)(tf.constant(first), tf.constant(second))
        theirs = parity.theirs(
            first,
            second,
            truncation="longest_first",
            padding="max_length",
            max_length=length,
            split_special_tokens=True,
            return_tensors="np",
        )
        assert ours.keys() == {"input_ids", "attention_mask", "token_type_ids"}
        for name, value in ours.items():
            np.testing.assert_array_equal(value, theirs[name], err_msg=f"{name} at {length}")


@pytest.fixture
def small_pieces(monkeypatch):
    """Texts of more than 24 bytes are long ones, also in what is traced."""
    wordpiece_of.cache_clear()
    monkeypatch.setattr("fullbake.components.tokenizer.wordpiece.PIECE_BYTES", 24)
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
    assert pieces.id_differences(long_texts(7)) == []
    assert Parity(minilm_folder()).id_differences(long_texts(7)) == []


@pytest.mark.parametrize("truncation", ["head", "head_tail"])
def test_a_text_in_pieces_is_cut_as_the_whole_is(pieces, truncation):
    texts = [*(text.encode() for text in long_texts(8)), *damaged_texts(9)]
    decoded = [text.decode(errors="replace") for text in texts]
    whole = [e.ids for e in pieces.theirs.backend_tokenizer.encode_batch_fast(decoded, add_special_tokens=False)]
    for max_length in (3, 40):
        tokenizer = BertTokenizer(pieces.ours._files, max_length=max_length, truncation=truncation)
        ours = tf.function(tokenizer)(tf.constant(texts))["input_ids"].numpy()
        room = max_length - 2
        head = min(128, room // 2) if truncation == "head_tail" else room
        cls, sep, pad = (tokenizer._files.token_id(token) for token in ("[CLS]", "[SEP]", "[PAD]"))
        for row, ids in enumerate(whole):
            kept = ids if len(ids) <= room else ids[:head] + ids[len(ids) - (room - head) :]
            expected = [cls, *kept, sep]
            assert ours[row].tolist() == expected + [pad] * (max_length - len(expected)), texts[row]


def test_pairs_in_pieces_are_cut_as_the_whole_ones_are(pieces):
    first, second = long_texts(10), long_texts(11)[::-1]
    # Of an odd room, the longer text keeps one token more.
    tokenizer = BertTokenizer(pieces.ours._files, max_length=22)
    ours = tf.function(tokenizer)(tf.constant(first), tf.constant(second))
    options = {"padding": "max_length", "max_length": 22, "split_special_tokens": True, "return_tensors": "np"}
    theirs = pieces.theirs(first, second, truncation="longest_first", **options)
    for name, value in ours.items():
        np.testing.assert_array_equal(value, theirs[name], err_msg=name)


def test_a_text_is_cut_only_before_characters_that_end_every_word(uncased):
    tables = uncased.ours.wordpiece.tables()
    codes = [*range(0x80), *range(0x80, 0xD800, 89), *range(0x4E00, 0xA000, 211), *range(0xE000, 0x30000, 997)]
    place = tf.function(lambda text: tables.boundary(text, first=False), input_signature=[tf.TensorSpec([], tf.string)])
    cut = [char for char in map(chr, codes) if place(f"x{char}") > 0]
    assert {" ", "\t", "\n", "!", "~"} <= set(cut)
    assert len(cut) > 200
    before, after = "x\u0301\u0323", "\u0301\u0323y"
    apart = uncased.ours.wordpiece.words(tf.constant([before, *(f"{char}{after}" for char in cut)])).to_list()
    whole = uncased.ours.wordpiece.words(tf.constant([f"{before}{char}{after}" for char in cut])).to_list()
    assert whole == [apart[0] + words for words in apart[1:]]


@pytest.mark.parametrize(("max_length", "head"), [(512, 128), (258, 128), (256, 127), (101, 49), (10, 4), (3, 0)])
def test_head_tail_keeps_the_first_128_tokens_and_the_last_ones(uncased, max_length, head):
    tokenizer = BertTokenizer.from_folder(minilm_folder(), max_length=max_length, truncation="head_tail")
    numbers = [" ".join(map(str, range(count))) for count in (1, max_length - 2, max_length - 1, 2000)]
    ours = tokenizer(tf.constant(numbers))
    for row, text in enumerate(numbers):
        content, room = uncased.theirs.encode(text, add_special_tokens=False), max_length - 2
        if len(content) > room:
            content = content[:head] + content[len(content) - (room - head) :]
        expected = [101, *content, 102]
        assert ours["input_ids"][row].numpy().tolist() == expected + [0] * (max_length - len(expected))
        assert ours["attention_mask"][row].numpy().sum() == len(expected)


def test_pairs_with_head_tail_are_refused():
    tokenizer = BertTokenizer.from_folder(minilm_folder(), max_length=8, truncation="head_tail")
    with pytest.raises(InputError, match="head_tail is not defined for pairs"):
        tokenizer(tf.constant(["a"]), tf.constant(["b"]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"max_length": 2}, "max_length: 2"), ({"max_length": 8, "truncation": "tail"}, "truncation: 'tail' is unknown")],
)
def test_arguments_out_of_range_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        BertTokenizer.from_folder(minilm_folder(), **arguments)


def test_text_of_another_rank_is_refused(uncased):
    with pytest.raises(ValueError, match="rank"):
        uncased.ours(tf.constant([["a"]]))


def test_an_empty_batch_gives_no_rows(uncased):
    shapes = {name: value.shape for name, value in uncased.ours(tf.constant([], tf.string)).items()}
    assert shapes == {"input_ids": [0, 64], "attention_mask": [0, 64]}


def test_megabyte_texts_keep_their_place_among_short_ones(uncased):
    texts = ["a b c", "Straße " * 300_000, "", "d", "한글 " * 200_000, "e" * 2_000_000, "f", "x\uffffy"]
    assert uncased.id_differences(texts) == []


def test_a_saved_model_gives_the_same_ids_in_a_process_without_this_project(tmp_path, uncased):
    module = tf.Module()
    module.encode = tf.function(uncased.ours.__call__, input_signature=[tf.TensorSpec([None], tf.string)])
    texts = ["Héllo [SEP] wörld!", "漢字 한글 x\uffffy \U0001d16d\U0001d165", "z" * 101, ""]
    expected = {name: value.numpy().tolist() for name, value in uncased.ours(tf.constant(texts)).items()}
    tf.saved_model.save(module, str(tmp_path / "model"))
    run = subprocess.run(
        [sys.executable, "-c", LOADER, str(tmp_path / "model"), json.dumps(texts)],
        capture_output=True, text=True, cwd=tmp_path, check=True,
    )  # fmt: skip
    features, *long, grown = run.stdout.splitlines()
    assert json.loads(features) == expected
    # Texts of 10 MB, of which only the beginning is worked on: whole, each would take some 400 MB.
    short = uncased.ours(tf.constant(["what a lovely day, " * 100, "e" * 200, "漢字" * 100]))["input_ids"]
    assert [json.loads(ids) for ids in long] == short.numpy().tolist()
    assert float(grown) < 150


def test_it_works_in_a_graph_of_the_first_tensorflow(uncased):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        text = tf.compat.v1.placeholder(tf.string, [None])
        ids = uncased.ours(text)["input_ids"]
        assert ids.shape.as_list() == [None, 64]
        found = session.run(ids, {text: ["Hello, wörld", "한글"]})
    np.testing.assert_array_equal(found, uncased.ours(tf.constant(["Hello, wörld", "한글"]))["input_ids"])


@pytest.mark.parametrize("compat_v1", [False, True], ids=["TF2", "TF1"])
def test_transform_can_run_it_in_its_preprocessing_function(tmp_path, uncased, compat_v1):
    import tensorflow_transform.beam as tft_beam
    from tensorflow_transform.tf_metadata import dataset_metadata, schema_utils

    def preprocess(inputs):
        tokenizer = BertTokenizer.from_folder(minilm_folder(), max_length=64)
        return tokenizer(inputs["text"], inputs["text"] if compat_v1 else None)

    spec = {"text": tf.io.FixedLenFeature([], tf.string)}
    metadata = dataset_metadata.DatasetMetadata(schema_utils.schema_from_feature_spec(spec))
    rows = [{"text": text} for text in ("Hello, wörld", "한글 [SEP]", "z" * 101)]
    with tft_beam.Context(temp_dir=str(tmp_path), force_tf_compat_v1=compat_v1):
        (transformed, _), _ = (rows, metadata) | tft_beam.AnalyzeAndTransformDataset(preprocess)
    text = tf.constant([row["text"] for row in rows])
    expected = uncased.ours(text, text if compat_v1 else None)
    for name, value in expected.items():
        np.testing.assert_array_equal([row[name] for row in transformed], value)


def _remade(parity: Parity, max_length: int) -> BertTokenizer:
    """The same tokenizer with another length."""
    return BertTokenizer(parity.ours._files, max_length=max_length)


def test_the_reference_is_hugging_faces_fast_tokenizer(uncased):
    assert type(uncased.theirs) is BertTokenizerFast
    assert uncased.theirs.is_fast
