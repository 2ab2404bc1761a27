"""Reads the tokenizer files of a Hugging Face model folder, without TensorFlow or transformers."""

import dataclasses
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from fullbake.components.tokenizer.wordpiece_classes import (
    SPECIAL_TOKENS,
    WORDPIECE_CLASSES,
    class_of,
    default_tokens,
    is_mpnet,
    usual_tokens,
)
from fullbake.contract.errors import InputError
from fullbake.trainer.encoder.base_model import base_sizes

REMEDY = (
    "choose a base model with a tokenizer of a kind that is known (WordPiece, byte-level BPE), such as "
    "bert-base-uncased or roberta-base"
)

# Files by which a folder without tokenizer.json betrays another kind of tokenizer.
OTHER_KINDS = {
    "merges.txt": "byte-pair encoding",
    "bpe.codes": "byte-pair encoding",
    "vocab.json": "byte-pair encoding",
    "spiece.model": "SentencePiece",
    "sentencepiece.bpe.model": "SentencePiece",
    "sentencepiece.model": "SentencePiece",
    "spm.model": "SentencePiece",
    "tokenizer.model": "SentencePiece",
}


@dataclasses.dataclass(frozen=True)
class TokenizerFiles:
    """What the files of a WordPiece tokenizer say.

    Attributes:
        vocabulary: Token to id. Ids need not be contiguous.
        lowercase: Whether text is lower-cased.
        strip_accents: Whether accents are removed; where the files say null, the same as `lowercase`.
        handle_chinese_chars: Whether each Chinese character is a word.
        clean_text: Whether control characters are removed.
        unk_token: The token of a word that the vocabulary cannot spell.
        cls_token: The token before the text.
        sep_token: The token after each text.
        pad_token: The token that fills up rows.
        mask_token: The token that hides a word in masked-LM training.
        continuing_prefix: What marks a token that continues a word, "##".
        max_input_chars_per_word: Longer words become `unk_token`.
        separators: How many `sep_token` stand between two texts. One: the second is told by `token_type_ids` too.
    """

    vocabulary: Mapping[str, int]
    lowercase: bool
    strip_accents: bool
    handle_chinese_chars: bool
    clean_text: bool
    unk_token: str
    cls_token: str
    sep_token: str
    pad_token: str
    mask_token: str
    continuing_prefix: str
    max_input_chars_per_word: int
    separators: int

    def __hash__(self) -> int:
        """By all but the vocabulary, of which the size does; equality compares it whole."""
        values = (getattr(self, field.name) for field in dataclasses.fields(self) if field.name != "vocabulary")
        return hash((len(self.vocabulary), *values))

    def token_id(self, token: str) -> int:
        """The id of a token that the vocabulary has.

        Raises:
            KeyError: It has not.
        """
        return self.vocabulary[token]


def read_tokenizer_files(folder: str | Path) -> TokenizerFiles:
    """Reads tokenizer.json or, where there is none, vocab.txt, and the settings beside it.

    The result is what `BertTokenizerFast.from_pretrained(folder)` works with, or `MPNetTokenizerFast`'s of an MPNet.
    Casing and accents therefore come from tokenizer_config.json, which these put above tokenizer.json, and are their
    defaults (lower-case) if it is silent or missing. Only where it names the class PreTrainedTokenizerFast is
    tokenizer.json alone believed.

    Args:
        folder: A model folder in Hugging Face format.

    Returns:
        The vocabulary and the settings.

    Raises:
        InputError: As `kinds_of_files.read_files`.
    """
    folder = Path(folder)
    config = read_json(folder / "tokenizer_config.json")
    for name, read in (("tokenizer.json", _from_tokenizer_json), ("vocab.txt", _from_vocabulary)):
        if (folder / name).is_file():
            try:
                files = read(folder, config)
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                raise InputError(
                    f"{folder / name}, and the tokenizer's settings beside it, cannot be read as a tokenizer "
                    f"({error!r}); save the model's tokenizer again"
                ) from error
            break
    else:
        for name, kind in OTHER_KINDS.items():
            if (folder / name).is_file():
                raise InputError(f"{folder}: its tokenizer is {kind} ({name}), not WordPiece; {REMEDY}")
        raise InputError(
            f"{folder}: no tokenizer files (tokenizer.json or vocab.txt); save the model's tokenizer there"
        )
    for role in SPECIAL_TOKENS:
        token = getattr(files, role)
        if token not in files.vocabulary:
            raise InputError(
                f"{folder}: the {role} {token!r} is not in the vocabulary; save the model's tokenizer again"
            )
    check_embeddings(folder, files.vocabulary)
    return files


