"""Decides for each usable row of all labelled files where it goes."""

from collections.abc import Mapping

import numpy as np

from fullbake.components.data.data_file import DataFile
from fullbake.components.data.ingest.label_states import LabelPairs, LabelStates
from fullbake.components.data.ingest.parts import SCANNED, IngestParts
from fullbake.components.data.ingest.refusal import CONTRADICTED, IN_TEST_BASE, REPEATED, TOO_RARE, Refusal
from fullbake.components.data.ingest.splitting import HeldOutTexts
from fullbake.components.data.ingest.stratify import LEAST, count_texts, stratify
from fullbake.components.data.repeats import find_repeats
from fullbake.components.data.row_format import OTHER
from fullbake.contract.names import TEST_SPLIT
from fullbake.contract.results.ingest import Classes, Repeats

# In a plan a byte stands for each usable row: the number of its split, or one of these.
_IN_TEST_BASE, _REPEATED, _CONTRADICTED, _TOO_RARE = 255, 254, 253, 252
_REFUSED = 200  # the bytes from here on


def refusals(names: Mapping[str, str]) -> dict[int, Refusal]:
    """Returns why a row is not used, by its byte in a plan.

    Args:
        names: What settings are called.
    """
    return {
        _IN_TEST_BASE: Refusal(IN_TEST_BASE, f"this text is in {names['test_base']} too"),
        _REPEATED: Refusal(REPEATED, f"an earlier row has this text and label ({names['on_duplicate']}: drop)"),
        _CONTRADICTED: Refusal(CONTRADICTED, f"this text has other labels too ({names['on_conflict']}: drop)"),
        _TOO_RARE: Refusal(
            TOO_RARE, f"its class has too few texts to be in each split ({names['rare_classes']}: drop)"
        ),
    }


def plan_rows(
    parts: IngestParts,
    *,
    files: list[DataFile],
    test_files: list[DataFile],
    labels: tuple[str, ...],
    multi_label: bool,
    split: dict[str, int],
    needed_test_rows: Mapping[str, int],
    rare_classes: str,
    held_out_splits: tuple[str, ...],
    drop_duplicates: bool,
    drop_conflicts: bool,
) -> None:
    """Decides for each usable row where it goes, and writes the plan, the repeats, the classes and the texts held out.

    Memory is some 60 bytes a row; of a multi-label format, 45 for each label of a row, and some for each of the
    different label sets.

    Args:
        parts: Has what was scanned of each file, and gets the plans.
        files: The labelled files.
        test_files: Those of the test folder; their rows are the split after those of `split`.
        labels: The labels, as they were numbered.
        multi_label: Whether a row can have any number of them.
        split: Name of a split -> its share, as for `splitting.split_of`.
        needed_test_rows: Label -> rows that it must have in the split test; without one, `stratify.LEAST` if it can.
        rare_classes: What becomes of a class with fewer texts than there are splits: "fail" (nothing, for others to
            judge), "drop" (its rows are left out) or "other" (they are of the class `row_format.OTHER`).
        held_out_splits: The splits whose texts must not be in a corpus.
        drop_duplicates: Whether of rows with one text and label only the first is used.
        drop_conflicts: Whether rows are left out whose text has another label elsewhere.
    """
    states = LabelStates() if multi_label else None
    rows = _Rows(parts, [*files, *test_files], states)
    labelled = rows.bounds[len(files)]  # how many rows are in `files`; the others are the test folder's
    plan = np.full(rows.bounds[-1], len(split), np.uint8)
    # Columns are read again where they are wanted again: that takes less memory than to keep them.
    texts = rows.column("text")
    in_test = HeldOutTexts(texts[labelled:].copy())
    plan[:labelled][in_test.holds(texts[:labelled])] = _IN_TEST_BASE
    del texts, in_test
    names = list(map(repr, labels)) if states is None else states.names()
    parts.write_repeats(_refuse_repeats(rows, plan, names, drop_duplicates, drop_conflicts))
    least = np.array([max(LEAST, needed_test_rows.get(label, 0)) for label in labels])
    if states is None:
        classes = _split_classes(rows, plan, labelled, labels, split, least, rare_classes)
    else:
        classes = _split_label_sets(rows, plan, labelled, labels, split, least, states)
    parts.write_classes(classes)

    for index, file in enumerate(rows.files):
        parts.write_plan(file.number, plan[rows.bounds[index] : rows.bounds[index + 1]].tobytes())
    held_out = [place for place, name in enumerate((*split, TEST_SPLIT)) if name in held_out_splits]
    parts.write_held_out(rows.column("text")[np.isin(plan, held_out)])


