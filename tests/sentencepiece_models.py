"""Trains SentencePiece models with the package itself, as the models' makers did, and saves them alone."""

from __future__ import annotations

import functools
import io
import json
from pathlib import Path

import sentencepiece

from tests.components.tokenizer.languages import SENTENCES

# By model_type, the name of the file, the trainer's settings, and tokenizer_config.json as the hub has it of such a
# model.
KINDS: dict[str, tuple[str, dict[str, object], dict[str, object] | None]] = {
    "xlm-roberta": ("sentencepiece.bpe.model", {}, None),
    # As its README has it: https://github.com/google-research/albert
    "albert": (
        "spiece.model",
        {
            "pad_id": 0,
            "unk_id": 1,
            "bos_id": -1,
            "eos_id": -1,
            "control_symbols": ["[CLS]", "[SEP]", "[MASK]"],
            "user_defined_symbols": ["(", ")", '"', "-", ".", "–", "£", "€"],
        },
        None,
    ),
    "camembert": ("sentencepiece.bpe.model", {}, None),
    "deberta-v2": (
        "spm.model",
        {
            **{"pad_id": 0, "bos_id": 1, "eos_id": 2, "unk_id": 3},
            **{"pad_piece": "[PAD]", "bos_piece": "[CLS]", "eos_piece": "[SEP]", "unk_piece": "[UNK]"},
        },
        {"do_lower_case": False, "vocab_type": "spm"},
    ),
}
SIZE = 400  # no model has more pieces


@functools.cache
def train(model_type: str) -> bytes:
    """Returns what is in the `.model` file of such a base."""
    file = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=(text for texts in SENTENCES.values() for text in texts),
        model_writer=file,
        vocab_size=SIZE,
        hard_vocab_limit=False,
        minloglevel=2,
        **KINDS[model_type][1],
    )
    return file.getvalue()


def save_alone(folder: Path, model_type: str) -> Path:
    """Takes the tokenizer's files out of a base's folder, if there are any, and writes a SentencePiece model alone."""
    folder.mkdir(exist_ok=True)
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"):
        (folder / name).unlink(missing_ok=True)
    name, _, config = KINDS[model_type]
    (folder / name).write_bytes(train(model_type))
    if config is not None:
        (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return folder


def leave_it_alone(base: Path, model_type: str) -> Path:
    """Makes a random base's embeddings as many as the pieces, and its tokenizer a SentencePiece model alone."""
    from transformers import TFAutoModel

    encoder = TFAutoModel.from_pretrained(base)
    encoder.resize_token_embeddings(SIZE + 10)
    encoder.save_pretrained(base, safe_serialization=True)
    return save_alone(base, model_type)