def check_embeddings(folder: Path, vocabulary: Mapping[str, int]) -> None:
    """Refuses a tokenizer that gives ids which the model beside it has no embedding for."""
    if not (folder / "config.json").is_file():
        return
    rows = base_sizes(folder)["vocabulary"]
    token, last = max(vocabulary.items(), key=lambda item: item[1])
    if last >= rows:
        raise InputError(
            "the tokenizer in {folder} has ids up to {last} and the model only {rows} embeddings "
            "(vocab_size in its config.json); the two are not of one model: fetch both again, or resize the model's "
            "embeddings",
            field="base",
            folder=folder,
            last=f"{last} ({token!r})",
            rows=rows,
        )


def _from_tokenizer_json(folder: Path, config: Mapping[str, Any]) -> TokenizerFiles:
    path = folder / "tokenizer.json"
    content = read_json(path)
    model, normalizer = content["model"], content["normalizer"] or {}
    _require(path, "model", model.get("type"), "WordPiece")
    _require(path, "normalizer", normalizer.get("type"), "BertNormalizer")
    _require(path, "pre_tokenizer", (content["pre_tokenizer"] or {}).get("type"), "BertPreTokenizer")
    added = {token["content"]: token["id"] for token in content.get("added_tokens") or []}
    _refuse_added_tokens(folder, config, added)
    if config.get("tokenizer_class") == "PreTrainedTokenizerFast":
        config = {
            **config,
            "do_lower_case": normalizer["lowercase"],
            "strip_accents": normalizer["strip_accents"],
            "tokenize_chinese_chars": normalizer["handle_chinese_chars"],
        }
    elif is_mpnet(_class_of(folder, config)):
        # Its class sets casing and accents alone.
        config = {**config, "tokenize_chinese_chars": normalizer["handle_chinese_chars"]}
    said = _tokenizer_files(folder, config, {**model["vocab"], **added})
    cls_token, sep_token = _surrounding_tokens(path, content.get("post_processor") or {}, said.separators)
    return dataclasses.replace(
        said,
        clean_text=normalizer["clean_text"],
        unk_token=model["unk_token"],
        cls_token=cls_token,
        sep_token=sep_token,
        continuing_prefix=model["continuing_subword_prefix"],
        max_input_chars_per_word=model["max_input_chars_per_word"],
    )


def _from_vocabulary(folder: Path, config: Mapping[str, Any]) -> TokenizerFiles:
    path = folder / "vocab.txt"
    name = _class_of(folder, config)
    if name and name not in WORDPIECE_CLASSES:
        raise InputError(f"{folder}: its tokenizer is a {name}, not BERT's WordPiece; {REMEDY}")
    if (folder / "bpe.codes").is_file():
        raise InputError(f"{folder}: its tokenizer is {OTHER_KINDS['bpe.codes']} (bpe.codes), not WordPiece; {REMEDY}")
    added = {token["content"]: int(index) for index, token in (config.get("added_tokens_decoder") or {}).items()}
    added |= read_json(folder / "added_tokens.json")
    _refuse_added_tokens(folder, config, added)
    try:
        with path.open(encoding="utf-8") as lines:
            vocabulary = {line.rstrip("\n"): index for index, line in enumerate(lines)}
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 ({error}); save the model's tokenizer again") from error
    return _tokenizer_files(folder, config, {**vocabulary, **added})


def _class_of(folder: Path, config: Mapping[str, Any]) -> str:
    return class_of(config, read_json(folder / "config.json"))


