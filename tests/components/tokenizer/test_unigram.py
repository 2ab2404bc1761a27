"""The unigram tokenizer in the graph finds the tokens that Hugging Face's XLMRobertaTokenizerFast finds."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import tensorflow as tf
from transformers import AutoTokenizer, XLMRobertaTokenizerFast

from fullbake.components.tokenizer.kinds_of_files import read_files
from fullbake.components.tokenizer.row_tokenizer import RowTokenizer
from fullbake.components.tokenizer.token_counter import TokenCounter
from fullbake.components.tokenizer.tokenizer_kinds import pieces_of
from fullbake.contract.errors import InputError
from fullbake.pipeline.token_survey import TokenSurvey
from tests.components.parity.comparison import Parity
from tests.components.parity.folders import SPELT, UNIGRAM, unigram_folder
from tests.components.parity.texts import CONTEXTS, random_texts, real_texts, telling_values
from tests.components.tokenizer.languages import SENTENCES

HAND = [
    *(
        "",
        " ",
        "   ",
        "a",
        "a  b",
        " a",
        "a ",
        "a\tb\nc\r\n\r\n d",
        "a \t \n b",
        "\u2581a\u2581\u2581b",
        "\u00a0x\u3000",
    ),
    *(
        "x\0y",
        "\0",
        "\ufffd\ufeff",
        "\x01abc\x02",
        "\u0301",
        " \u0301x",
        "e\u0301u\u0308\u0304",
        "\u2460\u0301",
        "\r\u0301",
    ),
    *("aaaa" * 50, "a" * 10_000, "ab" * 5_000, "漢字" * 1_000, "ß" * 10_000, "\u0e01" * 3000, "<0x41>", "\ufdfa"),
    *(
        "hello world, it is a garden " * 50,
        "9, 10, 11,",
        "``quoted''",
        "``x```y''''' z",
        "` ` ' '",
        "Éß İ ΑΣ ﷺ 한국어",
        "👩‍👩‍👧🏽ℹ\u0301",
        "क\u094dक़\u0301",
    ),
]
DAMAGED = [
    b"\xff\xfea \xe2\x82",
    b"a\xf0\x9f\x98 b\xed\xa0\x80",
    b"\xc0\x80",
    b"\x80abc",
    b"\xf4\x90\x80\x80",
    b"ok\xe2",
]


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Makes the folder of each kind of tokenizer."""
    folder = tmp_path_factory.mktemp("unigram")
    return lambda kind: unigram_folder(kind, folder / kind.replace(" ", "-"))


@pytest.fixture(scope="module", params=[*UNIGRAM, UNIGRAM[0] + SPELT])
def parity(request: pytest.FixtureRequest, folder_of) -> Parity:
    return Parity(folder_of(request.param))


@pytest.mark.parametrize("context", CONTEXTS)
def test_ids_are_the_same_for_every_kind_of_unicode_character(parity: Parity, context: str):
    assert parity.differences(map(CONTEXTS[context], telling_values())) == []


def test_ids_are_the_same_for_random_strings(parity: Parity):
    assert parity.differences(random_texts(20_000, seed=3)) == []


def test_ids_are_the_same_where_a_rule_of_its_own_decides(parity: Parity):
    assert parity.differences([*HAND, *DAMAGED]) == []
    assert parity.differences([text for texts in SENTENCES.values() for text in texts]) == []


def test_ids_are_the_same_for_real_texts(parity: Parity):
    texts = real_texts()[::20]  # `make parity` compares all of them
    if not texts:
        pytest.skip("the real data sets are not there")
    assert len(texts) > 2000
    assert parity.differences(texts) == []


def test_many_texts_in_one_call_are_each_as_alone(parity: Parity):
    texts = [text for text in HAND if len(text) < 200]
    together = parity.ours.pieces.tokenize(tf.constant(texts)).to_list()
    assert together == [parity.ours.pieces.tokenize(tf.constant([text])).to_list()[0] for text in texts]


@pytest.mark.parametrize("max_length", [3, 8, 20])
def test_rows_and_pairs_are_truncated_and_padded_alike(folder_of, max_length: int):
    folder = folder_of(UNIGRAM[0])
    ours = RowTokenizer.from_folder(folder, max_length=max_length)
    theirs = XLMRobertaTokenizerFast.from_pretrained(folder)
    texts = ["", "the garden", "nice day " * 30, "ok"]
    settings = {"truncation": True, "max_length": max_length, "padding": "max_length"}
    wanted = theirs(texts, **settings)
    for name, values in ours(tf.constant(texts)).items():
        assert values.numpy().tolist() == wanted[name], name
    if max_length > 4:
        pairs = ["a b c " * 9, "", "fine", "it"]
        wanted = theirs(texts, pairs, **settings)
        found = ours(tf.constant(texts), tf.constant(pairs))
        assert set(found) == {"input_ids", "attention_mask"}
        for name, values in found.items():
            assert values.numpy().tolist() == wanted[name], name


