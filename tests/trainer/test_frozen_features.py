import os
import resource
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from fullbake.contract.errors import InputError
from fullbake.trainer.data.frozen_features import KEPT_SPLITS, FrozenEncoder
from fullbake.trainer.models.classifier import Classifier
from tests.trainer.tokenized import random_rows, read_split
from tests.trainer.trainings import LABELS, make_spec, train, values


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("float16", 4e-3)])
def test_the_vectors_of_a_frozen_base_are_those_without_dropout(base: Path, splits, tmp_path: Path, dtype, tolerance):
    rows, _ = splits
    classifier = Classifier.from_base(base, "linear", LABELS)
    encoded = FrozenEncoder(classifier, tmp_path / "vectors", dtype=dtype).encode(rows)
    assert (encoded.vectors.shape, encoded.vectors.dtype) == ((len(rows), 32), dtype)
    for row in (0, 17, 89):
        tokens = {name: tf.constant(value) for name, value in rows.take(np.array([row])).items()}
        expected = classifier.encode(tokens, training=False)[0]
        np.testing.assert_allclose(encoded.take(np.array([row]))[0], expected, atol=tolerance)


def test_the_mean_of_all_tokens_leaves_padding_out(base: Path, splits, tmp_path: Path):
    rows, _ = splits
    classifier = Classifier.from_base(base, "linear", LABELS, pooling="mean")
    row = np.array([17])
    length = int(rows.lengths[17])
    for full_width in (False, True):
        tokens = {name: tf.constant(value) for name, value in rows.take(row, full_width=full_width).items()}
        hidden = classifier.encoder.hidden_states(tokens)[0, :length]
        np.testing.assert_allclose(
            classifier.encode(tokens, training=False)[0], tf.reduce_mean(hidden, axis=0), atol=1e-5
        )
    encoded = FrozenEncoder(classifier, tmp_path / "vectors").encode(rows)
    np.testing.assert_allclose(encoded.vectors[17], tf.reduce_mean(hidden, axis=0), atol=1e-5)
    FrozenEncoder(Classifier.from_base(base, "linear", LABELS), tmp_path / "vectors").encode(rows)
    assert len(list((tmp_path / "vectors").iterdir())) == 2


def test_vectors_are_found_again_where_encoder_and_tokens_are_the_same(base: Path, splits, tmp_path: Path, caplog):
    caplog.set_level("INFO")
    folder = tmp_path / "vectors"
    spec = make_spec(base, approach="frozen", head="mlp", vectors=str(folder))
    first = values(train(spec, *splits, scratch=tmp_path)[0])
    made = {file: file.read_bytes() for file in folder.iterdir()}
    assert len(made) == 2
    assert "were kept by an earlier training" not in caplog.text
    for file in made:
        file.chmod(0o400)
    again = values(train(spec, *splits, scratch=tmp_path)[0])
    assert caplog.text.count("were kept by an earlier training") == 2
    assert {file: file.read_bytes() for file in folder.iterdir()} == made
    assert all(np.array_equal(again[path], first[path]) for path in first)

    classifier = Classifier.from_base(base, "linear", LABELS)
    FrozenEncoder(classifier, folder).encode(splits[0])
    assert set(folder.iterdir()) == set(made)  # the head has no part in them
    FrozenEncoder(classifier, folder, dtype="float16").encode(splits[0])
    others = read_split(random_rows(90, seed=3), tmp_path / "others")
    FrozenEncoder(classifier, folder).encode(others)
    assert len(list(folder.iterdir())) == 4
    kernel = next(variable for path, variable in classifier.paths().items() if "query/kernel" in path)
    kernel.assign_add(tf.fill(kernel.shape, 1e-3))
    moved = FrozenEncoder(classifier, folder).encode(splits[0])
    assert len(list(folder.iterdir())) == 5
    tokens = {name: tf.constant(value) for name, value in splits[0].take(np.array([5])).items()}
    np.testing.assert_allclose(moved.vectors[5], classifier.encode(tokens, training=False)[0], atol=1e-5)


def test_vectors_that_were_damaged_are_made_anew(base: Path, splits, tmp_path: Path, caplog):
    caplog.set_level("INFO")
    encoder = FrozenEncoder(Classifier.from_base(base, "linear", LABELS), tmp_path / "vectors")
    _, rows = splits
    right = np.array(encoder.encode(rows).vectors)
    (file,) = (tmp_path / "vectors").iterdir()
    whole = file.read_bytes()
    flipped = bytearray(whole)
    flipped[100] ^= 1
    for damaged in (b"\0" * len(whole), whole[:-1], whole[: len(whole) // 2], b"", whole + b"\0", bytes(flipped)):
        file.write_bytes(damaged)
        caplog.clear()
        np.testing.assert_array_equal(encoder.encode(rows).vectors, right)
        assert "are damaged and made anew" in caplog.text
        assert file.read_bytes() == whole
    caplog.clear()
    encoder.encode(rows)
    assert "made anew" not in caplog.text


def test_no_room_for_vectors_is_told_before_the_first_is_computed(base: Path, splits, tmp_path: Path):
    encoder = FrozenEncoder(Classifier.from_base(base, "linear", LABELS), tmp_path / "vectors")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    # A limit on files is what an account without root can have of a full disk: writing beyond it is EFBIG.
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limits[1]))
    try:
        with pytest.raises(InputError, match=r"the vectors of the frozen base, 0 MiB, cannot be written \(File"):
            encoder.encode(splits[0])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list((tmp_path / "vectors").iterdir()) == []


def test_the_vectors_that_were_used_last_are_kept(base: Path, splits, tmp_path: Path):
    folder = tmp_path / "vectors"
    folder.mkdir()
    for age in range(KEPT_SPLITS):
        file = folder / f"{age}.vectors"
        file.touch()
        os.utime(file, (1000 - age, 1000 - age))
    FrozenEncoder(Classifier.from_base(base, "linear", LABELS), folder).encode(splits[1])
    names = {file.stem for file in folder.iterdir()}
    assert len(names) == KEPT_SPLITS
    assert {str(age) for age in range(KEPT_SPLITS - 1)} < names
