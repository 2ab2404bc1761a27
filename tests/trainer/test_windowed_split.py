import dataclasses
from pathlib import Path

import numpy as np
import pytest

from fullbake.trainer.data.frozen_features import EncodedSplit
from fullbake.trainer.data.input_pipeline import batches_by_length, evaluation_dataset, training_dataset
from fullbake.trainer.data.reading import read_splits, windows_of
from fullbake.trainer.data.windowed_split import TokenizedWindows, WindowedSplit
from fullbake.trainer.windows import Windows
from tests.trainer.tokenized import FEATURES, MAX_LENGTH, write_rows
from tests.trainer.windowed import WINDOWS, expected_windows, in_windows, mixed_rows, packed

ROWS = mixed_rows(300)


@pytest.fixture
def split(tmp_path: Path):
    return in_windows(ROWS, tmp_path)


def windows_in(batch: tuple[dict[str, np.ndarray], np.ndarray]) -> list[list[list[int]]]:
    """The windows of each row of a batch, which has nothing beside them."""
    features, counts = batch
    ids, mask = (np.asarray(features[name]) for name in ("input_ids", "attention_mask"))
    assert not ids[mask == 0].any()
    found = [[row[real == 1].tolist() for row, real in zip(*pair, strict=True)] for pair in zip(ids, mask, strict=True)]
    for row, count in zip(found, np.asarray(counts), strict=True):
        assert not any(row[count:])
    return [row[:count] for row, count in zip(found, np.asarray(counts), strict=True)]


def test_each_row_has_its_windows_and_its_target(split):
    assert windows_in(split.take(np.arange(300))) == [expected_windows(ids) for ids, _ in ROWS]
    assert set(split.window_counts) == {1, 2, 3, 4}
    assert split.labels.tolist() == [label for _, label in ROWS]
    assert split.windows.labels.tolist() == [label for ids, label in ROWS for _ in expected_windows(ids)]
    assert split.windows.max_length == WINDOWS.length
    assert split.lengths.tolist() == [sum(map(len, expected_windows(ids))) for ids, _ in ROWS]
    assert isinstance(split.windows.streams["input_ids"], np.memmap)


def test_targets_of_several_labels_stay_with_their_rows(tmp_path: Path):
    rows = packed(ROWS, WINDOWS.row_length)
    rows.labels = np.arange(600, dtype=np.float32).reshape(300, 2)
    split = type(in_windows(ROWS, tmp_path)).cut(rows, WINDOWS, tmp_path / "again")
    np.testing.assert_array_equal(split.windows.labels, np.repeat(rows.labels, split.window_counts, axis=0))
    for _, targets in training_dataset(split, 8, 0, static_shapes=False).take(3):
        assert targets.shape == (8, 2)


def test_a_batch_has_the_windows_of_its_rows_and_their_width(split):
    for (features, counts), labels in training_dataset(split, 8, 5, static_shapes=False).take(40):
        most = int(counts.numpy().max())
        assert features["input_ids"].shape[:2] == (len(labels), most)
        assert features["input_ids"].shape[2] <= WINDOWS.length
    seen = [
        (*map(tuple, row), int(label))
        for batch, labels in training_dataset(split, 8, 5, static_shapes=False).take(38)
        for row, label in zip(windows_in(batch), labels.numpy(), strict=True)
    ]
    assert sorted(seen) == sorted((*map(tuple, expected_windows(ids)), label) for ids, label in ROWS)


@pytest.mark.parametrize("most", [1, 3, 4, 32])
def test_what_is_measured_at_once_is_bounded_by_windows(split, most: int):
    batches = batches_by_length(split, most)
    assert sorted(np.concatenate(batches).tolist()) == list(range(300))
    sizes = [int(split.window_counts[rows].sum()) for rows in batches]
    assert max(sizes) <= max(most, 4)
    assert all(len(rows) == 1 for rows, size in zip(batches, sizes, strict=True) if size > most)
    # None could have been larger.
    following = [int(split.window_counts[rows[0]]) for rows in batches[1:]]
    assert all(size + more > most for size, more in zip(sizes, following, strict=False))
    assert int(evaluation_dataset(split, most).cardinality()) == len(batches)
    lengths = np.concatenate([split.lengths[rows] for rows in batches])
    assert (np.diff(lengths) <= 0).all()


def test_rows_of_one_window_are_measured_in_batches_of_as_many_rows():
    split = packed(ROWS, WINDOWS.row_length)
    order = np.argsort(-split.lengths, kind="stable")
    found = batches_by_length(split, 32)
    assert [rows.tolist() for rows in found] == [order[start : start + 32].tolist() for start in range(0, 300, 32)]


def test_vectors_of_windows_are_dealt_by_the_row(split):
    vectors = np.arange(len(split.windows) * 2, dtype=np.float16).reshape(-1, 2)
    encoded = split.over(EncodedSplit(vectors, split.windows.labels))
    assert type(encoded) is WindowedSplit
    rows = np.array([7, 3, 200])
    laid, counts = encoded.take(rows)
    assert (laid.dtype, counts.dtype) == (np.float32, np.int32)
    for row, found, count in zip(rows, laid, counts, strict=True):
        own = vectors[split.bounds[row] : split.bounds[row + 1]]
        np.testing.assert_array_equal(found[:count], own)
        assert count == len(own)
        assert not found[count:].any()


def test_other_windows_have_another_digest(split, tmp_path: Path):
    assert in_windows(ROWS, tmp_path / "same").digest() == split.digest()
    overlapping = dataclasses.replace(WINDOWS, overlap=3)
    others = [in_windows(ROWS, tmp_path / "overlap", overlapping), in_windows(ROWS[::-1], tmp_path / "order")]
    # The same windows, dealt to other rows.
    short = [([2, 8, 3], 1), ([2, 9, 3], 1), ([2, 10, 3], 1)]
    one = in_windows(short, tmp_path / "short")
    moved = type(one)(one.windows, np.array([0, 2, 3, 3]), one.labels)
    digests = {other.digest() for other in (*others, split, one, moved)}
    assert len(digests) == 5


def test_splits_are_read_as_windows_and_what_they_were_cut_from_goes(tmp_path: Path):
    (tmp_path / "files").mkdir()
    rows = [(ids, label) for ids, label in ROWS if len(ids) <= MAX_LENGTH]
    pattern = write_rows(rows, tmp_path / "files/rows.gz")
    windows = Windows(length=12, overlap=0, most=3, pooling="max")

    class Transform:
        """All that is asked of TensorFlow Transform's output."""

        transformed_feature_spec = staticmethod(lambda: FEATURES)

    scratch = tmp_path / "scratch"
    for split in read_splits([pattern], [pattern], Transform(), scratch, windows=windows):
        assert isinstance(split, TokenizedWindows)
        assert windows_in(split.take(np.arange(len(rows)))) == [expected_windows(ids, windows) for ids, _ in rows]
        assert windows_of(split) is split.windows
    assert sorted(folder.name for folder in scratch.iterdir()) == ["eval-windows", "train-windows"]
    whole, _ = read_splits([pattern], [pattern], Transform(), scratch)
    assert windows_of(whole) is whole
    assert whole.lengths.tolist() == [len(ids) for ids, _ in rows]
