"""Tokenizers of every kind, with vocabularies of the sizes that published models have, trained on the texts at hand."""

from __future__ import annotations

import functools
import random
import shutil
from collections.abc import Callable
from pathlib import Path

from tokenizers import ByteLevelBPETokenizer
from transformers import RobertaTokenizerFast

from benchmarks import texts
from fullbake.trainer.encoder.base_model import resolve_base
from tests.unigram_models import (
    nfkc,
    nmt_nfkc,
    pack_charsmap,
    save_albert,
    save_deberta,
    save_xlm_roberta,
    train_pieces,
)

# Ids of roberta-base, albert-base-v2, deberta-v3-base and xlm-roberta-base.
_BYTE_LEVEL_IDS, _ALBERT_IDS, _DEBERTA_IDS, _XLM_R_IDS = 50_265, 30_000, 128_100, 250_002
# Of how many texts do not teach so many pieces.
_TRAINED = 20_000


def _wordpiece(folder: Path, found: list[str]) -> Path:
    """BERT's uncased English vocabulary, which needs no training."""
    del found
    shutil.copytree(
        resolve_base(texts.BASE), folder, ignore=lambda _, names: [name for name in names if "model" in name]
    )
    return folder


def _byte_level(folder: Path, found: list[str]) -> Path:
    folder.mkdir(parents=True)
    trained = ByteLevelBPETokenizer()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    trained.train_from_iterator(found, _BYTE_LEVEL_IDS, 2, show_progress=False, special_tokens=special)
    trained.save_model(str(folder))
    RobertaTokenizerFast(str(folder / "vocab.json"), str(folder / "merges.txt")).save_pretrained(folder)
    return folder


def _xlm_r(folder: Path, found: list[str]) -> Path:
    return save_xlm_roberta(folder, _pieces(tuple(found), _XLM_R_IDS), charsmap=pack_charsmap(nmt_nfkc()))


def _albert(folder: Path, found: list[str]) -> Path:
    return save_albert(folder, _pieces(tuple(found), _ALBERT_IDS), charsmap=pack_charsmap(nmt_nfkc()))


def _deberta(folder: Path, found: list[str]) -> Path:
    return save_deberta(folder, _pieces(tuple(found), _DEBERTA_IDS), charsmap=pack_charsmap(nfkc()))


def _pieces(found: tuple[str, ...], count: int) -> list[tuple[str, float]]:
    """Pieces that the texts teach, and so many more that the tables are as large as those of a published model.

    These are of letters as they come, at a score that lets them take no part.
    """
    trained = dict(_trained(found))
    lowest = min(trained.values())
    source = random.Random(0)
    while len(trained) < count:
        piece = "".join(source.choices("abcdefghijklmnopqrstuvwxyzäöüабвгдежз", k=source.randint(2, 10)))
        trained.setdefault(source.choice(("", "▁")) + piece, lowest - 20)
    return list(trained.items())


@functools.lru_cache(maxsize=1)
def _trained(found: tuple[str, ...]) -> list[tuple[str, float]]:
    return train_pieces(found, _TRAINED)


KINDS: dict[str, Callable[[Path, list[str]], Path]] = {
    "WordPiece": _wordpiece,
    "byte-level BPE": _byte_level,
    "unigram as XLM-R's": _xlm_r,
    "unigram as ALBERT's": _albert,
    "unigram as DeBERTa's": _deberta,
}
"""By kind, what writes its files into a new folder."""
