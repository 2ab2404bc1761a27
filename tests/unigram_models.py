"""Makes SentencePiece unigram tokenizers as Hugging Face's converters write them, without the sentencepiece package.

CamemBERT's and DeBERTa's are what transformers' own converters make of a SentencePiece model.
"""

from __future__ import annotations

import json
import struct
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tokenizers import Regex, Tokenizer, decoders, normalizers, pre_tokenizers, processors
from tokenizers.models import Unigram
from tokenizers.trainers import UnigramTrainer
from transformers import (
    AlbertTokenizerFast,
    CamembertTokenizerFast,
    DebertaV2TokenizerFast,
    XLMRobertaTokenizerFast,
)

# Not as a member of transformers, where a function of this name may take its place.
from transformers.convert_slow_tokenizer import CamembertConverter, DebertaV2Converter, import_protobuf

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]


def pack_charsmap(replacements: Mapping[str, str]) -> bytes:
    """Packs strings and what replaces them as SentencePiece does: a double array (Darts) and the replacements."""
    texts, starts = bytearray(), {}
    trie: dict = {}
    for key in sorted(replacements, key=str.encode):
        text = replacements[key]
        if text not in starts:
            starts[text] = len(texts)
            texts += text.encode() + b"\0"
        node = trie
        for byte in key.encode():
            node = node.setdefault(byte, {})
        node[0] = starts[text]
    units, bases, first = {0: 0}, set(), 1
    waiting = [(trie, 0)]
    while waiting:
        node, place = waiting.pop()
        base = first
        while base in bases or any(base ^ byte in units for byte in node):
            base += 1
        first = max(first, base - 500)
        bases.add(base)
        units[place] |= (place ^ base) << 10 | (0 in node) << 8
        for byte, child in node.items():
            units[base ^ byte] = byte or child | 1 << 31
            if byte:
                waiting.append((child, base ^ byte))
    size = (max(units) | 0xFF) + 1
    array = struct.pack(f"<{size}I", *(units.get(place, 0) for place in range(size)))
    return struct.pack("<I", len(array)) + array + bytes(texts)


def nfkc() -> dict[str, str]:
    """SentencePiece's rule `nfkc` as far as Python's Unicode has it."""
    found = {}
    for code in range(1, 0x30000):
        char = chr(code)
        if 0xD800 <= code < 0xE000:
            continue
        plain = unicodedata.normalize("NFKC", char)
        if plain != char:
            found[char] = plain
        whole = unicodedata.normalize("NFD", char)
        if len(whole) > 1 and not 0xAC00 <= code < 0xD7A4:
            found[whole] = plain
    return found


def nmt_nfkc() -> dict[str, str]:
    """SentencePiece's rule `nmt_nfkc`: the same, control characters that go, and more that become spaces."""
    found = nfkc()
    found |= {chr(code): "" for code in (*range(1, 9), 0xB, *range(0xE, 0x20), 0x7F, 0x8F, 0x9F)}
    found |= dict.fromkeys("\t\n\x0c\r\u1680\u200b\u200e\u200f\u2028\u2029▁\ufeff�", " ")
    return found


def train_pieces(texts: Iterable[str], size: int) -> list[tuple[str, float]]:
    """Trains pieces and their scores."""
    tokenizer = Tokenizer(Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = UnigramTrainer(vocab_size=size, special_tokens=[SPECIAL[3]], unk_token=SPECIAL[3], show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    vocabulary = json.loads(tokenizer.to_str())["model"]["vocab"]
    return [(piece, score) for piece, score in vocabulary if piece != SPECIAL[3]]


def save_xlm_roberta(
    folder: Path,
    pieces: Iterable[tuple[str, float]],
    *,
    charsmap: bytes = b"",
    byte_fallback: bool = False,
    parts_at_whitespace: bool = False,
) -> Path:
    """Writes the files of an XLM-RoBERTa tokenizer.

    Args:
        folder: Made if missing.
        pieces: And their scores; the special ones are added.
        charsmap: Its precompiled normalisation.
        byte_fallback: Whether it has pieces for bytes.
        parts_at_whitespace: As the tokenizer.json of xlm-roberta-base, made in 2020, has it; else as transformers
            converts one today.
    """
    octets = [(f"<0x{byte:02X}>", 0.0) for byte in range(256)] if byte_fallback else []
    vocabulary = [*((token, 0.0) for token in SPECIAL), *octets, *pieces, ("<mask>", 0.0)]
    tokenizer = Tokenizer(Unigram(vocabulary, unk_id=3, byte_fallback=byte_fallback))
    steps = [normalizers.Precompiled(charsmap)] if charsmap else []
    metaspace = pre_tokenizers.Metaspace("▁", prepend_scheme="always")
    if parts_at_whitespace:
        steps.append(normalizers.Replace(Regex(" {2,}"), " "))
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), metaspace])
    else:
        steps += [normalizers.Strip(left=False, right=True), normalizers.Replace(Regex(" {2,}"), "▁")]
        tokenizer.pre_tokenizer = metaspace
    tokenizer.normalizer = normalizers.Sequence(steps)
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    folder.mkdir(parents=True, exist_ok=True)
    XLMRobertaTokenizerFast(tokenizer_object=tokenizer).save_pretrained(folder)
    return folder