def _split_classes(
    rows: "_Rows",
    plan: np.ndarray,
    labelled: int,
    labels: tuple[str, ...],
    split: dict[str, int],
    least: np.ndarray,
    rare_classes: str,
) -> Classes:
    """Says in the plan which split each of the first rows is in, and which are not used for they are of rare classes.

    Args:
        rows: All rows.
        plan: Where they go; those that are refused stay so.
        labelled: How many rows are split, the first ones.
        labels: As of `plan_rows`.
        split: Likewise.
        least: The least number of texts in test, by label.
        rare_classes: As of `plan_rows`.

    Returns:
        How large the classes are, and which are left out.
    """
    row_labels = rows.column("label")
    shared = plan < _REFUSED
    shared[labelled:] = False
    texts, text_labels = rows.column("text")[shared], row_labels[shared]
    counts = count_texts(texts, text_labels, len(labels))
    rare = np.zeros(len(labels), bool) if rare_classes == "fail" else counts < len(split)
    if rare_classes == OTHER:
        other = labels.index(OTHER)
        rare[other] = False
        text_labels[rare[text_labels]] = other
        counts = count_texts(texts, text_labels, len(labels))
        rare[other] = not counts[other]
    elif rare.any():
        plan[rare[row_labels] & (plan < _REFUSED)] = _TOO_RARE
        kept = ~rare[text_labels]
        shared[shared] = kept
        texts, text_labels = texts[kept], text_labels[kept]
        counts[rare] = 0
    del row_labels
    plan[shared] = stratify(texts, text_labels, split, least)
    return Classes(
        splits=len(split),
        texts=dict(zip(labels, counts.tolist(), strict=True)),
        left_out=tuple(label for label, is_rare in zip(labels, rare, strict=True) if is_rare),
    )


def _split_label_sets(
    rows: "_Rows",
    plan: np.ndarray,
    labelled: int,
    labels: tuple[str, ...],
    split: dict[str, int],
    least: np.ndarray,
    states: LabelStates,
) -> Classes:
    """Does the same for rows that can have any number of labels: each split gets rows with and without each label.

    Args:
        rows: As of `_split_classes`, and so all others but the last.
        plan: Likewise.
        labelled: Likewise.
        labels: Likewise.
        split: Likewise.
        least: Likewise.
        states: The label sets of the rows.
    """
    shared = plan < _REFUSED
    shared[labelled:] = False
    pairs = LabelPairs(rows.column("text")[shared], rows.column("label")[shared], states.sets, labels)
    plan[shared] = pairs.split(split, least)
    return Classes(splits=len(split), texts=dict(zip(labels, pairs.texts_of_labels().tolist(), strict=True)))


class _Rows:
    """The usable rows of all labelled files, one file after the other, as they were scanned.

    Args:
        parts: Has what was scanned.
        files: The files.
        states: Gets the label sets of multi-label formats; None: a row has one label.

    Attributes:
        files: The files.
        bounds: Of each file, how many rows come before it; and last, how many there are.
    """

    def __init__(self, parts: IngestParts, files: list[DataFile], states: LabelStates | None = None):
        self.files = files
        # By file, what the numbers of its label sets are among those of all.
        self._numbers = None if states is None else [states.numbers(parts.label_sets(file.number)) for file in files]
        self.bounds = np.cumsum([0, *(parts.scanned_rows(file.number) for file in files)])
        self._parts = parts

    def column(self, name: str) -> np.ndarray:
        """Returns a field of `SCANNED` of each row; label sets have the numbers that they have among those of all."""
        values = np.empty(self.bounds[-1], SCANNED[name])
        for index, (file, before) in enumerate(zip(self.files, self.bounds[:-1], strict=True)):
            for start, chunk in self._parts.scan(file.number):
                found = chunk[name]
                if name == "label" and self._numbers is not None:
                    found = self._numbers[index][found]
                values[before + start : before + start + len(chunk)] = found
        return values

    def place(self, row: int) -> str:
        """Returns what people are told where a row is."""
        index = int(np.searchsorted(self.bounds, row, side="right")) - 1
        start, file = row - self.bounds[index], self.files[index]
        scan = self._parts.scan(file.number)
        return file.place_of(next(c["line"][start - first] for first, c in scan if start < first + len(c)))


def _refuse_repeats(
    rows: _Rows, plan: np.ndarray, names: list[str], drop_duplicates: bool, drop_conflicts: bool
) -> Repeats:
    """Finds what repeats or contradicts an earlier row, and says in the plan what of it is not used.

    Args:
        rows: All rows.
        plan: Where they go.
        names: What people are told the labels are, or the label sets, in the order of their numbers.
        drop_duplicates: As of `plan_rows`.
        drop_conflicts: Likewise.
    """
    used = np.flatnonzero(plan < _REFUSED)
    row_labels = rows.column("label")[used]

    def name_row(row: int, with_label: bool) -> str:
        return rows.place(used[row]) + (f" ({names[row_labels[row]]})" if with_label else "")

    repeats, duplicates, conflicts = find_repeats(
        rows.column("row")[used], row_labels, name_row, without_conflicts=drop_conflicts
    )
    if drop_conflicts:
        plan[used[conflicts]] = _CONTRADICTED
    if drop_duplicates:
        plan[used[duplicates]] = _REPEATED
    return repeats
