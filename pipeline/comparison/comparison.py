"""What approaches trained on the same data, with several seeds, say about each other: arithmetic, table and words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text
from scipy.stats import t as students_t

MANY_LABELS = 12
"""Beyond this many classes only the most telling are shown, and none is tested by itself."""

SHOWN_OF_MANY = 5
"""How many of many classes are shown: those whose recall differs most between approaches."""

RESAMPLES = 10_000
"""Efron & Tibshirani 1993 ask for 1,000 or more for a 95% percentile interval; ten times that steadies its ends."""

BOOTSTRAP_SEED = 0

CONFIDENCE = 0.95

LEAST_TELLING_ROWS = 6
"""Fewer test rows that tell two approaches apart prove nothing.

A percentile interval is too narrow for a handful of rows: of a class with one row it has no width at all. The exact
sign test (Dixon & Mood 1946) draws the line here: five rows that all point one way give p = 0.0625, six give 0.03.
"""

_CHUNK_BYTES = 64_000_000  # what the arrays of one chunk of resamples may take


@dataclass(frozen=True, eq=False)
class Outcome:
    """One approach, trained with one seed.

    Attributes:
        approach: Its name.
        seed: Of its training.
        decided: What the serving graph decided for each test row, int `(test_rows,)`: class indices.
        seconds: By component that trained, how long it took.
        trainable: How many parameters the last phase trained.
        total: How many parameters the model has.
        learning_rate: The peak rate of the last phase.
    """

    approach: str
    seed: int
    decided: np.ndarray
    seconds: Mapping[str, float]
    trainable: int
    total: int
    learning_rate: float


@dataclass(frozen=True)
class Spread:
    """A number over the seeds of an approach.

    Attributes:
        mean: Over the seeds that have a value; None if none has.
        deviation: The sample standard deviation over them; None with fewer than two.
        values: By seed; None where there is none, such as the precision of a class that was never decided.
    """

    mean: float | None
    deviation: float | None
    values: tuple[float | None, ...]

    @classmethod
    def over(cls, values: Iterable[float | None]) -> Spread:
        """Mean and deviation of these values.

        Args:
            values: By seed, float; None or NaN where there is none.
        """
        kept = tuple(None if value is None or np.isnan(value) else float(value) for value in values)
        known = [value for value in kept if value is not None]
        mean = float(np.mean(known)) if known else None
        return cls(mean, float(np.std(known, ddof=1)) if len(known) > 1 else None, kept)


@dataclass(frozen=True)
class ApproachResult:
    """What the seeds of one approach gave.

    Attributes:
        approach: Its name.
        seeds: In the order of every `Spread.values`.
        accuracy: Share of the test rows decided rightly.
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


@dataclass(frozen=True)
class PairedTest:
    """Whether two approaches differ on one measure by more than luck, of the test rows and of training.

    Attributes:
        first: An approach.
        second: Another.
        metric: "accuracy", "macro_f1", "macro_recall" or "recall".
        label: Of the recall, else None.
        difference: First minus second, each a mean over its seeds.
        low: Where the 95% interval of the difference begins, for these trained models and the luck of the test rows.
        high: Where it ends.
        p: Two-sided, of the same.
        telling_rows: Test rows (of the class) on which one approach is right with a greater share of its seeds.
        se_rows: Standard error of the difference by the luck of the test rows.
        se_seeds: Standard error of the difference by the luck of training; None where a side has one seed, which says
            nothing of it.
        margin: What the difference must exceed where both count: Student's 95% quantile times both errors together.
            None where `se_seeds` is.
        models_differ: The interval excludes 0, and there are `LEAST_TELLING_ROWS` or more: other test rows would show
            it too, but other seeds perhaps not.
        more_than_luck: That, and the difference is greater than the margin. Never with one seed on a side.
    """

    first: str
    second: str
    metric: str
    label: str | None
    difference: float
    low: float
    high: float
    p: float
    telling_rows: int
    se_rows: float
    se_seeds: float | None
    margin: float | None
    models_differ: bool
    more_than_luck: bool

    @property
    def measure(self) -> str:
        """The measure in words."""
        return measure_name(self.metric, self.label)

    @property
    def margin_words(self) -> str:
        """The margin as it is written beside a difference."""
        return "–" if self.margin is None else f"±{self.margin:.3f}"

    @property
    def verdict(self) -> str:
        """What the test says, in words."""
        if self.more_than_luck:
            return "more than luck"
        if not self.difference and not self.telling_rows:
            return "no difference"
        if self.telling_rows < LEAST_TELLING_ROWS:
            return f"may be luck, told apart by {self.telling_rows} row{'' if self.telling_rows == 1 else 's'}"
        if not self.models_differ:
            return "may be luck"
        if self.margin is None:
            return "these two models differ; only more seeds tell of the approaches"
        return "may be luck of training"

    def __str__(self) -> str:
        interval = f"{signed(self.low)} to {signed(self.high)}"
        training = "" if self.margin is None else f"; with luck of training {self.margin_words}"
        return (
            f"{self.first} - {self.second}: {self.measure} {signed(self.difference)} "
            f"(95% {interval}, {p_words(self.p)}{training}): {self.verdict}"
        )