@pytest.mark.parametrize(
    ("kind", "has_types"), [("ALBERT", True), ("CamemBERT", False), ("DeBERTa v2", True), ("DeBERTa v3", True)]
)
def test_pairs_are_laid_out_as_their_template_says(folder_of, kind: str, has_types: bool):
    folder = folder_of(kind)
    texts, pairs = ["the garden", "", "nice day " * 9], ["a b c " * 9, "ok", ""]
    found = RowTokenizer.from_folder(folder, max_length=14)(tf.constant(texts), tf.constant(pairs))
    theirs = AutoTokenizer.from_pretrained(folder)
    wanted = dict(theirs(texts, pairs, truncation=True, max_length=14, padding="max_length"))
    assert ("token_type_ids" in wanted) == has_types
    assert {name: values.numpy().tolist() for name, values in found.items()} == wanted


def test_special_tokens_of_camembert_and_deberta_are_where_their_converters_put_them(folder_of):
    camembert, deberta = (read_files(folder_of(kind)) for kind in ("CamemBERT", "DeBERTa v3"))
    assert camembert.pieces[:7] == ("<s>NOTUSED", "<pad>", "</s>NOTUSED", "<unk>", "<unk>NOTUSED", "<s>", "</s>")
    assert (camembert.start_id, camembert.between_ids, camembert.end_id, camembert.pad_id) == (5, (6, 6), 6, 1)
    assert camembert.special == {*range(7), camembert.mask_id}
    assert camembert.pieces.index("<mask>") == camembert.mask_id == len(camembert.pieces) - 1
    assert deberta.pieces[:4] == ("[PAD]", "[CLS]", "[SEP]", "[UNK]")
    assert (deberta.start_id, deberta.between_ids, deberta.end_id, deberta.pad_id) == (1, (2,), 2, 0)
    # Beside the vocabulary.
    assert deberta.pieces[-1] == "[MASK]"
    assert deberta.special == {*range(4), deberta.mask_id}
    assert deberta.mask_id == len(deberta.pieces) - 1


def test_head_and_tail_are_the_first_and_the_last_tokens(folder_of):
    folder = folder_of(UNIGRAM[0])
    tokenizer = RowTokenizer.from_folder(folder, max_length=12, truncation="head_tail")
    ids = XLMRobertaTokenizerFast.from_pretrained(folder)("one two three four five " * 9).input_ids
    assert tokenizer(tf.constant(["one two three four five " * 9]))["input_ids"][0].numpy().tolist() == [
        *ids[:6],
        *ids[-6:],
    ]


@pytest.mark.parametrize(
    "text",
    [
        "one two three four five " * 9_000,
        "漢字" * 15_000 + " some words here " * 5_000,
        "a b " * 20_000 + "漢字" * 15_000,
        "сегодня обед был очень вкусным " * 4_000,
        "漢 字\n" * 30_000,
    ],
    ids=["words", "words at the end", "words at the start", "Cyrillic", "spaces between Chinese characters"],
)
def test_of_a_very_long_text_the_tokens_that_are_needed_are_those_of_the_whole(folder_of, text: str):
    pieces = pieces_of(folder_of(UNIGRAM[0]))
    (whole,) = pieces.tokenize(tf.constant([text])).to_list()
    (found,) = pieces.tokenize(tf.constant([text]), first=60, last=50).to_list()
    assert found[:60] == whole[:60]
    assert found[-50:] == whole[-50:]
    (start,) = pieces.tokenize(tf.constant([text]), first=60).to_list()
    assert start[:60] == whole[:60]
    if text.startswith("one"):  # Of its three pieces and a bit, one is worked on at the start, and one at the end.
        assert len(start) < 0.4 * len(whole)
        assert len(found) < 0.7 * len(whole)


def test_every_token_of_a_long_text_is_found_where_it_is_cut_at_sure_places(folder_of):
    parity = Parity(folder_of("DeBERTa v2"))
    assert parity.differences(["It is late, and Größe matters. " * 9_000, "слово за слово; " * 9_000]) == []