def _tokenizer_files(folder: Path, config: Mapping[str, Any], vocabulary: Mapping[str, int]) -> TokenizerFiles:
    """What tokenizer_config.json says, and for the rest the defaults of its class."""
    special = _special_tokens(folder, config)
    lowercase, accents = bool(config.get("do_lower_case", True)), config.get("strip_accents")
    return TokenizerFiles(
        vocabulary=vocabulary,
        lowercase=lowercase,
        strip_accents=lowercase if accents is None else bool(accents),
        handle_chinese_chars=bool(config.get("tokenize_chinese_chars", True)),
        clean_text=True,
        unk_token=special["unk_token"],
        cls_token=special["cls_token"],
        sep_token=special["sep_token"],
        pad_token=special["pad_token"],
        mask_token=special["mask_token"],
        continuing_prefix="##",
        max_input_chars_per_word=100,
        separators=2 if is_mpnet(_class_of(folder, config)) else 1,
    )


def _special_tokens(folder: Path, config: Mapping[str, Any]) -> dict[str, str]:
    """The special token of each role."""
    defaults = default_tokens(_class_of(folder, config))
    named = {**defaults, **read_json(folder / "special_tokens_map.json"), **config}
    tokens = {role: named[role] or default for role, default in defaults.items()}
    return {role: _content(token) for role, token in tokens.items()}


def _surrounding_tokens(path: Path, processor: Mapping[str, Any], separators: int) -> tuple[str, str]:
    """The tokens that the post-processor puts before and after a text; of the latter, `separators` between two."""
    if processor.get("type") == ("BertProcessing" if separators == 1 else "RobertaProcessing"):
        return processor["cls"][0], processor["sep"][0]
    if processor.get("type") == "TemplateProcessing":
        single = [next(iter(part.items())) for part in processor["single"]]
        pair = [next(iter(part.items())) for part in processor["pair"]]
        if [kind for kind, _ in single] == ["SpecialToken", "Sequence", "SpecialToken"]:
            cls_token, sep_token = single[0][1]["id"], single[2][1]["id"]
            if [(part["id"], part["type_id"]) for _, part in pair] == [
                (cls_token, 0), ("A", 0), *[(sep_token, 0)] * separators, ("B", 1), (sep_token, 1)
            ]:  # fmt: skip
                return cls_token, sep_token
    made = "[CLS] a [SEP] b [SEP] as BERT's" if separators == 1 else "<s> a </s></s> b </s> as MPNet's"
    raise InputError(f"{path}: its post_processor does not make {made} does; {REMEDY}")


def _require(path: Path, part: str, found: str | None, wanted: str) -> None:
    if found != wanted:
        raise InputError(f"{path}: its {part} is {found or 'missing'}, not BERT's {wanted}; {REMEDY}")


def _refuse_added_tokens(folder: Path, config: Mapping[str, Any], added: Iterable[str]) -> None:
    """Refuses tokens that Hugging Face looks for in a text before it is split into words.

    Args:
        folder: The model folder.
        config: Its tokenizer_config.json.
        added: The tokens that tokenizer.json or added_tokens.json adds.
    """
    more = read_json(folder / "special_tokens_map.json")
    found = [
        *added,
        *(config.get("added_tokens_decoder") or {}).values(),
        *(config.get("additional_special_tokens") or []),
        *(more.get("additional_special_tokens") or []),
    ]
    # By role [CLS] and its like are added too; typed by a user they are ordinary text here (see RowTokenizer).
    roles = {*_special_tokens(folder, config).values(), *usual_tokens(_class_of(folder, config))}
    tokens = [token for token in dict.fromkeys(map(_content, found)) if token not in roles]
    if tokens:
        raise InputError(
            f"{folder}: {len(tokens)} tokens were added beside the WordPiece vocabulary ({', '.join(tokens[:3])}), "
            "which the graph cannot find in a text; choose a base model without added tokens"
        )


def _content(token: str | dict[str, Any]) -> str:
    return token["content"] if isinstance(token, dict) else token


def read_json(path: Path) -> dict[str, Any]:
    """The content of a JSON file, empty where there is none."""
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path}: not valid JSON ({error}); save the model's tokenizer again") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: not a JSON object; save the model's tokenizer again")
    return content