@dataclass(frozen=True, eq=False)
class Comparison:
    """Approaches trained on the same split, each with some seeds, and judged on the same test rows.

    Attributes:
        labels: In the order of the class index.
        truth: The class index of each test row, int `(test_rows,)`.
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
        for name, indices in [("truth", self.truth), *((o.approach, o.decided) for o in self.outcomes)]:
            if indices.shape != self.truth.shape or indices.min() < 0 or indices.max() >= len(self.labels):
                raise ValueError(f"{name}: want class indices below {len(self.labels)} for {len(self.truth)} test rows")

    @cached_property
    def results(self) -> list[ApproachResult]:
        """Each approach's results, in order of first appearance."""
        seeds: dict[str, list[Outcome]] = {}
        for outcome in self.outcomes:
            seeds.setdefault(outcome.approach, []).append(outcome)
        return [self._result(approach, outcomes) for approach, outcomes in seeds.items()]

    @cached_property
    def tests(self) -> list[PairedTest]:
        """For each pair of approaches and each measure, a paired bootstrap over test rows beside the spread over seeds.

        Test rows are drawn with replacement, the same for both sides (Efron & Tibshirani 1993; Koehn 2004), and not by
        class: a test set is a sample in which the classes' sizes are luck too. In a resample without a row of a class
        the macro averages are over the other classes, and that class's recall leaves the resample out.

        The bootstrap takes the trained models as they are. That another training of the same approach would have come
        out otherwise, only the seeds can tell: see `_margin`.
        """
        approaches = [result.approach for result in self.results]
        if len(approaches) < 2:
            return []
        measures: list[tuple[str, str | None]] = [("accuracy", None), ("macro_f1", None), ("macro_recall", None)]
        if len(self.labels) <= MANY_LABELS:
            measures += [("recall", label) for index, label in enumerate(self.labels) if np.any(self.truth == index)]
        rows, counts = np.unique(
            np.column_stack([self.truth, *(outcome.decided for outcome in self.outcomes)]), axis=0, return_counts=True
        )
        mean_over = np.array([[o.approach == approach for o in self.outcomes] for approach in approaches], dtype=float)
        mean_over /= mean_over.sum(axis=1, keepdims=True)
        columns = [_column(metric, label, self.labels) for metric, label in measures]

        def measured(weights: np.ndarray) -> np.ndarray:
            """By how often each kind of row occurs, each approach's measures: (resamples, approaches, measures)."""
            truth, classes = rows[:, 0], len(self.labels)
            by_outcome = [_measures(weights, truth, decided, classes)[:, columns] for decided in rows[:, 1:].T]
            return np.einsum("ao,orm->ram", mean_over, by_outcome)

        (observed,) = measured(counts[np.newaxis].astype(float))
        resampled = np.concatenate([measured(weights) for weights in _resamples(counts, len(self.labels))])
        right = mean_over @ np.array([outcome.decided == self.truth for outcome in self.outcomes])
        tests = []
        for one, other in combinations(range(len(approaches)), 2):
            telling = ~np.isclose(right[one], right[other])
            for column, (metric, label) in enumerate(measures):
                about = telling if label is None else telling & (self.truth == self.labels.index(label))
                tests.append(
                    _test(
                        (self.results[one], self.results[other]),
                        (metric, label),
                        difference=observed[one, column] - observed[other, column],
                        resampled=resampled[:, one, column] - resampled[:, other, column],
                        telling_rows=int(about.sum()),
                    )
                )
        return tests

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

    def table(self) -> list[tuple[str, list[str]]]:
        """What is shown of each approach: rows of a name and one cell for each of `results`."""
        rows = [
            ("accuracy", [_rate(result.accuracy) for result in self.results]),
            ("macro F1", [_rate(result.macro_f1) for result in self.results]),
            ("macro recall", [_rate(result.macro_recall) for result in self.results]),
        ]
        for label in self.shown_labels:
            rows.append((f"recall of {label}", [_rate(result.recall[label]) for result in self.results]))
            rows.append((f"precision of {label}", [_rate(result.precision[label]) for result in self.results]))
        return [
            *rows,
            ("time to train", [_time(result.seconds) for result in self.results]),
            ("trained parameters", [_range(result.trainable, "{:,.0f}") for result in self.results]),
            ("all parameters", [_range(result.total, "{:,.0f}") for result in self.results]),
            ("learning rate", [_range(result.learning_rate, "{:.3g}") for result in self.results]),
            ("seeds", [", ".join(map(str, result.seeds)) for result in self.results]),
        ]

    def notes(self) -> list[str]:
        """What a reader must know to read the table and the tests rightly."""
        if any(len(result.seeds) > 1 for result in self.results):
            notes = ["± beside a mean is the standard deviation over seeds: the luck of training."]
        else:
            notes = ["One seed each: how much the luck of training matters is not known; more seeds would tell."]
        if len(self.labels) > MANY_LABELS:
            notes.append(
                f"Of {len(self.labels)} classes the {len(self.shown_labels)} whose recall differs most between "
                "approaches are shown; chosen for that, they exaggerate the differences."
            )
        if self.tests:
            notes.append(
                f"The intervals and p come from a paired bootstrap over the {len(self.truth):,} test rows "
                f"({RESAMPLES:,} resamples; Efron & Tibshirani 1993, Koehn 2004). They cover the luck of which rows "
                "are in the test set, and take the trained models as they are."
            )
        if any(test.margin is not None for test in self.tests):
            notes += [
                "“More than luck” needs more: the difference must also exceed the ± beside it, Student's 95% quantile "
                "times the standard error of test rows and seeds together (Welch 1947). So the same training with "
                "other seeds is likely to show it too; the fewer the seeds, the greater a difference this takes.",
                f"{len(self.tests)} comparisons are made, each at 5%: of comparisons between equal approaches up to "
                "about 1 in 20 is called more than luck all the same.",
            ]
        if any(test.margin is None for test in self.tests):
            notes.append(
                "Where an approach has one seed, nothing is called more than luck: two trained models may differ on "
                "any test rows because of their seeds alone, and only more seeds can tell of the approaches."
            )
        return notes

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON can hold it: by approach means, deviations and values by seed; then the tests."""
        return {
            "labels": list(self.labels),
            "test_rows": len(self.truth),
            "approaches": {
                name: {**values, "seeds": list(values["seeds"])}
                for name, values in ((result.approach, _plain(result)) for result in self.results)
            },
            "bootstrap": {"resamples": RESAMPLES, "seed": BOOTSTRAP_SEED, "confidence": CONFIDENCE},
            "tests": [{**asdict(test), "verdict": test.verdict} for test in self.tests],
        }

    def to_markdown(self) -> str:
        """A GitHub table with approaches as columns, then the tests and the notes in words."""
        names = [_markdown(result.approach) for result in self.results]
        lines = [f"| | {' | '.join(names)} |", f"|---|{'---:|' * len(names)}"]
        lines += [f"| {_markdown(name)} | {' | '.join(cells)} |" for name, cells in self.table()]
        if self.tests:
            lines += ["", *(f"- {_markdown(str(test))}" for test in self.tests)]
        return "\n".join([*lines, "", "\n\n".join(self.notes())]) + "\n"

    def print_table(self, console: Console) -> None:
        """Prints the same to a terminal.

        Args:
            console: Where to; four approaches fit into 100 columns.
        """
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, title=f"{len(self.truth):,} test rows")
        table.add_column("", overflow="fold", min_width=14)
        for result in self.results:
            table.add_column(Text(result.approach), justify="right", no_wrap=True, overflow="fold")
        for name, cells in self.table():
            table.add_row(Text(_one_line(name)), *cells)
        console.print(table)
        for pair, tests in self.tests_by_pair().items():
            table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, title=Text(" - ".join(pair)))
            table.add_column("", overflow="fold", min_width=14)
            with_seeds = any(test.margin is not None for test in tests)
            for name in ("difference", "95% by rows", "p", *(["with seeds"] if with_seeds else [])):
                table.add_column(name, justify="right", no_wrap=True)
            table.add_column("")
            for test in tests:
                interval = f"{signed(test.low)} to {signed(test.high)}"
                p = p_words(test.p).removeprefix("p ").removeprefix("= ")
                verdict = Text(test.verdict, style="bold" if test.more_than_luck else "")
                cells = [signed(test.difference), interval, p, *([test.margin_words] if with_seeds else [])]
                table.add_row(Text(_one_line(test.measure)), *cells, verdict)
            console.print()
            console.print(table)
        console.print()
        for note in self.notes():
            console.print(Text(note))

    def tests_by_pair(self) -> dict[tuple[str, str], list[PairedTest]]:
        """The tests of each pair of approaches."""
        pairs: dict[tuple[str, str], list[PairedTest]] = {}
        for test in self.tests:
            pairs.setdefault((test.first, test.second), []).append(test)
        return pairs

    def _result(self, approach: str, outcomes: Sequence[Outcome]) -> ApproachResult:
        once = np.ones((1, len(self.truth)))
        measures = np.concatenate([_measures(once, self.truth, o.decided, len(self.labels)) for o in outcomes])
        components = dict.fromkeys(name for outcome in outcomes for name in outcome.seconds)

        def by_label(metric: str) -> dict[str, Spread]:
            return {label: Spread.over(measures[:, _column(metric, label, self.labels)]) for label in self.labels}

        return ApproachResult(
            approach,
            seeds=tuple(outcome.seed for outcome in outcomes),
            accuracy=Spread.over(measures[:, 0]),
            macro_f1=Spread.over(measures[:, 1]),
            macro_recall=Spread.over(measures[:, 2]),
            recall=by_label("recall"),
            precision=by_label("precision"),
            seconds=Spread.over(sum(outcome.seconds.values()) for outcome in outcomes),
            seconds_by_component={
                name: float(np.mean([outcome.seconds.get(name, 0.0) for outcome in outcomes])) for name in components
            },
            trainable=Spread.over(outcome.trainable for outcome in outcomes),
            total=Spread.over(outcome.total for outcome in outcomes),
            learning_rate=Spread.over(outcome.learning_rate for outcome in outcomes),
        )


def measure_name(metric: str, label: str | None) -> str:
    """A measure in words, such as "recall of toxic"."""
    name = {"macro_f1": "macro F1", "macro_recall": "macro recall"}.get(metric, metric)
    return name if label is None else f"{name} of {label}"


def signed(difference: float) -> str:
    """A difference with its sign and three decimals; never "-0.000"."""
    return f"{round(difference, 3) + 0.0:+.3f}"


def p_words(p: float) -> str:
    """A p value as it is written in a sentence."""
    if p < 0.001:
        return "p < 0.001"
    return f"p = {p:.3f}" if p < 0.01 else f"p = {p:.2f}"


def duration(seconds: float) -> str:
    """A time as people say it."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _column(metric: str, label: str | None, labels: Sequence[str]) -> int:
    """Where `_measures` puts a measure."""
    fixed = {"accuracy": 0, "macro_f1": 1, "macro_recall": 2, "recall": 3, "precision": 3 + len(labels)}
    return fixed[metric] + (0 if label is None else labels.index(label))


