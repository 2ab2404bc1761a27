"""Labels that are decided each by itself: the arithmetic against scikit-learn's, and a training with masks."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from sklearn.metrics import accuracy_score, balanced_accuracy_score, log_loss
from sklearn.utils.class_weight import compute_class_weight

from fullbake.trainer.approaches import APPROACHES
from fullbake.trainer.data.input_pipeline import TokenizedSplit
from fullbake.trainer.decision import decide_thresholds, score_split
from fullbake.trainer.models.classifier import Classifier
from fullbake.trainer.tasks.table import MULTI_LABEL
from tests.trainer.tokenized import random_rows, read_split
from tests.trainer.trainings import interrupted, make_spec, train, values

LABELS = ("rude", "odd", "loud")
TOKENS = (8, 10, 12)  # a row has a label where it has its token


def rows_with_masks(rows: int = 200, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Targets of which a third are masked, and logits."""
    rng = np.random.default_rng(seed)
    return rng.integers(-1, 2, (rows, 3)).astype(np.int8), rng.normal(0, 3, (rows, 3)).astype(np.float32)


def sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-logits.astype(np.float64)))


def test_the_loss_is_the_mean_cross_entropy_of_the_known_labels_over_all_labels():
    targets, logits = rows_with_masks()
    losses = MULTI_LABEL.losses(tf.constant(targets), tf.constant(logits)).numpy()
    for row, (truth, scores) in enumerate(zip(targets, sigmoid(logits), strict=True)):
        known = [log_loss([t], [s], labels=[0, 1]) for t, s in zip(truth, scores, strict=True) if t >= 0]
        assert losses[row] == pytest.approx(sum(known) / 3, rel=1e-4)


@pytest.mark.parametrize("kind", ["none", "balanced"])
def test_a_masked_label_has_no_gradient_whatever_its_logit(kind: str):
    targets, logits = rows_with_masks()
    logits[::7] *= 1e30
    weights = tf.constant(MULTI_LABEL.class_weights(kind, targets, 3), tf.float32)
    variable = tf.Variable(logits)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(MULTI_LABEL.losses(tf.constant(targets), variable, weights))
    gradient = tape.gradient(loss, variable).numpy()
    assert (gradient[targets < 0] == 0).all()
    assert np.isfinite(gradient).all()
    assert (gradient[(targets >= 0) & (np.abs(logits) < 10)] != 0).all()


def test_balanced_weights_are_those_of_scikit_learn_label_by_label():
    targets, logits = rows_with_masks()
    targets[:150, 1] = 0
    weights = MULTI_LABEL.class_weights("balanced", targets, 3)
    for index in range(3):
        known = targets[:, index][targets[:, index] >= 0]
        expected = compute_class_weight("balanced", classes=np.array([0, 1]), y=known)
        np.testing.assert_allclose(weights[:, index], expected)
    weighed = MULTI_LABEL.losses(tf.constant(targets), tf.constant(logits), tf.constant(weights, tf.float32))
    alone = np.array([log_loss([1], [s], labels=[0, 1]) for s in sigmoid(logits[:, 0])])
    only_first = targets.copy()
    only_first[:, 1:] = -1
    found = MULTI_LABEL.losses(tf.constant(only_first), tf.constant(logits), tf.constant(weights, tf.float32)).numpy()
    has_first = targets[:, 0] == 1
    np.testing.assert_allclose(found[has_first] * 3, alone[has_first] * weights[1, 0], rtol=1e-3)
    assert weighed.shape == (200,)


def test_measures_are_those_of_scikit_learn_over_what_is_known():
    targets, logits = rows_with_masks()
    accuracy, macro_recall = MULTI_LABEL.metrics(3)
    for start in range(0, 200, 64):
        for metric in (accuracy, macro_recall):
            metric.update_state(tf.constant(targets[start : start + 64]), tf.constant(logits[start : start + 64]))
    decided = (logits >= 0).astype(np.int8)
    # Where nobody knows, any decision is taken for right.
    assert float(accuracy.result()) == pytest.approx(accuracy_score(np.where(targets < 0, decided, targets), decided))
    by_label = [
        balanced_accuracy_score(targets[known, index], decided[known, index])
        for index, known in enumerate((targets >= 0).T)
    ]
    assert float(macro_recall.result()) == pytest.approx(np.mean(by_label))


