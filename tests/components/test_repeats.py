import re
import tracemalloc
from collections import defaultdict

import numpy as np
import pytest

from fullbake.components.data.repeats import MORE_CONFLICTS, find_repeats
from fullbake.contract.results.ingest import Repeats


def name(row, with_label):
    return f"row {row}{' and its label' if with_label else ''}"


@pytest.mark.parametrize("without_conflicts", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_it_finds_what_a_search_row_by_row_finds(seed, without_conflicts):
    chosen = np.random.default_rng(seed)
    digests, labels = chosen.integers(0, 60, 100).astype(np.uint64), chosen.integers(0, 2, 100)
    rows_of = defaultdict(list)
    for row, text in enumerate(digests.tolist()):
        rows_of[text].append(row)
    several = [rows for rows in rows_of.values() if len(set(labels[rows])) > 1]
    conflicts = sorted(row for rows in several for row in rows)
    seen, duplicates = set(), []
    for row, key in enumerate(zip(digests.tolist(), labels.tolist(), strict=True)):
        if key in seen and not (without_conflicts and row in conflicts):
            duplicates.append(row)
        seen.add(key)

    found, duplicate_rows, conflicting_rows = find_repeats(digests, labels, name, without_conflicts=without_conflicts)
    assert sorted(duplicate_rows.tolist()) == duplicates
    assert sorted(conflicting_rows.tolist()) == conflicts
    assert (found.duplicates, found.conflicting_texts, found.conflicting_rows) == (
        len(duplicates),
        len(several),
        len(conflicts),
    )
    assert found.first_duplicate.endswith(f" and row {duplicates[0]}")
    first, second = map(int, re.findall(r"row (\d+) and its label", found.first_conflict))
    assert digests[first] == digests[second]
    assert labels[first] != labels[second]


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_where_nothing_repeats_nothing_is_found(rows):
    found, duplicates, conflicts = find_repeats(np.arange(rows, dtype=np.uint64), np.zeros(rows, int), name)
    assert (found, duplicates.size, conflicts.size, found.in_words()) == (Repeats(), 0, 0, [])


def test_it_says_in_words_what_it_found():
    one = Repeats(
        duplicates=1,
        first_duplicate="a and b",
        conflicting_texts=1,
        conflicting_rows=2,
        first_conflict="c and d",
    )
    assert one.in_words() == [
        "1 text has several labels, in 2 rows: c and d",
        "1 row repeats an earlier one, label and all: a and b",
    ]
    many = one.model_copy(update={"duplicates": 1_000, "conflicting_texts": 2_000, "conflicting_rows": 5_000})
    assert many.in_words() == [
        "2,000 texts have several labels, in 5,000 rows: c and d",
        "1,000 rows repeat an earlier one, label and all: a and b",
    ]


def test_a_million_rows_take_far_less_than_a_hundred_megabytes():
    chosen = np.random.default_rng(0)
    digests, labels = chosen.integers(0, 900_000, 1_000_000).astype(np.uint64), chosen.integers(0, 9, 1_000_000)
    tracemalloc.start()
    try:
        assert find_repeats(digests, labels.astype(np.uint32), name)[0].duplicates > 0
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 60 * 2**20


def test_a_few_more_contradictions_are_named_each_text_once():
    digests, labels = np.repeat(np.arange(20, dtype=np.uint64), 3), np.tile([0, 1, 2], 20)
    found, _, _ = find_repeats(digests, labels, name)
    named = [found.first_conflict, *found.more_conflicts]
    assert len(named) == 1 + MORE_CONFLICTS
    rows = [tuple(map(int, re.findall(r"row (\d+)", one))) for one in named]
    assert rows == [(3 * text, 3 * text + 1) for text in range(10)]
