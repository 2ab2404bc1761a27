"""What the Evaluator says of a model: `evaluation.json`."""

from __future__ import annotations

from typing import NamedTuple

from fullbake.contract.names import EVALUATION_FILE
from fullbake.contract.results.result import MULTI_LABEL, SINGLE_LABEL, Interval, Result, ResultFile, Task
from fullbake.contract.results.slices import BiasAucs, Slice, WorstSlice


class Bound(Result):
    """One bound of the gate and how the model did.

    Attributes:
        metric: `recall`, `precision`, `recall_drop`: what the class's recall lost against the model that serves,
            `predicted`: how many rows were given the label, `slice_recall`: its recall in a slice, or `subgroup_auc`,
            `bpsn_auc`, `bnsp_auc` (of an identity, see `BiasAucs`) and their means over identities, `mean_subgroup_auc`
            and so on.
        label: The class.
        slice: Of a bound on one slice or identity, its name. None beside `slice_recall` or an area: no slice could be
            measured.
        bound: The least value allowed, for `recall_drop` the greatest.
        value: What was measured; None when the test split cannot tell, which does not pass.
        passed: Whether the bound is met.
        rows: Of a recall or precision, how many rows it was counted on.
        interval: Of a recall or precision, where its true value lies, with the gate's confidence or else 95%.
        confidence: The gate's, where the lower end of the interval must meet the bound; None where the value must.
    """

    metric: str
    label: str
    slice: str | None = None
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


class LabelCounts(Result):
    """Rows by whether they have one label and whether it was decided; of a multi-label model.

    Attributes:
        true_positive: Those that have the label and were given it.
        false_negative: Those that have it and were not given it.
        false_positive: Those that do not have it and were given it.
        true_negative: Those that do not have it and were not given it.
        masked: Those of which nobody knows whether they have it; no other number counts them.
    """

    true_positive: int
    false_negative: int
    false_positive: int
    true_negative: int
    masked: int = 0


class LabelTally(NamedTuple):
    """What the recall and the precision of a label are made of.

    Attributes:
        texts: The rows that have the label.
        decided: Those that were given it; of a multi-label model, if it is known whether they have it.
        found: Those of both.
    """

    texts: int
    decided: int
    found: int


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
        task: "single_label": a row has one label; or "multi_label": any number of them.
        labels: The classes, in the order of `confusion`.
        accuracy: Share of the rows labelled correctly. Multi-label: of the rows of which some label is known, the share
            with every known label right (scikit-learn's subset accuracy on rows without a mask).
        macro_f1: Mean F1 over the classes that have rows.
        recall: By label; None where no row has it.
        precision: By label; None where it was never decided.
        f1: By label; None where no row has it.
        confusion: Counts of shape (labels, labels); rows are true classes, columns decided ones. Multi-label: empty.
        counts: Multi-label: by label, what was right and wrong. Else empty, as the next six.
        known: Multi-label: how many rows have a label of which it is known whether they have it.
        exact: Multi-label: how many of these have every known label right.
        roc_auc: Multi-label: by label, the area under the ROC curve; None where no row has it, or every one.
        mean_roc_auc: Mean over the labels that have one; None if none has.
        average_precision: Multi-label: by label, as scikit-learn defines it; None where no row has it.
        mean_average_precision: Mean over the labels that have one; None if none has.
        scores: By label, the rows by the probability that they were given for it.
        confidence: The rows by the winning probability; None of a multi-label model, where no label wins.
        decision_threshold: Probability of the second label from which it is decided; None where the likelier wins.
        decision_thresholds: Multi-label: by label, the probability from which it is decided.
        temperature: What its logits are divided by, fitted on the eval split; None: its probabilities are as trained.
        baseline: The model that it was compared with; None if there was none.
        baseline_note: What people should know of the comparison; None if there is nothing to say.
        slices: How the model does on the slices that were asked for, and on identities.
        bias: By label, the generalised means of the bias measures over identities; empty without identities.
        worst_slice: By label, the slice in which it is found least, of those with enough rows to tell.
        slice_notes: What of slices and identities could not be judged, and why.
        bounds: The gate's bounds and their outcomes.
        blessed: Whether all are met.
    """

    FILE = EVALUATION_FILE

    examples: int
    task: Task = SINGLE_LABEL
    labels: tuple[str, ...]
    accuracy: float
    macro_f1: float | None
    recall: dict[str, float | None]
    precision: dict[str, float | None]
    f1: dict[str, float | None]
    confusion: tuple[tuple[int, ...], ...]
    counts: dict[str, LabelCounts] = {}
    known: int | None = None
    exact: int | None = None
    roc_auc: dict[str, float | None] = {}
    mean_roc_auc: float | None = None
    average_precision: dict[str, float | None] = {}
    mean_average_precision: float | None = None
    scores: dict[str, ScoreCounts] = {}
    confidence: ConfidenceCounts | None = None
    decision_threshold: float | None = None
    decision_thresholds: dict[str, float] = {}
    temperature: float | None = None
    baseline: BaselineRecall | None = None
    baseline_note: str | None = None
    slices: tuple[Slice, ...] = ()
    bias: dict[str, BiasAucs] = {}
    worst_slice: dict[str, WorstSlice] = {}
    slice_notes: tuple[str, ...] = ()
    bounds: tuple[Bound, ...] = ()
    blessed: bool

    @property
    def multi_label(self) -> bool:
        """Whether a row can have any number of labels."""
        return self.task == MULTI_LABEL

    @property
    def tallies(self) -> dict[str, LabelTally]:
        """By label, what its recall and precision are made of."""
        if self.multi_label:
            return {
                label: LabelTally(
                    counts.true_positive + counts.false_negative,
                    counts.true_positive + counts.false_positive,
                    counts.true_positive,
                )
                for label, counts in self.counts.items()
            }
        return {
            label: LabelTally(sum(row), sum(other[index] for other in self.confusion), row[index])
            for index, (label, row) in enumerate(zip(self.labels, self.confusion, strict=True))
        }

    @property
    def measured(self) -> int:
        """Of how many rows `accuracy` is a share."""
        return self.examples if self.known is None else self.known

    @property
    def correct(self) -> int:
        """How many rows are labelled correctly; of a multi-label model, with every known label right."""
        if self.exact is not None:
            return self.exact
        return sum(row[index] for index, row in enumerate(self.confusion))

    @property
    def missed(self) -> list[Bound]:
        """The bounds that the model misses."""
        return [bound for bound in self.bounds if not bound.passed]
