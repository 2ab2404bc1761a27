"""Whether each class has the examples that training and judging it take."""

from __future__ import annotations

from collections.abc import Sequence

from fullbake.components.data.row_format import OTHER
from fullbake.components.evaluation.gate import GateSpec, too_few_rows
from fullbake.contract.errors import InputError
from fullbake.contract.named_few import named_few
from fullbake.contract.names import TEST_SPLIT
from fullbake.contract.results.ingest import Ingest
from fullbake.contract.setting_names import setting_names


def judge_classes(ingest: Ingest, gate: GateSpec) -> None:
    """Checks that each class is in each split, and in the test split with the rows that a confidence takes.

    Of multi-label examples, each split needs such with each label, and such that are known not to have it.

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
    problems = _lacking_labels_in_words(ingest) if ingest.multi_label else _lacking_in_words(ingest, kept)
    if problems:
        problems[0] = f"{setting_names()['labels']}: {problems[0]}"
    if gate.confidence is not None:
        problems += too_few_rows(gate, ingest.labels[TEST_SPLIT])
    if problems:
        raise InputError("{problems}", problems="; ".join(problems))


def _lacking_in_words(ingest: Ingest, labels: Sequence[str]) -> list[str]:
    """Returns which classes are not in each split, why, and what to do, a sentence for each reason."""
    names = setting_names()
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
    said = []
    if small:
        ways = "drop" if OTHER in labels and texts.get(OTHER, 0) < splits else "drop or other"
        said.append(
            f"{named_few(small)}: fewer texts than the {splits} splits they are for; add rows, or set "
            f"{names['rare_classes']} to {ways}"
        )
    if untested:
        said.append(f"{named_few(untested)}: no rows in {names['test_base']}; add rows of them there")
    if shared:
        said.append(
            f"{named_few(shared)}: their texts are held out for other labels that they have too; add rows, or set "
            f"{names['on_conflict']} to drop"
        )
    return said


def _lacking_labels_in_words(ingest: Ingest) -> list[str]:
    """Returns of which labels a split has no example with it, or none without, a sentence for each reason."""
    names, splits = setting_names(), list(ingest.labels)
    lacking, everywhere, untested = [], [], []
    for label in ingest.classes.texts:
        without_any = [split for split in splits if not ingest.labels[split][label]]
        always = [split for split in splits if label not in without_any and not ingest.without(split, label)]
        size = ingest.classes.texts[label]
        if without_any == [TEST_SPLIT] and ingest.classes.splits < len(splits):
            untested.append(repr(label))
        elif without_any:
            lacking.append(f"{label!r} ({size:,} text{'s'[: size != 1]}, none in {' and '.join(without_any)})")
        if always:
            everywhere.append(f"{label!r} (in {' and '.join(always)})")
    said = []
    if lacking:
        said.append(
            f"{named_few(lacking)}: a label needs texts in each split; add rows, or leave it out of {names['labels']}"
        )
    if untested:
        said.append(f"{named_few(untested)}: no rows in {names['test_base']}; add rows of them there")
    if everywhere:
        said.append(
            f"{named_few(everywhere)}: every row of which it is known has it, so there is nothing to tell apart; add "
            f"rows without it, or leave it out of {names['labels']}"
        )
    return said
