"""The first thing on the page: may the model go live, and which bounds it met and missed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from fullbake.components.evaluation.gate import WHY_NOT_MEASURED, bound_name
from fullbake.components.report.numbers import number, percent
from fullbake.components.report.section import Section
from fullbake.components.report.sections.classes import MANY_CLASSES, ClassLine, class_lines
from fullbake.components.report.sections.mistakes import main_mistake
from fullbake.contract.results.evaluation import Bound, Evaluation
from fullbake.contract.results.report import Report
from fullbake.contract.results.result import Interval

ROUNDING_NOISE = 1e-9


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


def bound_lines(evaluation: Evaluation) -> list[BoundLine]:
    """Returns the bounds in words: missed ones first, the widest miss leading, then met ones, the narrowest first."""
    classes = {line.label: line for line in class_lines(evaluation)}
    lines = [_bound_line(bound, classes[bound.label]) for bound in evaluation.bounds]
    return sorted(lines, key=lambda line: (line.passed, line.slack))


def _bound_line(bound: Bound, about: ClassLine) -> BoundLine:
    if bound.metric == "predicted":
        sentence = f"no test text was labelled '{bound.label}'"
        return BoundLine(bound.passed, -1.0, f"'{bound.label}'", "must be decided at all", "0", sentence, sentence)
    drop = bound.metric == "recall_drop"
    subject = f"recall of '{bound.label}'" if drop else bound_name(bound)
    limit = _digits(bound.bound, bound.bound)[1]
    demand = f"may fall by at most {limit}" if drop else f"at least {limit}"
    if bound.value is None or math.isnan(bound.value):
        if drop:
            why = "there is no model in production to compare with"
        elif bound.metric not in ("recall", "precision"):
            why = WHY_NOT_MEASURED[bound.metric == "slice_recall"]
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
    whole = {"recall": (about.recall_interval, about.texts), "precision": (about.precision_interval, about.decided)}
    reach, count = whole.get(bound.metric, (bound.interval, bound.rows or 0))
    if bound.confidence is not None and bound.interval is not None:
        interval = (bound.interval[0], bound.interval[1])
        lower, limit, gap = _digits(interval[0], bound.bound)
        measured = _digits(value, bound.bound)[0]
        demand = f"at least {limit} with {percent(bound.confidence)} confidence"
        outcome = f"{_outcome(bound.passed, gap)}: it is at least {lower}"
        sentence = f"{subject} is {measured}, which shows {lower} and no more; its bound is {limit}: {gap} short"
        words = (subject, demand, measured, outcome, sentence)
        return BoundLine(bound.passed, interval[0] - bound.bound, *words, None, value, bound.bound, interval)
    measured, limit, gap = _digits(value, bound.bound)
    sentence = f"{subject} is {measured}, its bound is {limit}: {gap} short"
    doubt = None
    if reach and reach[0] < bound.bound <= reach[1]:
        doubt = f"may be chance: 95% interval {reach[0]:.2f}–{reach[1]:.2f} from {count:,} test texts"
    words = (subject, f"at least {limit}", measured, _outcome(bound.passed, gap), sentence)
    return BoundLine(bound.passed, value - bound.bound, *words, doubt, value, bound.bound, reach)


def _outcome(passed: bool, gap: str) -> str:
    if not passed:
        return f"missed by {gap}"
    return f"met, {gap} to spare" if float(gap) else "met exactly"


def _digits(value: float, bound: float) -> tuple[str, str, str]:
    """Returns both and their distance, with two decimals, or as many as it takes to tell one from the other."""
    digits = 2
    while digits < 4 and abs(round(bound, digits) - bound) > ROUNDING_NOISE:
        digits += 1
    while digits < 6 and round(value, digits) == round(bound, digits) and abs(value - bound) > ROUNDING_NOISE:
        digits += 1
    gap = abs(round(value, digits) - round(bound, digits))
    return f"{value:.{digits}f}", f"{bound:.{digits}f}", f"{gap:.{digits}f}"


def headline(report: Report) -> str:
    """Returns the verdict, in one line."""
    missed = [line for line in bound_lines(report.evaluation) if not line.passed]
    count = len(report.evaluation.bounds)
    if not report.evaluation.blessed:
        refused = "Missed" if report.judged_file else "Refused"
        if len(missed) == 1:
            return f"{refused}: {missed[0].sentence}"
        return f"{refused}: {len(missed)} of {count} bounds missed" if missed else "Refused by the evaluator"
    if report.pushed is False:
        return "Not pushed, although every bound was met" if count else "Not pushed"
    word = "Pushed" if report.pushed else "Judged" if report.judged_file else "Blessed"
    return f"{word}: every bound met" if count else f"{word}: no bounds were set"


def worst_slice(evaluation: Evaluation) -> str | None:
    """Returns in words the slice and label with the lowest recall, of those with enough rows to tell; None if none."""
    worst = min(evaluation.worst_slice.items(), key=lambda found: found[1].recall, default=None)
    if worst is None:
        return None
    label, found = worst
    return f"'{label}' in '{found.slice}', with a recall of {number(found.recall)} on {found.rows:,} texts"


def _context(report: Report) -> Mapping[str, Any]:
    return {
        "headline": headline(report),
        "bounds": bound_lines(report.evaluation),
        "correct": report.evaluation.correct,
        "many": MANY_CLASSES,
        "main_mistake": main_mistake(report.evaluation),
        "worst_slice": worst_slice(report.evaluation),
    }


SECTION = Section(_context)