def _measures(weights: np.ndarray, truth: np.ndarray, decided: np.ndarray, classes: int) -> np.ndarray:
    """Every measure of weighted rows, for many weightings at once.

    Args:
        weights: How often each row counts, float `(resamples, rows)`.
        truth: Class indices, int `(rows,)`.
        decided: Class indices, int `(rows,)`.
        classes: How many there are.

    Returns:
        Float `(resamples, 3 + 2 * classes)`: accuracy, macro F1 and macro recall (over the classes that have rows),
        each class's recall (NaN without a row of it), each class's precision (NaN if never decided).
    """
    one_hot = np.eye(classes)
    is_class = one_hot[truth]
    is_right = is_class * (decided == truth)[:, np.newaxis]
    true, chosen, right = weights @ is_class, weights @ one_hot[decided], weights @ is_right
    present = true > 0
    with np.errstate(invalid="ignore"):
        recall, precision, f1 = right / true, right / chosen, 2 * right / (true + chosen)
    averages = [np.where(present, each, 0).sum(axis=1) / present.sum(axis=1) for each in (f1, recall)]
    return np.column_stack([right.sum(axis=1) / true.sum(axis=1), *averages, recall, precision])


def _resamples(counts: np.ndarray, classes: int) -> Iterable[np.ndarray]:
    """Chunks of `RESAMPLES` resamples in all, as how often each kind of row was drawn: float `(chunk, kinds)`.

    Rows with the same truth and the same decisions are of a kind; drawing rows with replacement and counting kinds is
    one multinomial draw.
    """
    generator = np.random.default_rng(BOOTSTRAP_SEED)
    chunk = max(1, _CHUNK_BYTES // (8 * (2 * len(counts) + 10 * classes)))
    for start in range(0, RESAMPLES, chunk):
        size = min(chunk, RESAMPLES - start)
        yield generator.multinomial(counts.sum(), counts / counts.sum(), size=size).astype(float)


def _test(
    results: tuple[ApproachResult, ApproachResult],
    measure: tuple[str, str | None],
    *,
    difference: float,
    resampled: np.ndarray,
    telling_rows: int,
) -> PairedTest:
    """Judges a difference.

    Args:
        results: Of the two approaches.
        measure: Its name and the label, None for a measure of all classes.
        difference: As observed.
        resampled: The same in each resample, float `(resamples,)`; NaN where the resample has no row of the class.
        telling_rows: As in `PairedTest`.
    """
    metric, label = measure
    # Seeds are averaged in floating point: equals may differ in the 17th digit, which must not count as a direction.
    known = np.round(resampled[~np.isnan(resampled)], 12)
    exact = round(float(difference), 12) + 0.0
    low, high = (float(end) for end in np.quantile(known, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]))
    # Plus one: the sample itself is one of the ways it could have fallen; no p is 0 (Davison & Hinkley 1997).
    tail = (min(np.sum(known <= 0), np.sum(known >= 0)) + 1) / (len(known) + 1)
    se_rows = float(np.std(known, ddof=1))
    se_seeds, margin = _margin(se_rows, [_spread(result, metric, label) for result in results])
    models_differ = (low > 0 or high < 0) and telling_rows >= LEAST_TELLING_ROWS
    return PairedTest(
        first=results[0].approach,
        second=results[1].approach,
        metric=metric,
        label=label,
        difference=exact,
        low=low,
        high=high,
        p=min(1.0, 2 * float(tail)),
        telling_rows=telling_rows,
        se_rows=se_rows,
        se_seeds=se_seeds,
        margin=margin,
        models_differ=models_differ,
        more_than_luck=models_differ and margin is not None and abs(exact) > margin,
    )


