"""Small real things that many tests need: base models of two layers, and tokenized examples."""

import dataclasses
import json
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from collections.abc import Callable, Iterator
from pathlib import Path

# Here, before any test makes a pipeline: Beam imports google-cloud-bigquery, which keeps an ImportError and by
# its traceback every frame of the import; a pipeline so kept to the end crashes Python 3.13 (protobuf issue 22067).
import apache_beam  # noqa: F401
import pytest

import fullbake  # noqa: F401  (chooses Keras 2 before anything imports TensorFlow)
from fullbake.trainer.windows import Windows
from tests.warm import WarmProcess

# Whole runs, minutes each. They begin first, for a process that is left alone with one at the end has no company.
LONGEST_FIRST = (
    "tests/test_walkthrough.py",
    "tests/pipeline/embedded/test_embedded_run.py",
    "tests/test_notebook.py",
    "tests/kubeflow/test_emulation.py",
    "tests/kubeflow/test_training_job.py",
    "tests/pipeline/test_end_to_end.py",
    "tests/pipeline/test_many_options.py",
    "tests/pipeline/test_windows_run.py",
    "tests/pipeline/test_roberta_run.py",
    "tests/pipeline/test_compare.py",
    "tests/trainer/test_every_family.py",
    "tests/trainer/test_fine_tune.py",
    "tests/trainer/test_pretrain.py",
    "tests/pipeline/test_chaos.py",
    "tests/trainer/test_distribution.py",
    "tests/trainer/test_hugging_face.py",
    "tests/pipeline/test_spans.py",
    "tests/trainer/test_tune.py",
    "tests/pipeline/test_production_changes.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the longest files first; the order within a file stays."""
    place = {file: number for number, file in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: place.get(item.nodeid.partition("::")[0], len(place)))


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Names bytes by their argument: what gzip writes holds the time, and two processes must find the same tests."""
    return argname if isinstance(val, bytes) else None


SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
MPNET_SPECIAL = ["<s>", "<pad>", "</s>", "[UNK]", "<mask>"]
WORDS = "you are a bad good kind of person what the day garden idiot fool lovely very not is it".split()  # noqa: SIM905
LETTERS = "abcdefghijklmnopqrstuvwxyz"
VOCABULARY = list(dict.fromkeys([*SPECIAL, *WORDS, *LETTERS, *".,!?", *(f"##{letter}" for letter in LETTERS)]))

BYTE_LEVEL_MERGES = 30


# Of an XLM-RoBERTa; with the five special ones they are fewer than VOCABULARY, whose length is that of all embeddings.
PIECES = [("▁", -4.0), *((f"▁{word}", -5.0) for word in WORDS), *((char, -6.0) for char in LETTERS + ".,!?")]


SENTENCEPIECE = {
    "albert": "save_albert",
    "camembert": "save_camembert",
    "deberta-v2": "save_deberta",
    "xlm-roberta": "save_xlm_roberta",
}


def make_base(folder: Path, model_type: str = "bert", *, layers: int = 2, seed: int = 7) -> Path:
    """Writes a random encoder of width 32 with its tokenizer, as Hugging Face would."""
    import tf_keras
    from transformers import (
        AlbertConfig,
        BertConfig,
        BertTokenizerFast,
        CamembertConfig,
        DebertaV2Config,
        DistilBertConfig,
        ElectraConfig,
        MPNetConfig,
        MPNetTokenizerFast,
        RobertaConfig,
        TFAlbertModel,
        TFBertModel,
        TFCamembertModel,
        TFDebertaV2Model,
        TFDistilBertModel,
        TFElectraModel,
        TFMPNetModel,
        TFRobertaModel,
        TFXLMRobertaForMaskedLM,
        XLMRobertaConfig,
    )

    tf_keras.utils.set_random_seed(seed)
    size = {"vocab_size": len(VOCABULARY), "max_position_embeddings": 64}
    width = {"hidden_size": 32, "num_hidden_layers": layers, "num_attention_heads": 2, "intermediate_size": 64}
    model = {
        "bert": lambda: TFBertModel(BertConfig(**size, **width)),
        "distilbert": lambda: TFDistilBertModel(
            DistilBertConfig(**size, dim=32, n_layers=layers, n_heads=2, hidden_dim=64)
        ),
        "electra": lambda: TFElectraModel(
            ElectraConfig(
                **size,
                embedding_size=32,
                **width,
            )
        ),
        "roberta": lambda: TFRobertaModel(
            RobertaConfig(
                vocab_size=len(SPECIAL) + 256 + BYTE_LEVEL_MERGES,
                max_position_embeddings=66,
                type_vocab_size=1,
                **width,
            )
        ),
        "albert": lambda: TFAlbertModel(
            AlbertConfig(
                **size,
                embedding_size=16,
                hidden_dropout_prob=0.1,
                attention_probs_dropout_prob=0.1,
                hidden_size=32,
                num_hidden_layers=2 * layers,  # each is run twice
                num_hidden_groups=layers,
                num_attention_heads=2,
                intermediate_size=64,
            )
        ),
        # As xlm-roberta-base is kept: without a pooler, and two of its positions are never used.
        "xlm-roberta": lambda: TFXLMRobertaForMaskedLM(
            XLMRobertaConfig(
                **size | {"max_position_embeddings": 66, "type_vocab_size": 1},
                **width,
            )
        ),
        "camembert": lambda: TFCamembertModel(
            CamembertConfig(
                **size | {"max_position_embeddings": 66, "type_vocab_size": 1},
                **width,
            )
        ),
        # As deberta-v2-xlarge is; version 3 has no convolution.
        "deberta-v2": lambda: TFDebertaV2Model(
            DebertaV2Config(
                **size,
                **width,
                relative_attention=True,
                share_att_key=True,
                pos_att_type="p2c|c2p",
                position_buckets=256,
                position_biased_input=False,
                norm_rel_ebd="layer_norm",
                conv_kernel_size=3,
                conv_act="gelu",
            )
        ),
        "mpnet": lambda: TFMPNetModel(
            MPNetConfig(
                **size | {"max_position_embeddings": 66},
                **width,
            )
        ),
    }[model_type]()
    model.build_in_name_scope()
    model.save_pretrained(folder, safe_serialization=True)
    if model_type == "roberta":
        return write_byte_level(folder)
    if model_type in SENTENCEPIECE:
        from tests import unigram_models

        save: Callable[..., Path] = getattr(unigram_models, SENTENCEPIECE[model_type])
        return save(folder, PIECES)
    special, tokenizer = (MPNET_SPECIAL, MPNetTokenizerFast) if model_type == "mpnet" else (SPECIAL, BertTokenizerFast)
    words = [*special, *VOCABULARY[len(SPECIAL) :]]
    (folder / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    tokenizer(str(folder / "vocab.txt"), do_lower_case=True).save_pretrained(folder)
    return folder


def write_byte_level(folder: Path) -> Path:
    """Has Hugging Face write RoBERTa's tokenizer, trained on `WORDS`."""
    from tokenizers import ByteLevelBPETokenizer
    from transformers import RobertaTokenizerFast

    trained = ByteLevelBPETokenizer()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    size = len(special) + 256 + BYTE_LEVEL_MERGES
    trained.train_from_iterator([" ".join(WORDS)] * 9, vocab_size=size, special_tokens=special)
    trained.save_model(str(folder))
    RobertaTokenizerFast(str(folder / "vocab.json"), str(folder / "merges.txt")).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def warm() -> Iterator[WarmProcess]:
    """Runs commands, each in a process of its own, without the ten seconds of imports."""
    process = WarmProcess()
    yield process
    process.stop()


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random two-layer BERT."""
    return make_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="session")
def base_without_dropout(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same without dropout, so that what it learns does not hang on numbers drawn at random."""
    folder = tmp_path_factory.mktemp("no-dropout")
    for file in base.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    config = json.loads((base / "config.json").read_text())
    config |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.fixture(scope="session")
def base_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Makes a random two-layer encoder of the given type."""
    return lambda model_type: make_base(tmp_path_factory.mktemp(model_type), model_type)


def make_transform(
    base: Path,
    folder: Path,
    labels: tuple[str, ...],
    max_length: int = 24,
    *,
    text_pair: bool = False,
    windows: Windows | None = None,
):
    """Builds the Transform graph for a base model, with TensorFlow Transform, and opens it.

    Without Beam, as TensorFlow Transform allows where nothing is analyzed.
    """
    import tensorflow_transform as tft
    from tensorflow_transform.impl_helper import analyze_in_place, get_type_specs_from_feature_specs
    from tensorflow_transform.tf_metadata import dataset_metadata, metadata_io, schema_utils

    from fullbake.components.nodes.config_schema import make_schema
    from fullbake.components.nodes.preprocessing import preprocessing_fn

    config = {
        "base": str(base),
        "revision": None,
        "labels": list(labels),
        "max_length": max_length,
        "truncation": "head" if windows is None else "windows",
        "windows": windows and dataclasses.asdict(windows),
    }
    metadata = dataset_metadata.DatasetMetadata(make_schema(list(labels), text_pair=text_pair))
    features = schema_utils.schema_as_feature_spec(metadata.schema).feature_spec
    analyze_in_place(
        lambda inputs: preprocessing_fn(inputs, config),
        force_tf_compat_v1=False,
        feature_specs=features,
        type_specs=get_type_specs_from_feature_specs(features),
        transform_output_path=str(folder),
    )
    metadata_io.write_metadata(metadata, str(folder / tft.TFTransformOutput.RAW_METADATA_DIR))
    return tft.TFTransformOutput(str(folder))
