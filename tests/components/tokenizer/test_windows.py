"""Windows of texts against those of Hugging Face's tokenizer, id for id."""

import random
from collections.abc import Iterator

import numpy as np
import pytest
import tensorflow as tf

from fullbake.components.tokenizer.row_tokenizer import RowTokenizer
from fullbake.trainer.data.window_cutting import cut_windows
from fullbake.trainer.windows import Windows
from tests.components.parity.comparison import Parity
from tests.components.parity.texts import random_texts


def cut(parity: Parity, texts: list[str], windows: Windows, *, trim: int = 0) -> Iterator[tuple[int, list[int]]]:
    """The row of each window and its tokens, as cut from what Transform's tokenizer makes of the texts."""
    tokenizer = RowTokenizer(parity.ours.pieces, max_length=windows.row_length)
    rows = {name: tf.cast(values, tf.int32) for name, values in tokenizer(tf.constant(texts, tf.string)).items()}
    if trim:  # as training batches and the served graph are cut to their longest row
        rows = {name: values[:, :trim] for name, values in rows.items()}
    features, row = cut_windows(rows, windows)
    assert features["input_ids"].shape[1] == min(windows.length, trim or windows.row_length)
    arrays = (features["input_ids"].numpy(), features["attention_mask"].numpy(), row.numpy())
    for ids, mask, number in zip(*arrays, strict=True):
        real = int(mask.sum())
        assert mask[:real].all()
        assert not ids[real:].any()
        yield int(number), ids[:real].tolist()


def theirs(parity: Parity, texts: list[str], windows: Windows) -> list[tuple[int, list[int]]]:
    """The same by Hugging Face, which knows no last window."""
    found = parity.theirs(
        texts,
        truncation=True,
        max_length=windows.length,
        stride=windows.overlap,
        return_overflowing_tokens=True,
        split_special_tokens=True,
    )
    pairs = list(zip(found["overflow_to_sample_mapping"], found["input_ids"], strict=True))
    numbers = [sum(row == other for other, _ in pairs[:place]) for place, (row, _) in enumerate(pairs)]
    return [pair for pair, number in zip(pairs, numbers, strict=True) if number < windows.most]


def long_texts(source: random.Random, count: int) -> list[str]:
    """Texts of no token to some hundred, of every script."""
    pool = random_texts(400, seed=source.randrange(1000))
    return [" ".join(source.choices(pool, k=source.choice((0, 1, 2, 5, 12)))) for _ in range(count)]


@pytest.mark.parametrize("seed", range(12))
def test_windows_are_those_of_hugging_faces_tokenizer(parity, seed: int):
    source = random.Random(seed)  # noqa: S311
    length = source.choice((3, 4, 5, 8, 16, 33, 64, 128))
    windows = Windows(length, source.randint(0, length - 3), source.choice((1, 2, 3, 8, 30)), "max")
    texts = ["", "a", *long_texts(source, 120)]
    assert list(cut(parity, texts, windows)) == theirs(parity, texts, windows)


@pytest.mark.parametrize("overlap", [0, 1, 3, 5])
def test_a_text_of_each_length_has_the_windows_that_hugging_face_cuts(uncased, overlap: int):
    windows = Windows(8, overlap, 5, "max")
    texts = ["word " * count for count in range(windows.row_length + 5)]
    found = list(cut(uncased, texts, windows))
    assert found == theirs(uncased, texts, windows)
    counts = np.bincount([row for row, _ in found])
    # Of six tokens each; what does not fit into five windows is cut, and the text is none longer for it.
    assert counts[: 8 - 2 + 1].tolist() == [1] * 7
    assert counts[7] == 2
    assert counts[windows.row_length - 2 :].tolist() == [5] * 7
    assert counts[windows.row_length - 2 - windows.step] == 4


def test_a_text_that_fits_is_its_own_window(uncased):
    windows = Windows(16, 4, 3, "max")
    texts = ["", "one", "one two three"]
    assert list(cut(uncased, texts, windows, trim=5)) == [
        (row, [101, *uncased.theirs.encode(text, add_special_tokens=False), 102]) for row, text in enumerate(texts)
    ]


def test_no_rows_have_no_windows(uncased):
    assert list(cut(uncased, [], Windows(8, 2, 3, "max"))) == []