def _spread(result: ApproachResult, metric: str, label: str | None) -> Spread:
    found = getattr(result, metric)
    return found if label is None else found[label]


def _margin(se_rows: float, spreads: Sequence[Spread]) -> tuple[float | None, float | None]:
    """What the luck of training adds to that of the test rows.

    Welch 1947 ("The generalization of Student's problem when several different population variances are involved"):
    the variances of the two means over seeds and of the test rows add up, and the sum has the degrees of freedom of
    Satterthwaite 1946. There are so many rows that their variance counts as known. A seed's value is measured on the
    same test rows as all others, so the spread over seeds holds a little of the luck of the rows too: the margin is
    rather too wide than too narrow.

    Args:
        se_rows: Standard error of the difference by the luck of the test rows.
        spreads: Of the two approaches over their seeds.

    Returns:
        The standard error by the luck of training, and the margin; None and None where a side has one seed.
    """
    variances, squares = [], []
    for spread in spreads:
        seeds = sum(value is not None for value in spread.values)
        if spread.deviation is None:
            return None, None
        variances.append(spread.deviation**2 / seeds)
        squares.append(variances[-1] ** 2 / (seeds - 1))
    variance = se_rows**2 + sum(variances)
    freedom = variance**2 / sum(squares) if sum(squares) else np.inf
    quantile = float(students_t.ppf((1 + CONFIDENCE) / 2, freedom))
    return float(np.sqrt(sum(variances))), quantile * float(np.sqrt(variance))


