"""The table of a comparison: what is shown of each approach."""

from __future__ import annotations

from fullbake.contract.durations import duration_in_words
from fullbake.pipeline.comparison.comparison import Comparison
from fullbake.pipeline.comparison.spread import Spread


def table_rows(comparison: Comparison) -> list[tuple[str, list[str]]]:
    """Returns the rows of the table: a name and one cell for each of `Comparison.results`."""
    rows = [
        ("accuracy", [_rate(result.accuracy) for result in comparison.results]),
        ("macro F1", [_rate(result.macro_f1) for result in comparison.results]),
        ("macro recall", [_rate(result.macro_recall) for result in comparison.results]),
    ]
    for label in comparison.shown_labels:
        rows.append((f"recall of {label}", [_rate(result.recall[label]) for result in comparison.results]))
        rows.append((f"precision of {label}", [_rate(result.precision[label]) for result in comparison.results]))
    return [
        *rows,
        ("time to train", [_time(result.seconds) for result in comparison.results]),
        ("trained parameters", [_range(result.trainable, "{:,.0f}") for result in comparison.results]),
        ("all parameters", [_range(result.total, "{:,.0f}") for result in comparison.results]),
        ("learning rate", [_range(result.learning_rate, "{:.3g}") for result in comparison.results]),
        ("seeds", [", ".join(map(str, result.seeds)) for result in comparison.results]),
    ]


def _rate(spread: Spread) -> str:
    if spread.mean is None:
        return "–"
    known = sum(value is not None for value in spread.values)
    text = f"{spread.mean:.3f}" if spread.deviation is None else f"{spread.mean:.3f} ± {spread.deviation:.3f}"
    return text if known == len(spread.values) else f"{text} ({known} of {len(spread.values)} seeds)"


def _time(spread: Spread) -> str:
    mean = spread.mean or 0.0
    if spread.deviation is None:
        return duration_in_words(mean)
    # No tenths beside whole seconds.
    deviation = f"{spread.deviation:.0f} s" if mean >= 10 > spread.deviation else duration_in_words(spread.deviation)
    return f"{duration_in_words(mean)} ± {deviation}"


def _range(spread: Spread, form: str) -> str:
    """Returns the value where all seeds agree, else the least and the greatest."""
    known = [value for value in spread.values if value is not None]
    ends = dict.fromkeys(form.format(end).replace("e-0", "e-") for end in (min(known), max(known)))
    return " to ".join(ends)
