"""What of a text's tokens goes into a row: frames, padding and cuts; and where the tokenizer works."""

import itertools
import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from fullbake.components.tokenizer.row_tokenizer import RowTokenizer
from fullbake.contract.errors import InputError
from tests.components.parity.comparison import Parity
from tests.components.parity.folders import minilm_folder
from tests.components.parity.texts import random_texts

LOADER = """
import json, resource, sys
import tensorflow as tf
import tensorflow_text
model = tf.saved_model.load(sys.argv[1])
features = model.encode(tf.constant(json.loads(sys.argv[2])))
print(json.dumps({name: value.numpy().tolist() for name, value in features.items()}))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for sentence in ("what a lovely day, ", "e", "漢字"):
    long = model.encode(tf.constant([sentence * (10_000_000 // len(sentence.encode()))]))
    print(json.dumps(long["input_ids"][0].numpy().tolist()))
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1000)
assert not {"components", "transformers", "tokenizers"} & sys.modules.keys()
"""


def test_texts_are_framed_padded_and_cut_at_the_head_as_by_hugging_face(parity):
    texts = ["", " ", "Hello!", *random_texts(300, seed=3), "word " * 700]
    for length in (3, 64):
        ours = _remade(parity, length)(tf.constant(texts))
        theirs = parity.theirs(
            texts,
            truncation=True,
            padding="max_length",
            max_length=length,
            split_special_tokens=True,
            return_tensors="np",
        )
        assert ours.keys() == {"input_ids", "attention_mask"}
        for name, value in ours.items():
            assert value.dtype == tf.int64
            np.testing.assert_array_equal(value, theirs[name])


def test_pairs_are_framed_padded_and_cut_longest_first_as_by_hugging_face(parity):
    lengths = (0, 1, 2, 3, 5, 8, 9, 10, 11, 17, 18, 19, 30)
    first, second = zip(*itertools.product(["one " * n for n in lengths], ["Two " * n for n in lengths]), strict=True)
    first, second = [*first, *random_texts(200, seed=4)], [*second, *random_texts(200, seed=6)]
    for length in (4, 20, 21):
        ours = _remade(parity, length)(tf.constant(first), tf.constant(second))
        theirs = parity.theirs(
            first,
            second,
            truncation="longest_first",
            padding="max_length",
            max_length=length,
            split_special_tokens=True,
            return_tensors="np",
        )
        assert ours.keys() == {"input_ids", "attention_mask", "token_type_ids"}
        for name, value in ours.items():
            np.testing.assert_array_equal(value, theirs[name], err_msg=f"{name} at {length}")


@pytest.mark.parametrize(("max_length", "head"), [(512, 128), (258, 128), (256, 127), (101, 49), (10, 4), (3, 0)])
def test_head_tail_keeps_the_first_128_tokens_and_the_last_ones(uncased, max_length, head):
    tokenizer = RowTokenizer.from_folder(minilm_folder(), max_length=max_length, truncation="head_tail")
    numbers = [" ".join(map(str, range(count))) for count in (1, max_length - 2, max_length - 1, 2000)]
    ours = tokenizer(tf.constant(numbers))
    for row, text in enumerate(numbers):
        content, room = uncased.theirs.encode(text, add_special_tokens=False), max_length - 2
        if len(content) > room:
            content = content[:head] + content[len(content) - (room - head) :]
        expected = [101, *content, 102]
        assert ours["input_ids"][row].numpy().tolist() == expected + [0] * (max_length - len(expected))
        assert ours["attention_mask"][row].numpy().sum() == len(expected)


def test_pairs_with_head_tail_are_refused():
    tokenizer = RowTokenizer.from_folder(minilm_folder(), max_length=8, truncation="head_tail")
    with pytest.raises(InputError, match="head_tail is not defined for pairs"):
        tokenizer(tf.constant(["a"]), tf.constant(["b"]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"max_length": 2}, "max_length: 2"), ({"max_length": 8, "truncation": "tail"}, "truncation: 'tail' is unknown")],
)
def test_arguments_out_of_range_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        RowTokenizer.from_folder(minilm_folder(), **arguments)


