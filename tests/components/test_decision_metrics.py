"""What is counted of a model's decisions, and what recall, precision and F1 are made of the counts."""

import math
from collections import Counter

import apache_beam as beam
import numpy as np
import pytest
import tensorflow_model_analysis as tfma
from apache_beam.testing.util import assert_that

from fullbake.components.evaluation.decision_metrics import (
    COARSE_BINS,
    CONFIDENCE,
    CONFUSION,
    FINE_BINS,
    SCORES,
    CountDecisions,
    DecisionMetrics,
)
from fullbake.components.evaluation.rates import rates_by_label

LABELS = ["fine", "rude", "groß"]


def row(truth: str, decision: str, probabilities, model_name: str = "") -> tfma.metrics.StandardMetricInputs:
    """A test example as TFMA hands it to a metric: what the serving signature gave, and the true label."""
    given = {"label": np.array([decision.encode()]), "probabilities": np.array([probabilities], np.float32)}
    return tfma.metrics.StandardMetricInputs(
        labels=np.array([truth.encode()]), predictions={model_name: given} if model_name else given
    )


def counted(rows, labels=LABELS, parts: int = 1) -> dict[str, np.ndarray]:
    combine = CountDecisions(labels, "")
    accumulators = []
    for part in range(parts):
        accumulator = combine.create_accumulator()
        for element in rows[part::parts]:
            accumulator = combine.add_input(accumulator, element)
        accumulators.append(accumulator)
    return {
        key.name: values for key, values in combine.extract_output(combine.merge_accumulators(accumulators)).items()
    }


def random_rows(labels: list[str], count: int, seed: int):
    """Truths, decisions and probabilities drawn apart, so that none can be read from another."""
    generator = np.random.default_rng(seed)
    truths, decisions = (generator.choice(labels[:-1], count).tolist() for _ in range(2))
    probabilities = generator.dirichlet(np.full(len(labels), 0.3), count).astype(np.float32)
    return truths, decisions, probabilities


def share(hits: int, of: int) -> float | None:
    return hits / of if of else None


@pytest.mark.parametrize("labels", [LABELS, [f"intent {number}" for number in range(77)]], ids=len)
def test_rates_of_random_decisions_are_those_counted_one_by_one(labels):
    truths, decisions, probabilities = random_rows(labels, 2000, seed=len(labels))
    rows = [row(*each) for each in zip(truths, decisions, probabilities, strict=True)]
    measured = rates_by_label(counted(rows, labels)[CONFUSION], labels)
    both = Counter(truth for truth, decision in zip(truths, decisions, strict=True) if truth == decision)
    true, decided = Counter(truths), Counter(decisions)
    assert measured["accuracy"] == pytest.approx(sum(both.values()) / 2000)
    f1 = {}
    for label in labels:
        recall, precision = share(both[label], true[label]), share(both[label], decided[label])
        assert measured["recall"][label] == recall
        assert measured["precision"][label] == precision
        if recall is None:
            assert measured["f1"][label] is None
            continue
        f1[label] = 2 * recall * precision / (recall + precision) if recall and precision else 0.0
        assert measured["f1"][label] == pytest.approx(f1[label])
    assert len(f1) == len(labels) - 1
    assert measured["macro_f1"] == pytest.approx(sum(f1.values()) / len(f1))


def test_the_decision_is_the_label_that_is_served_not_the_likeliest_nor_one_above_a_half():
    rows = [
        row("rude", "rude", [0.9, 0.1, 0.0]),  # a threshold of 0.1 decides for the less likely
        row("groß", "groß", [0.34, 0.32, 0.34]),  # none is above a half
        row("fine", "rude", [0.6, 0.3, 0.1]),
    ]
    np.testing.assert_array_equal(counted(rows)[CONFUSION], [[0, 1, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]])


def test_a_model_with_labels_of_its_own_is_counted_by_the_names_of_ours():
    theirs = ["gone", "rude", "fine"]
    combine = CountDecisions(LABELS, "", theirs)
    counts = combine.create_accumulator()
    for truth, decision, probabilities in [
        ("fine", "fine", [0.1, 0.2, 0.7]),
        ("rude", "rude", [0.1, 0.8, 0.1]),
        ("rude", "gone", [0.9, 0.1, 0.0]),
        ("groß", "fine", [0.0, 0.4, 0.6]),
    ]:
        counts = combine.add_input(counts, row(truth, decision, probabilities))
    np.testing.assert_array_equal(counts.confusion, [[1, 0, 0, 0], [0, 1, 0, 1], [1, 0, 0, 0]])
    # Every row's probability of "rude" stands where its own is, and none knows "groß".
    given = counts.scores.sum(axis=0)
    assert [int(np.flatnonzero(given[1])[each]) for each in range(4)] == [100, 200, 400, 800]
    assert given[2, 0] == 4
    measured = rates_by_label(counts.confusion, LABELS)
    assert measured["recall"] == {"fine": 1.0, "rude": 0.5, "groß": 0.0}
    assert measured["precision"] == {"fine": 0.5, "rude": 1.0, "groß": None}


