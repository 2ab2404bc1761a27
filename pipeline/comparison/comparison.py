"""Approaches trained on the same data, each with several seeds, and judged on the same test rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from fullbake.pipeline.comparison.approach_result import ApproachResult, summarize
from fullbake.pipeline.comparison.bootstrap import BOOTSTRAP_SEED, RESAMPLES, paired_tests
from fullbake.pipeline.comparison.measures import MANY_LABELS
from fullbake.pipeline.comparison.outcome import Outcome
from fullbake.pipeline.comparison.paired_test import CONFIDENCE, PairedTest

SHOWN_OF_MANY = 5
"""How many of many classes are shown: those whose recall differs most between approaches."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """Approaches trained on the same split, each with some seeds, and judged on the same test rows.

    Attributes:
        labels: In the order of the class index.
        truth: 1 where a test row has a label, 0 where it has not, -1 where nobody knows: int8 `(test_rows, labels)`.
        outcomes: One for each approach and seed, in the order to be shown.

    Raises:
        ValueError: There is no outcome or no test row, an approach has a seed twice, or an outcome does not fit the
            test rows or the labels.
    """

    labels: Sequence[str]
    truth: np.ndarray
    outcomes: Sequence[Outcome]

    def __post_init__(self) -> None:
        # Copies: what is computed once below must not go stale when the caller's list grows.
        object.__setattr__(self, "labels", tuple(self.labels))
        object.__setattr__(self, "outcomes", tuple(self.outcomes))
        if not self.outcomes or not len(self.truth):
            raise ValueError("a comparison needs an outcome and a test row")
        runs = [(outcome.approach, outcome.seed) for outcome in self.outcomes]
        if len(set(runs)) < len(runs):
            raise ValueError(f"an approach has a seed twice: {runs}")
        wanted = (len(self.truth), len(self.labels))
        for name, matrix in [("truth", self.truth), *((o.approach, o.decided) for o in self.outcomes)]:
            if matrix.shape != wanted:
                raise ValueError(f"{name}: has shape {matrix.shape}, and {wanted} are the test rows and labels")

    @cached_property
    def results(self) -> list[ApproachResult]:
        """Each approach's results, in order of first appearance."""
        seeds: dict[str, list[Outcome]] = {}
        for outcome in self.outcomes:
            seeds.setdefault(outcome.approach, []).append(outcome)
        return [summarize(approach, outcomes, self.truth, self.labels) for approach, outcomes in seeds.items()]

    @cached_property
    def tests(self) -> list[PairedTest]:
        """A test for each pair of approaches and each measure: see `bootstrap.paired_tests`."""
        return paired_tests(self.labels, self.truth, self.outcomes, self.results)

    @cached_property
    def shown_labels(self) -> list[str]:
        """All labels, or of many those whose recall differs most between approaches."""
        if len(self.labels) <= MANY_LABELS:
            return list(self.labels)
        means = {label: [result.recall[label].mean for result in self.results] for label in self.labels}
        known = {label: [m for m in values if m is not None] for label, values in means.items()}
        measured = [label for label, values in known.items() if values]
        measured.sort(key=lambda label: (min(known[label]) - max(known[label]), min(known[label])))
        return measured[:SHOWN_OF_MANY]

    def tests_by_pair(self) -> dict[tuple[str, str], list[PairedTest]]:
        """Returns the tests of each pair of approaches."""
        pairs: dict[tuple[str, str], list[PairedTest]] = {}
        for test in self.tests:
            pairs.setdefault((test.first, test.second), []).append(test)
        return pairs

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values for JSON: means, deviations and values by seed of each approach; then the tests."""
        return {
            "labels": list(self.labels),
            "test_rows": len(self.truth),
            "approaches": {result.approach: result.to_dict() for result in self.results},
            "bootstrap": {"resamples": RESAMPLES, "seed": BOOTSTRAP_SEED, "confidence": CONFIDENCE},
            "tests": [{**asdict(test), "verdict": test.verdict} for test in self.tests],
        }
