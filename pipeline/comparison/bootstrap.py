"""The paired bootstrap over test rows, for each pair of approaches and each measure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from fullbake.pipeline.comparison.approach_result import ApproachResult
from fullbake.pipeline.comparison.measures import Measure, rates_of_rows, rows_right, tested_measures
from fullbake.pipeline.comparison.outcome import Outcome
from fullbake.pipeline.comparison.paired_test import PairedTest, judge

RESAMPLES = 10_000
"""Efron & Tibshirani 1993 ask for 1,000 or more for a 95% percentile interval; ten times that steadies its ends."""

BOOTSTRAP_SEED = 0

_CHUNK_BYTES = 64_000_000  # what the arrays of one chunk of resamples may take


def paired_tests(
    labels: Sequence[str], truth: np.ndarray, outcomes: Sequence[Outcome], results: Sequence[ApproachResult]
) -> list[PairedTest]:
    """Tests each pair of approaches on each measure.

    Test rows are drawn with replacement, the same for both sides (Efron & Tibshirani 1993; Koehn 2004), and not by
    class: a test set is a sample in which the classes' sizes are luck too. In a resample without a row of a class
    the macro averages are over the other classes, and that class's recall leaves the resample out.

    The bootstrap takes the trained models as they are. How another training of the same approach
    would come out, only the seeds show: see `paired_test`.

    Args:
        labels: In the order of the class index.
        truth: Of each test row and label, as of `Comparison`.
        outcomes: Of all approaches.
        results: One for each approach.
    """
    approaches = [result.approach for result in results]
    if len(approaches) < 2:
        return []
    measures = tested_measures(labels, truth)
    _, first, counts = np.unique(
        np.column_stack([_codes(truth), *(_codes(outcome.decided) for outcome in outcomes)]),
        axis=0,
        return_index=True,
        return_counts=True,
    )
    mean_over = np.array([[o.approach == approach for o in outcomes] for approach in approaches], dtype=float)
    mean_over /= mean_over.sum(axis=1, keepdims=True)

    def measured(weights: np.ndarray) -> np.ndarray:
        """Returns `(resamples, approaches, measures)`, by how often each kind of row occurs."""
        rates = [rates_of_rows(weights, truth[first], outcome.decided[first]) for outcome in outcomes]
        by_outcome = [np.column_stack([measure.of(each, labels) for measure in measures]) for each in rates]
        return np.einsum("ao,orm->ram", mean_over, by_outcome)

    (observed,) = measured(counts[np.newaxis].astype(float))
    resampled = np.concatenate([measured(weights) for weights in _resamples(counts, len(labels))])
    right = {measure: mean_over @ _right(measure, labels, truth, outcomes) for measure in measures}
    tests = []
    for one, other in combinations(range(len(approaches)), 2):
        for column, measure in enumerate(measures):
            telling = ~np.isclose(right[measure][one], right[measure][other])
            tests.append(
                judge(
                    (results[one], results[other]),
                    measure,
                    difference=observed[one, column] - observed[other, column],
                    resampled=resampled[:, one, column] - resampled[:, other, column],
                    telling_rows=int(telling.sum()),
                )
            )
    return tests


def _right(measure: Measure, labels: Sequence[str], truth: np.ndarray, outcomes: Sequence[Outcome]) -> np.ndarray:
    """Says of each outcome which of the rows that a measure is about are right: bool `(outcomes, rows)`."""
    if measure.label is None:
        return np.array([rows_right(truth, outcome.decided) for outcome in outcomes])
    index = labels.index(measure.label)
    return np.array([outcome.decided[truth[:, index] == 1, index] for outcome in outcomes])


def _codes(matrix: np.ndarray) -> np.ndarray:
    """Numbers the different rows of a matrix, int `(rows,)`: of classes in the order of their index."""
    _, codes = np.unique(-matrix.astype(np.int8), axis=0, return_inverse=True)
    return codes


def _resamples(counts: np.ndarray, classes: int) -> Iterator[np.ndarray]:
    """Yields `RESAMPLES` resamples in chunks: how often each kind of row was drawn, float `(chunk, kinds)`.

    Rows with the same truth and the same decisions are of a kind; drawing rows with replacement and counting kinds is
    one multinomial draw.
    """
    generator = np.random.default_rng(BOOTSTRAP_SEED)
    chunk = max(1, _CHUNK_BYTES // (8 * (2 * len(counts) + 10 * classes)))
    for start in range(0, RESAMPLES, chunk):
        size = min(chunk, RESAMPLES - start)
        yield generator.multinomial(counts.sum(), counts / counts.sum(), size=size).astype(float)
