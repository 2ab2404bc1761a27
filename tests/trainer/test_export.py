import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_text  # noqa: F401
import tensorflow_transform as tft
from safetensors import safe_open
from transformers import (
    AutoConfig,
    TFAutoModel,
    TFAutoModelForMaskedLM,
)

from fullbake.components.serving.servable_probe import TEXTS
from fullbake.contract.names import ABOUT_FILE, SLAB_ROWS
from fullbake.trainer.decision import choose_threshold, score_split
from fullbake.trainer.encoder.families import FAMILIES
from fullbake.trainer.encoder.transformers_encoder import TransformersEncoder
from fullbake.trainer.export import CHUNK_SLACK, CHUNK_TOKENS, ServingModel, export_model, served_copy
from fullbake.trainer.models.classifier import Classifier
from fullbake.trainer.tasks.table import SINGLE_LABEL
from tests.conftest import make_transform
from tests.trainer.tokenized import read_split
from tests.trainer.trainings import make_spec

LABELS = ("fine", "rude", "odd")

HEADS = ("hf", "linear", "mlp", "linear on the mean")
SERVED = ["you are a bad idiot", "what a lovely garden!", "it", ""]

# A server's process: TensorFlow, its text ops, and nothing of Keras, transformers or this project.
OPEN = """
import json, sys
import tensorflow as tf
import tensorflow_text
texts, *folders = sys.argv[1:]
for folder in folders:
    answer = tf.saved_model.load(folder).signatures["serving_default"](text=tf.constant(json.loads(texts)))
    print(json.dumps([answer["label"].numpy().astype(str).tolist(), answer["probabilities"].numpy().tolist()]))
print(json.dumps(sorted({"transformers", "tf_keras", "trainer", "components", "tfx"} & set(sys.modules))))
"""


@pytest.fixture(scope="module")
def transform(base: Path, tmp_path_factory: pytest.TempPathFactory) -> tft.TFTransformOutput:
    return make_transform(base, tmp_path_factory.mktemp("transform"), LABELS)


@pytest.fixture(scope="module")
def every_export(base: Path, transform, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Classifier, Path]]:
    """By head, a classifier and its model."""
    made = {}
    for named in HEADS:
        head, *on_the = named.split()
        spec = make_spec(base, head=head, labels=LABELS, pooling="mean" if on_the else "cls")
        classifier = Classifier.from_base(base, head, LABELS, pooling=spec.pooling)
        # A new head's biases are zero; as trained ones are not, neither are these.
        for variable in classifier.variables:
            variable.assign_add(tf.random.stateless_normal(variable.shape, (1, 2), stddev=0.02))
        folder = tmp_path_factory.mktemp("model")
        export_model(classifier, spec, transform, folder, base=base)
        made[named] = classifier, folder
    return made


@pytest.fixture(params=HEADS)
def exported(request, every_export) -> tuple[Classifier, Path]:
    return every_export[request.param]


