"""What is read from the tokenizer files of a model folder, and what is refused."""

import json
import shutil
import subprocess
import sys

import pytest
from transformers import BertTokenizerFast

from fullbake.components.tokenizer.kinds_of_files import read_files
from fullbake.components.tokenizer.tokenizer_files import read_tokenizer_files
from fullbake.contract.errors import InputError

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "vocab.txt").write_text("\n".join([*SPECIAL, "a", "##b"]) + "\n", encoding="utf-8")
    BertTokenizerFast(str(tmp_path / "vocab.txt"), do_lower_case=False).save_pretrained(tmp_path)
    return tmp_path


def _change(path, change):
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def test_tokenizer_json_and_vocab_txt_say_the_same(folder):
    both = read_tokenizer_files(folder)
    (folder / "tokenizer.json").unlink()
    assert read_tokenizer_files(folder) == both
    assert (both.lowercase, both.strip_accents, both.handle_chinese_chars, both.clean_text) == (
        False,
        False,
        True,
        True,
    )
    assert [both.token_id(token) for token in (both.pad_token, both.mask_token, "##b")] == [0, 4, 6]


def test_files_saved_by_a_slow_tokenizer_are_read(folder):
    BertTokenizerFast.from_pretrained(folder).slow_tokenizer_class.from_pretrained(folder).save_pretrained(folder)
    (folder / "tokenizer.json").unlink()
    assert read_tokenizer_files(folder).lowercase is False


@pytest.mark.parametrize("config", [{}, {"do_lower_case": False}, {"do_lower_case": False, "strip_accents": True}])
def test_casing_is_what_berttokenizerfast_makes_of_both_files(folder, config):
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    theirs = json.loads(BertTokenizerFast.from_pretrained(folder).backend_tokenizer.normalizer.__getstate__())
    ours = read_tokenizer_files(folder)
    accents = theirs["lowercase"] if theirs["strip_accents"] is None else theirs["strip_accents"]
    assert (ours.lowercase, ours.strip_accents) == (theirs["lowercase"], accents)


def test_special_tokens_of_other_names_are_found(folder):
    text = (folder / "vocab.txt").read_text(encoding="utf-8").replace("[CLS]", "<cls>").replace("[PAD]", "<pad>")
    (folder / "vocab.txt").write_text(text, encoding="utf-8")
    BertTokenizerFast(str(folder / "vocab.txt"), cls_token="<cls>", pad_token="<pad>").save_pretrained(folder)  # noqa: S106
    files = read_tokenizer_files(folder)
    assert (files.cls_token, files.pad_token, files.sep_token) == ("<cls>", "<pad>", "[SEP]")


def test_checking_does_not_import_tensorflow(folder):
    program = (
        "import sys; from fullbake.components.tokenizer.kinds_of_files import read_files;"
        "read_files(sys.argv[1]);"
        "assert not {'tensorflow', 'transformers', 'tokenizers'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", program, str(folder)], check=True)


def _model(kind):
    return lambda content: content["model"].update(type=kind)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_model("BPE"), "its tokenizer is a BertTokenizer, not RoBERTa's byte-level BPE; choose a base"),
        (_model("WordLevel"), "its model is WordLevel, not BERT's WordPiece"),
        (_model("Unigram"), "cannot be read as a tokenizer"),
        (lambda content: content.update(normalizer=None), "its normalizer is missing, not BERT's BertNormalizer"),
        (lambda content: content.update(pre_tokenizer={"type": "Metaspace"}), "its pre_tokenizer is Metaspace"),
        (lambda content: content.update(post_processor=None), "its post_processor does not make"),
        (
            lambda content: content["post_processor"]["pair"].insert(3, content["post_processor"]["pair"][2]),
            "does not make",
        ),
        (lambda content: content.pop("model"), "cannot be read as a tokenizer"),
        (
            lambda content: content["added_tokens"].append({"id": 7, "content": "<user>", "special": False}),
            "1 tokens were added beside the WordPiece vocabulary (<user>)",
        ),
        (
            lambda content: content["model"].update({"unk_token": "<unk>"}),
            "the unk_token '<unk>' is not in the vocabulary",
        ),
    ],
)
def test_a_tokenizer_json_of_another_kind_is_refused_in_one_line(folder, change, message):
    _change(folder / "tokenizer.json", change)
    with pytest.raises(InputError) as refusal:
        read_files(folder)
    assert message in str(refusal.value)
    assert str(folder) in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("merges.txt", "its tokenizer is byte-pair encoding (merges.txt), not WordPiece"),
        ("sentencepiece.bpe.model", "its tokenizer is SentencePiece"),
        ("config.json", "no tokenizer files (tokenizer.json or vocab.txt)"),
    ],
)
def test_a_folder_without_wordpiece_files_is_refused(tmp_path, name, message):
    (tmp_path / name).write_text("{}", encoding="utf-8")
    with pytest.raises(InputError) as refusal:
        read_files(tmp_path)
    assert message in str(refusal.value)


