import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from fullbake.contract.errors import InputError
from fullbake.contract.results.training import Threshold
from fullbake.trainer.decision import choose_threshold, measure_threshold, score_split
from fullbake.trainer.models.classifier import Classifier
from tests.trainer.tokenized import random_rows, read_split
from tests.trainer.trainings import LABELS

SCORES = np.array([0.2, 0.9, 0.6, 0.8, 0.7], np.float32)
SECOND = np.array([0, 1, 1, 0, 1], bool)
LABEL = "rude"


def decided_in_graph(scores: np.ndarray, value: float) -> np.ndarray:
    """What a graph decides, with the comparison that a served model holds."""
    decide = tf.function(lambda column: column >= value, input_signature=[tf.TensorSpec([None], tf.float32)])
    return decide(tf.constant(scores, tf.float32)).numpy()


def parts(threshold: Threshold) -> tuple:
    """Value, recall, precision and whether it was chosen."""
    return tuple(threshold.to_dict().values())


def rates(decided: np.ndarray, labels: np.ndarray) -> tuple[float | None, float | None]:
    """Recall and precision, row by row."""
    right = sum(1 for d, label in zip(decided, labels, strict=True) if d and label == 1)
    second, given = sum(1 for label in labels if label == 1), sum(1 for d in decided if d)
    return right / second if second else None, right / given if given else None


@pytest.mark.parametrize(
    ("min_recall", "value", "recall", "precision"),
    [(1.0, 0.4, 1.0, 0.75), (0.5, 0.4, 1.0, 0.75), (1 / 3, 0.85, 1 / 3, 1.0), (0.0, 0.85, 1 / 3, 1.0)],
)
def test_the_most_precise_threshold_that_keeps_the_recall_is_midway_between_two_scores(
    min_recall: float, value: float, recall: float, precision: float
):
    chosen = choose_threshold(SCORES, SECOND, min_recall, LABEL)
    assert parts(chosen) == (pytest.approx(value), pytest.approx(recall), pytest.approx(precision), True)


def test_of_equally_precise_thresholds_the_one_of_higher_recall_is_chosen():
    # Three of four above 0.5, six of eight above 0.1.
    scores = np.array([0.9, 0.8, 0.7, 0.6, 0.4, 0.3, 0.25, 0.2, 0.05])
    labels = np.array([0, 1, 1, 1, 0, 1, 1, 1, 0], bool)
    chosen = choose_threshold(scores, labels, 0.2, LABEL)
    assert (chosen.recall, chosen.precision) == (1.0, 0.75)
    assert chosen.value == pytest.approx(0.125)


@pytest.mark.parametrize("distinct", [1, 2, 7, 1000])
@pytest.mark.parametrize("min_recall", [0.0, 0.3, 0.6, 0.85, 1.0])
def test_no_other_threshold_does_better_and_the_graph_decides_as_it_was_counted(distinct: int, min_recall: float):
    rng = np.random.default_rng(distinct)
    for rows in (1, 2, 3, 10, 60):
        labels = rng.integers(0, 2, rows) == 1
        labels[rng.integers(rows)] = True
        scores = (rng.integers(0, distinct, rows) + 1).astype(np.float32) / np.float32(distinct + 1)
        chosen = choose_threshold(scores, labels, min_recall, LABEL)
        every = [rates(scores >= score, labels) for score in np.unique(scores)]
        best = max((precision, recall) for recall, precision in every if recall >= min_recall)
        assert (chosen.precision, chosen.recall) == best
        assert rates(decided_in_graph(scores, chosen.value), labels) == best[::-1]
        measured = measure_threshold(scores, labels, chosen.value)
        assert (measured.precision, measured.recall) == best
        assert 0 < chosen.value <= 1


@pytest.mark.parametrize("start", [0.5, 0.1, 0.9999999])
def test_scores_that_no_float_lies_between_are_told_apart(start: float):
    upper = np.float32(start)
    scores = np.array([np.nextafter(upper, np.float32(0)), upper])
    chosen = choose_threshold(scores, np.array([False, True]), 1.0, LABEL)
    assert (chosen.recall, chosen.precision) == (1.0, 1.0)
    assert decided_in_graph(scores, chosen.value).tolist() == [False, True]


