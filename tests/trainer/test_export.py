import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_text  # noqa: F401
import tensorflow_transform as tft
from transformers import AutoTokenizer, TFAutoModel, TFAutoModelForSequenceClassification

from components.servable_probe import TEXTS
from tests.conftest import make_transform
from tests.trainer.test_fine_tune import make_spec
from trainer.classifier import Classifier
from trainer.export import CHUNK_TOKENS, SLAB_ROWS, export_model
from trainer.served_model import ABOUT_FILE, HF_FOLDER

LABELS = ("fine", "rude", "odd")

# A server's process: TensorFlow, its text ops, and nothing of Keras, transformers or this project.
OPEN = """
import json, sys
import numpy as np
import tensorflow as tf
import tensorflow_text
model = tf.saved_model.load(sys.argv[1])
texts = json.loads(sys.argv[2])
answer = model.signatures["serving_default"](text=tf.constant(texts))
loaded = [name for name in ("transformers", "tf_keras", "trainer", "components", "tfx") if name in sys.modules]
print(json.dumps([answer["label"].numpy().astype(str).tolist(), answer["probabilities"].numpy().tolist(), loaded]))
"""


@pytest.fixture(scope="module")
def transform(base: Path, tmp_path_factory: pytest.TempPathFactory) -> tft.TFTransformOutput:
    return make_transform(base, tmp_path_factory.mktemp("transform"), LABELS)


@pytest.fixture(scope="module", params=["hf", "linear", "mlp"])
def exported(request, base: Path, transform, tmp_path_factory: pytest.TempPathFactory) -> tuple[Classifier, Path]:
    spec = make_spec(base, head=request.param, labels=LABELS)
    classifier = Classifier.from_base(base, request.param, LABELS)
    # A new head's biases are zero; as trained ones are not, neither are these.
    for variable in classifier.variables:
        variable.assign_add(tf.random.stateless_normal(variable.shape, (1, 2), stddev=0.02))
    folder = tmp_path_factory.mktemp("model")
    export_model(classifier, spec, transform, folder)
    return classifier, folder


def serve(folder: Path):
    return tf.saved_model.load(str(folder)).signatures["serving_default"]


def test_another_process_without_keras_or_transformers_gives_the_same_answers(exported, transform):
    classifier, folder = exported
    texts = ["you are a bad idiot", "what a lovely garden!", "it", ""]
    done = subprocess.run(
        [sys.executable, "-c", OPEN, str(folder), json.dumps(texts)],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={name: value for name, value in os.environ.items() if name != "TF_USE_LEGACY_KERAS"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    labels, probabilities, loaded = json.loads(done.stdout.splitlines()[-1])
    assert loaded == []
    tokens = transform.transform_features_layer()({"text": tf.constant(texts)[:, None]})
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
    examples = []
    for text in TEXTS:
        example = tf.train.Example()
        example.features.feature["text"].bytes_list.value.append(text)
        examples.append(example.SerializeToString())
    by_example = model.signatures["examples"](examples=tf.constant(examples))
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


def test_transformers_loads_the_folder_beside_it(exported):
    classifier, folder = exported
    hf = folder / HF_FOLDER
    auto = TFAutoModelForSequenceClassification if classifier.head is None else TFAutoModel
    loaded = auto.from_pretrained(hf, **({} if classifier.head is None else {"add_pooling_layer": False}))
    tokens = dict(AutoTokenizer.from_pretrained(hf)(["you are a bad person"], return_tensors="tf"))
    if classifier.head is None:
        np.testing.assert_allclose(loaded(tokens).logits, classifier(tokens), atol=1e-5)
        assert loaded.config.id2label == dict(enumerate(LABELS))
    else:
        np.testing.assert_allclose(loaded(tokens).last_hidden_state[:, 0], classifier.encode(tokens), atol=1e-5)


def test_pytorch_loads_the_folder_beside_it(exported):
    torch = pytest.importorskip("torch")
    from transformers import AutoModel, AutoModelForSequenceClassification

    classifier, folder = exported
    auto = AutoModelForSequenceClassification if classifier.head is None else AutoModel
    model = auto.from_pretrained(folder / HF_FOLDER).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder / HF_FOLDER)
    with torch.no_grad():
        answer = model(**tokenizer(["you are a bad person"], return_tensors="pt"))
    tokens = dict(tokenizer(["you are a bad person"], return_tensors="tf"))
    if classifier.head is None:
        np.testing.assert_allclose(answer.logits.numpy(), classifier(tokens), atol=1e-5)
    else:
        np.testing.assert_allclose(answer.last_hidden_state[:, 0].numpy(), classifier.encode(tokens), atol=1e-5)


def test_a_model_says_what_it_is(exported):
    _, folder = exported
    about = json.loads((folder / ABOUT_FILE).read_text(encoding="utf-8"))
    assert about["labels"] == list(LABELS)
    assert about["text_features"] == ["text"]
    assert about["text_columns"] == {"text": "text"}


def test_no_pickle_and_no_secret_path_is_in_what_is_exported(exported):
    _, folder = exported
    suffixes = {file.suffix for file in folder.rglob("*") if file.is_file()}
    assert suffixes <= {".pb", ".json", ".txt", ".safetensors", ".index", ".data-00000-of-00001"}


@pytest.mark.parametrize("model_type", ["distilbert", "electra"])
@pytest.mark.parametrize("head", ["hf", "mlp"])
def test_every_family_comes_back_from_its_folder(base_of, transform, tmp_path: Path, model_type: str, head: str):
    base = base_of(model_type)
    classifier = Classifier.from_base(base, head, LABELS)
    export_model(classifier, make_spec(base, head=head, labels=LABELS), transform, tmp_path)
    again = Classifier.from_base(tmp_path / HF_FOLDER, head, LABELS)
    for path, variable in classifier.paths().items():
        if path.startswith("encoder/") or head == "hf":
            np.testing.assert_array_equal(variable.numpy(), again.paths()[path].numpy(), err_msg=path)
