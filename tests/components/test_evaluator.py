"""The Evaluator on real SavedModels through Beam and TFMA: what it measures, and what it blesses."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
from tfx.components.util.model_utils import is_model_blessed

from fullbake.trainer.export import export_model
from fullbake.trainer.models.classifier import Classifier
from tests.components.evaluating import CAREFUL, LABELS, ROWS, counted, evaluate_model, push
from tests.components.test_servable_check import save_keyword_model
from tests.conftest import WORDS, make_transform
from tests.trainer.trainings import make_spec


@pytest.fixture(scope="module")
def evaluate(tmp_path_factory: pytest.TempPathFactory):
    """Evaluates a model artifact on rows."""
    return lambda *model, **settings: evaluate_model(tmp_path_factory.mktemp("evaluation"), *model, **settings)


@pytest.fixture(scope="module")
def careful(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model artifact; the label it decides is the least probable one, as no real model's is."""
    folder = tmp_path_factory.mktemp("careful")
    save_keyword_model(folder / "Format-Serving", CAREFUL, sure=0.2)
    return folder


@pytest.fixture(scope="module")
def transform(base: Path, tmp_path_factory: pytest.TempPathFactory) -> tft.TFTransformOutput:
    return make_transform(base, tmp_path_factory.mktemp("transform"), LABELS)


def make_classifier(base: Path, transform: tft.TFTransformOutput, rows=ROWS, labels=LABELS) -> Classifier:
    classifier = Classifier.from_base(base, "linear", labels)
    # An untrained encoder tells texts apart by little; on an average text, this head sits on the fence.
    kernel, bias = classifier.trainable_variables[-2:]
    kernel.assign(100 * tf.random.stateless_normal(kernel.shape, (3, 4)))
    tokens = transform.transform_features_layer()({"text": tf.constant([[text] for _, text in rows])})
    logits = classifier({name: tf.cast(value, tf.int32) for name, value in tokens.items()}, training=False)
    bias.assign_sub(tf.reduce_mean(logits, axis=0))
    return classifier


def test_the_graph_gets_batches_that_are_worth_sorting(evaluate, tmp_path: Path):
    # Each row's probability is one in so many of its batch, so their sum is the number of batches.
    save_keyword_model(
        tmp_path / "Format-Serving",
        CAREFUL,
        finish=lambda given: tf.ones_like(given) / tf.cast(tf.shape(given)[0], given.dtype),
    )
    result = evaluate(tmp_path, rows=ROWS * 20).evaluation
    assert result["examples"] == len(ROWS) * 20
    assert sum(result["confidence"]["probability_sum"]) < 2.01  # one of each file


def test_a_real_classifier_is_measured_by_the_labels_it_serves(base: Path, transform, tmp_path: Path, evaluate):
    classifier = make_classifier(base, transform)
    saved = tmp_path / "model/Format-Serving"
    export_model(classifier, make_spec(base, head="linear", labels=LABELS), transform, saved, base=base)
    recall, precision, probabilities = counted(saved)
    assert None not in precision.values(), "the model never decides for some label"

    verdict = evaluate(tmp_path / "model", min_recall=dict.fromkeys(LABELS, 0.99))
    assert verdict.evaluation["recall"] == pytest.approx(recall)
    assert verdict.evaluation["precision"] == pytest.approx(precision)
    assert verdict.evaluation["examples"] == len(ROWS)
    assert verdict.evaluation["baseline"] is None
    assert verdict.evaluation["decision_threshold"] is None
    assert verdict.missed == [("recall", label) for label in LABELS if recall[label] < 0.99]
    confidence = {name: np.array(values) for name, values in verdict.evaluation["confidence"].items()}
    assert confidence["probability_sum"].sum() == pytest.approx(probabilities.max(axis=1).sum(), rel=1e-5)
    assert confidence["count"].sum() == len(ROWS)
    for label in LABELS:
        scores = verdict.evaluation["scores"][label]
        rows = sum(truth == label for truth, _ in ROWS)
        assert (sum(scores["positive"]), sum(scores["negative"])) == (rows, len(ROWS) - rows)


