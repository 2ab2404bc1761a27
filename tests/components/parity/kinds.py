"""The kinds of tokenizers that are compared with Hugging Face's, and by which texts each is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.components.parity.folders import (
    SPELT,
    UNIGRAM,
    cased_folder,
    minilm_folder,
    mpnet_folder,
    train_byte_level,
    unigram_folder,
)

_WORDPIECE = ("WordPiece uncased", "WordPiece cased")
_BYTE_LEVEL = "byte-level BPE"
# What normalising and splitting does, these tell, whose tokens or words show what every character became. The others
# have steps of these: CamemBERT XLM-RoBERTa's, MPNet BERT's; that of 2020 treats white space otherwise, and a space
# before a text changes no later one. They differ in ids, special tokens and what becomes of unknown characters, which
# every character that has rules of its own tells as well.
_SPELT = tuple(f"{kind}{SPELT}" for kind in ("XLM-R as converted today", "ALBERT", "DeBERTa v2", "DeBERTa v3"))
_EVERY_VALUE = (*_WORDPIECE, _BYTE_LEVEL, *_SPELT)


@dataclass(frozen=True)
class Kind:
    """A kind.

    Attributes:
        make: Writes a tokenizer of it into a folder, and says where it is.
        every_value: Whether every Unicode scalar value is compared, or `telling_values`.
        has_words: Whether every value is compared before the vocabulary is asked, which holds few of them.
        is_spelt: Whether it is another kind with a token for each byte.
    """

    make: Callable[[Path], Path]
    every_value: bool
    has_words: bool
    is_spelt: bool


_MAKERS: dict[str, Callable[[Path], Path]] = {
    _WORDPIECE[0]: lambda _: minilm_folder(),
    _WORDPIECE[1]: cased_folder,
    "WordPiece of MPNet": mpnet_folder,
    _BYTE_LEVEL: train_byte_level,
    f"{_BYTE_LEVEL}, a space before": partial(train_byte_level, add_prefix_space=True),
    **{kind: partial(unigram_folder, kind) for kind in UNIGRAM},
    **{kind: partial(unigram_folder, kind) for kind in (*_SPELT, f"XLM-R as of 2020{SPELT}")},
}

KINDS = {
    name: Kind(make, name in _EVERY_VALUE, name in _WORDPIECE, name.endswith(SPELT)) for name, make in _MAKERS.items()
}