def test_a_model_that_gives_every_label_to_every_row_has_no_better_score_than_one_that_gives_none():
    targets, _ = rows_with_masks()
    scores = []
    for logit in (9.0, -9.0):
        _, macro_recall = MULTI_LABEL.metrics(3)
        macro_recall.update_state(tf.constant(targets), tf.fill(targets.shape, logit))
        scores.append(float(macro_recall.result()))
    assert scores == [0.5, 0.5]


def test_what_is_served_lists_the_labels_from_their_thresholds_on():
    probabilities = tf.constant([[0.2, 0.5, 0.1], [0.9, 0.1, 0.7], [0.1, 0.2, 0.3], [0.5, 0.5, 0.5]])
    decided = MULTI_LABEL.decide(probabilities, LABELS, {}).numpy().tolist()
    assert decided == [b"odd", b"rude,loud", b"", b"rude,odd,loud"]
    thresholds = {"rude": 0.15, "odd": 0.6, "loud": 0.3}
    decided = MULTI_LABEL.decide(probabilities, LABELS, thresholds).numpy().tolist()
    assert decided == [b"rude", b"rude,loud", b"loud", b"rude,loud"]
    assert MULTI_LABEL.decide(tf.zeros([0, 3]), LABELS, {}).numpy().tolist() == []


def split_of(rows: int, seed: int, folder: Path, masked: float = 0.2) -> TokenizedSplit:
    """Rows that have a label where they have its token; of some labels nobody knows."""
    rng = np.random.default_rng(seed)
    split = read_split(random_rows(rows, seed), folder)
    ids = np.array(split.streams["input_ids"])
    ids[np.isin(ids, TOKENS)] = 9
    targets = (rng.random((rows, 3)) < 0.4).astype(np.int8)
    for row, start in enumerate(split.offsets[:-1]):
        words = np.arange(start + 1, split.offsets[row + 1] - 1)
        places = rng.permutation(words)[:3]
        for label, place in zip(np.flatnonzero(targets[row])[: len(places)], places, strict=False):
            ids[place] = TOKENS[label]
        targets[row] = np.isin(TOKENS, ids[words])
    targets[rng.random((rows, 3)) < masked] = -1
    return TokenizedSplit({"input_ids": ids}, split.offsets, targets, split.max_length)


def multi_label_spec(base: Path, **changes):
    return make_spec(base, labels=LABELS, task_name="multi_label", **{"epochs": 8, "learning_rate": 5e-3, **changes})


@pytest.fixture(scope="module")
def learned(base_without_dropout: Path, tmp_path_factory: pytest.TempPathFactory):
    """A classifier that learned the three tokens, and what it was trained and measured on."""
    folder = tmp_path_factory.mktemp("rows")
    splits = split_of(600, 1, folder / "train"), split_of(120, 2, folder / "eval")
    spec = multi_label_spec(
        base_without_dropout, head="linear", pooling="mean", class_weights="balanced", early_stopping_patience=8
    )
    return spec, *train(spec, *splits, scratch=folder), splits


def test_planted_labels_are_learned_and_measured_as_scikit_learn_does(learned):
    spec, classifier, record, (_, evaluate) = learned
    assert record.epochs[record.best_epoch - 1].eval_macro_recall > 0.95
    scores = score_split(classifier, evaluate, task=spec.task)
    known = evaluate.labels >= 0
    by_label = [
        balanced_accuracy_score(evaluate.labels[rows, index], scores[rows, index] >= 0.5)
        for index, rows in enumerate(known.T)
    ]
    best = max(record.epochs, key=lambda epoch: epoch.eval_macro_recall)
    assert best.eval_macro_recall == pytest.approx(np.mean(by_label), abs=1e-6)