def test_the_lowest_threshold_lies_below_the_lowest_score_and_above_zero():
    chosen = choose_threshold(np.array([0.25, 0.75]), np.array([True, True]), 1.0, LABEL)
    assert parts(chosen) == (0.125, 1.0, 1.0, True)
    # A server takes the smallest float32 numbers for zero; a threshold of zero would decide all rows.
    least = np.array([1e-45, 1e-40, np.finfo(np.float32).tiny, 0.9], np.float32)
    labels = np.array([0, 0, 1, 1], bool)
    chosen = choose_threshold(least, labels, 1.0, LABEL)
    assert (chosen.recall, chosen.precision) == (1.0, 1.0)
    assert decided_in_graph(least, chosen.value).tolist() == [False, False, True, True]


def test_where_scores_of_zero_make_the_recall_unreachable_the_highest_is_kept():
    scores, labels = np.array([0.0, np.nan, 0.3, 0.6, 0.9]), np.array([1, 1, 1, 0, 1], bool)
    chosen = choose_threshold(scores, labels, 0.9, LABEL)
    assert parts(chosen) == (pytest.approx(0.15), 0.5, pytest.approx(2 / 3), True)
    assert decided_in_graph(scores, chosen.value).tolist() == [False, False, True, True, True]
    nothing = choose_threshold(np.zeros(3), np.array([False, True, True]), 0.9, LABEL)
    assert (nothing.recall, nothing.precision) == (0.0, None)
    assert nothing.value > 0


def test_without_a_row_of_the_second_label_there_is_nothing_to_choose_by():
    with pytest.raises(InputError, match=r"^labels: no row of the eval split has the label 'rude'") as error:
        choose_threshold(SCORES, np.zeros(5, bool), 0.5, LABEL)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("value", "recall", "precision"), [(0.7, 2 / 3, 2 / 3), (0.95, 0.0, None), (0.01, 1.0, 3 / 5), (0.3, 1.0, 3 / 4)]
)
def test_a_given_threshold_is_measured(value: float, recall: float, precision: float | None):
    assert parts(measure_threshold(SCORES, SECOND, value)) == (value, recall, precision, False)


def test_the_recall_of_a_label_that_no_row_has_is_unknown():
    assert parts(measure_threshold(SCORES, np.zeros(5, bool), 0.5)) == (0.5, None, 0.0, False)


def test_a_threshold_survives_as_json():
    chosen = choose_threshold(SCORES, SECOND, 1.0, LABEL)
    again = json.loads(json.dumps(chosen.to_dict()))
    assert Threshold(**again) == chosen
    assert np.float32(again["value"]) == again["value"]


@pytest.mark.parametrize("batch_rows", [1, 7, 100])
def test_a_split_is_scored_in_its_own_order_and_without_dropout(base: Path, tmp_path: Path, batch_rows: int):
    split = read_split(random_rows(40), tmp_path)
    assert len(set(split.lengths)) > 10, "rows of one length would keep their order anyhow"
    classifier = Classifier.from_base(base, "linear", LABELS)
    # An untrained encoder tells texts apart by little; this head makes much of it, and sits on the fence between them.
    kernel, bias = classifier.trainable_variables[-2:]
    kernel.assign(100 * tf.random.stateless_normal(kernel.shape, (1, 2)))
    bias.assign_sub(tf.reduce_mean(classifier(split.take(np.arange(40)), training=False), axis=0))
    scores = score_split(classifier, split, batch_rows)
    assert scores.dtype == np.float32
    assert scores.shape == (40, 2)
    assert scores[:, 1].std() > 0.1
    for row in range(40):
        alone = tf.nn.softmax(classifier(split.take(np.array([row])), training=False))
        np.testing.assert_allclose(scores[row], alone[0], atol=1e-4)
