"""The tokenizer in an exported folder, opened as a fast and as a slow one, gives the row that is served."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from fullbake.components.tokenizer.row_tokenizer import RowTokenizer
from fullbake.trainer.encoder.base_model import resolve_base
from fullbake.trainer.encoder.families import FAMILIES
from fullbake.trainer.encoder.tokenizer import copy_tokenizer, write_served_tokenizer
from tests.components.tokenizer.languages import SENTENCES
from tests.sentencepiece_models import KINDS, leave_it_alone

WIDTH = 24
# Hugging Face's unigram model takes these for special tokens (docs/bases.md); so do slow tokenizers of every kind.
TYPED = ["[CLS] you are a [SEP] bad [MASK]", "<s> you are a </s> bad <mask>"]
TEXTS = [
    *(text for language in ("English", "German", "Russian", "Japanese", "Arabic") for text in SENTENCES[language]),
    *("it", "not bad", "ist", "я", "を", "it is", "", "don't, I'm (not) a 1,000 good-day.", "x\ty\nz", "word " * 40),
]
# What else each slow tokenizer does otherwise: ALBERT's leaves Korean decomposed and marks such as Hindi's in place,
# and all that is white space it reads as a space before it cuts a text's end.
NOT_OF_SLOW_ALBERT = [*SENTENCES["Korean"], *SENTENCES["Hindi"], *SENTENCES["emoji"], "  two  spaces "]
SLOW_FILES = {"roberta": ["vocab.json", "merges.txt"], **{kind: [name] for kind, (name, *_) in KINDS.items()}}


@pytest.mark.parametrize("family", FAMILIES)
def test_its_slow_and_its_fast_tokenizer_give_the_row_that_is_served(
    family: str, base_of, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    base = resolve_base(str(leave_it_alone(base_of(family), family) if family in KINDS else base_of(family)))
    trained, exported = tmp_path / "trained", tmp_path / "exported"
    for folder in (trained, exported):
        folder.mkdir()
        shutil.copyfile(base / "config.json", folder / "config.json")
    copy_tokenizer(base, trained)  # as further pre-training does
    write_served_tokenizer(trained, exported, WIDTH)
    assert {"tokenizer.json", *SLOW_FILES.get(family, ["vocab.txt"])} <= {file.name for file in exported.iterdir()}
    serve = RowTokenizer.from_folder(base, max_length=WIDTH)
    unigram = family in KINDS
    for fast in (True, False):
        tokenizer = AutoTokenizer.from_pretrained(exported, use_fast=fast)
        assert isinstance(tokenizer, PreTrainedTokenizerFast) == fast
        texts = TEXTS + (TYPED if fast and not unigram else []) + (NOT_OF_SLOW_ALBERT if fast or not unigram else [])
        # A slow tokenizer cuts a pair that is too long by one token otherwise.
        short = [text for text in texts if len(tokenizer.tokenize(text)) <= (WIDTH - 4) // 2]
        assert len(short) > 5
        for columns in ((texts,), (short, short[::-1])):
            ours = serve(*(tf.constant(column) for column in columns))
            theirs = tokenizer(*columns, truncation=True, padding="max_length", return_tensors="np")
            # DistilBERT's row has token types, which it does not read.
            assert {"input_ids", "attention_mask"} <= theirs.keys() <= {*ours, "token_type_ids"}
            for name in ours.keys() & theirs.keys():
                np.testing.assert_array_equal(ours[name], theirs[name], err_msg=f"{fast} {name}")
