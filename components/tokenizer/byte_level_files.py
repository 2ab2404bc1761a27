"""Reads the files of a byte-level BPE tokenizer, as RoBERTa has it, without TensorFlow or transformers."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from fullbake.components.tokenizer.tokenizer_files import REMEDY, check_embeddings, read_json
from fullbake.contract.errors import InputError

SPACE_MARK = "Ġ"
"""What the vocabulary writes for a space (Radford et al. 2019, GPT-2's encoder.py: byte 32 is the character 288)."""

# What RobertaTokenizerFast takes where the files name no token for a role.
SPECIAL_TOKENS = {
    "bos_token": "<s>",
    "eos_token": "</s>",
    "unk_token": "<unk>",
    "cls_token": "<s>",
    "sep_token": "</s>",
    "pad_token": "<pad>",
    "mask_token": "<mask>",
}

# The classes whose files mean what RobertaTokenizerFast reads in them. Longformer's, Bart's and GPT-2's are of the same
# kind, and of families that are not known.
CLASSES = ("RobertaTokenizer", "RobertaTokenizerFast", "PreTrainedTokenizerFast")

# By key of tokenizer.json's model, what it may say besides vocabulary and merges; the first is what it says by silence.
_MODEL: dict[str, tuple[Any, ...]] = {
    "type": ("BPE",),
    "dropout": (None, 0),
    "continuing_subword_prefix": (None, ""),
    "end_of_word_suffix": (None, ""),
    "byte_fallback": (False,),
    "ignore_merges": (False,),
}
# Which of its keys change no token of a vocabulary that has every byte.
_OF_NO_MATTER = frozenset(("vocab", "merges", "unk_token", "fuse_unk"))
# The same of tokenizer.json's pre_tokenizer. Whether a space is put before a text, tokenizer_config.json decides.
_PRE_TOKENIZER: dict[str, tuple[Any, ...]] = {
    "type": ("ByteLevel",),
    "use_regex": (True,),
    "add_prefix_space": (False, True),
    "trim_offsets": (True, False),
}


@dataclasses.dataclass(frozen=True)
class ByteLevelFiles:
    """What the files of a byte-level BPE tokenizer say.

    Attributes:
        vocabulary: Token to id; a token is written with a character for each of its bytes (see `byte_alphabet`).
        merges: The pairs of tokens that become one, the first of them first.
        add_prefix_space: Whether a text that begins with no space is given one.
        cls_token: The token before the text.
        sep_token: The token after it.
        separators: How many of these stand between two texts.
        pad_token: The token that fills up rows.
        unk_token: The token of what the vocabulary cannot spell: nothing.
        mask_token: The token that hides a word in masked-LM training.
    """

    vocabulary: Mapping[str, int]
    merges: tuple[tuple[str, str], ...]
    add_prefix_space: bool
    cls_token: str
    sep_token: str
    separators: int
    pad_token: str
    unk_token: str
    mask_token: str

    def __hash__(self) -> int:
        """By all but vocabulary and merges, of which the sizes do; equality compares them whole."""
        values = (getattr(self, field.name) for field in dataclasses.fields(self)[2:])
        return hash((len(self.vocabulary), len(self.merges), *values))

    def token_id(self, token: str) -> int:
        """The id of a token that the vocabulary has.

        Raises:
            KeyError: It has not.
        """
        return self.vocabulary[token]


def byte_alphabet() -> list[str]:
    """The character that stands for each byte: itself where Latin-1 prints it, else one from U+0100 on, in order."""
    printed = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = [byte for byte in range(256) if byte not in printed]
    return [chr(byte if byte in printed else 256 + others.index(byte)) for byte in range(256)]


def word_beginnings(files: ByteLevelFiles) -> list[bool]:
    """Returns which ids are of tokens that begin with a space, by id."""
    begins = [False] * (max(files.vocabulary.values()) + 1)
    for token, index in files.vocabulary.items():
        begins[index] = token.startswith(SPACE_MARK)
    return begins


def read_byte_level_files(folder: Path) -> ByteLevelFiles:
    """Reads tokenizer.json or, where there is none, vocab.json and merges.txt, and the settings beside them.

    The result is what `RobertaTokenizerFast.from_pretrained(folder)` works with. Whether a space is put before a text
    is what tokenizer_config.json says of it, which that class puts above tokenizer.json: no, where it is silent.

    Args:
        folder: A model folder in Hugging Face format.

    Raises:
        InputError: The files are broken, or say what is not known.
    """
    config = read_json(folder / "tokenizer_config.json")
    name = config.get("tokenizer_class")
    if name not in (None, *CLASSES):
        raise InputError(f"{folder}: its tokenizer is a {name}, not RoBERTa's byte-level BPE; {REMEDY}")
    file = next(folder / name for name in ("tokenizer.json", "vocab.json") if (folder / name).is_file())
    read = _from_tokenizer_json if file.name == "tokenizer.json" else _from_vocabulary
    try:
        files = read(folder, config)
        _check_tokens(file, files)
    except (AttributeError, KeyError, TypeError, ValueError, IndexError) as error:
        raise InputError(
            f"{file}, and the tokenizer's settings beside it, cannot be read as a tokenizer ({error!r}); save the "
            "model's tokenizer again"
        ) from error
    check_embeddings(folder, files.vocabulary)
    return files


def _from_tokenizer_json(folder: Path, config: Mapping[str, Any]) -> ByteLevelFiles:
    path = folder / "tokenizer.json"
    content = read_json(path)
    model = content["model"]
    _require(path, "model", {key: value for key, value in model.items() if key not in _OF_NO_MATTER}, _MODEL)
    _require(path, "pre_tokenizer", content["pre_tokenizer"] or {"type": None}, _PRE_TOKENIZER)
    if content.get("normalizer") is not None:
        raise InputError(f"{path}: it has a normalizer ({content['normalizer']['type']}), RoBERTa's has none; {REMEDY}")
    special = _special_tokens(folder, config)
    added = content.get("added_tokens") or []
    _refuse_added_tokens(folder, config, special, (token["content"] for token in added))
    vocabulary = {**model["vocab"], **{token["content"]: token["id"] for token in added}}
    cls_token, sep_token, separators = _surrounding_tokens(path, content.get("post_processor") or {}, vocabulary)
    merges = (merge.split(" ") if isinstance(merge, str) else merge for merge in model["merges"])
    return _files(config, vocabulary, merges, special | {"cls_token": cls_token, "sep_token": sep_token}, separators)


def _from_vocabulary(folder: Path, config: Mapping[str, Any]) -> ByteLevelFiles:
    if not (folder / "merges.txt").is_file():
        raise InputError(f"{folder}: vocab.json has no merges.txt beside it; save the model's tokenizer again")
    special = _special_tokens(folder, config)
    added = {token["content"]: int(index) for index, token in (config.get("added_tokens_decoder") or {}).items()}
    added |= read_json(folder / "added_tokens.json")
    _refuse_added_tokens(folder, config, special, added)
    # RobertaTokenizer takes the first line for the version, and what is after the last line's end for nothing.
    lines = (folder / "merges.txt").read_text(encoding="utf-8").split("\n")[1:-1]
    merges = dict.fromkeys(tuple(line.split()) for line in lines)
    return _files(config, {**read_json(folder / "vocab.json"), **added}, merges, special, 2)


def _files(
    config: Mapping[str, Any],
    vocabulary: Mapping[str, int],
    merges: Iterable[Iterable[str]],
    special: Mapping[str, str],
    separators: int,
) -> ByteLevelFiles:
    tokens = {role: special[role] for role in ("cls_token", "sep_token", "pad_token", "unk_token", "mask_token")}
    pairs = tuple((first, second) for first, second in merges)
    return ByteLevelFiles(
        vocabulary, pairs, bool(config.get("add_prefix_space", False)), separators=separators, **tokens
    )


def _check_tokens(file: Path, files: ByteLevelFiles) -> None:
    """Refuses a vocabulary that lacks a byte, a token of a merge, or one of a role."""
    for what, tokens in (
        ("a byte", byte_alphabet()),
        ("a merge", dict.fromkeys(token for pair in files.merges for token in (*pair, "".join(pair)))),
        ("a role", (files.cls_token, files.sep_token, files.pad_token, files.unk_token, files.mask_token)),
    ):
        lacking = [token for token in tokens if token not in files.vocabulary]
        if lacking:
            raise InputError(
                f"{file}: the vocabulary lacks {lacking[0]!r}, the token of {what}; save the model's tokenizer again"
            )


def _special_tokens(folder: Path, config: Mapping[str, Any]) -> dict[str, str]:
    """The special token of each role."""
    named = {**SPECIAL_TOKENS, **read_json(folder / "special_tokens_map.json"), **config}
    return {role: _content(named[role] or default) for role, default in SPECIAL_TOKENS.items()}


def _surrounding_tokens(
    path: Path, processor: Mapping[str, Any], vocabulary: Mapping[str, int]
) -> tuple[str, str, int]:
    """The tokens that the post-processor puts before and after a text, and how many between two."""
    if processor.get("type") == "RobertaProcessing":
        cls, sep = processor["cls"], processor["sep"]
        if all(vocabulary[token] == index for token, index in (cls, sep)):
            return cls[0], sep[0], 2
    elif processor.get("type") == "TemplateProcessing":
        parts = [
            [(next(iter(part)), *next(iter(part.values())).values()) for part in processor[kind]]
            for kind in ("single", "pair")
        ]
        cls_token, sep_token = parts[0][0][1], parts[0][-1][1]
        cls, sep = (("SpecialToken", token, 0) for token in (cls_token, sep_token))
        if parts[0] == [cls, ("Sequence", "A", 0), sep]:
            for separators in (1, 2):
                between = [sep] * separators
                if parts[1] == [cls, ("Sequence", "A", 0), *between, ("Sequence", "B", 0), sep]:
                    return cls_token, sep_token, separators
    raise InputError(f"{path}: its post_processor does not make <s> a </s></s> b </s> as RoBERTa's does; {REMEDY}")


def _require(path: Path, part: str, found: Mapping[str, Any], known: Mapping[str, tuple[Any, ...]]) -> None:
    for key, value in found.items():
        if key not in known or value not in known[key]:
            raise InputError(
                f"{path}: its {part} says {key} {json.dumps(value)}, which RoBERTa's byte-level BPE does not; {REMEDY}"
            )


def _refuse_added_tokens(
    folder: Path, config: Mapping[str, Any], special: Mapping[str, str], added: Iterable[str]
) -> None:
    """Refuses tokens that Hugging Face looks for in a text before it is split into words."""
    more = read_json(folder / "special_tokens_map.json")
    found = [
        *added,
        *map(_content, (config.get("added_tokens_decoder") or {}).values()),
        *map(_content, config.get("additional_special_tokens") or []),
        *map(_content, more.get("additional_special_tokens") or []),
    ]
    roles = {*special.values(), *SPECIAL_TOKENS.values()}
    tokens = [token for token in dict.fromkeys(found) if token not in roles]
    if tokens:
        raise InputError(
            f"{folder}: {len(tokens)} tokens were added beside the byte-level BPE vocabulary "
            f"({', '.join(tokens[:3])}), which the graph cannot find in a text; choose a base without added tokens"
        )


def _content(token: str | dict[str, Any]) -> str:
    return token["content"] if isinstance(token, dict) else token
