"""What the seeds of one approach come to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from fullbake.pipeline.comparison.measures import Measure, rates_of_rows
from fullbake.pipeline.comparison.outcome import Outcome
from fullbake.pipeline.comparison.spread import Spread


@dataclass(frozen=True)
class ApproachResult:
    """What the seeds of one approach come to.

    Attributes:
        approach: Its name.
        seeds: In the order of every `Spread.values`.
        accuracy: Share of the test rows decided rightly; of several labels, those of which every known one is.
        macro_f1: Mean F1 over the classes that have test rows.
        macro_recall: Mean recall over the same.
        recall: By label; without a value where no test row is of the class.
        precision: By label; without a value where the class was never decided.
        seconds: Time to train, all components together.
        seconds_by_component: The mean of each component that trained.
        trainable: Parameters trained.
        total: Parameters.
        learning_rate: Peak rate of the last phase.
    """

    approach: str
    seeds: tuple[int, ...]
    accuracy: Spread
    macro_f1: Spread
    macro_recall: Spread
    recall: dict[str, Spread]
    precision: dict[str, Spread]
    seconds: Spread
    seconds_by_component: dict[str, float]
    trainable: Spread
    total: Spread
    learning_rate: Spread

    def spread(self, measure: Measure) -> Spread:
        """Returns the values of a measure over the seeds."""
        found = getattr(self, measure.metric)
        return found if measure.label is None else found[measure.label]

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values for JSON, without the approach's name."""
        values = {key: _plain(value) for key, value in asdict(self).items()}
        del values["approach"]
        return values


def summarize(approach: str, outcomes: Sequence[Outcome], truth: np.ndarray, labels: Sequence[str]) -> ApproachResult:
    """Sums up the outcomes of one approach.

    Args:
        approach: Its name.
        outcomes: One for each seed.
        truth: Of each test row and label, as of `Comparison`.
        labels: In the order of the class index.
    """
    once = np.ones((1, len(truth)))
    rates = [rates_of_rows(once, truth, outcome.decided) for outcome in outcomes]
    components = dict.fromkeys(name for outcome in outcomes for name in outcome.seconds)

    def spread(metric: str, label: str | None = None) -> Spread:
        return Spread.over(Measure(metric, label).of(each, labels)[0] for each in rates)

    return ApproachResult(
        approach,
        seeds=tuple(outcome.seed for outcome in outcomes),
        accuracy=spread("accuracy"),
        macro_f1=spread("macro_f1"),
        macro_recall=spread("macro_recall"),
        recall={label: spread("recall", label) for label in labels},
        precision={label: spread("precision", label) for label in labels},
        seconds=Spread.over(sum(outcome.seconds.values()) for outcome in outcomes),
        seconds_by_component={
            name: float(np.mean([outcome.seconds.get(name, 0.0) for outcome in outcomes])) for name in components
        },
        trainable=Spread.over(outcome.trainable for outcome in outcomes),
        total=Spread.over(outcome.total for outcome in outcomes),
        learning_rate=Spread.over(outcome.learning_rate for outcome in outcomes),
    )


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return list(value) if isinstance(value, tuple) else value
