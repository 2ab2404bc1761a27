from itertools import chain
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from fullbake.contract.errors import InputError
from fullbake.trainer.data.input_pipeline import (
    WIDTH_STEP,
    TokenizedSplit,
    epoch_batches,
    evaluation_dataset,
    training_dataset,
)
from tests.trainer.tokenized import FEATURES, MAX_LENGTH, random_rows, read_split, write_rows


def rows_in(batch: dict[str, tf.Tensor]) -> list[list[int]]:
    ids, mask = batch["input_ids"].numpy(), batch["attention_mask"].numpy()
    return [row[real.astype(bool)].tolist() for row, real in zip(ids, mask, strict=True)]


def test_packing_keeps_every_token_and_label(tmp_path: Path):
    rows = random_rows(100)
    split = read_split(rows, tmp_path)
    assert len(split) == 100
    assert split.labels.tolist() == [label for _, label in rows]
    assert split.lengths.tolist() == [len(ids) for ids, _ in rows]
    assert rows_in({k: tf.constant(v) for k, v in split.take(np.arange(100)).items()}) == [ids for ids, _ in rows]


def test_packed_tokens_lie_on_disk_and_not_in_memory(tmp_path: Path):
    assert isinstance(read_split(random_rows(10), tmp_path).streams["input_ids"], np.memmap)


def test_token_types_of_pairs_come_along(tmp_path: Path):
    rows = random_rows(20)
    types = [[0, *([1] * (len(ids) - 1))] for ids, _ in rows]
    spec = {**FEATURES, "token_type_ids": tf.io.FixedLenFeature([MAX_LENGTH], tf.int64)}
    pattern = write_rows(rows, tmp_path / "rows.gz", {"token_type_ids": types})
    split = TokenizedSplit.read([pattern], spec, tmp_path / "packed")
    batch = split.take(np.array([3]))
    length = len(rows[3][0])
    assert batch["token_type_ids"][0, :length].tolist() == types[3]
    inputs, _ = next(iter(training_dataset(split, 4, 0, static_shapes=False)))
    assert set(inputs) == {"input_ids", "attention_mask", "token_type_ids"}


def test_a_batch_is_as_wide_as_its_longest_row_and_no_wider_than_a_step(tmp_path: Path):
    split = read_split(random_rows(200), tmp_path)
    for batch in epoch_batches(split.lengths, 8, np.random.default_rng(0)):
        width = split.take(batch)["input_ids"].shape[1]
        longest = split.lengths[batch].max()
        assert longest <= width < longest + WIDTH_STEP
        assert width <= MAX_LENGTH


def test_every_row_comes_exactly_once_in_an_epoch():
    lengths = np.random.default_rng(1).integers(1, 500, 10_007)
    batches = epoch_batches(lengths, 16, np.random.default_rng(0))
    assert sorted(np.concatenate(batches).tolist()) == list(range(10_007))
    assert sum(len(batch) < 16 for batch in batches) == 1


def test_batches_of_like_length_leave_little_padding():
    lengths = np.random.default_rng(1).lognormal(3, 0.8, 20_000).astype(int) + 2
    batches = epoch_batches(lengths, 16, np.random.default_rng(0))
    computed = sum(len(batch) * lengths[batch].max() for batch in batches)
    assert lengths.sum() / computed > 0.9


def test_the_order_differs_between_epochs_and_is_the_same_for_a_seed(tmp_path: Path):
    split = read_split(random_rows(64), tmp_path)

    def two_epochs(seed: int) -> list[list[list[int]]]:
        return [rows_in(inputs) for inputs, _ in training_dataset(split, 8, seed, static_shapes=False).take(16)]

    once = two_epochs(5)
    assert once == two_epochs(5)
    assert once != two_epochs(6)
    first, second = list(chain(*once[:8])), list(chain(*once[8:]))
    assert first != second
    assert sorted(first) == sorted(second)


def test_labels_stay_with_their_rows(tmp_path: Path):
    for inputs, labels in training_dataset(read_split(random_rows(64), tmp_path), 8, 0, static_shapes=False).take(8):
        assert [int(8 in row) for row in rows_in(inputs)] == labels.numpy().tolist()


def test_static_shapes_give_one_shape_and_leave_no_row_out(tmp_path: Path):
    split = read_split(random_rows(21), tmp_path)
    dataset = training_dataset(split, 8, 0, static_shapes=True)
    assert dataset.element_spec[0]["input_ids"].shape == (8, MAX_LENGTH)
    seen = [tuple(row) for inputs, _ in dataset.take(3) for row in rows_in(inputs)]
    assert len(seen) == 24
    assert len(set(seen)) == 21


def test_evaluation_sees_every_row_once_longest_first(tmp_path: Path):
    rows = random_rows(50)
    dataset = evaluation_dataset(read_split(rows, tmp_path), 8)
    assert dataset.cardinality() == 7
    seen = [row for inputs, _ in dataset for row in rows_in(inputs)]
    assert sorted(seen) == sorted(ids for ids, _ in rows)
    assert [len(row) for row in seen] == sorted((len(row) for row in seen), reverse=True)


def test_a_split_without_rows_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match=r"no examples .* change split$"):
        TokenizedSplit.read([write_rows([], tmp_path / "none.gz")], FEATURES, tmp_path / "packed")
