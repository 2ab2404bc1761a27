"""Hugging Face's classes of WordPiece tokenizers, and what special tokens each takes. Without TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# What BertTokenizerFast takes where the files name no token for a role.
SPECIAL_TOKENS = {
    role: f"[{role[:-6].upper()}]" for role in ("unk_token", "cls_token", "sep_token", "pad_token", "mask_token")
}
# What MPNetTokenizerFast takes; `[UNK]` is BERT's.
_MPNET_TOKENS = dict(zip(SPECIAL_TOKENS, ("[UNK]", "<s>", "</s>", "<pad>", "<mask>"), strict=True))
# Which all-mpnet-base-v2 names as a special token beside them.
_MPNET_EXTRA = "<unk>"
_MPNET = "MPNetTokenizer"

# The classes whose vocab.txt is read as BertTokenizerFast reads it, each with or without "Fast". Others have a
# vocab.txt too and mean something else by it: BertJapaneseTokenizer splits with MeCab, BertweetTokenizer is BPE.
WORDPIECE_CLASSES = frozenset(
    f"{family}Tokenizer"
    for family in (
        *("Bert", "ConvBert", "DistilBert", "Electra", "LayoutLM", "MobileBert", "SqueezeBert", "Splinter"),
        "MPNet",
    )
)


def class_of(config: Mapping[str, Any], model: Mapping[str, Any]) -> str:
    """The class that Hugging Face's `AutoTokenizer` takes, without "Fast".

    Args:
        config: The content of tokenizer_config.json.
        model: The content of config.json.

    Returns:
        Its name; "" where the files say nothing of it.
    """
    name = config.get("tokenizer_class") or model.get("tokenizer_class")
    if not name and model.get("model_type") == "mpnet":
        return _MPNET
    return str(name or "").removesuffix("Fast")


def is_mpnet(class_name: str) -> bool:
    """Whether a class sets casing and accents alone, and puts two separators between two texts, as MPNet's does."""
    return class_name == _MPNET


def default_tokens(class_name: str) -> dict[str, str]:
    """The special token of each role, where the files name none."""
    return _MPNET_TOKENS if is_mpnet(class_name) else SPECIAL_TOKENS


def usual_tokens(class_name: str) -> set[str]:
    """The tokens that models of a class name as special ones, whatever role they play."""
    extra = {*_MPNET_TOKENS.values(), _MPNET_EXTRA} if is_mpnet(class_name) else set()
    return {*SPECIAL_TOKENS.values(), *extra}
