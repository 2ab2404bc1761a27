import json
from pathlib import Path

import numpy as np
import pytest
import scipy.optimize
import scipy.special
import tensorflow as tf
from sklearn.metrics import log_loss
from transformers import TFAutoModelForSequenceClassification

from fullbake.contract.names import ABOUT_FILE, HF_FOLDER
from fullbake.trainer.calibration import LEAST, MOST, calibrate, fit_temperature, mean_loss
from fullbake.trainer.decision import score_split
from fullbake.trainer.encoder.families import FAMILIES
from fullbake.trainer.export import export_model, served_copy
from fullbake.trainer.models.classifier import Classifier
from fullbake.trainer.models.heads import HEADS
from fullbake.trainer.models.window_pooling import over_windows
from fullbake.trainer.tasks.table import MULTI_LABEL, SINGLE_LABEL
from fullbake.trainer.windows import Windows
from tests.conftest import make_transform
from tests.trainer.tokenized import random_rows, read_split
from tests.trainer.trainings import LABELS, make_spec

IDS = {
    "input_ids": tf.constant([[2, 5, 6, 7, 3], [2, 8, 3, 0, 0]]),
    "attention_mask": tf.constant([[1] * 5, [1, 1, 1, 0, 0]]),
}


def drawn(rows: int = 400, classes: int = 4, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits, and classes drawn from what a third of them say: they are three times too sure."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 4, (rows, classes))
    chances = scipy.special.softmax(logits / 3, axis=1)
    return logits, np.array([rng.choice(classes, p=row) for row in chances], np.int32)


def best_of_scipy(loss) -> float:
    found = scipy.optimize.minimize_scalar(
        lambda t: loss(np.exp(t)), bounds=(-4, 4), method="bounded", options={"xatol": 1e-10}
    )
    return float(np.exp(found.x))


def test_the_temperature_is_where_scipy_finds_the_least_log_loss_of_classes():
    logits, targets = drawn()

    def loss(temperature: float) -> float:
        return log_loss(targets, scipy.special.softmax(logits / temperature, axis=1), labels=range(4))

    margins = SINGLE_LABEL.margins(targets, logits)
    temperature = fit_temperature(margins)
    assert temperature == pytest.approx(best_of_scipy(loss), rel=1e-5)
    assert 2 < temperature < 4
    assert mean_loss(margins, temperature) == pytest.approx(loss(temperature))
    assert mean_loss(margins, 1.0) == pytest.approx(loss(1.0))


def test_labels_decided_each_by_itself_share_one_temperature_and_masked_ones_do_not_count():
    rng = np.random.default_rng(3)
    logits = rng.normal(0, 4, (300, 5))
    targets = (rng.random(logits.shape) < scipy.special.expit(logits / 3)).astype(np.int8)
    masked = np.where(rng.random(logits.shape) < 0.3, -1, targets).astype(np.int8)
    known = masked >= 0

    def loss(temperature: float) -> float:
        return log_loss(masked[known], scipy.special.expit(logits[known] / temperature))

    temperature = fit_temperature(MULTI_LABEL.margins(masked, logits))
    assert temperature == pytest.approx(best_of_scipy(loss), rel=1e-5)
    elsewhere = np.where(known, logits, 1e6)
    assert fit_temperature(MULTI_LABEL.margins(masked, elsewhere)) == temperature
    assert temperature != fit_temperature(MULTI_LABEL.margins(targets, logits))


@pytest.mark.parametrize("scale", [0.1, 1.0, 10.0])
def test_where_every_answer_is_right_it_becomes_as_sure_as_so_many_right_answers_allow(scale: float):
    rng = np.random.default_rng(1)
    logits = rng.normal(0, scale, (48, 3))
    targets = logits.argmax(axis=1)
    temperature = fit_temperature(SINGLE_LABEL.margins(targets, logits))
    assert scipy.special.softmax(logits / temperature, axis=1).max(axis=1).mean() == pytest.approx(49 / 50)


def test_answers_that_say_nothing_or_the_opposite_have_the_outermost_temperature():
    logits, targets = np.array([[1.0, -1.0]] * 9), np.array([1] * 9)
    assert fit_temperature(SINGLE_LABEL.margins(targets, logits)) == pytest.approx(MOST)
    assert fit_temperature(SINGLE_LABEL.margins(1 - targets, logits * 1e-9)) == pytest.approx(LEAST)
    assert fit_temperature(np.zeros((0, 2))) == 1.0


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("family", FAMILIES)
def test_every_head_of_every_family_gives_divided_logits(base_of, family: str, head: str):
    classifier = Classifier.from_base(base_of(family), head, ("a", "b", "c"))
    for variable in classifier.paths().values():
        if len(variable.shape) == 1:
            variable.assign_add(tf.random.stateless_normal(variable.shape, (1, 2), stddev=0.1))
    before = classifier(IDS).numpy()
    classifier.divide_logits(2.5)
    np.testing.assert_allclose(classifier(IDS).numpy(), before / 2.5, rtol=1e-5, atol=1e-6)


def overconfident(base: Path, **changes) -> Classifier:
    """A classifier of random weights, whose logits lie far apart and say little."""
    spec = make_spec(base, **changes)
    classifier = Classifier.from_base(base, spec.head, LABELS)
    classifier.divide_logits(1 / 200)
    return classifier


def calibration_error(probabilities: np.ndarray, targets: np.ndarray) -> float:
    """The expected calibration error over ten equal bins."""
    sure, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == targets
    bins = np.minimum((sure * 10).astype(int), 9)
    return sum(abs(right[bins == b].sum() - sure[bins == b].sum()) for b in range(10)) / len(targets)


@pytest.mark.parametrize("head", HEADS)
def test_an_overconfident_model_is_served_and_loaded_by_hugging_face_as_it_was_calibrated(
    base: Path, tmp_path: Path, head: str
):
    spec = make_spec(base, head=head, calibrate=True)
    classifier = overconfident(base, head=head)
    evaluate = read_split(random_rows(200, seed=5), tmp_path / "eval")
    calibration = calibrate(spec, lambda: served_copy(classifier, spec, base), evaluate)
    assert calibration is not None
    assert calibration.answers == 200
    assert calibration.loss < calibration.loss_before
    temperature = calibration.temperature
    transform = make_transform(base, tmp_path / "transform", LABELS)
    before = score_split(served_copy(classifier, spec, base), evaluate)
    copy = served_copy(classifier, spec, base, temperature)
    after = score_split(copy, evaluate)
    assert (before.argmax(axis=1) == after.argmax(axis=1)).all()
    assert calibration_error(after, evaluate.labels) < calibration_error(before, evaluate.labels) / 2
    told = after[np.arange(len(after)), evaluate.labels].astype(float)
    assert -np.log(told).mean() == pytest.approx(calibration.loss, rel=1e-4)

    export_model(classifier, spec, transform, tmp_path / "model", base=base, temperature=temperature)
    assert json.loads((tmp_path / "model" / ABOUT_FILE).read_text())["temperature"] == temperature
    served = tf.saved_model.load(str(tmp_path / "model")).signatures["serving_default"]
    texts = tf.constant(["you are a bad idiot", "what a lovely garden!"])
    tokens = {
        name: tf.cast(value, tf.int32)
        for name, value in transform.transform_features_layer()({"text": texts[:, None]}).items()
    }
    inputs = {name: tokens[name] for name in ("input_ids", "attention_mask")}
    answer = served(text=texts)["probabilities"].numpy()
    np.testing.assert_allclose(tf.nn.softmax(copy(inputs)), answer, atol=1e-5)
    if head == "hf":
        loaded = TFAutoModelForSequenceClassification.from_pretrained(tmp_path / "model" / HF_FOLDER)
        np.testing.assert_allclose(tf.nn.softmax(loaded(**inputs).logits), answer, atol=1e-5)


@pytest.mark.parametrize("pooling", ["max", "mean"])
def test_windows_are_pooled_as_they_were_before_with_divided_logits(base: Path, pooling: str):
    windows = Windows(length=5, overlap=1, most=3, pooling=pooling)
    classifier = overconfident(base, head="linear")
    laid = {name: tf.stack([value, value[::-1]]) for name, value in IDS.items()}
    network = over_windows(classifier, windows)
    before = network((laid, tf.constant([2, 1]))).numpy()
    classifier.divide_logits(7.0)
    np.testing.assert_allclose(network((laid, tf.constant([2, 1]))), before / 7, rtol=1e-4, atol=1e-5)


def test_nothing_is_calibrated_unless_it_is_asked_for(base: Path, tmp_path: Path):
    evaluate = read_split(random_rows(8), tmp_path / "eval")
    assert calibrate(make_spec(base), lambda: pytest.fail("not asked for"), evaluate) is None