def save_albert(folder: Path, pieces: Iterable[tuple[str, float]], *, charsmap: bytes = b"") -> Path:
    """Writes the files of an ALBERT tokenizer, as transformers converts one; the arguments are as above."""
    special = ["<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = Tokenizer(Unigram([*((token, 0.0) for token in special), *pieces], unk_id=1))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Replace("``", '"'),
            normalizers.Replace("''", '"'),
            normalizers.NFKD(),
            normalizers.StripAccents(),
            normalizers.Lowercase(),
            *([normalizers.Precompiled(charsmap)] if charsmap else []),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace("▁", prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    folder.mkdir(parents=True, exist_ok=True)
    AlbertTokenizerFast(tokenizer_object=tokenizer).save_pretrained(folder)
    return folder


def save_camembert(folder: Path, pieces: Iterable[tuple[str, float]], *, charsmap: bytes = b"") -> Path:
    """Writes the files of a CamemBERT tokenizer; the arguments are as above.

    It has the ids 0 to 6 for special tokens, those of the pieces, and one for <mask>.
    """
    model = _sentencepiece(folder, ("<unk>", "<s>", "</s>"), pieces, charsmap)
    # Where its slow tokenizer has them: the pieces follow on four ids of its own.
    ids = {"<s>": 5, "</s>": 6}
    converter = CamembertConverter(SimpleNamespace(vocab_file=model, convert_tokens_to_ids=ids.get))
    CamembertTokenizerFast(tokenizer_object=converter.converted()).save_pretrained(folder)
    model.unlink()
    return folder


def save_deberta(
    folder: Path,
    pieces: Iterable[tuple[str, float]],
    *,
    charsmap: bytes = b"",
    split_by_punct: bool = False,
    lower: bool = False,
) -> Path:
    """Writes the files of a DeBERTa-v2 tokenizer, as version 3 has it too.

    It has the ids 0 to 3 for special tokens, those of the pieces, and one beside the vocabulary for [MASK].

    Args:
        folder: Made if missing.
        pieces: And their scores; the special ones are added.
        charsmap: Its precompiled normalisation.
        split_by_punct: Whether each punctuation character is a word.
        lower: Whether text is lower-cased.
    """
    special = ("[PAD]", "[CLS]", "[SEP]", "[UNK]")
    model = _sentencepiece(folder, special, pieces, charsmap)
    settings: dict[str, Any] = {"split_by_punct": split_by_punct, "do_lower_case": lower}
    converter = DebertaV2Converter(SimpleNamespace(vocab_file=model, convert_tokens_to_ids=special.index, **settings))
    DebertaV2TokenizerFast(tokenizer_object=converter.converted(), **settings).save_pretrained(folder)
    model.unlink()
    return folder


def _sentencepiece(
    folder: Path, special: tuple[str, ...], pieces: Iterable[tuple[str, float]], charsmap: bytes
) -> Path:
    """Writes a SentencePiece model as training does, for converters to read."""
    file = import_protobuf()
    model = file.ModelProto()
    kinds = file.ModelProto.SentencePiece
    for number, piece in enumerate(special):
        is_unknown = piece in ("<unk>", "[UNK]")
        model.pieces.add(piece=piece, score=0.0, type=kinds.UNKNOWN if is_unknown else kinds.CONTROL)
        if is_unknown:
            model.trainer_spec.unk_id = number
    for piece, score in pieces:
        model.pieces.add(piece=piece, score=score)
    model.normalizer_spec.precompiled_charsmap = charsmap
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "trained.model"
    path.write_bytes(model.SerializeToString())
    return path