def test_a_vocab_txt_of_a_class_that_reads_it_otherwise_is_refused(folder):
    (folder / "tokenizer.json").unlink()
    _change(folder / "tokenizer_config.json", lambda config: config.update(tokenizer_class="BertJapaneseTokenizer"))
    with pytest.raises(InputError, match="its tokenizer is a BertJapaneseTokenizer, not BERT's WordPiece"):
        read_files(folder)


def test_broken_json_and_missing_folders_are_refused(folder):
    (folder / "tokenizer.json").write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match=r"tokenizer\.json: not valid JSON"):
        read_files(folder)
    shutil.rmtree(folder)
    with pytest.raises(InputError, match="no such folder"):
        read_files(folder)


def _add_to_decoder(token, index, special):
    entry = {"content": token, "special": special, "lstrip": False, "rstrip": False, "normalized": False}

    def change(config):
        config["added_tokens_decoder"] = {**config.get("added_tokens_decoder", {}), str(index): entry}

    return change


@pytest.mark.parametrize("without_tokenizer_json", [True, False])
@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("tokenizer_config.json", _add_to_decoder("<user>", 7, False)),
        # To Hugging Face these too are one token wherever they stand in a text, and to the base they mean something.
        ("tokenizer_config.json", _add_to_decoder("<user>", 7, True)),
        ("tokenizer_config.json", lambda config: config.update(additional_special_tokens=["<user>"])),
        ("special_tokens_map.json", lambda found: found.update(additional_special_tokens=[{"content": "<user>"}])),
    ],
)
def test_tokens_that_only_the_settings_add_are_refused(folder, name, change, without_tokenizer_json):
    _change(folder / name, change)
    if without_tokenizer_json:
        (folder / "tokenizer.json").unlink()
    with pytest.raises(InputError, match=r"1 tokens were added beside the WordPiece vocabulary \(<user>\)"):
        read_files(folder)


def test_tokens_of_added_tokens_json_are_refused(folder):
    (folder / "tokenizer.json").unlink()
    (folder / "added_tokens.json").write_text(json.dumps({"<user>": 7, "<link>": 8}), encoding="utf-8")
    with pytest.raises(InputError, match=r"2 tokens were added beside the WordPiece vocabulary \(<user>, <link>\)"):
        read_files(folder)


@pytest.mark.parametrize("where", ["added_tokens_decoder", "added_tokens.json"])
def test_a_special_token_that_was_added_to_the_vocabulary_keeps_its_id(folder, where):
    vocabulary = (folder / "vocab.txt").read_text(encoding="utf-8").replace("[MASK]\n", "")
    (folder / "vocab.txt").write_text(vocabulary, encoding="utf-8")
    (folder / "tokenizer.json").unlink()
    _change(folder / "tokenizer_config.json", lambda config: config.pop("added_tokens_decoder"))
    if where == "added_tokens_decoder":
        for index, token in enumerate([*SPECIAL[:4], "a", "##b", "[MASK]"]):
            if token in SPECIAL:
                _change(folder / "tokenizer_config.json", _add_to_decoder(token, index, True))
    else:
        (folder / "added_tokens.json").write_text(json.dumps({"[MASK]": 6}), encoding="utf-8")
    theirs = BertTokenizerFast.from_pretrained(folder)
    ours = read_tokenizer_files(folder)
    assert theirs.mask_token_id == ours.token_id("[MASK]") == 6
    assert ours.vocabulary == theirs.get_vocab()


def test_a_tokenizer_that_is_code_of_its_own_is_refused(folder):
    _change(folder / "tokenizer_config.json", lambda config: config.update(auto_map={"AutoTokenizer": ["a.B", None]}))
    with pytest.raises(InputError, match=r"code of its own \(auto_map .*trust_remote_code is off"):
        read_files(folder)


def test_settings_that_make_no_sense_are_refused(folder):
    (folder / "tokenizer.json").unlink()
    _change(
        folder / "tokenizer_config.json", lambda config: config.update(added_tokens_decoder={"x": {"content": "a"}})
    )
    with pytest.raises(InputError, match=r"vocab\.txt, and the tokenizer's settings beside it, cannot be read"):
        read_files(folder)


def test_a_tokenizer_with_more_ids_than_the_model_has_embeddings_is_refused(folder):
    model = {"model_type": "bert", "vocab_size": 7, "hidden_size": 8, "num_attention_heads": 1}
    (folder / "config.json").write_text(json.dumps(model), encoding="utf-8")
    read_files(folder)
    _change(folder / "config.json", lambda config: config.update(vocab_size=6))
    with pytest.raises(InputError, match=r"has ids up to 6 \('##b'\) and the model only 6 embeddings"):
        read_files(folder)
