"""DeBERTa of versions 2 and 3, whose class in TensorFlow is adjusted, and whose settings are narrow."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import tensorflow as tf
import tf_keras
from transformers import DebertaV2Config, TFDebertaV2Model

from fullbake.contract.errors import InputError
from fullbake.trainer.encoder.base_weights import check_weights
from fullbake.trainer.encoder.families import FAMILIES, family_of
from fullbake.trainer.encoder.transformers_encoder import TransformersEncoder
from fullbake.trainer.models.classifier import Classifier
from fullbake.trainer.models.dropout import StepDropout
from fullbake.trainer.models.masked_lm import MaskedLanguageModel

# config.json of microsoft/deberta-v3-base, and what that of microsoft/deberta-v2-xlarge says otherwise.
V3_BASE = {
    "model_type": "deberta-v2",
    "attention_probs_dropout_prob": 0.1,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "hidden_size": 768,
    "initializer_range": 0.02,
    "intermediate_size": 3072,
    "max_position_embeddings": 512,
    "relative_attention": True,
    "position_buckets": 256,
    "norm_rel_ebd": "layer_norm",
    "share_att_key": True,
    "pos_att_type": "p2c|c2p",
    "layer_norm_eps": 1e-7,
    "max_relative_positions": -1,
    "position_biased_input": False,
    "num_attention_heads": 12,
    "num_hidden_layers": 12,
    "type_vocab_size": 0,
    "vocab_size": 128100,
}
V2_XLARGE = V3_BASE | {
    "attention_head_size": 64,
    "hidden_size": 1536,
    "intermediate_size": 6144,
    "num_attention_heads": 24,
    "num_hidden_layers": 24,
    "conv_kernel_size": 3,
    "conv_act": "gelu",
}
SIGNATURE = {name: tf.TensorSpec([None, None], tf.int32) for name in ("input_ids", "attention_mask")}
LENGTHS = (4, 40, 300)  # in the last, distances beyond 128 share embeddings


@pytest.fixture(scope="module")
def base(base_of) -> Path:
    return base_of("deberta-v2")


@pytest.fixture
def folder(base: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(base, tmp_path / "base"))


def without_convolution(folder: Path) -> None:
    """Makes a base one of version 3."""
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"conv_kernel_size": 0}))
    tensors = safetensors.numpy.load_file(folder / "model.safetensors")
    kept = {name: value for name, value in tensors.items() if "/conv/" not in name and ".conv." not in name}
    assert len(kept) == len(tensors) - 4
    safetensors.numpy.save_file(kept, folder / "model.safetensors", {"format": "tf"})


def rows() -> dict[str, tf.Tensor]:
    generator = np.random.default_rng(1)
    mask = np.arange(max(LENGTHS)) < np.array(LENGTHS)[:, None]
    ids = np.where(mask, generator.integers(4, 50, mask.shape), 0)
    return {"input_ids": tf.constant(ids, tf.int32), "attention_mask": tf.constant(mask, tf.int32)}


@pytest.mark.parametrize("version", [2, 3])
def test_traced_without_autograph_for_any_size_it_computes_what_transformers_does(folder: Path, version: int):
    if version == 3:
        without_convolution(folder)
    theirs = TFDebertaV2Model.from_pretrained(folder)
    ours = TransformersEncoder.bare(folder)
    for path, variable in ours.paths().items():
        variable.assign_add(tf.random.stateless_normal(variable.shape, (1, 2), stddev=0.1))
        TransformersEncoder(theirs).paths()[path].assign(variable)
    traced = tf.function(ours.hidden_states, input_signature=[SIGNATURE], autograph=False)
    mask = rows()["attention_mask"].numpy().astype(bool)
    np.testing.assert_allclose(traced(rows())[mask], theirs(rows()).last_hidden_state[mask], atol=1e-5)
    for row, length in enumerate(LENGTHS):
        alone = traced({name: value[row : row + 1, :length] for name, value in rows().items()})
        np.testing.assert_allclose(alone[0], traced(rows())[row, :length], atol=1e-5)


def test_all_its_dropout_is_keras_and_of_its_config(base: Path):
    classifier = Classifier.from_base(base, "hf", ("a", "b"))
    drops = [layer for layer in classifier.submodules if "Dropout" in type(layer).__name__]
    assert {type(layer) for layer in drops} == {tf_keras.layers.Dropout}
    # In each layer those of the attention, of the distances, and two of vectors; the embeddings', the convolution's,
    # and two of the head, of which one drops nothing.
    assert sorted(layer.rate for layer in drops) == [0, *[0.1] * 11]


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_padded_rows_are_numbers_in_mixed_precision_and_so_are_their_gradients(base: Path, policy: str):
    exact = Classifier.from_base(base, "hf", ("a", "b"))
    tf_keras.mixed_precision.set_global_policy(policy)
    try:
        classifier = Classifier.from_base(base, "hf", ("a", "b"))
    finally:
        tf_keras.mixed_precision.set_global_policy("float32")
    for path, variable in classifier.paths().items():
        variable.assign(exact.paths()[path])
    np.testing.assert_allclose(classifier(rows()), exact(rows()), atol=0.05)
    dropout = StepDropout(classifier, 0)

    @tf.function(autograph=False)
    def gradients():
        with tf.GradientTape() as tape, dropout.at(tf.constant(0), tf.constant(0)):
            loss = tf.reduce_sum(classifier(rows(), training=True)[:, 0])
        return [tf.convert_to_tensor(found) for found in tape.gradient(loss, classifier.trainable_variables)]

    for found, variable in zip(gradients(), classifier.trainable_variables, strict=True):
        assert np.isfinite(found).all(), variable.name


def test_a_base_as_microsoft_keeps_it_gets_a_new_masked_lm_head(base: Path, tmp_path: Path):
    folder, encoder = tmp_path, TransformersEncoder.bare(base)
    encoder.write(base, folder)
    tensors = safetensors.numpy.load_file(folder / "model.safetensors")
    for part in ("lm_predictions.lm_head", "mask_predictions"):
        tensors |= {
            f"{part}.dense.weight": np.ones((32, 32), "float32"),
            f"{part}.LayerNorm.bias": np.ones(32, "float32"),
        }
    safetensors.numpy.save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    assert len(check_weights(folder).others) == 4
    model = MaskedLanguageModel.from_base(folder)
    assert model.encoder.new_head
    for path, variable in encoder.paths().items():
        np.testing.assert_array_equal(model.encoder.paths()[path], variable)


@pytest.mark.parametrize("config", [V3_BASE, V2_XLARGE, V3_BASE | {"pos_att_type": ["p2c", "c2p"], "legacy": True}])
def test_what_microsoft_published_is_taken(config: dict[str, Any]):
    assert family_of(config, "") is FAMILIES["deberta-v2"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("share_att_key", False),
        ("relative_attention", False),
        ("position_biased_input", True),
        ("position_buckets", -1),
        ("norm_rel_ebd", "none"),
        ("pos_att_type", ["c2p"]),
        ("type_vocab_size", 2),
        ("max_relative_positions", 128),
        ("conv_kernel_size", 5),
        ("conv_groups", 2),
        ("conv_act", "gelu_python"),
        ("pooler_hidden_act", "gelu_python"),
        ("legacy", False),
    ],
)
def test_another_setting_is_refused_by_name(key: str, value: Any):
    with pytest.raises(InputError, match=f"{key} is .* in its config.json"):
        family_of(V2_XLARGE | {key: value}, "'some/base'")


def test_embeddings_of_a_width_of_their_own_are_refused(folder: Path):
    config = DebertaV2Config.from_pretrained(folder)
    config.embedding_size = 16
    model = TFDebertaV2Model(config)
    model.build_in_name_scope()
    model.save_pretrained(folder, safe_serialization=True)
    with pytest.raises(InputError, match=r"word_embeddings.* has the shape .* x 16"):
        check_weights(folder)
