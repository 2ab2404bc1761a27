"""Makes SentencePiece unigram tokenizers as Hugging Face's converters write them, without the sentencepiece package."""

from __future__ import annotations

import json
import struct
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, normalizers, pre_tokenizers, processors
from tokenizers.models import Unigram
from tokenizers.trainers import UnigramTrainer
from transformers import AlbertTokenizerFast, XLMRobertaTokenizerFast

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


def nmt_nfkc() -> dict[str, str]:
    """SentencePiece's rule `nmt_nfkc` as far as Python's Unicode has it: NFKC, and control characters that go."""
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
