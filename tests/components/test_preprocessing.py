"""The preprocessing_fn through TensorFlow Transform, against Hugging Face's tokenizer."""

import dataclasses
import json
import shutil
from pathlib import Path

import apache_beam as beam
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
from apache_beam.testing.util import assert_that
from tensorflow_transform import beam as tft_beam
from tensorflow_transform.tf_metadata import dataset_metadata
from transformers import BertTokenizerFast

from fullbake.components.nodes.config_schema import make_schema
from fullbake.components.nodes.preprocessing import preprocessing_fn
from fullbake.contract.errors import InputError
from fullbake.trainer.windows import Windows

MAX_LENGTH = 12
LABELS = ["odd", "fine", "rude"]  # not in the order of the alphabet
TEXTS = [
    "You are a GOOD person!",
    "idiot",
    "what a lovely, lovely garden: is it not the very garden of the day? " * 3,
    "unbelievable zzz",
    "Grüße, 世界 👋 <b>fool</b>",
    "  a\tb\nc ",
]
PAIRS = ["is it?", "the day of the garden " * 5, "fool", "a bad idiot", "not", "very lovely of you " * 4]


@pytest.mark.parametrize("compat", [False, True], ids=["TF2", "force_tf_compat_v1"])
@pytest.mark.parametrize("pairs", [False, True], ids=["texts", "pairs"])
def test_transform_gives_hugging_faces_ids_and_the_index_of_the_label(
    base: Path, tmp_path: Path, compat: bool, pairs: bool
):
    config = {"base": str(base), "revision": None, "labels": LABELS, "max_length": MAX_LENGTH, "truncation": "head"}
    columns = {"text": TEXTS, "label": [LABELS[number % 3] for number in range(len(TEXTS))]}
    if pairs:
        columns["text_pair"] = PAIRS
    rows = [
        {name: [value.encode()] for name, value in zip(columns, values, strict=True)}
        for values in zip(*columns.values(), strict=True)
    ]
    expected = dict(
        BertTokenizerFast.from_pretrained(base)(
            TEXTS,
            PAIRS if pairs else None,
            max_length=MAX_LENGTH,
            truncation="longest_first",
            padding="max_length",
            return_tensors="np",
            return_token_type_ids=pairs,
        )
    )
    expected["label"] = np.array([0, 1, 2, 0, 1, 2])

    def as_rows(features):
        values = [np.asarray(features[name]).reshape(len(TEXTS), -1).tolist() for name in sorted(expected)]
        return sorted(zip(*values, strict=True))

    def check(found):
        assert [set(row) for row in found] == [set(expected)] * len(TEXTS)
        assert as_rows({name: [row[name] for row in found] for name in expected}) == as_rows(expected)

    metadata = dataset_metadata.DatasetMetadata(make_schema(LABELS, text_pair=pairs))
    with beam.Pipeline() as pipeline, tft_beam.Context(temp_dir=str(tmp_path / "tmp"), force_tf_compat_v1=compat):
        dataset = (pipeline | beam.Create(rows), metadata)
        (data, _), graph = dataset | tft_beam.AnalyzeAndTransformDataset(
            lambda inputs: preprocessing_fn(inputs, config)
        )
        _ = graph | tft_beam.WriteTransformFn(str(tmp_path))
        assert_that(data, check)

    # And so does the graph that it leaves for serving, row by row.
    layer = tft.TFTransformOutput(str(tmp_path)).transform_features_layer()
    served = layer({name: tf.constant([[value] for value in values]) for name, values in columns.items()})
    assert set(served) == set(expected)
    for name, value in served.items():
        np.testing.assert_array_equal(value, expected[name], err_msg=name)


def test_head_and_tail_of_a_long_text_are_kept_where_asked_for(base: Path):
    tokenizer = BertTokenizerFast.from_pretrained(base)
    config = {"base": str(base), "revision": None, "labels": LABELS, "max_length": 12, "truncation": "head_tail"}
    columns = {"text": tf.constant([[TEXTS[2]]]), "label": tf.constant([["rude"]])}
    features = preprocessing_fn(columns, config)
    whole = tokenizer(TEXTS[2], add_special_tokens=False)["input_ids"]
    assert features["input_ids"].numpy().tolist() == [
        [tokenizer.cls_token_id, *whole[:5], *whole[-5:], tokenizer.sep_token_id]
    ]
    assert features["label"].numpy().tolist() == [2]


def test_pairs_on_a_base_that_cannot_tell_two_texts_apart_are_refused(base: Path, tmp_path: Path):
    folder = Path(shutil.copytree(base, tmp_path / "base"))
    said = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps(said | {"type_vocab_size": 1}), encoding="utf-8")
    config = {"base": str(folder), "revision": None, "labels": LABELS, "max_length": MAX_LENGTH, "truncation": "head"}
    columns = {name: tf.constant([["it"]]) for name in ("text", "text_pair", "label")}
    with pytest.raises(InputError, match=r"text_pair_column: .* cannot tell two texts apart"):
        preprocessing_fn(columns, config)


def test_a_text_that_is_read_in_windows_is_one_row_of_all_that_they_cover(base: Path):
    tokenizer = BertTokenizerFast.from_pretrained(base)
    windows = Windows(8, 2, 3, "max")
    config = {"base": str(base), "revision": None, "labels": LABELS, "max_length": 8, "truncation": "windows"}
    config["windows"] = dataclasses.asdict(windows)
    columns = {"text": tf.constant([[TEXTS[2]], [TEXTS[1]]]), "label": tf.constant([["rude"], ["odd"]])}
    features = preprocessing_fn(columns, config)
    for row, text in enumerate((TEXTS[2], TEXTS[1])):
        whole = tokenizer(text, truncation=True, max_length=windows.row_length, padding="max_length")
        assert features["input_ids"].numpy()[row].tolist() == whole["input_ids"]
        assert features["attention_mask"].numpy()[row].tolist() == whole["attention_mask"]
    columns["text_pair"] = columns["text"]
    with pytest.raises(InputError, match=r"^truncation: windows are not defined for pairs of sentences; use head$"):
        preprocessing_fn(columns, config)
