"""A split by hash in which each class is on every side, and which stays as it is while data grow."""

import numpy as np
import pytest

from fullbake.components.data.ingest.splitting import splits_of
from fullbake.components.data.ingest.stratify import LEAST, count_texts, stratify

SPLIT = {"train": 8, "eval": 1, "test": 1}
TRAIN, EVAL, TEST = range(3)
FROM_TEST = np.array([2, 1, 0])  # how far each split is from the test end


def digests(chosen, size):
    return chosen.integers(0, 2**64, size, dtype=np.uint64)


def stratified(texts, labels, split=SPLIT, least_in_test=LEAST):
    labels = np.array(labels, np.uint32)
    return stratify(np.array(texts, np.uint64), labels, split, np.full(labels.max() + 1, least_in_test))


@pytest.mark.parametrize("bucket", range(10))
@pytest.mark.parametrize("split", [SPLIT, {"test": 1, "train": 8, "eval": 1}])
def test_three_texts_are_in_three_splits_whatever_their_hashes_say(bucket, split):
    assert sorted(stratified([bucket + 10, bucket + 20, bucket + 30], [0, 0, 0], split)) == [0, 1, 2]


@pytest.mark.parametrize("bucket", range(9))
def test_two_texts_are_in_two_splits_where_the_test_set_has_a_folder_of_its_own(bucket):
    assert sorted(stratified([bucket + 9, bucket + 18], [0, 0], {"train": 8, "eval": 1})) == [0, 1]


def test_classes_with_enough_texts_are_split_by_hash_alone():
    chosen = np.random.default_rng(0)
    texts, labels = digests(chosen, 3_000), chosen.integers(0, 10, 3_000)
    by_hash = splits_of(texts, SPLIT)
    assert min(np.bincount(by_hash[labels == label]).min() for label in range(10)) >= LEAST
    assert (stratified(texts, labels) == by_hash).all()


@pytest.mark.parametrize("size", [3, 4, 6, 10, 14, 15, 30, 60, 104, 105, 300])
def test_each_class_has_the_rows_that_are_wanted_or_a_third_of_its_texts(size):
    chosen = np.random.default_rng(size)
    labels = np.repeat(np.arange(20), size)
    texts = digests(chosen, labels.size)
    by_hash, splits = splits_of(texts, SPLIT), stratified(texts, labels, least_in_test=35)
    for label in range(20):
        hashed, counts = (np.bincount(of[labels == label], minlength=3) for of in (by_hash, splits))
        assert counts[TEST] >= min(35, size // 3)
        assert counts[EVAL] >= min(LEAST, size // 3)
        assert counts[TRAIN] >= min(LEAST, size // 3)
        # No more is held out than that, but where the hash says so.
        assert counts[TEST] <= max(hashed[TEST], min(35, size // 3))
        assert counts[EVAL] <= max(hashed[TEST] + hashed[EVAL], min(LEAST, size // 3))


def test_a_text_with_several_labels_is_on_one_side_and_held_out_if_one_of_them_asks_for_it():
    chosen = np.random.default_rng(1)
    texts = digests(chosen, 400)
    rare = texts[splits_of(texts, SPLIT) == TRAIN][:3]
    texts, labels = np.concatenate([texts, texts, rare, rare]), np.repeat([0, 1, 2, 2], [400, 400, 3, 3])
    splits = stratified(texts, labels)
    assert sorted(splits[-3:]) == [TRAIN, EVAL, TEST]
    for text in np.unique(texts):
        assert len(set(splits[texts == text])) == 1
    others = ~np.isin(texts, rare)
    assert (splits[others] == splits_of(texts, SPLIT)[others]).all()


def test_copies_of_a_text_count_once():
    texts = np.repeat([10, 20, 30], 100)
    splits = stratified(texts, np.zeros(300))
    assert [set(splits[texts == text]) for text in (10, 20, 30)] == [{TEST}, {EVAL}, {TRAIN}]
    assert count_texts(np.array([7, 8, 7, 7], np.uint64), np.array([0, 0, 0, 2], np.uint32), 4).tolist() == [2, 0, 1, 0]


@pytest.mark.parametrize("seed", range(20))
def test_as_rows_are_added_a_text_moves_from_test_towards_train_and_never_back(seed):
    chosen = np.random.default_rng(seed)
    # Each class begins with the texts from which on the rule holds, so few that the hash gives most too few.
    labels = np.concatenate([np.repeat(np.arange(6), 45), chosen.integers(0, 6, 3_000)])
    texts = digests(chosen, labels.size)
    before = stratified(texts[:270], labels[:270], least_in_test=12)
    start, moves = 270, 0
    while start < len(texts):
        size = min(len(texts), start + int(chosen.integers(1, 200)))
        after = stratified(texts[:size], labels[:size], least_in_test=12)
        steps = FROM_TEST[after[:start]] - FROM_TEST[before]
        assert (steps >= 0).all()
        moves += np.count_nonzero(steps)
        before, start = after, size
    assert moves > 0
    assert (before == splits_of(texts, SPLIT)).all()
