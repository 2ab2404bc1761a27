"""What the Evaluator says of a model: `evaluation.json`."""

from __future__ import annotations

from fullbake.contract.names import EVALUATION_FILE
from fullbake.contract.results.result import Interval, Result, ResultFile


class Bound(Result):
    """One bound of the gate and how the model did.

    Attributes:
        metric: `recall`, `precision`, `recall_drop`: what the class's recall lost against the model that serves, or
            `predicted`: how many rows were given the label.
        label: The class.
        bound: The least value allowed, for `recall_drop` the greatest.
        value: What was measured; None when the test split cannot tell, which does not pass.
        passed: Whether the bound is met.
        rows: Of a recall or precision, how many rows it was counted on.
        interval: Of a recall or precision, where its true value lies, with the gate's confidence or else 95%.
        confidence: The gate's, where the lower end of the interval must meet the bound; None where the value must.
    """

    metric: str
    label: str
    bound: int | float
    value: int | float | None
    passed: bool
    rows: int | None = None
    interval: Interval | None = None
    confidence: float | None = None

    @property
    def judged(self) -> float | None:
        """What is held against the bound: the lower end of the interval where the gate has a confidence."""
        return self.interval[0] if self.confidence is not None and self.interval is not None else self.value

    @property
    def missed_by(self) -> float | None:
        """How far it is from the bound; None where it was not measured."""
        return None if self.judged is None else abs(self.judged - self.bound)


class ScoreCounts(Result):
    """Rows by the probability that they were given for one label, in equal bins from 0 to 1.

    Attributes:
        positive: Those that have the label.
        negative: Those that have another.
    """

    positive: tuple[int, ...]
    negative: tuple[int, ...]


class ConfidenceCounts(Result):
    """Rows by the winning probability, in equal bins from 0 to 1.

    Attributes:
        count: All of them.
        correct: Those whose likeliest label is the true one.
        probability_sum: The sum of their winning probabilities.
    """

    count: tuple[int, ...]
    correct: tuple[int, ...]
    probability_sum: tuple[float, ...]


class BaselineRecall(Result):
    """How the model that served when this one was judged did on the same rows.

    Attributes:
        model: Its path.
        recall: By label that both have; None where no test row has it.
    """

    model: str
    recall: dict[str, float | None]


class Evaluation(ResultFile):
    """What the test split says about a model.

    Attributes:
        examples: How many test rows there are.
        labels: The classes, in the order of `confusion`.
        accuracy: Share of the rows labelled correctly.
        macro_f1: Mean F1 over the classes that have rows.
        recall: By label; None where no row has it.
        precision: By label; None where it was never decided.
        f1: By label; None where no row has it.
        confusion: Counts of shape (labels, labels); rows are true classes, columns decided ones.
        scores: By label, the rows by the probability that they were given for it.
        confidence: The rows by the winning probability.
        decision_threshold: Probability of the second label from which it is decided; None where the likelier wins.
        baseline: The model that it was compared with; None if there was none.
        baseline_note: What people should know of the comparison; None if there is nothing to say.
        bounds: The gate's bounds and their outcomes.
        blessed: Whether all are met.
    """

    FILE = EVALUATION_FILE

    examples: int
    labels: tuple[str, ...]
    accuracy: float
    macro_f1: float | None
    recall: dict[str, float | None]
    precision: dict[str, float | None]
    f1: dict[str, float | None]
    confusion: tuple[tuple[int, ...], ...]
    scores: dict[str, ScoreCounts] = {}
    confidence: ConfidenceCounts | None = None
    decision_threshold: float | None = None
    baseline: BaselineRecall | None = None
    baseline_note: str | None = None
    bounds: tuple[Bound, ...] = ()
    blessed: bool

    @property
    def correct(self) -> int:
        """How many rows are labelled correctly."""
        return sum(row[index] for index, row in enumerate(self.confusion))

    @property
    def missed(self) -> list[Bound]:
        """The bounds that the model misses."""
        return [bound for bound in self.bounds if not bound.passed]
