"""What is made of counts: accuracy, recall, precision and F1, of one count and of many at once."""

import numpy as np
import pytest

from fullbake.components.evaluation.rates import Rates, rates_by_label

LABELS = ["fine", "rude", "groß"]


def test_rates_are_those_worked_out_by_hand():
    # Rows by truth. fine: 6 of 8 found; rude: 1 of 4; groß: 3 of 3, and 3 others were taken for it.
    confusion = np.array([[6.0, 0, 2], [2, 1, 1], [0, 0, 3]])
    measured = rates_by_label(confusion, LABELS)
    assert measured["accuracy"] == pytest.approx(10 / 15)
    assert measured["recall"] == {"fine": 0.75, "rude": 0.25, "groß": 1.0}
    assert measured["precision"] == {"fine": 0.75, "rude": 1.0, "groß": 0.5}
    assert measured["f1"] == pytest.approx({"fine": 0.75, "rude": 0.4, "groß": 2 / 3})
    assert measured["macro_f1"] == pytest.approx((0.75 + 0.4 + 2 / 3) / 3)


def test_a_label_without_rows_has_no_recall_and_no_f1_and_is_left_out_of_macro_f1():
    measured = rates_by_label(np.array([[4.0, 0, 1], [0, 5, 0], [0, 0, 0]]), LABELS)
    assert measured["recall"] == {"fine": 0.8, "rude": 1.0, "groß": None}
    assert measured["precision"]["groß"] == 0.0
    assert measured["f1"]["groß"] is None
    assert measured["macro_f1"] == pytest.approx((8 / 9 + 1) / 2)


def test_a_label_that_is_never_decided_has_no_precision_and_an_f1_of_zero():
    measured = rates_by_label(np.array([[4.0, 0, 0], [0, 5, 0], [2, 1, 0]]), LABELS)
    assert measured["precision"]["groß"] is None
    assert measured["recall"]["groß"] == 0.0
    assert measured["f1"]["groß"] == 0.0


def test_no_rows_at_all_are_no_division_by_zero():
    measured = rates_by_label(np.zeros((3, 3)), LABELS)
    assert measured["accuracy"] == measured["macro_f1"] == 0.0
    assert set(measured["recall"].values()) == set(measured["precision"].values()) == {None}


def test_many_counts_at_once_have_the_rates_of_each_alone():
    confusion = np.random.default_rng(1).integers(0, 4, (50, 3, 3)).astype(float)
    confusion[7, 1] = 0  # a class without a row
    confusion[9, :, 2] = 0  # a class that is never decided
    together = Rates.of_confusion(confusion)
    for number, one in enumerate(confusion):
        alone = rates_by_label(one, LABELS)
        assert together.accuracy[number] == alone["accuracy"]
        assert together.macro_f1[number] == alone["macro_f1"]
        for name in ("recall", "precision", "f1"):
            found = getattr(together, name)[number].tolist()
            assert [None if np.isnan(value) else value for value in found] == list(alone[name].values())
    recall = [value for value in rates_by_label(confusion[7], LABELS)["recall"].values() if value is not None]
    assert together.macro_recall[7] == pytest.approx(sum(recall) / 2)


def test_counts_of_classes_have_the_rates_of_their_confusion_matrix():
    confusion = np.array([[6.0, 0, 2, 1], [2, 1, 1, 0], [0, 0, 3, 0]])  # the last column: none of the classes
    counted = Rates.of_counts(np.array([6.0, 1, 3]), np.array([9.0, 4, 3]), np.array([8.0, 1, 6]))
    of_matrix = Rates.of_confusion(confusion)
    for name in ("accuracy", "macro_f1", "macro_recall", "recall", "precision", "f1"):
        np.testing.assert_array_equal(getattr(counted, name), getattr(of_matrix, name))
