"""The report of a run as one HTML page that needs nothing else: no network, no scripts, no fonts of its own.

Plain Python over the numbers that other components left behind. What the page says is decided here; how it looks stands
in `page.html`, and its pictures are drawn in `plots`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from fullbake.components.evaluation.wilson import Interval, wilson
from fullbake.components.report import plots as plots
from fullbake.components.report.html_page import page_templates

MANY_CLASSES = 12  # beyond this, tables show the worst first and fold the rest, and the confusion matrix is a heat map
MOST_CONFUSIONS = 15
ROUNDING_NOISE = 1e-9
# MiniLM-L6 on 1,600 questions to a bank (Banking77), 300 steps: rates of 2e-4 and 1e-3 moved its layers by at most 6%
# and 16%, and it learned; 2e-3 and 5e-3 moved them by up to 28% and 42%, and it could only guess.
FAR_SHIFT = 0.15
LOST_SHIFT = 0.25
FULL_SHIFT = 0.5  # where its bar ends


@dataclass(frozen=True)
class Bound:
    """One condition of the gate.

    Attributes:
        metric: "recall", "precision", "recall_drop" against the model in production, or "predicted": how many texts
            were given the label.
        label: The class it is about.
        bound: The least value allowed; for a drop the greatest.
        value: What was measured; None where it could not be.
        passed: Whether the condition holds.
        interval: Where the true value lies.
        confidence: Of the interval, where its lower end must be at the bound; None where the value must.
    """

    metric: str
    label: str
    bound: float
    value: float | None
    passed: bool
    interval: Interval | None = None
    confidence: float | None = None


@dataclass(frozen=True)
class Evaluation:
    """What the test set says about the model.

    Attributes:
        labels: The classes, in the order of `confusion`.
        examples: How many test texts there were.
        accuracy: Share of them labelled correctly.
        macro_f1: Mean F1 over the classes.
        recall: By label; None where no test text is of the class.
        precision: By label; None where the model never decided for the class.
        f1: By label.
        confusion: Counts; rows are true classes, columns decided ones.
        bounds: The gate's conditions.
        blessed: The gate's decision.
        scores: By label, "positive" and "negative" counts in equal bins of the probability given to it.
        confidence: "count", "correct" and "probability_sum" in equal bins of the winning probability.
        baseline: The model in production: its path as "model", and its "recall" by label on the same texts.
        baseline_note: What people should know of that comparison.
        decision_threshold: Probability of the second label from which it is decided; None where the likelier wins.
    """

    labels: Sequence[str]
    examples: int
    accuracy: float
    macro_f1: float | None
    recall: Mapping[str, float | None]
    precision: Mapping[str, float | None]
    f1: Mapping[str, float | None]
    confusion: Sequence[Sequence[int]]
    bounds: Sequence[Bound]
    blessed: bool
    scores: Mapping[str, Mapping[str, Sequence[int]]] = field(default_factory=dict)
    confidence: Mapping[str, Any] | None = None
    baseline: Mapping[str, Any] | None = None
    baseline_note: str | None = None
    decision_threshold: float | None = None


@dataclass(frozen=True)
class Training:
    """How the model was made.

    Attributes:
        epochs: In order; each has "epoch" and, where known, "loss", "eval_loss", "eval_accuracy", "eval_macro_recall",
            "learning_rate" and "seconds".
        probe_epochs: The same of an earlier phase in which the head alone was trained.
        best_epoch: The epoch whose weights were kept.
        parameters: How many weights: "total" and "trainable".
        approach: One of the project's approaches.
        head: What sits on the encoder.
        learning_rate: The highest rate of the schedule.
        distribution: The devices found.
        precision: The arithmetic: "float32" or a mixed one.
        warnings: What the trainer wants people to know.
        encoder_shift: By part of the encoder, from the bottom: how far training moved its weights, as a share of their
            own size. Empty where the encoder was not trained.
        decision_threshold: The "value" from which the second label is decided, its "recall" and "precision" on the
            eval split, and whether it was "chosen" there; None where the likelier label wins.
    """

    epochs: Sequence[Mapping[str, Any]] = ()
    probe_epochs: Sequence[Mapping[str, Any]] = ()
    best_epoch: int | None = None
    parameters: Mapping[str, int] = field(default_factory=dict)
    approach: str | None = None
    head: str | None = None
    learning_rate: float | None = None
    distribution: str | None = None
    precision: str | None = None
    warnings: Sequence[str] = ()
    encoder_shift: Mapping[str, float] = field(default_factory=dict)
    decision_threshold: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Candidate:
    """A learning rate that was tried, and the macro recall on the eval split it came to: 0 where training diverged."""

    learning_rate: float
    score: float


@dataclass(frozen=True)
class Pretraining:
    """How the base was trained further on text alone.

    Attributes:
        evaluations: In order, the first before any training; each has "step", "epoch" and "perplexity" on the eval
            split.
        new_head: Whether the head that guesses words had to start from nothing.
        rows: How many texts were learned.
        learning_rate: The highest rate of the schedule.
        seconds: How long it took.
        encoder_shift: As that of `Training`.
    """

    evaluations: Sequence[Mapping[str, float]]
    new_head: bool = False
    rows: int | None = None
    learning_rate: float | None = None
    seconds: float | None = None
    encoder_shift: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Ingest:
    """Rows read, used and rejected, with the reasons, and examples and labels by split; the same of a corpus apart.

    Of the lines of the files (`lines`) what each was, and their "total". `notes`: what people should know of the rows.

    Of numbered spans also how the newest differs from the one before it, as `components.data.drift.Drift` has it, or
    why that cannot be told.
    """

    read: int
    used: int
    rejected: int = 0
    examples: Mapping[str, int] = field(default_factory=dict)
    labels: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    reasons: Mapping[str, int] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)
    notes: Sequence[str] = ()
    corpus: int = 0
    corpus_reasons: Mapping[str, int] = field(default_factory=dict)
    drift: Mapping[str, Any] | None = None
    drift_unknown: str | None = None


@dataclass(frozen=True)
class Lengths:
    """Training texts by their length in tokens before any cut; the last of `counts` holds all that are longer."""

    max_length: int
    counts: Sequence[int]
    truncated: int
    rows: int


@dataclass(frozen=True)
class Report:
    """Everything the page shows. What is None or empty is left out of it.

    Attributes:
        title: The pipeline's name.
        run: The run's name.
        created: When, in ISO 8601.
        evaluation: What the test set says.
        pushed: Whether the model went into production; None where the report is made before that is known.
        base: The pre-trained encoder.
        pretraining: How the base was trained further first.
        tuning: The learning rates that were tried.
        training: How the model was made.
        ingest: What became of the rows.
        lengths: How long the texts are.
        seconds: Time by component.
        config: The config as YAML.
        versions: Library versions by name.
    """

    title: str
    run: str
    created: str
    evaluation: Evaluation
    pushed: bool | None = None
    base: str | None = None
    pretraining: Pretraining | None = None
    tuning: Sequence[Candidate] = ()
    training: Training | None = None
    ingest: Ingest | None = None
    lengths: Lengths | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    config: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_parts(
        cls,
        *,
        evaluation: Mapping[str, Any],
        pretraining: Mapping[str, Any] | None = None,
        tuning: Sequence[Mapping[str, Any]] | None = None,
        training: Mapping[str, Any] | None = None,
        ingest: Mapping[str, Any] | None = None,
        lengths: Mapping[str, Any] | None = None,
        **rest: Any,
    ) -> Report:
        """Makes a report from parsed JSON files; keys that the page does not show are passed over.

        Args:
            evaluation: The evaluator's file.
            pretraining: The pretrainer's file.
            tuning: The tuner's file.
            training: The trainer's file.
            ingest: The file of the component that reads the rows.
            lengths: The file that counts text lengths.
            **rest: The other fields, by name.

        Raises:
            ValueError: A file lacks a key; the message names both.
        """
        bounds = [_read(Bound, bound, "evaluation.json: bounds") for bound in evaluation.get("bounds", ())]
        return cls(
            evaluation=_read(Evaluation, {**evaluation, "bounds": bounds}, "evaluation.json"),
            pretraining=None if pretraining is None else _read(Pretraining, pretraining, "pretraining.json"),
            tuning=[_read(Candidate, row, "tuner_results.json") for row in tuning or ()],
            training=None if training is None else _read(Training, training, "training.json"),
            ingest=None if ingest is None else _read(Ingest, ingest, "ingest.json"),
            lengths=None if lengths is None else _read(Lengths, lengths, "lengths.json"),
            **rest,
        )


def _read(kind: Any, values: Mapping[str, Any], source: str) -> Any:
    required = {f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING}
    if missing := sorted(required - values.keys()):
        raise ValueError(f"{source}: lacks {', '.join(missing)} (it has: {', '.join(sorted(values))})")
    return kind(**{f.name: values[f.name] for f in fields(kind) if f.name in values})


class ClassLine(NamedTuple):
    """A class in the table of recall and precision; intervals are 95%."""

    label: str
    texts: int  # of this class in the test set
    decided: int  # texts the model gave this label
    found: int  # both
    recall: float | None
    precision: float | None
    f1: float | None
    recall_interval: Interval | None
    precision_interval: Interval | None
    baseline: float | None  # recall of the model in production


class BoundLine(NamedTuple):
    """A bound in words, and the numbers of its bar."""

    passed: bool
    slack: float  # how far on the right side of the bound; negative where missed
    subject: str
    demand: str
    measured: str
    outcome: str
    sentence: str  # what the headline says where this is the bound that was missed
    doubt: str | None = None
    value: float | None = None
    mark: float | None = None
    interval: Interval | None = None


def class_lines(evaluation: Evaluation) -> list[ClassLine]:
    """Recall and precision of each class with counts and intervals; of many classes the worst come first."""
    before = (evaluation.baseline or {}).get("recall", {})
    lines = []
    for index, label in enumerate(evaluation.labels):
        found, texts = evaluation.confusion[index][index], sum(evaluation.confusion[index])
        decided = sum(row[index] for row in evaluation.confusion)
        measured = (evaluation.recall.get(label), evaluation.precision.get(label), evaluation.f1.get(label))
        intervals = (wilson(found, texts), wilson(found, decided))
        lines.append(ClassLine(label, texts, decided, found, *measured, *intervals, before.get(label)))
    if len(lines) > MANY_CLASSES:
        lines.sort(key=lambda line: 2.0 if line.recall is None else line.recall)
    return lines


def bound_lines(evaluation: Evaluation) -> list[BoundLine]:
    """The bounds in words: missed ones first, the widest miss leading, then met ones, the narrowest first."""
    classes = {line.label: line for line in class_lines(evaluation)}
    lines = [_bound_line(bound, classes[bound.label]) for bound in evaluation.bounds]
    return sorted(lines, key=lambda line: (line.passed, line.slack))


def _bound_line(bound: Bound, about: ClassLine) -> BoundLine:
    if bound.metric == "predicted":
        sentence = f"no test text was labelled '{bound.label}'"
        return BoundLine(bound.passed, -1.0, f"'{bound.label}'", "must be decided at all", "0", sentence, sentence)
    drop = bound.metric == "recall_drop"
    subject = f"{'recall' if drop else bound.metric} of '{bound.label}'"
    limit = _digits(bound.bound, bound.bound)[1]
    demand = f"may fall by at most {limit}" if drop else f"at least {limit}"
    if bound.value is None or math.isnan(bound.value):
        if drop:
            why = "there is no model in production to compare with"
        else:
            why = f"no test text {'is' if bound.metric == 'recall' else 'was labelled'} '{bound.label}'"
        outcome = f"{'met' if bound.passed else 'could not be measured'}: {why}"
        return BoundLine(bound.passed, 0.0, subject, demand, "–", outcome, f"{subject} {outcome}")

    if not drop:
        return _share_line(bound, bound.value, subject, about)
    measured, limit, gap = _digits(bound.value, bound.bound)
    moved = "rose" if bound.value < 0 else "fell"
    measured = f"{moved} by {measured.removeprefix('-')}" if bound.value else "unchanged"
    sentence = f"{subject} {measured} against the model in production, at most {limit} is allowed: {gap} too much"
    mark = None if about.baseline is None else about.baseline - bound.bound
    words = (subject, demand, measured, _outcome(bound.passed, gap), sentence)
    return BoundLine(bound.passed, bound.bound - bound.value, *words, value=about.recall, mark=mark)


def _share_line(bound: Bound, value: float, subject: str, about: ClassLine) -> BoundLine:
    of_recall = bound.metric == "recall"
    if bound.confidence is not None and bound.interval is not None:
        interval = (bound.interval[0], bound.interval[1])
        lower, limit, gap = _digits(interval[0], bound.bound)
        measured = _digits(value, bound.bound)[0]
        demand = f"at least {limit} with {_percent(bound.confidence)} confidence"
        outcome = f"{_outcome(bound.passed, gap)}: it is at least {lower}"
        sentence = f"{subject} is {measured}, which shows {lower} and no more; its bound is {limit}: {gap} short"
        words = (subject, demand, measured, outcome, sentence)
        return BoundLine(bound.passed, interval[0] - bound.bound, *words, None, value, bound.bound, interval)
    measured, limit, gap = _digits(value, bound.bound)
    sentence = f"{subject} is {measured}, its bound is {limit}: {gap} short"
    reach = about.recall_interval if of_recall else about.precision_interval
    doubt = None
    if reach and reach[0] < bound.bound <= reach[1]:
        count = about.texts if of_recall else about.decided
        doubt = f"may be chance: 95% interval {reach[0]:.2f}–{reach[1]:.2f} from {count:,} test texts"
    words = (subject, f"at least {limit}", measured, _outcome(bound.passed, gap), sentence)
    return BoundLine(bound.passed, value - bound.bound, *words, doubt, value, bound.bound, reach)


def _outcome(passed: bool, gap: str) -> str:
    if not passed:
        return f"missed by {gap}"
    return f"met, {gap} to spare" if float(gap) else "met exactly"


def _digits(value: float, bound: float) -> tuple[str, str, str]:
    """Both and their distance, with two decimals, or as many as it takes to tell the one from the other."""
    digits = 2
    while digits < 4 and abs(round(bound, digits) - bound) > ROUNDING_NOISE:
        digits += 1
    while digits < 6 and round(value, digits) == round(bound, digits) and abs(value - bound) > ROUNDING_NOISE:
        digits += 1
    gap = abs(round(value, digits) - round(bound, digits))
    return f"{value:.{digits}f}", f"{bound:.{digits}f}", f"{gap:.{digits}f}"


class ShiftLine(NamedTuple):
    """How far a part of the encoder moved, in words; `look` is "kept", "far" or "lost"."""

    part: str
    moved: float
    look: str


def shift_lines(shift: Mapping[str, float]) -> list[ShiftLine]:
    """How far the embeddings and each layer moved, in the given order.

    The pooler is left out: it belongs to the head more than to the encoder, and moves far where nothing is amiss.
    """
    return [
        ShiftLine(part, moved, "kept" if moved < FAR_SHIFT else "far" if moved < LOST_SHIFT else "lost")
        for part, moved in shift.items()
        if part != "pooler"
    ]


def shift_sentence(shift: Mapping[str, float], key: str) -> str:
    """What the shift means; `key` names the learning rate in the config."""
    most = max(shift_lines(shift), key=lambda line: line.moved)
    where = f"the part that moved most, {most.part}, is {_percent(most.moved)} of its own size away from its start"
    if most.look == "lost":
        return f"Little is probably left of what pre-training taught: {where}. Lower {key}."
    if most.look == "far":
        return f"Some of what pre-training taught may be lost: {where}. A lower {key} keeps more."
    return f"What pre-training taught is kept: {where}."


def warnings(report: Report) -> list[str]:
    """What people should know before they trust the model: the trainer's warnings, and a destroyed encoder."""
    said = list(report.training.warnings) if report.training else []
    for part, key in ((report.pretraining, "pretraining.learning_rate"), (report.training, "training.learning_rate")):
        if part and any(line.look == "lost" for line in shift_lines(part.encoder_shift)):
            said.append(shift_sentence(part.encoder_shift, key))
    return said


