"""Small real things that many tests need: base models of two layers, and tokenized examples."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from collections.abc import Callable
from pathlib import Path

import pytest

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = "you are a bad good kind of person what the day garden idiot fool lovely very not is it".split()
VOCABULARY = [*SPECIAL, *WORDS, *"abcdefghijklmnopqrstuvwxyz.,!?", *(f"##{c}" for c in "abcdefghijklmnopqrstuvwxyz")]


def make_base(folder: Path, model_type: str = "bert", *, layers: int = 2, seed: int = 7) -> Path:
    """Writes a random encoder of width 32 with its tokenizer, as Hugging Face would."""
    import trainer  # noqa: F401  (Keras 2)

    import tf_keras
    from transformers import BertConfig, BertTokenizerFast, DistilBertConfig, ElectraConfig
    from transformers import TFBertModel, TFDistilBertModel, TFElectraModel

    tf_keras.utils.set_random_seed(seed)
    size = {"vocab_size": len(VOCABULARY), "max_position_embeddings": 64}
    model = {
        "bert": lambda: TFBertModel(
            BertConfig(**size, hidden_size=32, num_hidden_layers=layers, num_attention_heads=2, intermediate_size=64)
        ),
        "distilbert": lambda: TFDistilBertModel(
            DistilBertConfig(**size, dim=32, n_layers=layers, n_heads=2, hidden_dim=64)
        ),
        "electra": lambda: TFElectraModel(
            ElectraConfig(
                **size,
                embedding_size=32,
                hidden_size=32,
                num_hidden_layers=layers,
                num_attention_heads=2,
                intermediate_size=64,
            )
        ),
    }[model_type]()
    model.build_in_name_scope()
    model.save_pretrained(folder, safe_serialization=True)
    (folder / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n", encoding="utf-8")
    BertTokenizerFast(str(folder / "vocab.txt"), do_lower_case=True).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random two-layer BERT."""
    return make_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="session")
def base_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Makes a random two-layer encoder of the given type."""
    return lambda model_type: make_base(tmp_path_factory.mktemp(model_type), model_type)
