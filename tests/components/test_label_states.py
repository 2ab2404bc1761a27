"""The split of rows that can have any number of labels."""

import tracemalloc

import numpy as np
import pytest

from fullbake.components.data.ingest.label_states import FEW, LabelPairs, LabelStates
from fullbake.components.data.ingest.stratify import LEAST
from fullbake.components.data.rows import LabelSet

LABELS = tuple(f"label {number}" for number in range(12))
SPLIT = {"train": 8, "eval": 1, "test": 1}


def draw(rows, seed, shares):
    """Returns digests of texts, of which some stand twice, and the label set of each row."""
    rng = np.random.default_rng(seed)
    texts = rng.integers(0, 2**63, rows, np.uint64)
    again = rng.integers(0, rows, rows // 20)
    texts[again] = texts[again[::-1]]
    has = rng.random((rows, len(LABELS))) < shares
    masks = rng.random(has.shape) < 0.05
    sets = [
        LabelSet(
            tuple(label for label, its, mask in zip(LABELS, row, masked, strict=True) if its and not mask),
            tuple(label for label, mask in zip(LABELS, masked, strict=True) if mask),
        )
        for row, masked in zip(has.tolist(), masks.tolist(), strict=True)
    ]
    return texts, sets


@pytest.mark.parametrize("seed", range(5))
def test_each_split_has_rows_with_and_without_each_label_and_no_text_is_in_two(seed):
    shares = np.array([0.003, 0.01, 0.05, 0.2, 0.9, 0.99, 0.998, 0.5, 0.5, 0.01, 0.0, 1.0])
    texts, sets = draw(3_000, seed, shares)
    states = LabelStates()
    numbers = states.numbers(sets)
    assert [states.sets[number] for number in numbers] == sets
    pairs = LabelPairs(texts, numbers, states.sets, LABELS)
    split = pairs.split(SPLIT, np.full(len(LABELS), LEAST))
    assert split.shape == texts.shape
    by_text = dict(zip(texts.tolist(), split.tolist(), strict=True))
    assert [by_text[text] for text in texts.tolist()] == split.tolist()
    counted = pairs.texts_of_labels()
    for place, label in enumerate(LABELS):
        having = np.array([label in labels.present for labels in sets])
        lacking = np.array([label not in labels.present and label not in labels.masked for labels in sets])
        assert counted[place] == len(set(texts[having].tolist()))
        for rows in (having, lacking):
            if len(set(texts[rows].tolist())) >= 9:  # three in each, even if some are moved for another label
                assert set(split[rows].tolist()) == {0, 1, 2}, label
    none = np.array([not labels.present for labels in sets])
    assert not none.any() or set(split[none].tolist()) == {0, 1, 2}


def test_where_there_are_enough_of_each_the_hash_alone_decides():
    from fullbake.components.data.ingest.splitting import splits_of

    texts, sets = draw(20_000, 7, np.full(len(LABELS), 0.3))
    states = LabelStates()
    pairs = LabelPairs(texts, states.numbers(sets), states.sets, LABELS)
    assert (pairs.split(SPLIT, np.full(len(LABELS), LEAST)) == splits_of(texts, SPLIT)).all()


def test_memory_is_that_of_the_pairs_of_text_and_label_and_not_of_all_labels():
    rows, labels = 200_000, tuple(f"label {number}" for number in range(500))
    states = LabelStates()
    numbers = np.arange(rows, dtype=np.uint32) % states.numbers(LabelSet((label,)) for label in labels).size
    texts = np.random.default_rng(1).integers(0, 2**63, rows, np.uint64)
    assert rows > 100 * FEW
    tracemalloc.start()
    pairs = LabelPairs(texts, numbers, states.sets, labels)
    pairs.split(SPLIT, np.full(len(labels), LEAST))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100 * rows  # a byte for each row and label would be five times as much


def test_label_sets_are_named_for_people():
    states = LabelStates()
    states.numbers([LabelSet(("a", "b"), ("c",)), LabelSet(()), LabelSet(("a", "b"))])
    assert states.names() == ["'a, b, c?'", "no label", "'a, b'"]
