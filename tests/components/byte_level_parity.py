"""Byte-level BPE tokenizers trained for tests, and the one in the graph beside Hugging Face's, text by text.

`python -m tests.components.byte_level_parity` compares ids over every Unicode scalar value in each context, and over
500,000 random strings; it prints the number of differences. The tests run the same comparisons on `telling_values` and
fewer strings.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import tensorflow as tf
from tokenizers import ByteLevelBPETokenizer
from transformers import RobertaTokenizerFast

from fullbake.components.tokenizer.row_tokenizer import RowTokenizer
from tests.components.tokenizer.languages import SENTENCES
from tests.components.tokenizer_parity import CONTEXTS, batches, random_texts, scalar_values

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]

# Where the expression that splits text has rules of its own.
_FRAGMENTS = (
    *("'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'l", "'r", "'v", "'", "''", "\u2019s", "s", "ll", "re"),
    *(" ", "  ", "\t", "\n", "\r\n", "\n\n", "\u00a0", "\u3000", "\u0085", "\x1c", "\u200b", "\x00"),
    *("a", "word", "Ä", "漢", "1", "²", "४", "!", "...", "_", "\u0301", "😀", "\ufffe", "\ufffd"),
)


def train_byte_level(folder: Path, *, vocab_size: int = 3000, add_prefix_space: bool = False) -> Path:
    """Has Hugging Face train a tokenizer on texts of many scripts and write it as RoBERTa's.

    Args:
        folder: Made if missing.
        vocab_size: Of which 261 are bytes and special tokens.
        add_prefix_space: As RobertaTokenizerFast has it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    trained = ByteLevelBPETokenizer()
    texts = [sentence for sentences in SENTENCES.values() for sentence in sentences] * 3
    texts += random_texts(3000, seed=3) + split_texts(500, seed=4) + [letter * 70 for letter in "aー=-! "]
    trained.train_from_iterator(texts, vocab_size=vocab_size, min_frequency=2, special_tokens=SPECIAL)
    trained.save_model(str(folder))
    tokenizer = RobertaTokenizerFast(
        str(folder / "vocab.json"), str(folder / "merges.txt"), add_prefix_space=add_prefix_space
    )
    tokenizer.save_pretrained(folder)
    return folder


def split_texts(count: int, seed: int = 0) -> list[str]:
    """Strings in which contractions, runs of white space and kinds of characters meet in every way."""
    source = random.Random(seed)  # noqa: S311
    return ["".join(source.choices(_FRAGMENTS, k=source.randint(0, 12))) for _ in range(count)]


class ByteLevelParity:
    """A tokenizer in the graph beside Hugging Face's, made of the same files."""

    def __init__(self, folder: Path) -> None:
        self.ours = RowTokenizer.from_folder(folder, max_length=64)
        self.theirs = RobertaTokenizerFast.from_pretrained(folder, split_special_tokens=True)
        self._ids = tf.function(self.ours.pieces.tokenize, input_signature=[tf.TensorSpec([None], tf.string)])

    def differences(self, texts: Iterable[str | bytes]) -> list[tuple[str, list[int], list[int]]]:
        """(text, our ids, their ids) where these differ."""
        found = []
        for batch in batches(texts):
            ours = self._ids(tf.constant([text if isinstance(text, bytes) else text.encode() for text in batch]))
            decoded = [text.decode(errors="replace") if isinstance(text, bytes) else text for text in batch]
            encoded = self.theirs.backend_tokenizer.encode_batch_fast(decoded, add_special_tokens=False)
            rows = np.split(ours.values.numpy(), ours.row_splits.numpy()[1:-1]) if len(batch) else []
            for text, row, theirs in zip(decoded, rows, encoded, strict=True):
                if row.tolist() != theirs.ids:
                    found.append((text, row.tolist(), theirs.ids))
        return found


def main() -> int:
    """Compares everything and says how much differs; 1 where anything does."""
    failures = 0
    with tempfile.TemporaryDirectory() as scratch:
        for added in (False, True):
            parity = ByteLevelParity(train_byte_level(Path(scratch) / str(added), add_prefix_space=added))
            sources: dict[str, Callable[[], Iterable[str]]] = {
                name: lambda place=place: map(place, scalar_values()) for name, place in CONTEXTS.items()
            }
            sources["random strings"] = lambda: random_texts(250_000) + split_texts(250_000)
            for name, texts in sources.items():
                begin = time.monotonic()
                found = parity.differences(texts())
                failures += bool(found)
                kind = "byte-level, a space before" if added else "byte-level"
                print(f"{kind}, {name}: {len(found)} differences in ids ({time.monotonic() - begin:.0f} s)", flush=True)
                for example in found[:5]:
                    print(f"    {example!r}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
