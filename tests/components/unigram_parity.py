"""Compares the unigram tokenizer in the graph with Hugging Face's, text by text.

`python -m tests.components.unigram_parity` compares ids over every Unicode scalar value in each context, and over
300,000 random strings, with each kind of tokenizer; it prints the number of differences and takes some two minutes. The
tests run the same comparisons on `telling_values` and fewer strings.
"""

import itertools
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import tensorflow as tf
from transformers import AutoTokenizer

from fullbake.components.tokenizer.tokenizer_kinds import pieces_of
from tests.components.tokenizer.languages import SENTENCES
from tests.components.tokenizer_parity import CONTEXTS, random_texts, scalar_values
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

KINDS = (
    *("as converted today", "as of 2020", "without a charsmap", "with bytes", "ALBERT", "CamemBERT"),
    *("DeBERTa v2", "DeBERTa v3", "DeBERTa without a charsmap"),
)


def folder_maker() -> Callable[[str, Path], Path]:
    """Trains pieces on texts of many scripts; what it gives writes a tokenizer of each kind with them into a folder."""
    texts = [text for texts in SENTENCES.values() for text in texts]
    pieces, charsmap = train_pieces(texts * 2, 1500), pack_charsmap(nmt_nfkc())
    settings: dict[str, dict[str, Any]] = {
        "as converted today": {"charsmap": charsmap},
        "as of 2020": {"charsmap": charsmap, "parts_at_whitespace": True},
        "without a charsmap": {},
        "with bytes": {"charsmap": charsmap, "byte_fallback": True},
    }

    makers = {
        "ALBERT": lambda folder: save_albert(folder, pieces, charsmap=charsmap),
        "CamemBERT": lambda folder: save_camembert(folder, pieces, charsmap=charsmap),
        "DeBERTa v2": lambda folder: save_deberta(folder, pieces, charsmap=charsmap, split_by_punct=True, lower=True),
        "DeBERTa v3": lambda folder: save_deberta(folder, pieces, charsmap=pack_charsmap(nfkc())),
        "DeBERTa without a charsmap": lambda folder: save_deberta(folder, pieces, split_by_punct=True),
    }

    def make(kind: str, folder: Path) -> Path:
        if kind in makers:
            return makers[kind](folder)
        return save_xlm_roberta(folder, pieces, **settings[kind])

    return make


class Parity:
    """A tokenizer in the graph beside Hugging Face's, made of the same folder."""

    def __init__(self, folder: Path):
        self.ours = pieces_of(folder)
        self.theirs = AutoTokenizer.from_pretrained(folder, split_special_tokens=True)

    def differences(self, texts: Iterable[str | bytes]) -> list[tuple[str | bytes, list[int], list[int]]]:
        """(text, our ids, their ids) where these differ."""
        found, remaining = [], iter(texts)
        while batch := list(itertools.islice(remaining, 20_000)):
            encoded = [text.encode() if isinstance(text, str) else text for text in batch]
            tokens = self.ours.tokenize(tf.constant(encoded)).to_list()
            plain = [text.decode(errors="replace") for text in encoded]
            theirs = self.theirs.backend_tokenizer.encode_batch_fast(plain, add_special_tokens=False)
            found += [
                (text, ours, other.ids)
                for text, ours, other in zip(batch, tokens, theirs, strict=True)
                if ours != other.ids
            ]
        return found


def main() -> int:
    """Compares everything and says how much differs; 1 where anything does."""
    failures = 0
    make = folder_maker()
    with tempfile.TemporaryDirectory() as scratch:
        for kind in KINDS:
            parity = Parity(make(kind, Path(scratch) / kind))
            sources: dict[str, Callable[[], Iterable[str]]] = {
                name: lambda place=place: map(place, scalar_values()) for name, place in CONTEXTS.items()
            }
            sources["random strings"] = lambda: random_texts(300_000)
            for name, texts in sources.items():
                found = parity.differences(texts())
                failures += bool(found)
                print(f"{kind}, {name}: {len(found)} differences")
                for example in found[:5]:
                    print(f"    {example!r}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