def test_text_of_another_rank_is_refused(uncased):
    with pytest.raises(ValueError, match="rank"):
        uncased.ours(tf.constant([["a"]]))


def test_an_empty_batch_gives_no_rows(uncased):
    shapes = {name: value.shape for name, value in uncased.ours(tf.constant([], tf.string)).items()}
    assert shapes == {"input_ids": [0, 64], "attention_mask": [0, 64]}


def test_megabyte_texts_keep_their_place_among_short_ones(uncased):
    texts = ["a b c", "Straße " * 300_000, "", "d", "한글 " * 200_000, "e" * 2_000_000, "f", "x\uffffy"]
    assert uncased.differences(texts) == []


def test_a_saved_model_gives_the_same_ids_in_a_process_without_this_project(tmp_path, uncased):
    module = tf.Module()
    module.encode = tf.function(uncased.ours.__call__, input_signature=[tf.TensorSpec([None], tf.string)])
    texts = ["Héllo [SEP] wörld!", "漢字 한글 x\uffffy \U0001d16d\U0001d165", "z" * 101, ""]
    expected = {name: value.numpy().tolist() for name, value in uncased.ours(tf.constant(texts)).items()}
    tf.saved_model.save(module, str(tmp_path / "model"))
    run = subprocess.run(
        [sys.executable, "-c", LOADER, str(tmp_path / "model"), json.dumps(texts)],
        capture_output=True, text=True, cwd=tmp_path, check=True,
    )  # fmt: skip
    features, *long, grown = run.stdout.splitlines()
    assert json.loads(features) == expected
    # Texts of 10 MB, of which only the beginning is worked on: whole, each would take some 400 MB.
    short = uncased.ours(tf.constant(["what a lovely day, " * 100, "e" * 200, "漢字" * 100]))["input_ids"]
    assert [json.loads(ids) for ids in long] == short.numpy().tolist()
    assert float(grown) < 150


def test_it_works_in_a_graph_of_the_first_tensorflow(uncased):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        text = tf.compat.v1.placeholder(tf.string, [None])
        ids = uncased.ours(text)["input_ids"]
        assert ids.shape.as_list() == [None, 64]
        found = session.run(ids, {text: ["Hello, wörld", "한글"]})
    np.testing.assert_array_equal(found, uncased.ours(tf.constant(["Hello, wörld", "한글"]))["input_ids"])


@pytest.mark.parametrize("compat_v1", [False, True], ids=["TF2", "TF1"])
def test_transform_can_run_it_in_its_preprocessing_function(tmp_path, uncased, compat_v1):
    import tensorflow_transform.beam as tft_beam
    from tensorflow_transform.tf_metadata import dataset_metadata, schema_utils

    def preprocess(inputs):
        tokenizer = RowTokenizer.from_folder(minilm_folder(), max_length=64)
        return tokenizer(inputs["text"], inputs["text"] if compat_v1 else None)

    spec = {"text": tf.io.FixedLenFeature([], tf.string)}
    metadata = dataset_metadata.DatasetMetadata(schema_utils.schema_from_feature_spec(spec))
    rows = [{"text": text} for text in ("Hello, wörld", "한글 [SEP]", "z" * 101)]
    with tft_beam.Context(temp_dir=str(tmp_path), force_tf_compat_v1=compat_v1):
        (transformed, _), _ = (rows, metadata) | tft_beam.AnalyzeAndTransformDataset(preprocess)
    text = tf.constant([row["text"] for row in rows])
    expected = uncased.ours(text, text if compat_v1 else None)
    for name, value in expected.items():
        np.testing.assert_array_equal([row[name] for row in transformed], value)


def _remade(parity: Parity, max_length: int) -> RowTokenizer:
    """The same tokenizer with another length."""
    return RowTokenizer(parity.ours.pieces, max_length=max_length)