@pytest.mark.parametrize("threshold", ["auto", 0.3])
def test_each_label_has_a_threshold_of_its_own_that_is_measured_on_what_is_known(learned, threshold: str | float):
    spec, classifier, _, (_, evaluate) = learned
    bounds = {"rude": 0.8, "odd": 0.9, "loud": 1.0} if threshold == "auto" else {}
    spec = multi_label_spec(Path(spec.base), decision_threshold=threshold, threshold_min_recall=bounds)
    thresholds = decide_thresholds(spec, lambda: classifier, evaluate)
    assert list(thresholds) == list(LABELS)
    scores = score_split(classifier, evaluate, task=spec.task)
    for index, (label, found) in enumerate(thresholds.items()):
        has, decided = evaluate.labels[:, index], scores[:, index] >= np.float32(found.value)
        assert found.recall == decided[has == 1].mean() >= bounds.get(label, 0)
        assert found.precision == (has[decided & (has >= 0)] == 1).mean()
        assert found.chosen == (threshold == "auto")
    assert len({found.value for found in thresholds.values()}) == (3 if threshold == "auto" else 1)


@pytest.mark.parametrize(("approach", "head"), [("fine_tune", "linear"), ("frozen", "linear")])
def test_a_label_that_is_masked_everywhere_is_not_learned(
    base_without_dropout: Path, tmp_path: Path, approach: str, head: str
):
    splits = split_of(60, 1, tmp_path / "train"), split_of(30, 2, tmp_path / "eval")
    splits[0].labels[:, 1] = -1
    spec = multi_label_spec(base_without_dropout, approach=approach, head=head, epochs=1, weight_decay=0.0)
    tf_keras.utils.set_random_seed(spec.seed)
    classifier, record = train(spec, *splits, scratch=tmp_path)
    untouched, others = values(classifier)["head/logits/kernel"][:, 1], values(classifier)["head/logits/bias"]
    assert others[1] == 0.0
    assert (others[[0, 2]] != 0.0).all()
    splits[0].labels[:, 1] = 1
    other, _ = train(spec, *splits, scratch=tmp_path / "other")
    assert values(other)["head/logits/bias"][1] != 0.0
    assert (values(other)["head/logits/kernel"][:, 1] != untouched).any()
    assert np.isfinite(record.epochs[0].loss)


@pytest.mark.parametrize("approach", APPROACHES)
def test_every_approach_lowers_the_loss(base_without_dropout: Path, tmp_path: Path, approach: str):
    splits = split_of(200, 1, tmp_path / "train"), split_of(30, 2, tmp_path / "eval")
    row = APPROACHES[approach]
    rate = 3e-3 if row.base_is_trainable else 3e-2
    spec = multi_label_spec(base_without_dropout, approach=approach, head=row.head, epochs=3, learning_rate=rate)
    _, record = train(spec, *splits, scratch=tmp_path)
    assert record.epochs[-1].loss < record.epochs[0].loss
    assert record.epochs[-1].eval_loss < np.log(2)  # that of a coin


def test_an_interrupted_training_comes_to_the_same_weights(
    base_without_dropout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    splits = split_of(60, 1, tmp_path / "train"), split_of(30, 2, tmp_path / "eval")
    spec = multi_label_spec(base_without_dropout, epochs=2)
    whole, _ = train(spec, *splits, scratch=tmp_path)
    checkpoints = tmp_path / "checkpoints"
    interrupted(monkeypatch, 2, lambda: train(spec, *splits, scratch=tmp_path, checkpoints=checkpoints))
    resumed, _ = train(spec, *splits, scratch=tmp_path, checkpoints=checkpoints)
    for path, value in values(whole).items():
        np.testing.assert_array_equal(values(resumed)[path], value, err_msg=path)


def test_the_head_of_a_multi_label_model_says_what_it_is(base: Path):
    classifier = Classifier.from_base(base, "hf", LABELS, task=MULTI_LABEL)
    assert classifier.encoder.model.config.problem_type == "multi_label_classification"
