"""Reads a base's tokenizer, whatever its kind, without TensorFlow."""

from __future__ import annotations

from pathlib import Path

from fullbake.components.tokenizer.tokenizer_files import OTHER_KINDS, TokenizerFiles, read_tokenizer_files
from fullbake.components.tokenizer.unigram_files import UnigramFiles, is_unigram, read_unigram_files
from fullbake.contract.errors import InputError


def read_any_tokenizer(folder: str | Path) -> TokenizerFiles | UnigramFiles:
    """Reads the tokenizer of a model folder, and makes sure that `RowTokenizer` tokenizes as the model expects.

    Args:
        folder: A model folder in Hugging Face format.

    Raises:
        InputError: There is no tokenizer in it, one of a kind that is not known, or a broken one.
    """
    if is_unigram(folder):
        return read_unigram_files(folder)
    names = {file.name for file in Path(folder).glob("*")}
    for name, kind in OTHER_KINDS.items():
        if kind == "SentencePiece" and name in names and names.isdisjoint(("tokenizer.json", "vocab.txt")):
            raise InputError(
                f"{folder}: its tokenizer is SentencePiece ({name}) without the tokenizer.json of the fast one, which "
                "is read here; save that beside it with transformers' AutoTokenizer and save_pretrained"
            )
    return read_tokenizer_files(folder)
