"""Decides for each usable row of all labelled files where it goes."""

from collections.abc import Iterable, Mapping

import numpy as np

from fullbake.components.data.data_file import DataFile
from fullbake.components.data.ingest.parts import IngestParts
from fullbake.components.data.ingest.refusal import CONTRADICTED, IN_TEST_BASE, REPEATED, Refusal
from fullbake.components.data.ingest.splitting import HeldOutTexts, splits_of
from fullbake.components.data.repeats import find_repeats

# In a plan a byte stands for each usable row: the number of its split, or one of these.
_IN_TEST_BASE, _REPEATED, _CONTRADICTED = 255, 254, 253


def refusals(names: Mapping[str, str]) -> dict[int, Refusal]:
    """Returns why a row is not used, by its byte in a plan.

    Args:
        names: What settings are called.
    """
    return {
        _IN_TEST_BASE: Refusal(IN_TEST_BASE, f"this text is in {names['test_base']} too"),
        _REPEATED: Refusal(REPEATED, f"an earlier row has this text and label ({names['on_duplicate']}: drop)"),
        _CONTRADICTED: Refusal(CONTRADICTED, f"this text has other labels too ({names['on_conflict']}: drop)"),
    }


def plan_rows(
    parts: IngestParts,
    *,
    files: list[DataFile],
    test_files: list[DataFile],
    labels: tuple[str, ...],
    split: dict[str, int],
    held_out_splits: tuple[str, ...],
    drop_duplicates: bool,
    drop_conflicts: bool,
) -> None:
    """Decides for each usable row where it goes, and writes the plan, the repeats and the texts held out.

    Memory is some 50 bytes a row.

    Args:
        parts: Has what was scanned of each file, and gets the plans.
        files: The labelled files.
        test_files: Those of the test folder; their rows are the split after those of `split`.
        labels: The labels, as they were numbered.
        split: Name of a split -> its share, as for `splitting.split_of`.
        held_out_splits: The splits whose texts must not be in a corpus.
        drop_duplicates: Whether of rows with one text and label only the first is used.
        drop_conflicts: Whether rows are left out whose text has another label elsewhere.
    """
    all_files = (*files, *test_files)
    bounds = np.cumsum([0, *(parts.scanned_rows(file.number) for file in all_files)])
    in_test = HeldOutTexts(_joined(chunk["text"] for file in test_files for _, chunk in parts.scan(file.number)))
    held_out_bytes = [place for place, name in enumerate((*split, "test")) if name in held_out_splits]
    plan = np.full(bounds[-1], len(split), np.uint8)
    rows, row_labels = np.zeros(bounds[-1], np.uint64), np.zeros(bounds[-1], np.uint32)
    held_out = []
    for index, file in enumerate(all_files):
        for start, chunk in parts.scan(file.number):
            here = slice(bounds[index] + start, bounds[index] + start + len(chunk))
            rows[here], row_labels[here] = chunk["row"], chunk["label"]
            if index < len(files):
                plan[here] = splits_of(chunk["text"], split)
                plan[here][in_test.holds(chunk["text"])] = _IN_TEST_BASE
            held_out.append(chunk["text"][np.isin(plan[here], held_out_bytes)])
    used = np.flatnonzero(plan != _IN_TEST_BASE)
    rows, row_labels = rows[used], row_labels[used]

    def name_row(row: int, with_label: bool) -> str:
        index = int(np.searchsorted(bounds, used[row], side="right")) - 1
        start = used[row] - bounds[index]
        scan = parts.scan(all_files[index].number)
        line = next(chunk["line"][start - first] for first, chunk in scan if start < first + len(chunk))
        return all_files[index].place_of(line) + (f" ({labels[row_labels[row]]!r})" if with_label else "")

    repeats, duplicates, conflicts = find_repeats(rows, row_labels, name_row, without_conflicts=drop_conflicts)
    if drop_conflicts:
        plan[used[conflicts]] = _CONTRADICTED
    if drop_duplicates:
        plan[used[duplicates]] = _REPEATED
    for index, file in enumerate(all_files):
        parts.write_plan(file.number, plan[bounds[index] : bounds[index + 1]].tobytes())
    parts.write_repeats(repeats)
    parts.write_held_out(_joined(held_out))


def _joined(digests: Iterable[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.zeros(0, np.uint64), *digests])
