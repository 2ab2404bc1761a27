"""A base model's tokenizer: opened, copied, and written as a served model needs it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer, PreTrainedTokenizerBase

from fullbake.trainer.encoder.base_model import TOKENIZER_FILES, base_sizes, read_base_config
from fullbake.trainer.encoder.families import family_of


def open_tokenizer(base: Path, **settings: Any) -> PreTrainedTokenizerBase:
    """Opens the tokenizer of a base model's folder.

    Args:
        base: The folder.
        settings: As transformers' `from_pretrained` takes them; they win over what the folder says.
    """
    return AutoTokenizer.from_pretrained(base, trust_remote_code=False, **settings)


def copy_tokenizer(base: Path, folder: Path) -> None:
    """Copies the files of a base model's tokenizer as they are."""
    for name in TOKENIZER_FILES:
        if (base / name).is_file():
            shutil.copyfile(base / name, folder / name)


def write_served_tokenizer(base: Path, folder: Path, max_length: int) -> None:
    """Writes the tokenizer so that Hugging Face's pipeline hands the model what the serving graph does.

    Whatever the base's tokenizer says of it: texts are cut at their end, to the length that was trained on, padding
    stands at the end, token types are given to an encoder that tells texts apart by them, and a special token that a
    user types is ordinary text. What a fast tokenizer keeps of earlier calls (all-MiniLM's pads to 128) is dropped.

    Args:
        base: The base model's folder.
        folder: Where the tokenizer goes.
        max_length: Tokens of the longest text.
    """
    config = read_base_config(base)
    has_types = base_sizes(base)["types"] and not family_of(config, str(base)).separators_part
    inputs = ["input_ids", *(["token_type_ids"] if has_types else []), "attention_mask"]
    tokenizer = open_tokenizer(
        base,
        truncation_side="right",
        padding_side="right",
        model_max_length=max_length,
        model_input_names=inputs,
        split_special_tokens=True,
    )
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.backend_tokenizer.no_padding()
    tokenizer.save_pretrained(folder)
