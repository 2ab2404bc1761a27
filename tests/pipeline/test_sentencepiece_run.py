"""A whole run on a base with a SentencePiece tokenizer: from CSV to a pushed model that passed the servable check."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import tensorflow as tf
from transformers import pipeline

from tests.pipeline.planted import COMPONENTS, LABELS, executions, planted_rows, write_config, write_csv
from tests.sentencepiece_models import leave_it_alone


@pytest.mark.parametrize("family", ["albert", "xlm-roberta"])
def test_a_base_with_sentencepiece_is_trained_checked_and_pushed(
    fullbake, base_of: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, family: str
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    # One has a tokenizer.json, the other a SentencePiece model alone.
    base = leave_it_alone(base_of(family), family) if family == "albert" else base_of(family)
    write_csv(tmp_path / "data/train.csv", ["id", "text", "label"], planted_rows())
    config = write_config(
        tmp_path,
        str(base),
        data={"label_map": dict(enumerate(LABELS))},
        model={"approach": "further_pretrain", "head": "hf", "max_length": 24},
        pretraining={"epochs": 1},
        training={"epochs": 1},
    )
    result = fullbake("run", config, "--root", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert executions(tmp_path / "out") == Counter({(name, "COMPLETE"): 1 for name in [*COMPONENTS, "Pretrainer"]})
    (model,) = (tmp_path / "out/serving").glob("[0-9]*")
    texts = ["what a lovely garden", "you idiot", "", "a very good day " * 20]
    served = tf.saved_model.load(str(model)).signatures["serving_default"](text=tf.constant(texts))
    folder = str(model / "assets.extra/hf")
    assert (model / "assets.extra/hf/spiece.model").exists() == (family == "albert")
    assert (base / "tokenizer.json").exists() != (family == "albert")
    classify = pipeline("text-classification", model=folder, framework="tf", top_k=None, torch_dtype=None)
    for answer, probabilities in zip(classify(texts, truncation=True), served["probabilities"].numpy(), strict=True):
        found = {one["label"]: one["score"] for one in answer}
        assert [found[label] for label in LABELS] == pytest.approx(probabilities.tolist(), abs=1e-5)
