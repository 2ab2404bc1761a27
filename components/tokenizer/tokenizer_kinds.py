"""The kinds of tokenizers that are known, told by the files of a model."""

from pathlib import Path

from fullbake.components.tokenizer.byte_level_bpe import byte_level_bpe_of
from fullbake.components.tokenizer.byte_level_files import ByteLevelFiles
from fullbake.components.tokenizer.kinds_of_files import read_files
from fullbake.components.tokenizer.pieces import Pieces
from fullbake.components.tokenizer.unigram import unigram_of
from fullbake.components.tokenizer.unigram_files import UnigramFiles
from fullbake.components.tokenizer.wordpiece import wordpiece_of


def pieces_of(folder: str | Path) -> Pieces:
    """Returns what finds the tokens that the model in a folder was trained on.

    Args:
        folder: A model folder in Hugging Face format, with its tokenizer's files.

    Raises:
        InputError: It has none of a kind that is known, or they are broken.
    """
    files = read_files(folder)
    if isinstance(files, ByteLevelFiles):
        return byte_level_bpe_of(files)
    return unigram_of(files) if isinstance(files, UnigramFiles) else wordpiece_of(files)
