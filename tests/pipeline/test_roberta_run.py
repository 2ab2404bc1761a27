"""A whole run on a base of the RoBERTa family: from CSV to what is served."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import tensorflow as tf
import tensorflow_text  # noqa: F401  (the served graph holds its ops)
from transformers import RobertaTokenizerFast, pipeline

from fullbake.contract.names import HF_FOLDER
from tests.pipeline.planted import COMPONENTS, LABELS, executions, planted_rows, write_config, write_csv


def test_a_base_of_the_roberta_family_is_pretrained_tuned_and_served(fullbake, base_of, tmp_path: Path):
    rows = planted_rows()
    write_csv(tmp_path / "data/train.csv", ["id", "text", "label"], rows)
    labels = {str(number): label for number, label in enumerate(LABELS)}
    config = write_config(
        tmp_path,
        str(base_of("roberta")),
        data={"label_map": labels},
        model={"approach": "further_pretrain", "head": "hf", "max_length": 64},
        pretraining={"epochs": 1, "whole_word": True},
        training={"epochs": 1},
    )
    result = fullbake("run", config, "--root", tmp_path / "out", "--summary", tmp_path / "summary.json")
    assert result.exit_code == 0, result.output
    assert executions(tmp_path / "out") == Counter({(name, "COMPLETE"): 1 for name in [*COMPONENTS, "Pretrainer"]})

    model = Path(json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))["model"])
    texts = [text for _, text, _ in rows] + ["</s> it's\n\n <mask> 漢字", "lovely " * 99]
    served = tf.saved_model.load(str(model)).signatures["serving_default"](text=tf.constant(texts))
    folder = str(model / HF_FOLDER)
    assert type(RobertaTokenizerFast.from_pretrained(folder)) is RobertaTokenizerFast
    classify = pipeline("text-classification", model=folder, framework="tf", top_k=None, torch_dtype=None)
    found = [{score["label"]: score["score"] for score in answer} for answer in classify(texts, truncation=True)]
    answers = [[answer[label] for label in LABELS] for answer in found]
    np.testing.assert_allclose(answers, served["probabilities"], atol=1e-5)
