"""Reads the tokenizer.json of a SentencePiece unigram tokenizer, without TensorFlow or transformers."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fullbake.contract.errors import InputError
from fullbake.trainer.encoder.base_model import base_sizes

WORD_MARK = "▁"
"""What SentencePiece writes for a space: a piece with which a word begins has it in front."""

REMEDY = "choose a base model whose tokenizer is known, such as xlm-roberta-base"

JOIN_QUOTES, FOLD, CHARSMAP, STRIP, STRIP_END, JOIN_SPACES = (
    *("join quotes", "fold", "charsmap", "strip", "strip end", "join spaces"),
)
"""What is done to a text before it is split: two grave accents, or two apostrophes, become a quotation mark; each
character is changed by steps of `tokenizers`; SentencePiece's precompiled normalisation is applied; white space at both
ends, or at the end, is removed; a run of spaces becomes one."""

# Steps of a normalizer in the orders in which Hugging Face's converters write them, each at most once: DeBERTa's strips
# before the charsmap and at both ends, the others after it and at the end.
_FOLDING = ("NFKD", "StripAccents", "Lowercase")
_STEPS = ("``", "''", *_FOLDING, "Precompiled", "Strip", " {2,}")
_DEBERTA_STEPS = ("Lowercase", "Strip", "Precompiled", " {2,}")

# What CamemBERT's vocabulary holds and no text is meant to spell.
_UNUSED = ("<s>NOTUSED", "</s>NOTUSED", "<unk>NOTUSED")
_ROLES = ("mask_token", "pad_token", "unk_token", "cls_token", "sep_token", "bos_token", "eos_token")


@dataclass(frozen=True)
class UnigramFiles:
    """What a tokenizer.json with a unigram model says.

    Attributes:
        digest: SHA-256 of the file; two that are equal in it are equal.
        pieces: By id, what each piece spells; the last may be special tokens beside the vocabulary.
        scores: By id, the logarithm of each piece's probability.
        special: The ids of special tokens, which no text spells.
        unknown_id: The id of what no piece spells.
        byte_ids: By byte, the id of the piece that stands for it in what no piece spells; empty: there are none.
        steps: What is done to a text, in this order: `JOIN_QUOTES` and the others.
        folding: The steps of `tokenizers` by which `FOLD` changes each character, such as Lowercase.
        charsmap: What `CHARSMAP` applies.
        parts_at_whitespace: Whether any white space parts words, beside the space.
        parts_punctuation: Whether each punctuation character is a word.
        start_id: Before the text.
        end_id: After the text.
        between_ids: Between two texts.
        pad_id: In what is left of a row.
        mask_id: Hides a token in masked-LM training.
        has_types: Whether a second text is told from the first by `token_type_ids`.
    """

    digest: str
    pieces: tuple[str, ...] = field(compare=False)
    scores: tuple[float, ...] = field(compare=False)
    special: frozenset[int] = field(compare=False)
    unknown_id: int = field(compare=False)
    byte_ids: tuple[int, ...] = field(compare=False)
    steps: tuple[str, ...] = field(compare=False)
    folding: tuple[str, ...] = field(compare=False)
    charsmap: bytes = field(compare=False)
    parts_at_whitespace: bool = field(compare=False)
    parts_punctuation: bool = field(compare=False)
    start_id: int = field(compare=False)
    end_id: int = field(compare=False)
    between_ids: tuple[int, ...] = field(compare=False)
    pad_id: int = field(compare=False)
    mask_id: int = field(compare=False)
    has_types: bool = field(compare=False)


def read_unigram_files(folder: str | Path) -> UnigramFiles:
    """Reads tokenizer.json, which alone says what Hugging Face's fast tokenizer does, and the names of its tokens.

    Args:
        folder: A model folder in Hugging Face format, whose tokenizer.json holds a unigram model.

    Raises:
        InputError: The file is broken, or says something that is not known here.
    """
    path = Path(folder) / "tokenizer.json"
    try:
        files = _read(path)
    except (AttributeError, KeyError, TypeError, ValueError, IndexError, binascii.Error) as error:
        raise InputError(
            f"{path}, and the tokenizer's settings beside it, cannot be read as a tokenizer ({error!r}); save the "
            "model's tokenizer again"
        ) from error
    if (path.parent / "config.json").is_file():
        rows = base_sizes(path.parent)["vocabulary"]
        if len(files.pieces) > rows:
            raise InputError(
                "the tokenizer in {folder} has ids up to {last} and the model only {rows} embeddings (vocab_size in "
                "its config.json); the two are not of one model: fetch both again, or resize the model's embeddings",
                field="base",
                folder=folder,
                last=len(files.pieces) - 1,
                rows=rows,
            )
    return files


def _read(path: Path) -> UnigramFiles:
    raw = path.read_bytes()
    content = json.loads(raw)
    config = _settings(path.parent / "tokenizer_config.json")
    if config.get("auto_map"):
        raise InputError(
            f"{path.parent}: its tokenizer is code of its own (auto_map in tokenizer_config.json), which is never run "
            f"(trust_remote_code is off); {REMEDY}"
        )
    model = content["model"]
    pieces = [str(piece) for piece, _ in model["vocab"]]
    scores = [float(score) for _, score in model["vocab"]]
    if len(set(pieces)) != len(pieces):
        raise InputError(f"{path}: its vocabulary names a piece twice; {REMEDY}")
    added = {token["content"]: token["id"] for token in content.get("added_tokens") or []}
    # Special tokens may go on where the vocabulary ends, as DeBERTa's [MASK] does.
    beside = sorted((index, token) for token, index in added.items() if index >= len(pieces))
    if [index for index, _ in beside] == list(range(len(pieces), len(pieces) + len(beside))):
        pieces += [token for _, token in beside]
        scores += [max(scores)] * len(beside)  # Whatever does not change the lowest.
    number = {piece: index for index, piece in enumerate(pieces)}
    named = {
        "mask_token": "[MASK]" if "[MASK]" in number else "<mask>",
        "pad_token": "[PAD]" if "[PAD]" in number else "<pad>",
    } | config
    roles = {role: _token(named[role]) for role in _ROLES if role in named}
    start, between, end, has_types = _layout(path, content.get("post_processor") or {})
    unknown = int(model["unk_id"])
    used = (start, end, *between, roles["mask_token"], roles["pad_token"])
    known = {*used, *roles.values(), pieces[unknown], "<s>", "</s>", "<unk>", "[UNK]", *_UNUSED}
    more = [token for token in added if token not in known]
    if more:
        raise InputError(
            f"{path}: {len(more)} tokens were added beside the vocabulary ({', '.join(more[:3])}), which the graph "
            "cannot find in a text; choose a base model without added tokens"
        )
    misplaced = [token for token, index in added.items() if number.get(token) != index]
    absent = [token for token in used if token not in number]
    if misplaced or absent:
        raise InputError(
            f"{path}: the special token {(misplaced + absent)[0]!r} is not in the vocabulary where it should be; save "
            "the model's tokenizer again"
        )
    return UnigramFiles(
        digest=hashlib.sha256(raw).hexdigest() + "".join(roles.values()),
        pieces=tuple(pieces),
        scores=tuple(scores),
        special=frozenset({number[token] for token in known if token in number}),
        unknown_id=unknown,
        byte_ids=_byte_ids(number) if model.get("byte_fallback") else (),
        start_id=number[start],
        end_id=number[end],
        between_ids=tuple(number[token] for token in between),
        pad_id=number[roles["pad_token"]],
        mask_id=number[roles["mask_token"]],
        has_types=has_types,
        **_normalizing(path, content.get("normalizer")),
        **_splitting(path, content.get("pre_tokenizer") or {}),
    )


def _byte_ids(number: Mapping[str, int]) -> tuple[int, ...]:
    """The ids of the pieces of bytes; a KeyError names the first that is missing."""
    return tuple(number[f"<0x{byte:02X}>"] for byte in range(256))


def _normalizing(path: Path, normalizer: Mapping[str, Any] | None) -> dict[str, Any]:
    steps = [] if normalizer is None else normalizer.get("normalizers", [normalizer])
    names = [step["type"] for step in steps]
    by_name = {_step_name(step): step for step in steps}
    strip = by_name.get("Strip", {"strip_left": False, "strip_right": True})
    quotes = [name for name in ("``", "''") if by_name.get(name, {}).get("content") == '"']
    folding = tuple(name for name in _FOLDING if name in by_name)
    order = _DEBERTA_STEPS if strip["strip_left"] else _STEPS
    is_known = (
        list(by_name) == [name for name in order if name in by_name]
        and len(by_name) == len(steps)
        and strip["strip_right"]
        and by_name.get(" {2,}", {"content": " "})["content"] in (" ", WORD_MARK)
        and quotes == [name for name in ("``", "''") if name in by_name]
        and len(quotes) != 1
        # Decomposed marks would have to be sorted.
        and ("NFKD" in folding) == ("StripAccents" in folding)
    )
    if not is_known:
        raise InputError(
            f"{path}: its normalizer does not do what is known here, what those of XLM-RoBERTa, CamemBERT, ALBERT and "
            f"DeBERTa do, in their order (it is: {', '.join(names)}); {REMEDY}"
        )
    kinds = {
        **{"``": JOIN_QUOTES, "''": JOIN_QUOTES, "Precompiled": CHARSMAP, " {2,}": JOIN_SPACES},
        **dict.fromkeys(_FOLDING, FOLD),
        "Strip": STRIP if strip["strip_left"] else STRIP_END,
    }
    charsmap = by_name.get("Precompiled", {}).get("precompiled_charsmap") or ""
    done = dict.fromkeys(kinds[name] for name in by_name if name != "Precompiled" or charsmap)
    return {"steps": tuple(done), "folding": folding, "charsmap": base64.b64decode(charsmap)}


def _step_name(step: Mapping[str, Any]) -> str:
    """What a step of a normalizer is called here: its type, or what it replaces."""
    return next(iter(step["pattern"].values())) if step["type"] == "Replace" else step["type"]


def _splitting(path: Path, splitting: Mapping[str, Any]) -> dict[str, Any]:
    """Whether what comes before Metaspace parts words at white space, or punctuation."""
    steps = splitting["pretokenizers"] if splitting.get("type") == "Sequence" else [splitting]
    names = [step.get("type") for step in steps]
    metaspace = steps[-1]
    prepends = metaspace.get("prepend_scheme", "always" if metaspace.get("add_prefix_space", True) else "never")
    if (
        names not in (["Metaspace"], ["WhitespaceSplit", "Metaspace"], ["Punctuation", "Metaspace"])
        or metaspace["replacement"] != WORD_MARK
        or prepends != "always"
        or not metaspace.get("split", True)
        or steps[0].get("behavior", "Isolated") != "Isolated"
    ):
        raise InputError(
            f"{path}: its pre_tokenizer is not Metaspace with {WORD_MARK} before each word, alone or after "
            f"WhitespaceSplit or Punctuation (it is: {', '.join(map(str, names))}); {REMEDY}"
        )
    return {"parts_at_whitespace": "WhitespaceSplit" in names, "parts_punctuation": "Punctuation" in names}


def _layout(path: Path, processor: Mapping[str, Any]) -> tuple[str, tuple[str, ...], str, bool]:
    """The tokens before a text, between two, after them, and whether the second has a type of its own."""
    if processor.get("type") == "RobertaProcessing":
        end = processor["sep"][0]
        return processor["cls"][0], (end, end), end, False
    if processor.get("type") == "TemplateProcessing":
        single, pair = ([next(iter(part.items())) for part in processor[name]] for name in ("single", "pair"))
        texts = [place for place, (kind, _) in enumerate(pair) if kind == "Sequence"]
        if [kind for kind, _ in single] == ["SpecialToken", "Sequence", "SpecialToken"] and len(texts) == 2:
            tokens = [part["id"] for _, part in pair]
            types = [part["type_id"] for _, part in pair]
            start, end, second = single[0][1]["id"], single[2][1]["id"], texts[1]
            ordered = texts[0] == 1 and second == len(pair) - 2 and tokens[0] == start and tokens[-1] == end
            plain = [0] * len(pair)
            if ordered and types in (plain, [0] * second + [1, 1]):
                return start, tuple(tokens[2:second]), end, types != plain
    raise InputError(f"{path}: its post_processor does not put one token before a text and one after it; {REMEDY}")


def _token(token: str | Mapping[str, Any]) -> str:
    return token["content"] if isinstance(token, Mapping) else token


def _settings(path: Path) -> dict[str, Any]:
    """tokenizer_config.json over special_tokens_map.json."""
    found: dict[str, Any] = {}
    for file in (path.with_name("special_tokens_map.json"), path):
        if file.is_file():
            found |= {key: value for key, value in json.loads(file.read_bytes()).items() if value is not None}
    return found
