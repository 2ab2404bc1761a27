"""Low-rank adapters: what they train, what is left of them at export, and the approach that has them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import tensorflow as tf
import tensorflow_text  # noqa: F401
from transformers import AutoTokenizer, TFAutoModel, TFAutoModelForSequenceClassification

from fullbake.contract.names import HF_FOLDER
from fullbake.contract.results.training import Parameters
from fullbake.trainer.approaches import Adapters
from fullbake.trainer.encoder.families import FAMILIES
from fullbake.trainer.export import export_model
from fullbake.trainer.models.classifier import Classifier
from tests.conftest import make_transform
from tests.trainer.trainings import LABELS, interrupted, make_spec, measures, train, values

WIDTH, LAYERS = 32, 2
RANK = 8
SIZE = LAYERS * 2 * 2 * WIDTH * RANK  # of the query and the value of each layer, from the width to the rank and back
TEXTS = ["you are a bad idiot", "what a lovely garden!", "it", ""]


def lora_spec(base: Path, **changes):
    return make_spec(base, **{"approach": "lora", "head": "linear", "learning_rate": 1e-2, **changes})


def adapted(base: Path, head: str) -> Classifier:
    """A classifier whose adapters and biases are as after a training: not zero."""
    classifier = Classifier.from_base(base, head, LABELS)
    classifier.encoder.adapt(Adapters(rank=3, alpha=6, dropout=0.1))
    for path, variable in classifier.paths().items():
        if "lora_" in path or path.startswith("head/"):
            variable.assign_add(tf.random.stateless_normal(variable.shape, (1, len(path)), stddev=1.0))
    return classifier


def batch_of(split, rows: int) -> dict[str, tf.Tensor]:
    return {name: tf.constant(value) for name, value in split.take(np.arange(rows)).items()}


def test_new_adapters_change_nothing(base: Path, splits):
    classifier = Classifier.from_base(base, "linear", LABELS)
    batch = batch_of(splits[1], 30)
    before = classifier(batch).numpy()
    classifier.encoder.adapt(Adapters(rank=3, alpha=6, dropout=0.1))
    np.testing.assert_array_equal(classifier(batch).numpy(), before)
    shapes = {
        path.rpartition("/")[2]: tuple(v.shape) for path, v in classifier.encoder.paths().items() if "lora" in path
    }
    assert shapes == {"lora_a": (WIDTH, 3), "lora_b": (3, WIDTH)}


@pytest.mark.parametrize("family", FAMILIES)
def test_adapters_and_head_learn_and_the_encoder_does_not_change_by_a_byte(
    base_of: Callable[[str], Path], splits, tmp_path: Path, family: str
):
    base = base_of(family)
    before = values(Classifier.from_base(base, "linear", LABELS))
    classifier, record = train(lora_spec(base), *splits, scratch=tmp_path)
    after = values(classifier)
    assert len([path for path in after if "lora_" in path]) == LAYERS * 2 * 2
    for path in before:
        assert (before[path].tobytes() == after[path].tobytes()) is path.startswith("encoder/"), path
    for path in after.keys() - before.keys():
        assert np.abs(after[path]).max() > 0, path
    head = WIDTH * len(LABELS) + len(LABELS)
    plain = sum(value.size for value in before.values())
    assert record.parameters == Parameters(total=plain + SIZE, trainable=SIZE + head)
    assert record.encoder_shift == {}, "no weight of the base moved"


@pytest.mark.parametrize("head", ["linear", "hf"])
@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_exported_is_plain_and_answers_as_the_adapted_model_does(
    base_of: Callable[[str], Path], tmp_path: Path, family: str, head: str
):
    base = base_of(family)
    classifier, spec = adapted(base, head), lora_spec(base, head=head)
    transform = make_transform(base, tmp_path / "transform", LABELS)
    export_model(classifier, spec, transform, tmp_path / "model", base=base)
    tokens = transform.transform_features_layer()({"text": tf.constant(TEXTS)[:, None]})
    expected = classifier({name: tf.cast(value, tf.int32) for name, value in tokens.items()}).numpy()
    # The adapters matter: without them the model says something else.
    kept = [(variable, variable.numpy()) for path, variable in classifier.paths().items() if path.endswith("lora_b")]
    for variable, _ in kept:
        variable.assign(tf.zeros_like(variable))
    without = classifier({name: tf.cast(value, tf.int32) for name, value in tokens.items()}).numpy()
    assert np.abs(without - expected).max() > 1e-2

    served = tf.saved_model.load(str(tmp_path / "model")).signatures["serving_default"]
    probabilities = served(text=tf.constant(TEXTS))["probabilities"]
    np.testing.assert_allclose(probabilities, tf.nn.softmax(expected), atol=1e-5)

    folder = tmp_path / "model" / HF_FOLDER
    rows = AutoTokenizer.from_pretrained(folder)(TEXTS, padding=True, return_tensors="tf")
    if head == "hf":
        model, found = TFAutoModelForSequenceClassification.from_pretrained(folder, output_loading_info=True)
        logits = model(rows).logits.numpy()
    else:
        model, found = TFAutoModel.from_pretrained(folder, output_loading_info=True)
        kernel = safetensors.numpy.load_file(folder / "head.safetensors")
        logits = model(rows).last_hidden_state[:, 0].numpy() @ kernel["logits.weight"].T + kernel["logits.bias"]
    assert found["unexpected_keys"] == []
    np.testing.assert_allclose(logits, expected, atol=1e-4)

    # The folder has the names of a model that never had adapters, and no others.
    Classifier.from_base(base, head, LABELS).encoder.write(base, tmp_path / "plain")
    names = [set(safetensors.numpy.load_file(at / "model.safetensors")) for at in (folder, tmp_path / "plain")]
    assert names[0] == names[1]


def test_an_interrupted_training_makes_the_very_model_of_an_undisturbed_one(
    base: Path, splits, tmp_path: Path, monkeypatch
):
    spec = lora_spec(base, epochs=2, gradient_accumulation_steps=2)

    def again():
        return train(spec, *splits, scratch=tmp_path, checkpoints=tmp_path / "kept")

    whole, undisturbed = train(spec, *splits, scratch=tmp_path)
    interrupted(monkeypatch, 2, again)
    resumed, record = again()
    assert all(np.array_equal(*pair) for pair in zip(whole.get_weights(), resumed.get_weights(), strict=True))
    assert measures(record) == measures(undisturbed)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_adapters_train_in_mixed_precision_and_are_kept_in_float32(base: Path, splits, tmp_path: Path, precision: str):
    classifier, record = train(lora_spec(base, mixed_precision=precision), *splits, scratch=tmp_path)
    assert record.precision == f"mixed_{precision}"
    assert {variable.dtype for variable in classifier.variables} == {tf.float32}
    ups = [value for path, value in values(classifier).items() if path.endswith("lora_b")]
    assert all(np.isfinite(value).all() and np.abs(value).max() > 0 for value in ups)


def test_adapters_have_the_depth_of_their_layer(base: Path, splits, tmp_path: Path):
    spec = lora_spec(base, unfreeze_layers_per_epoch=1)
    ups = [value for path, value in values(train(spec, *splits, scratch=tmp_path)[0]).items() if "lora_b" in path]
    # The first epoch is the top layer's.
    assert [np.abs(value).max() > 0 for value in ups] == [False, False, True, True]
    decayed = values(train(lora_spec(base, layer_decay=0.1), *splits, scratch=tmp_path)[0])
    # They start at zero.
    bottom, top = (
        np.abs(decayed[f"encoder/encoder/layer_._{layer}/attention/self/value/lora_b"]).max() for layer in (0, 1)
    )
    assert 0 < bottom < 0.3 * top
