"""Whether each class has the examples that training and judging it take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fullbake.components.data.row_format import OTHER
from fullbake.components.evaluation.gate import GateSpec, too_few_rows
from fullbake.contract.errors import InputError
from fullbake.contract.named_few import named_few
from fullbake.contract.names import TEST_SPLIT
from fullbake.contract.results.ingest import Ingest


def judge_classes(ingest: Ingest, gate: GateSpec) -> None:
    """Checks that each class is in each split, and in the test split with the rows that a confidence takes.

    Args:
        ingest: How many examples there are, and which classes were left out because they are too small.
        gate: The bounds. A class that is left out may have none.

    Raises:
        InputError: One of it is not so; the line has all such classes, a few of them by name.
    """
    left_out = ingest.classes.left_out
    for key in ("min_recall", "min_precision"):
        if bounded := [repr(label) for label in gate.labels if label in left_out and label in getattr(gate, key)]:
            raise InputError(
                "{classes}: {rare_classes} leaves no row to hold a bound against, for there are too few texts to "
                "split; take the bound out, or add rows",
                field=key,
                classes=named_few(bounded),
            )
    kept = [label for label in gate.labels if label not in left_out]
    if len(kept) < 2:
        raise InputError(
            "of {listed} classes {kept} has enough texts to split, and two are needed; add rows",
            field="labels",
            listed=len(gate.labels),
            kept=f"{kept[0]!r} alone" if kept else "none",
        )
    told = dict(_lacking_in_words(ingest, kept))
    values = {f"lacking_{number}": named_few(classes) for number, classes in enumerate(told.values())}
    sentences = [f"{{lacking_{number}}}: {why}" for number, why in enumerate(told)]
    if gate.confidence is not None:
        few = too_few_rows(gate, ingest.labels[TEST_SPLIT])
        values |= {f"few_{number}": sentence for number, sentence in enumerate(few)}
        sentences += [f"{{few_{number}}}" for number in range(len(few))]
    if sentences:
        raise InputError("; ".join(sentences), field="labels" if told else None, **values)


def _lacking_in_words(ingest: Ingest, labels: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Yields why classes are not in each split and what to do, for `InputError`, with what to call each of them."""
    splits, texts = ingest.classes.splits, ingest.classes.texts
    small, untested, shared = [], [], []
    for label in labels:
        lacking = [split for split, counts in ingest.labels.items() if not counts[label]]
        if not lacking:
            continue
        size = texts.get(label, 0)
        named = f"{label!r} ({size:,} text{'s'[: size != 1]}, none in {' and '.join(lacking)})"
        if size < splits:
            small.append(named)
        elif lacking == [TEST_SPLIT] and splits < len(ingest.labels):
            untested.append(named)
        else:
            shared.append(named)
    if small:
        ways = "drop" if OTHER in labels and texts.get(OTHER, 0) < splits else "drop or other"
        yield f"fewer texts than the {splits} splits they are for; add rows, or set {{rare_classes}} to {ways}", small
    if untested:
        yield "no rows in {test_base}; add rows of them there", untested
    if shared:
        yield (
            "their texts are held out for other labels that they have too; add rows, or set {on_conflict} to drop",
            shared,
        )