def test_a_threshold_decides_the_verdict_and_the_model_in_production_keeps_its_own(
    base: Path, transform, tmp_path: Path, evaluate
):
    labels = LABELS[:2]
    texts = [f"{one} {other}" for one in ("you", "lovely", "idiot", "it", "very") for other in WORDS]
    rows = [(labels[number % 2], text) for number, text in enumerate(texts)]
    classifier = make_classifier(base, transform, rows, labels)
    export = partial(export_model, classifier, make_spec(base, head="linear", labels=labels), transform, base=base)
    export(tmp_path / "serving/1", thresholds={"rude": 0.8})
    export(tmp_path / "eager/Format-Serving", thresholds={"rude": 0.2})
    eager, precision, probabilities = counted(tmp_path / "eager/Format-Serving", rows, labels)
    wary, _, _ = counted(tmp_path / "serving/1", rows, labels)
    likelier = np.mean(probabilities[1::2].argmax(axis=1))
    assert wary["rude"] < likelier < eager["rude"], "the thresholds change no decision"

    verdict = evaluate(
        tmp_path / "eager", tmp_path / "serving", rows, labels, min_recall={"rude": eager["rude"]}, max_recall_drop=0.0
    )
    assert verdict.evaluation["decision_threshold"] == 0.2
    assert verdict.evaluation["recall"] == pytest.approx(eager)
    assert verdict.evaluation["precision"] == pytest.approx(precision)
    assert verdict.evaluation["baseline"]["recall"] == pytest.approx(wary)
    assert verdict.missed == [("recall_drop", "fine")]


def test_a_model_that_meets_its_bounds_is_blessed_as_tfx_blesses(careful: Path, evaluate):
    verdict = evaluate(careful, min_recall={"rude": 1.0, "odd": 0.8}, min_precision={"fine": 30 / 31})
    assert verdict.evaluation["blessed"] is True
    assert verdict.missed == []
    # By its decisions, though it gives the label it decides for a probability of 0.2.
    assert verdict.evaluation["recall"] == {"fine": 1.0, "rude": 1.0, "odd": 0.8}
    assert verdict.evaluation["precision"] == pytest.approx({"fine": 30 / 31, "rude": 1.0, "odd": 1.0})
    assert verdict.evaluation["confusion"] == [[30, 0, 0], [0, 15, 0], [1, 0, 4]]
    assert verdict.files == {"BLESSED"}
    assert is_model_blessed(verdict.blessing)
    assert verdict.blessing.get_string_custom_property("current_model") == str(careful)
    assert verdict.blessing.get_int_custom_property("current_model_id") == 17


def test_a_model_that_misses_one_bound_is_not_blessed_and_without_a_drop_bound_not_compared(
    careful: Path, tmp_path: Path, evaluate
):
    push(tmp_path, 1, CAREFUL)
    verdict = evaluate(careful, tmp_path, min_recall={"rude": 1.0, "odd": 0.81})
    assert verdict.evaluation["blessed"] is False
    assert verdict.missed == [("recall", "odd")]
    assert len(verdict.evaluation["bounds"]) == 2
    assert verdict.evaluation["baseline"] is None
    assert verdict.evaluation["baseline_note"] is None
    assert verdict.files == {"NOT_BLESSED"}
    assert not is_model_blessed(verdict.blessing)


def test_a_class_without_test_rows_misses_its_bound(careful: Path, evaluate):
    verdict = evaluate(careful, rows=[row for row in ROWS if row[0] != "odd"], min_recall={"rude": 0.5, "odd": 0.0})
    assert verdict.evaluation["recall"] == {"fine": 1.0, "rude": 1.0, "odd": None}
    assert verdict.missed == [("recall", "odd")]
    assert verdict.files == {"NOT_BLESSED"}


def test_with_a_confidence_few_rows_do_not_show_a_bound_and_a_class_that_is_never_decided_is_missed(
    tmp_path: Path, evaluate
):
    save_keyword_model(tmp_path / "Format-Serving", {"rude": "(idiot|fool)", "odd": "never", "fine": ""})
    verdict = evaluate(tmp_path, min_recall={"rude": 0.79, "fine": 0.89}, confidence=0.95)
    assert verdict.missed == [("recall", "fine"), ("predicted", "odd")]
    assert verdict.evaluation["recall"] == {"fine": 1.0, "rude": 1.0, "odd": 0.0}
    bounds = {bound["label"]: bound for bound in verdict.evaluation["bounds"]}
    # Of n rows that were all found, the lower end is n / (n + z²).
    for label, rows in (("fine", 30), ("rude", 15)):
        assert (bounds[label]["value"], bounds[label]["rows"]) == (1.0, rows)
        assert bounds[label]["interval"] == pytest.approx([rows / (rows + 3.8415), 1.0], abs=1e-4)
    assert verdict.files == {"NOT_BLESSED"}
    assert "no row of the test split was given the label 'odd'" in verdict.blessing.get_string_custom_property("missed")


def test_a_diverged_model_is_refused_by_the_gate(tmp_path: Path, evaluate):
    save_keyword_model(
        tmp_path / "Format-Serving",
        {"fine": "", "rude": "never", "odd": "never"},
        finish=lambda probabilities: probabilities * float("nan"),
    )
    verdict = evaluate(tmp_path, min_recall={"fine": 0.6, "rude": 0.6}, allow_never_predicted=("rude", "odd"))
    assert verdict.missed == [("recall", "rude")]