def _plain(result: ApproachResult) -> dict[str, Any]:
    """The result as JSON can hold it, without its name."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(each) for key, each in value.items()}
        return list(value) if isinstance(value, tuple) else value

    return {key: plain(value) for key, value in asdict(result).items() if key != "approach"}


def _rate(spread: Spread) -> str:
    if spread.mean is None:
        return "–"
    known = sum(value is not None for value in spread.values)
    text = f"{spread.mean:.3f}" if spread.deviation is None else f"{spread.mean:.3f} ± {spread.deviation:.3f}"
    return text if known == len(spread.values) else f"{text} ({known} of {len(spread.values)} seeds)"


def _time(spread: Spread) -> str:
    mean = spread.mean or 0.0
    if spread.deviation is None:
        return duration(mean)
    # No tenths beside whole seconds.
    deviation = f"{spread.deviation:.0f} s" if mean >= 10 > spread.deviation else duration(spread.deviation)
    return f"{duration(mean)} ± {deviation}"


def _range(spread: Spread, form: str) -> str:
    """The value where all seeds agree, else from the least to the greatest."""
    known = [value for value in spread.values if value is not None]
    ends = dict.fromkeys(form.format(end).replace("e-0", "e-") for end in (min(known), max(known)))
    return " to ".join(ends)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _markdown(text: str) -> str:
    """Text on one line that GitHub shows as it is."""
    return re.sub(r"([\\|*`\[\]~]|<(?=\S))", r"\\\1", _one_line(text))
