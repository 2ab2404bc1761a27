"""What is served of a model that reads texts in windows."""

import dataclasses
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_text  # noqa: F401
from transformers import AutoTokenizer, TFAutoModelForSequenceClassification

from fullbake.contract.names import HF_FOLDER
from fullbake.trainer import export
from fullbake.trainer.data.windowed_split import TokenizedWindows
from fullbake.trainer.decision import score_split
from fullbake.trainer.export import ServingModel, export_model, served_copy
from fullbake.trainer.models.classifier import Classifier
from fullbake.trainer.models.window_pooling import over_windows
from fullbake.trainer.windows import Windows
from tests.conftest import WORDS, make_transform
from tests.trainer.test_export import OPEN, serve
from tests.trainer.trainings import make_spec
from tests.trainer.windowed import packed

LABELS = ("fine", "rude", "odd")
WINDOWS = Windows(length=10, overlap=3, most=5, pooling="max")


def texts_of(count: int, longest: int, seed: int = 0) -> list[str]:
    source = random.Random(seed)  # noqa: S311
    return [" ".join(source.choices(WORDS, k=source.randint(0, longest))) for _ in range(count)]


# Rows of every number of windows, and some that are cut behind the last.
TEXTS = ["", *texts_of(200, 50)]


def telling(base: Path, head: str = "linear") -> Classifier:
    """A classifier that gives windows logits far apart."""
    tf.keras.utils.set_random_seed(1)
    classifier = Classifier.from_base(base, head, LABELS)
    for variable in classifier.variables:
        variable.assign_add(tf.random.stateless_normal(variable.shape, (1, 2), stddev=0.1))
    return classifier


@pytest.fixture(scope="module")
def transform(base: Path, tmp_path_factory: pytest.TempPathFactory):
    return make_transform(base, tmp_path_factory.mktemp("transform"), LABELS, WINDOWS.length, windows=WINDOWS)


@pytest.fixture(scope="module", params=["max", "mean"])
def exported(request, base: Path, transform, tmp_path_factory: pytest.TempPathFactory):
    """The windows, the classifier, and the folder of its model."""
    windows = dataclasses.replace(WINDOWS, pooling=request.param)
    classifier = telling(base, "hf")
    spec = make_spec(base, head="hf", labels=LABELS, windows=windows)
    folder = tmp_path_factory.mktemp("model")
    export_model(classifier, spec, transform, folder, base=base)
    return windows, classifier, folder


@pytest.fixture(scope="module")
def split(transform, tmp_path_factory: pytest.TempPathFactory) -> TokenizedWindows:
    """The texts as a training reads them."""
    tokens = transform.transform_features_layer()({"text": tf.constant(TEXTS)[:, None]})
    ids = tf.ragged.boolean_mask(tokens["input_ids"], tokens["attention_mask"] > 0).to_list()
    rows = packed([(row, 0) for row in ids], WINDOWS.row_length)
    return TokenizedWindows.cut(rows, WINDOWS, tmp_path_factory.mktemp("packed"))


def test_what_is_served_is_what_the_training_scores(exported, split, base: Path):
    windows, classifier, folder = exported
    assert set(split.window_counts) == {1, 2, 3, 4, 5}
    copy = served_copy(classifier, make_spec(base, head="hf", labels=LABELS), base)
    expected = score_split(over_windows(copy, windows), split)
    answer = serve(folder)(text=tf.constant(TEXTS))
    np.testing.assert_allclose(answer["probabilities"], expected, atol=1e-5)
    assert answer["label"].numpy().astype(str).tolist() == [LABELS[index] for index in expected.argmax(axis=1)]
    # It is no matter of indifference how they are pooled, or that there are several.
    of_first = score_split(copy, split.windows)[split.bounds[:-1]]
    assert np.abs(of_first - expected).max() > 0.01
    alone = [serve(folder)(text=tf.constant([text]))["probabilities"][0] for text in TEXTS[:10]]
    np.testing.assert_allclose(answer["probabilities"][:10], alone, atol=1e-5)


@pytest.mark.parametrize(("chunk_tokens", "slab_rows"), [(10, 5), (25, 2048), (70, 100), (1, 1)])
def test_where_chunks_and_slabs_end_changes_nothing(
    exported, transform, monkeypatch, chunk_tokens: int, slab_rows: int
):
    windows, classifier, folder = exported
    monkeypatch.setattr(export, "CHUNK_TOKENS", chunk_tokens)
    monkeypatch.setattr(export, "SLAB_ROWS", slab_rows)
    widths = []
    small = ServingModel(classifier, transform, LABELS, windows=windows)
    logits_of = small._logits

    def spied(chunk):
        tf.py_function(lambda ids: widths.append(ids.shape), [chunk["input_ids"]], [])
        return logits_of(chunk)

    small._logits = spied
    texts = tf.constant(TEXTS[:60])
    found = small.signatures()["serving_default"](texts)
    np.testing.assert_allclose(found["probabilities"], serve(folder)(text=texts)["probabilities"], atol=1e-5)
    assert max(rows * width for rows, width in widths) <= max(chunk_tokens, WINDOWS.length)
    assert max(width for _, width in widths) == WINDOWS.length


def test_texts_of_one_window_are_answered_as_with_head_bit_for_bit(exported, base: Path, tmp_path: Path):
    _, classifier, folder = exported
    short = [text for text in TEXTS if len(text.split()) <= WINDOWS.length - 2]
    assert len(short) > 30
    plain = make_transform(base, tmp_path / "transform", LABELS, WINDOWS.length)
    export_model(classifier, make_spec(base, head="hf", labels=LABELS), plain, tmp_path / "model", base=base)
    found, expected = (serve(model)(text=tf.constant(short)) for model in (folder, tmp_path / "model"))
    np.testing.assert_array_equal(found["probabilities"], expected["probabilities"])
    assert found["label"].numpy().tolist() == expected["label"].numpy().tolist()


def test_hugging_face_loads_the_model_and_reads_the_first_window(exported, split):
    _, classifier, folder = exported
    tokenizer = AutoTokenizer.from_pretrained(folder / HF_FOLDER)
    assert tokenizer.model_max_length == WINDOWS.length
    model = TFAutoModelForSequenceClassification.from_pretrained(folder / HF_FOLDER)
    tokens = tokenizer(TEXTS, truncation=True, padding=True, return_tensors="tf")
    expected = score_split(classifier, split.windows)[split.bounds[:-1]]
    np.testing.assert_allclose(tf.nn.softmax(model(tokens).logits), expected, atol=1e-5)


def test_a_process_without_this_project_gives_the_same_answers(exported, tmp_path: Path):
    _, _, folder = exported
    texts = TEXTS[:20]
    done = subprocess.run(
        [sys.executable, "-c", OPEN, json.dumps(texts), str(folder)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name != "TF_USE_LEGACY_KERAS"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    answer, loaded = map(json.loads, done.stdout.splitlines()[-2:])
    assert loaded == []
    np.testing.assert_allclose(answer[1], serve(folder)(text=tf.constant(texts))["probabilities"], atol=1e-6)


def test_no_text_is_answered_with_nothing(exported):
    _, _, folder = exported
    answer = serve(folder)(text=tf.constant([], tf.string))
    assert answer["probabilities"].shape == (0, len(LABELS))