@pytest.fixture(scope="module")
def served_elsewhere(every_export, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list]:
    """By head, the labels and probabilities that a server's process gives."""
    folders = [str(folder) for _, folder in every_export.values()]
    done = subprocess.run(
        [sys.executable, "-c", OPEN, json.dumps(SERVED), *folders],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path_factory.mktemp("elsewhere"),
        env={name: value for name, value in os.environ.items() if name != "TF_USE_LEGACY_KERAS"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    *answers, loaded = map(json.loads, done.stdout.splitlines()[-len(folders) - 1 :])
    assert loaded == []
    return dict(zip(every_export, answers, strict=True))


def serve(folder: Path):
    return tf.saved_model.load(str(folder)).signatures["serving_default"]


def serialized(texts: Iterable[bytes]) -> tf.Tensor:
    examples = []
    for text in texts:
        example = tf.train.Example()
        example.features.feature["text"].bytes_list.value.append(text)
        examples.append(example.SerializeToString())
    return tf.constant(examples)


@pytest.mark.parametrize("head", HEADS)
def test_another_process_without_keras_or_transformers_gives_the_same_answers(
    head: str, every_export, served_elsewhere, transform
):
    classifier, _ = every_export[head]
    labels, probabilities = served_elsewhere[head]
    tokens = transform.transform_features_layer()({"text": tf.constant(SERVED)[:, None]})
    expected = tf.nn.softmax(classifier({k: tf.cast(v, tf.int32) for k, v in tokens.items()})).numpy()
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)
    assert labels == [LABELS[index] for index in expected.argmax(axis=1)]


@pytest.mark.parametrize("rows", [0, 1, 7, SLAB_ROWS + 5])
def test_any_number_of_rows_is_answered_in_their_order(exported, rows: int):
    _, folder = exported
    model = serve(folder)
    alone = {text: model(text=tf.constant([text]))["probabilities"].numpy()[0] for text in TEXTS}
    texts = [TEXTS[row % len(TEXTS)] for row in range(rows)]
    answer = model(text=tf.constant(texts, tf.string, shape=[rows]))
    assert answer["probabilities"].shape == (rows, len(LABELS))
    assert answer["label"].shape == (rows,)
    np.testing.assert_allclose(
        answer["probabilities"].numpy(), np.array([alone[t] for t in texts]).reshape(rows, 3), atol=1e-5
    )


def test_serialized_examples_are_answered_as_texts_are(exported):
    _, folder = exported
    model = tf.saved_model.load(str(folder))
    by_example = model.signatures["examples"](examples=serialized(TEXTS))
    by_text = model.signatures["serving_default"](text=tf.constant(TEXTS))
    assert by_example["label"].numpy().tolist() == by_text["label"].numpy().tolist()
    np.testing.assert_allclose(by_example["probabilities"], by_text["probabilities"], atol=1e-6)


def test_rows_of_two_widths_in_many_chunks_are_answered_alike(exported):
    # 4,000 rows of up to 24 tokens are more than one chunk; were they one batch, the widest row would pad all others.
    _, folder = exported
    texts = tf.constant(["a b c d e f g h i j k l m n o p q r s t u v w x y z", "it"] * 2000)
    answer = serve(folder)(text=texts)
    assert CHUNK_TOKENS < 4000 * 24
    np.testing.assert_allclose(
        answer["probabilities"][0::2], answer["probabilities"][:1].numpy().repeat(2000, 0), atol=1e-5
    )
    np.testing.assert_allclose(
        answer["probabilities"][1::2], answer["probabilities"][1:2].numpy().repeat(2000, 0), atol=1e-5
    )


def test_a_short_row_does_not_take_the_time_of_a_long_one_beside_it(base: Path, transform, monkeypatch):
    model = ServingModel(Classifier.from_base(base, "linear", LABELS), transform, LABELS)
    logits_of, shapes = model._logits, []

    def spied(chunk):
        tf.py_function(lambda ids: shapes.append(tuple(ids.shape)), [chunk["input_ids"]], [])
        return logits_of(chunk)

    monkeypatch.setattr(model, "_logits", spied)
    long = "a b c d e f g h i j k l m n o p q r s t u v w x y z"
    texts = ["it", long, "", long[:20], "it"]
    answer = model.signatures()["serving_default"](tf.constant(texts))
    width = shapes[0][1]
    assert width > 2 * 3 + CHUNK_SLACK
    assert shapes == [(2, width), (3, 3)]
    monkeypatch.undo()
    alone = [model.signatures()["serving_default"](tf.constant([text]))["probabilities"][0] for text in texts]
    np.testing.assert_allclose(answer["probabilities"], alone, atol=1e-6)


def test_a_model_says_what_it_is(exported):
    _, folder = exported
    about = json.loads((folder / ABOUT_FILE).read_text(encoding="utf-8"))
    assert about["labels"] == list(LABELS)
    assert about["text_features"] == ["text"]
    assert about["text_columns"] == {"text": "text"}
    assert about["decision_threshold"] is None


def test_no_pickle_and_no_secret_path_is_in_what_is_exported(exported):
    _, folder = exported
    suffixes = {file.suffix for file in folder.rglob("*") if file.is_file()}
    assert suffixes <= {".pb", ".json", ".txt", ".safetensors", ".index", ".data-00000-of-00001"}


TWO_WORDS = [f"{one} {other}" for one in ("you", "lovely", "idiot", "it") for other in ("garden", "fool", "bad", "zzz")]


@pytest.fixture(scope="module")
def undecided(base: Path, transform) -> Classifier:
    """A classifier for two labels that gives texts many probabilities on both sides of a half."""
    classifier = Classifier.from_base(base, "linear", LABELS[:2])
    # An untrained encoder tells texts apart by little; this head makes much of it, and sits on the fence between them.
    kernel, bias = classifier.trainable_variables[-2:]
    kernel.assign(20 * tf.random.stateless_normal(kernel.shape, (1, 2)))
    tokens = transform.transform_features_layer()({"text": tf.constant(TWO_WORDS)[:, None]})
    logits = classifier({name: tf.cast(value, tf.int32) for name, value in tokens.items()}, training=False)
    bias.assign_sub(tf.reduce_mean(logits, axis=0))
    return classifier


def test_from_its_threshold_on_the_second_label_is_decided(
    undecided: Classifier, base: Path, transform, tmp_path: Path
):
    spec = make_spec(base, head="linear", labels=LABELS[:2])
    texts = tf.constant(TWO_WORDS)
    export_model(undecided, spec, transform, tmp_path / "likelier", base=base)
    likelier = serve(tmp_path / "likelier")(text=texts)
    second = likelier["probabilities"].numpy()[:, 1]
    assert likelier["label"].numpy().astype(str).tolist() == [LABELS[int(p > 0.5)] for p in second]
    # The threshold is itself the probability of a text, which is decided with those above it.
    threshold = float(np.sort(second)[3])
    assert threshold < 0.45
    export_model(undecided, spec, transform, tmp_path / "threshold", base=base, thresholds={LABELS[1]: threshold})
    model = tf.saved_model.load(str(tmp_path / "threshold"))
    answer = model.signatures["serving_default"](text=texts)
    np.testing.assert_array_equal(answer["probabilities"], likelier["probabilities"])
    decided = answer["label"].numpy().astype(str).tolist()
    assert decided == [LABELS[int(p >= threshold)] for p in second]
    assert decided.count("rude") == len(TWO_WORDS) - 3
    assert decided != likelier["label"].numpy().astype(str).tolist()
    by_example = model.signatures["examples"](examples=serialized(text.encode() for text in TWO_WORDS))
    assert by_example["label"].numpy().astype(str).tolist() == decided
    about = json.loads((tmp_path / "threshold" / ABOUT_FILE).read_text(encoding="utf-8"))
    assert about["decision_threshold"] == threshold


def test_what_a_chosen_threshold_recalls_on_the_eval_split_it_recalls_when_served(
    undecided: Classifier, base: Path, transform, tmp_path: Path
):
    tokens = transform.transform_features_layer()({"text": tf.constant(TWO_WORDS)[:, None]})
    ids = tf.ragged.boolean_mask(tokens["input_ids"], tokens["attention_mask"] > 0).to_list()
    labels = [int("idiot" in text or "fool" in text) for text in TWO_WORDS]
    split = read_split(list(zip(ids, labels, strict=True)), tmp_path)
    spec = make_spec(base, head="linear", labels=LABELS[:2])
    scores = score_split(served_copy(undecided, spec, base), split)
    chosen = choose_threshold(scores[:, 1], split.labels == 1, 0.8, LABELS[1])
    export_model(undecided, spec, transform, tmp_path / "model", base=base, thresholds={LABELS[1]: chosen.value})
    answer = serve(tmp_path / "model")(text=tf.constant(TWO_WORDS))
    np.testing.assert_allclose(answer["probabilities"], scores, atol=1e-4)
    decided = answer["label"].numpy().astype(str) == LABELS[1]
    assert decided[split.labels == 1].mean() == chosen.recall >= 0.8
    assert split.labels[decided].mean() == chosen.precision


def test_a_threshold_is_for_two_labels():
    with pytest.raises(ValueError, match="between two labels, not 3"):
        SINGLE_LABEL.decide(tf.ones([1, 3]) / 3, LABELS, {"odd": 0.5})


# [CLS] you are a [MASK] person [SEP]
MASKED_ROW = {"input_ids": tf.constant([[2, 5, 6, 7, 4, 12, 3]]), "attention_mask": tf.ones([1, 7], tf.int32)}


@pytest.mark.parametrize("model_type", FAMILIES)
def test_a_masked_lm_comes_back_with_its_head_and_its_encoder_without(base_of, tmp_path: Path, model_type: str):
    base = base_of(model_type)
    model = TFAutoModelForMaskedLM.from_pretrained(base)
    # A new head's biases are zero; as trained ones are not, neither are these.
    for variable in model.variables:
        variable.assign_add(tf.random.stateless_normal(variable.shape, (1, 2), stddev=0.1))
    TransformersEncoder(model).write(base, tmp_path)

    again, loading = TFAutoModelForMaskedLM.from_pretrained(tmp_path, output_loading_info=True)
    assert (loading["missing_keys"], loading["unexpected_keys"]) == ([], [])
    expected = model(MASKED_ROW, output_hidden_states=True)
    np.testing.assert_array_equal(again(MASKED_ROW).logits, expected.logits)
    encoder = TFAutoModel.from_pretrained(tmp_path)
    np.testing.assert_array_equal(encoder(MASKED_ROW).last_hidden_state, expected.hidden_states[-1])

    assert type(again) is type(model)
    assert AutoConfig.from_pretrained(tmp_path).architectures == [type(model).__name__.removeprefix("TF")]
    # Nothing is there twice: the tied decoder is not, and the parameters add up.
    with safe_open(tmp_path / "model.safetensors", "np") as file:
        sizes = {name: file.get_tensor(name).size for name in file.keys()}  # noqa: SIM118 (it is no dict)
    assert sum(sizes.values()) == model.num_parameters()
    sizes.pop("predictions.decoder.bias", None)  # ALBERT's file has its bias under both names
    assert not [name for name in sizes if "decoder" in name or "projector.weight" in name or "lm_head.weight" in name]