def best_candidate(tuning: Sequence[Candidate]) -> Candidate | None:
    """The winner, as the tuner chooses it: of equal scores the lower rate."""
    return min(tuning, key=lambda one: (-one.score, one.learning_rate), default=None)


def headline(report: Report) -> str:
    """The verdict, in one line."""
    missed = [line for line in bound_lines(report.evaluation) if not line.passed]
    count = len(report.evaluation.bounds)
    if not report.evaluation.blessed:
        if len(missed) == 1:
            return f"Refused: {missed[0].sentence}"
        return f"Refused: {len(missed)} of {count} bounds missed" if missed else "Refused by the evaluator"
    if report.pushed is False:
        return "Not pushed, although every bound was met" if count else "Not pushed"
    word = "Pushed" if report.pushed else "Blessed"
    return f"{word}: every bound met" if count else f"{word}: no bounds were set"


def render(report: Report) -> str:
    """Makes the page.

    Args:
        report: What it shows.

    Returns:
        HTML that needs no other file; the same report always gives the same text.
    """
    pages = page_templates(Path(__file__).parent)
    pages.filters.update(number=_number, percent=_percent, change=_change, count=_count, day=_day, duration=_duration)
    pages.filters.update(rate=_rate, perplexity=_perplexity)
    evaluation = report.evaluation
    sure = evaluation.confidence
    bins = plots.reliability_bins(sure["count"], sure["correct"], sure["probability_sum"]) if sure else []
    return pages.get_template("page.html").render(
        report=report,
        evaluation=evaluation,
        headline=headline(report),
        bounds=bound_lines(evaluation),
        classes=class_lines(evaluation),
        many=MANY_CLASSES,
        correct=sum(row[index] for index, row in enumerate(evaluation.confusion)),
        confusions=most_confused(evaluation),
        curves=plots.precision_recall_figure(
            evaluation.scores,
            {name: (evaluation.recall.get(name), evaluation.precision.get(name)) for name in evaluation.labels},
        ),
        bins=bins,
        warnings=warnings(report),
        candidates=sorted(report.tuning, key=lambda one: one.learning_rate),
        best=best_candidate(report.tuning),
        shift_lines=shift_lines,
        shift_sentence=shift_sentence,
        lost_shift=LOST_SHIFT,
        full_shift=FULL_SHIFT,
        plots=plots,
    )


