"""Which kind of tokenizer the files of a model are of. Without TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from fullbake.components.tokenizer.byte_level_files import ByteLevelFiles, read_byte_level_files
from fullbake.components.tokenizer.tokenizer_files import (
    OTHER_KINDS,
    REMEDY,
    TokenizerFiles,
    read_json,
    read_tokenizer_files,
)
from fullbake.components.tokenizer.unigram_files import UnigramFiles, read_unigram_files
from fullbake.contract.errors import InputError

AnyFiles = TokenizerFiles | ByteLevelFiles | UnigramFiles
"""What the files of a tokenizer say, whatever its kind."""

# By tokenizer.json's name of a kind.
READERS: Mapping[str, Callable[[Path], AnyFiles]] = {
    "WordPiece": read_tokenizer_files,
    "BPE": read_byte_level_files,
    "Unigram": read_unigram_files,
}


def read_files(folder: str | Path) -> AnyFiles:
    """Reads the files of a tokenizer of any kind that is known. Fast, without TensorFlow.

    Args:
        folder: A model folder in Hugging Face format.

    Raises:
        InputError: There is no such folder, no tokenizer in it, one of another kind, or a broken one.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; name the folder of a base model with its tokenizer files")
    if read_json(folder / "tokenizer_config.json").get("auto_map"):
        raise InputError(
            f"{folder}: its tokenizer is code of its own (auto_map in tokenizer_config.json), which is never run "
            f"(trust_remote_code is off); {REMEDY}"
        )
    names = {file.name for file in folder.glob("*")}
    for name, kind in OTHER_KINDS.items():
        if kind == "SentencePiece" and name in names and names.isdisjoint(("tokenizer.json", "vocab.txt")):
            raise InputError(
                f"{folder}: its tokenizer is SentencePiece ({name}) without the tokenizer.json of the fast one, which "
                "is read here; save that beside it with transformers' AutoTokenizer and save_pretrained"
            )
    return READERS.get(_kind_of(folder), read_tokenizer_files)(folder)


def _kind_of(folder: Path) -> str:
    """What tokenizer.json, or the names of the files without it, say of the kind; "" where they say nothing."""
    if (folder / "tokenizer.json").is_file():
        model = read_json(folder / "tokenizer.json").get("model")
        if not isinstance(model, dict):
            return ""
        # Files of tokenizers before 0.10, such as roberta-base's, do not name the kind.
        return str(model.get("type") or ("BPE" if "merges" in model else ""))
    return "BPE" if (folder / "vocab.json").is_file() and not (folder / "vocab.txt").is_file() else ""
