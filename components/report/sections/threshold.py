"""What another decision threshold would find and cost, of each label that is decided from one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from fullbake.components.report.numbers import number, percent
from fullbake.components.report.plot import Figure, Legend, Plot
from fullbake.components.report.section import Section
from fullbake.components.report.sections.trade_off import MOST_PANELS, recall_and_precision_bounds
from fullbake.contract.results.evaluation import Evaluation, LabelTally, ScoreCounts
from fullbake.contract.results.report import Report

RECALLS = (0.8, 0.9, 0.95, 0.99)
"""Of which the table says what it costs to find so much of a label, beside its bound."""

HALF = 0.5
"""From where on the likelier of two is decided."""

_DRAWN = 200
"""Places of a curve: more cannot be told apart."""


class Choice(NamedTuple):
    """A threshold and what comes of it.

    Attributes:
        aim: What it is there for.
        threshold: The probability from which the label is decided.
        texts: The rows that have the label.
        flagged: Those that would be given it.
        found: Those of both.
        chosen: Whether it is the model's own.
    """

    aim: str
    threshold: float
    texts: int
    flagged: int
    found: int
    chosen: bool = False

    @property
    def recall(self) -> float:
        """The share of the label that is found; there is a row of it."""
        return self.found / self.texts

    @property
    def precision(self) -> float | None:
        """The share of what is flagged that has the label; None where nothing is."""
        return self.found / self.flagged if self.flagged else None

    @property
    def false_alarms(self) -> float | None:
        """Rows that are flagged wrongly for each that is found; None where nothing is found."""
        return (self.flagged - self.found) / self.found if self.found else None


class LabelThreshold(NamedTuple):
    """A label, the picture of its thresholds, and the table."""

    label: str
    threshold: float
    picture: Figure
    choices: list[Choice]


def by_threshold(scores: ScoreCounts) -> list[Choice]:
    """Returns what comes of the threshold at the start of each bin, from 0 up; empty where no row has the label."""
    bins, texts = len(scores.positive), sum(scores.positive)
    choices: list[Choice] = []
    found = flagged = 0
    for place in reversed(range(bins if texts else 0)):
        found += scores.positive[place]
        flagged += scores.positive[place] + scores.negative[place]
        choices.append(Choice("", place / bins, texts, flagged, found))
    return choices[::-1]


def cheapest(choices: Sequence[Choice], recalls: Iterable[float]) -> list[Choice]:
    """Returns for each recall the highest threshold that reaches it; recalls with the same one share a line."""
    reached: dict[int, list[float]] = {}
    for recall in sorted(recalls):
        place = max(index for index, choice in enumerate(choices) if choice.recall >= recall)
        reached.setdefault(place, []).append(recall)
    return [
        choices[place]._replace(aim=f"find {' or '.join(map(percent, wanted))}") for place, wanted in reached.items()
    ]


def threshold_figure(label: str, choices: Sequence[Choice], threshold: float, rows: int) -> Figure:
    """Draws recall, precision and the share of texts that are flagged over the threshold.

    Args:
        label: What is decided.
        choices: As `by_threshold` returns them.
        threshold: The model's own.
        rows: Of which it is known whether they have the label.
    """
    plot = Plot((0, 1), (0, 1), "threshold: the probability from which it is decided", "share")
    drawn = choices[:: max(1, len(choices) // _DRAWN)]
    plot.upright(threshold, f"now {number(threshold)}")
    plot.line([(choice.threshold, choice.flagged / rows) for choice in drawn], "s2")
    plot.line([(choice.threshold, choice.precision) for choice in drawn if choice.precision is not None], "s1")
    plot.line([(choice.threshold, choice.recall) for choice in drawn], "s0")
    return Figure(
        plot.svg(
            f"Recall, precision and flagged texts of {label} by threshold; it is decided from {number(threshold)}"
        ),
        [
            Legend("s0", "recall: share of the label that is found"),
            Legend("s1", "precision: share of the flagged that has it"),
            Legend("s2", "flagged: share of all texts"),
        ],
    )


def label_threshold(evaluation: Evaluation, label: str, threshold: float, tally: LabelTally) -> LabelThreshold | None:
    """Returns what there is to say of a label's thresholds; None where no row has it."""
    scores = evaluation.scores[label]
    choices = by_threshold(scores)
    if not choices:
        return None
    bounds = recall_and_precision_bounds(evaluation)
    bounded = {bound.bound for bound in bounds if bound.label == label and bound.metric == "recall"}
    own = Choice("now", threshold, tally.texts, tally.decided, tally.found, chosen=True)
    rows = sum(scores.positive) + sum(scores.negative)
    return LabelThreshold(
        label,
        threshold,
        threshold_figure(label, choices, threshold, rows),
        [own, *cheapest(choices, {*RECALLS, *bounded})],
    )


def thresholds_of(evaluation: Evaluation) -> dict[str, float]:
    """Returns by label the probability from which it is decided: of each of several, or of two the second."""
    if evaluation.multi_label:
        return {label: evaluation.decision_thresholds.get(label, HALF) for label in evaluation.labels}
    if len(evaluation.labels) == 2:
        given = evaluation.decision_threshold
        return {evaluation.labels[1]: HALF if given is None else given}
    return {}


def _context(report: Report) -> Mapping[str, Any] | None:
    evaluation = report.evaluation
    bounds = recall_and_precision_bounds(evaluation)
    missed, bounded = ({b.label for b in bounds if not b.passed}, {b.label for b in bounds})
    thresholds, tallies = thresholds_of(evaluation), evaluation.tallies
    first = sorted(thresholds, key=lambda label: (label not in missed, label not in bounded))
    shown = [
        found
        for label in first
        if label in evaluation.scores
        and (found := label_threshold(evaluation, label, thresholds[label], tallies[label]))
    ]
    return {"shown": shown[:MOST_PANELS], "all": len(shown)} if shown else None


SECTION = Section(_context, "Thresholds", "threshold")