def test_of_a_text_of_ten_megabytes_without_a_space_the_ends_are_read(folder_of):
    pieces = pieces_of(folder_of(UNIGRAM[0]))
    (found,) = pieces.tokenize(tf.constant(["xy" * 5_000_000]), first=60).to_list()
    (start,) = pieces.tokenize(tf.constant(["xy" * 1_000])).to_list()
    assert found[:60] == start[:60]
    assert len(found) < 140_000


@pytest.mark.parametrize(("kind", "special"), [(UNIGRAM[0], 4), ("ALBERT", 3)])
def test_the_special_tokens_of_a_pair_are_counted(folder_of, kind: str, special: int):
    folder = folder_of(kind)
    counter = TokenCounter(read_files(folder))
    survey = TokenSurvey(counter)
    survey.add("the garden", "ok")
    survey.finish()
    tokens = counter.count(["the garden", "ok"])[:, 0].sum()
    assert (
        list(survey.all_lengths)
        == [tokens + special]
        == [len(AutoTokenizer.from_pretrained(folder)("the garden", "ok").input_ids)]
    )


def test_special_tokens_that_a_user_types_are_text(parity: Parity):
    texts = ["<s> a </s><mask> <pad>b <unk>", "<s>", "</s></s>", "[CLS] a [SEP][MASK]"]
    ids = parity.ours.pieces.tokenize(tf.constant(texts))
    layout = parity.ours.pieces.layout
    forbidden = {layout.start, layout.end, layout.pad, parity.theirs.mask_token_id}
    assert not forbidden & set(ids.values.numpy().tolist())
    assert all(ids.row_lengths().numpy() > 0)


def test_tokens_are_counted_as_the_graph_finds_them(parity: Parity, folder_of):
    folder = Path(parity.theirs.name_or_path)
    texts = [*HAND, *random_texts(2_000, seed=4), "<s> a </s><mask>"]
    counts = TokenCounter(read_files(folder)).count(texts)
    tokens = parity.ours.pieces.tokenize(tf.constant([text.encode() for text in texts]))
    assert counts[:, 0].tolist() == tokens.row_lengths().numpy().tolist()
    unknown = [sum(token == parity.ours.pieces.unknown_id for token in row) for row in tokens.to_list()]
    assert counts[:, 1].tolist() == unknown
    assert counts[:, 2].tolist() == [
        sum(bool(parity.ours.pieces.begins_word[token]) for token in row) for row in tokens.to_list()
    ]


def changed(folder: Path, path: Path, change: Callable[[dict], object]) -> Path:
    """Copies a folder with another tokenizer.json."""
    path.mkdir(exist_ok=True)
    for file in folder.iterdir():
        (path / file.name).write_bytes(file.read_bytes())
    content = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    change(content)
    (path / "tokenizer.json").write_text(json.dumps(content), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda it: it["normalizer"]["normalizers"].append({"type": "Lowercase"}), "its normalizer does not do"),
        (lambda it: it["pre_tokenizer"].update(prepend_scheme="first"), "its pre_tokenizer is not Metaspace"),
        (lambda it: it["pre_tokenizer"].update(type="ByteLevel"), "its pre_tokenizer is not Metaspace"),
        (lambda it: it.update(post_processor=None), "its post_processor does not"),
        (lambda it: it["model"]["vocab"].append(["a", -1.0]), "names a piece twice"),
        (lambda it: it["model"].pop("unk_id"), "cannot be read as a tokenizer"),
        (lambda it: it["added_tokens"].append({"id": 9, "content": "<new>"}), "1 tokens were added"),
        (lambda it: it["added_tokens"][0].update(id=7), "is not in the vocabulary where it should be"),
        (lambda it: it["added_tokens"][0].update(id=9_999), "is not in the vocabulary where it should be"),
        (
            lambda it: it["pre_tokenizer"].update(
                type="Sequence",
                pretokenizers=[{"type": "Punctuation", "behavior": "Removed"}, dict(it["pre_tokenizer"])],
            ),
            "its pre_tokenizer is not Metaspace",
        ),
        (lambda it: it["normalizer"]["normalizers"][1].update(strip_left=True), "its normalizer does not do"),
    ],
)
def test_what_is_not_known_is_refused_in_one_line(folder_of, tmp_path: Path, change, message: str):
    folder = changed(folder_of(UNIGRAM[0]), tmp_path / "changed", change)
    with pytest.raises(InputError) as caught:
        read_files(folder)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_model_without_tokenizer_json_is_refused_with_the_way_to_make_one(tmp_path: Path):
    (tmp_path / "sentencepiece.bpe.model").write_bytes(b"x")
    with pytest.raises(InputError, match=r"without the tokenizer\.json of the fast one"):
        read_files(tmp_path)
