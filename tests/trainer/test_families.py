"""Which bases are taken, and that each family computes here what it does elsewhere."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from transformers import CONFIG_MAPPING

from fullbake.contract.errors import InputError
from fullbake.trainer.encoder.base_model import base_sizes, check_pairs
from fullbake.trainer.encoder.families import FAMILIES, KNOWN_NAMES, family_of
from fullbake.trainer.encoder.low_rank import PROJECTIONS
from fullbake.trainer.encoder.masked_lm_scores import SCORES
from fullbake.trainer.models.classifier import Classifier

DOCS = Path(__file__).parents[2] / "docs/bases.md"


# What transformers' code takes where its config does not have the key, by `getattr`.
ABSENT = {"conv_act": "tanh", "conv_groups": 1, "conv_kernel_size": 0}


def docs_table() -> list[str]:
    """The rows of the table in docs/bases.md."""
    rows = [
        "| `model_type` | such as | sentence pairs | head `hf` reads | what config.json may say |",
        "|---|---|---|---|---|",
    ]
    for family in FAMILIES.values():
        pairs = "the second text by `token_type_ids`" if "types" in family.size_keys else "by `[SEP]` alone"
        pairs = "by `</s></s>` alone" if family.separators_part else pairs
        head = "its pooler" if family.pooler else "the `[CLS]` vector"
        said = {**family.settings, **family.stated}
        settings = "; ".join(f"`{key}`: {', '.join(map(str, values))}" for key, values in said.items())
        rows.append(f"| `{family.model_type}` | {', '.join(family.known[:4])} | {pairs} | {head} | {settings} |")
    return rows


def test_the_docs_show_the_table_as_it_is():
    text = DOCS.read_text(encoding="utf-8")
    assert "\n".join(docs_table()) in text, "write into docs/bases.md:\n" + "\n".join(docs_table())


@pytest.mark.parametrize("family", FAMILIES)
def test_what_a_silent_config_means_is_what_transformers_takes(family: str):
    default = CONFIG_MAPPING[family]()
    stated = {key: values[0] for key, values in FAMILIES[family].stated.items()}
    said = default.to_dict() | stated
    assert FAMILIES[family].sizes({}, "") == FAMILIES[family].sizes(said, "")
    for key, allowed in FAMILIES[family].settings.items():
        assert getattr(default, key, ABSENT.get(key)) == allowed[0], key
    assert family_of(said, "") is FAMILIES[family]
    for key in stated:
        message = refusal({name: value for name, value in said.items() if name != key})
        assert f"{key} is None in its config.json" in message


@pytest.mark.parametrize("family", FAMILIES)
def test_a_text_gets_the_same_answer_alone_and_beside_longer_ones(base_of, family: str):
    rows = [[2, 5, 6, 3], [2, *range(5, 25), 3], [2, 40, 3]]
    width = max(map(len, rows))
    for pooling, head in (("cls", "hf"), ("cls", "linear"), ("mean", "mlp")):
        classifier = Classifier.from_base(base_of(family), head, ("a", "b"), pooling=pooling)
        for variable in classifier.variables:
            variable.assign_add(tf.random.stateless_normal(variable.shape, (1, 2), stddev=0.1))
        together = classifier(
            {
                "input_ids": tf.constant([row + [0] * (width - len(row)) for row in rows]),
                "attention_mask": tf.constant([[1] * len(row) + [0] * (width - len(row)) for row in rows]),
            }
        )
        for row, beside in zip(rows, together.numpy(), strict=True):
            alone = classifier({"input_ids": tf.constant([row]), "attention_mask": tf.ones([1, len(row)], tf.int32)})
            np.testing.assert_allclose(alone[0], beside, atol=1e-5)


@pytest.mark.parametrize("model_type", ["xlm-roberta", "mpnet", "camembert"])
def test_what_counts_on_from_padding_reads_two_tokens_fewer_and_parts_texts_by_separators(base_of, model_type: str):
    base = base_of(model_type)
    longest = base_sizes(base)["longest"]
    assert longest == base_sizes(base)["positions"] - 2 == 64
    check_pairs(base)
    classifier = Classifier.from_base(base, "hf", ("a", "b"))
    ids = tf.constant([[0, *[5] * (longest - 2), 2], [0, 5, 2, *[0] * (longest - 3)]])
    mask = tf.constant([[1] * longest, [1] * 3 + [0] * (longest - 3)])
    # On a processor a position that the table lacks is an error; the padding is counted as positions, and not beyond.
    beside = classifier({"input_ids": ids, "attention_mask": mask})
    alone = classifier({"input_ids": ids[1:, :3], "attention_mask": mask[1:, :3]})
    np.testing.assert_allclose(beside[1:], alone, atol=1e-5)


def test_every_family_has_projections_for_adapters():
    assert set(PROJECTIONS) == set(FAMILIES)


def test_every_family_has_a_masked_lm_head():
    assert set(SCORES) == set(FAMILIES)


def refusal(config: dict[str, Any]) -> str:
    with pytest.raises(InputError) as caught:
        family_of(config, "'some/base'")
    message = str(caught.value)
    assert message.startswith("base: 'some/base'")
    assert "\n" not in message
    return message


@pytest.mark.parametrize("model_type", ["convbert", "mobilebert", "gpt2", "deberta", "funnel", "layoutlm", None, 7, []])
def test_a_family_that_is_not_proven_is_refused_with_the_list(model_type: Any):
    message = refusal({"model_type": model_type})
    assert f"is of type {model_type!r}" in message
    assert f"({', '.join(FAMILIES)})" in message


@pytest.mark.parametrize(
    ("model_type", "key", "value"),
    [
        ("bert", "position_embedding_type", "relative_key"),
        ("bert", "position_embedding_type", "relative_key_query"),
        ("electra", "position_embedding_type", "relative_key"),
        ("bert", "position_embedding_type", None),
        ("bert", "hidden_act", "gelu_python"),
        ("distilbert", "activation", "relu2"),
        ("bert", "is_decoder", True),
        ("bert", "is_encoder_decoder", True),
        ("electra", "add_cross_attention", True),
        ("mpnet", "relative_attention_num_buckets", 16),
        ("camembert", "pad_token_id", 0),
        ("bert", "pruned_heads", {"0": [1]}),
        ("bert", "quantization_config", {"load_in_8bit": True}),
    ],
)
def test_a_setting_with_which_it_computes_something_else_is_refused(model_type: str, key: str, value: Any):
    assert f"{key} is {value!r} in its config.json" in refusal({"model_type": model_type, key: value})


def test_code_of_its_own_is_refused():
    message = refusal({"model_type": "bert", "auto_map": {"AutoModel": "modeling.JinaBertModel"}})
    assert "trust_remote_code is off" in message


@pytest.mark.parametrize(
    ("key", "value"), [("hidden_size", "32"), ("num_hidden_layers", 0), ("vocab_size", None), ("vocab_size", True)]
)
def test_a_size_that_is_no_number_is_refused(key: str, value: Any):
    assert f"{key} in its config.json is {value!r}" in refusal({"model_type": "bert", key: value})
    assert "attention heads share a hidden size of 100" in refusal({"model_type": "bert", "hidden_size": 100})


def test_distilbert_is_understood_by_either_name_of_a_size(tmp_path: Path):
    said = {"model_type": "distilbert", "dim": 32, "hidden_size": 64, "num_attention_heads": 2}
    (tmp_path / "config.json").write_text(json.dumps(said))
    config = CONFIG_MAPPING["distilbert"](**said)
    assert base_sizes(tmp_path)["hidden"] == config.dim == 64
    assert base_sizes(tmp_path)["heads"] == config.n_heads == 2


def test_well_known_names_are_told_once():
    assert len(set(KNOWN_NAMES)) == len(KNOWN_NAMES)