def most_confused(evaluation: Evaluation) -> list[tuple[str, str, int, float]]:
    """The pairs confused most often: true label, decided label, texts, and their share of the true label's texts."""
    pairs = [
        (evaluation.labels[row], evaluation.labels[column], texts, texts / sum(counts))
        for row, counts in enumerate(evaluation.confusion)
        for column, texts in enumerate(counts)
        if texts and row != column
    ]
    return sorted(pairs, key=lambda pair: (-pair[2], -pair[3]))[:MOST_CONFUSIONS]


def _number(value: float | None, digits: int = 2) -> str:
    """With two decimals; more where two would turn almost all into all, or little into nothing."""
    if value is None or not math.isfinite(value):
        return "–"
    while digits < 4 and value not in (0, 1) and float(f"{value:.{digits}f}") in (0, 1):
        digits += 1
    return f"{value:.{digits}f}"


def _percent(value: float) -> str:
    return f"{100 * value:.1f}%".replace(".0%", "%")


def _change(value: float) -> str:
    return f"{round(value, 3) + 0.0:+.3f}".replace("-", "−")


def _count(value: float) -> str:
    return f"{value:,}"


def _rate(value: float) -> str:
    return f"{value:.3g}".replace("e-0", "e-").replace("e+0", "e+")


def _perplexity(value: float) -> str:
    return f"{value:,.1f}" if value < 100 else f"{value:,.0f}"


def _day(stamp: str) -> str:
    try:
        return f"{datetime.fromisoformat(stamp.replace('Z', '+00:00')):%Y-%m-%d %H:%M %Z}".strip()
    except ValueError:
        return stamp


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