@pytest.mark.parametrize("classes", [2, 19, 20, 77])
def test_histograms_add_up_to_the_rows_with_and_without_each_label(classes: int):
    labels = [f"intent {number}" for number in range(classes)]
    truths, decisions, probabilities = random_rows(labels, 500, seed=classes)
    counts = counted([row(*each) for each in zip(truths, decisions, probabilities, strict=True)], labels)
    bins = FINE_BINS if classes < 20 else COARSE_BINS
    assert counts[SCORES].shape == (2, classes, bins)
    true = np.array([truths.count(label) for label in labels])
    np.testing.assert_array_equal(counts[SCORES].sum(axis=2), [500 - true, true])
    count, correct, probability_sum = counts[CONFIDENCE]
    assert counts[CONFIDENCE].shape == (3, bins)
    assert count.sum() == 500
    likeliest = [labels[each.argmax()] for each in probabilities]
    assert correct.sum() == sum(one == true for one, true in zip(likeliest, truths, strict=True))
    assert probability_sum.sum() == pytest.approx(probabilities.max(axis=1).sum(dtype=float), rel=1e-5)
    # In each bin the mean of the highest probability lies within the bin, up to float32's rounding.
    (filled,) = np.nonzero(count)
    mean = probability_sum[filled] / count[filled]
    assert np.all(mean >= filled / bins - 1e-6)
    assert np.all(mean <= (filled + 1) / bins + 1e-6)


def test_a_probability_is_counted_in_its_bin_for_the_labels_the_row_has_and_has_not():
    scores = counted([row("fine", "fine", [1.0, 0.0, 0.0]), row("rude", "fine", [0.5005, 0.2504, 0.2491])])[SCORES]
    expected = np.zeros((2, 3, FINE_BINS))
    expected[1, 0, FINE_BINS - 1] += 1  # certainty has no bin of its own above the last
    expected[0, 1, 0] += 1
    expected[0, 2, 0] += 1
    expected[0, 0, 500] += 1
    expected[1, 1, 250] += 1
    expected[0, 2, 249] += 1
    np.testing.assert_array_equal(scores, expected)


def test_a_diverged_models_probabilities_are_counted_not_a_crash():
    counts = counted([row("rude", "fine", [math.nan] * 3), row("fine", "fine", [math.nan] * 3)])
    np.testing.assert_array_equal(counts[CONFUSION], [[1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]])
    assert all(np.isfinite(each).all() for each in counts.values())
    assert counts[CONFIDENCE][0].sum() == 2


@pytest.mark.parametrize("parts", [2, 7, 100])
def test_counts_are_the_same_however_the_rows_are_dealt_out(parts: int):
    rows = [row(*each) for each in zip(*random_rows(LABELS, 60, seed=3), strict=True)]
    whole, merged = counted(rows), counted(rows, parts=parts)
    for name, values in whole.items():
        np.testing.assert_allclose(merged[name], values, rtol=1e-12)


def test_merging_leaves_the_parts_as_they_were():
    combine = CountDecisions(LABELS, "")
    parts = [combine.add_input(combine.create_accumulator(), row("fine", "rude", [0.2, 0.7, 0.1])) for _ in range(2)]
    combine.merge_accumulators(parts)
    assert [part.confusion.sum() for part in parts] == [1, 1]


def test_beam_gives_the_counts_and_the_metric_names_and_values_of_one_model_among_two():
    truths, decisions, probabilities = random_rows(LABELS, 40, seed=5)
    rows = [row(*each, model_name="candidate") for each in zip(truths, decisions, probabilities.tolist(), strict=True)]
    counts, derived = DecisionMetrics(LABELS).computations(model_names=["candidate"])
    expected = counted([row(*each) for each in zip(truths, decisions, probabilities, strict=True)])

    def check(outputs):
        (output,) = outputs
        assert {key.model_name for key in output} == {"candidate"}
        named = {key.name: values for key, values in output.items()}
        assert set(named) == {CONFUSION, SCORES, CONFIDENCE}
        for name, values in named.items():
            np.testing.assert_allclose(values, expected[name], rtol=1e-6)
        values = {key.name: value for key, value in derived.result(output).items()}
        assert set(values) == {key.name for key in derived.keys}
        measured = rates_by_label(expected[CONFUSION], LABELS)
        assert values["accuracy"] == measured["accuracy"]
        assert values["recall/fine"] == measured["recall"]["fine"]
        assert values["precision/rude"] == measured["precision"]["rude"]
        # TFMA knows no missing values.
        assert measured["recall"]["groß"] is None
        assert math.isnan(values["recall/groß"])

    with beam.Pipeline() as pipeline:
        combined = pipeline | beam.Create(rows) | beam.CombineGlobally(counts.combiner)
        assert_that(combined, check)
