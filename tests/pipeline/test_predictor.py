import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
import tf_keras
from click.testing import CliRunner

from fullbake.command_line.main import main
from fullbake.contract.errors import InputError
from fullbake.pipeline.prediction.predictor import Predictor, find_model
from tests.pipeline.tiny_model import LABELS, TEXTS, export


def test_with_each_text_the_probability_of_its_label_is_given(predictor: Predictor):
    for prediction in predictor.predict({"text": [text.encode() for text in TEXTS]}):
        assert prediction.decided == ((prediction.label, max(prediction.probabilities)),)
        assert LABELS[prediction.probabilities.index(max(prediction.probabilities))] == prediction.label


def test_with_a_threshold_that_is_not_always_the_highest(base: Path, transform, tmp_path: Path):
    model = export(base, transform, tmp_path, ("fine", "rude"), threshold=0.01)
    predictions = Predictor(model).predict({"text": [text.encode() for text in TEXTS]})
    assert [prediction.label for prediction in predictions] == ["rude"] * len(TEXTS)
    assert any(dict(prediction.decided)[prediction.label] < 0.5 for prediction in predictions)
    printed = CliRunner().invoke(main, ["predict", "--model", model, *TEXTS], catch_exceptions=False).stdout
    assert printed.splitlines() == [
        f"rude  {prediction.probabilities[1]:.3f}  {text}" for prediction, text in zip(predictions, TEXTS, strict=True)
    ]


def test_a_model_is_found_by_version_by_serving_folder_and_by_output_root(model: str, tmp_path: Path, monkeypatch):
    for version in ("9", "10"):
        shutil.copytree(model, tmp_path / "runs/one/serving" / version)
    (tmp_path / "runs/one/serving/.11.unfinished").mkdir()
    shutil.copytree(model, tmp_path / "runs/two/serving/7")
    one = tmp_path / "runs/one"
    newest = str(one / "serving/10")
    assert find_model(str(one / "serving/9")) == str(one / "serving/9")
    assert find_model(str(one / "serving")) == newest
    assert find_model(str(one)) == newest
    monkeypatch.chdir(tmp_path)
    assert find_model(None) == "runs/one/serving/10"
    assert Predictor(find_model(None)).labels == list(LABELS)
    # A server would try to load it; that it is of no use must not go unsaid.
    (one / "serving/12").mkdir()
    line = r"pushed_model: .*/12 has no saved_model.pb .*; name another version, or go back with: fullbake rollback "
    with pytest.raises(InputError, match=line):
        Predictor(find_model(str(one)))


def test_where_there_is_no_model_it_says_what_to_name(tmp_path: Path, monkeypatch):
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(
            InputError, match=r"there is no pushed model in .*; name a version, a serving folder or an output root"
        ):
            find_model(str(folder))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="no model has been pushed below runs/ yet"):
        find_model(None)


def test_a_model_of_other_make_is_refused(tmp_path: Path):
    tf.saved_model.save(tf.Module(), str(tmp_path))
    with pytest.raises(InputError, match="was not made by fullbake"):
        Predictor(find_model(str(tmp_path)))


def test_a_text_can_have_several_labels_or_none(base: Path, transform, tmp_path: Path):
    tf_keras.utils.set_random_seed(1)  # of the head
    model = export(base, transform, tmp_path / "model", LABELS, task_name="multi_label")
    predictions = Predictor(model).predict({"text": [text.encode() for text in TEXTS]})
    for prediction in predictions:
        likely = [label for label, p in zip(LABELS, prediction.probabilities, strict=True) if p >= 0.5]
        assert [label for label, _ in prediction.decided] == likely
        assert prediction.label == ",".join(likely)
    assert {len(prediction.decided) for prediction in predictions} > {1}
    printed = CliRunner().invoke(main, ["predict", "--model", model, *TEXTS], catch_exceptions=False).stdout
    decided = [", ".join(f"{label}  {p:.3f}" for label, p in found.decided) or "(no label)" for found in predictions]
    width = max(map(len, decided))
    assert printed.splitlines() == [f"{one:{width}}  {text}" for one, text in zip(decided, TEXTS, strict=True)]
    (tmp_path / "in.csv").write_text("comment\n" + "\n".join(f'"{text}"' for text in TEXTS) + "\n", encoding="utf-8")
    files = ["--input", str(tmp_path / "in.csv"), "--output", str(tmp_path / "out.csv")]
    assert CliRunner().invoke(main, ["predict", "--model", model, *files], catch_exceptions=False).exit_code == 0
    written = pd.read_csv(tmp_path / "out.csv", keep_default_na=False)
    assert written["label"].tolist() == [prediction.label for prediction in predictions]
    for number, label in enumerate(LABELS):
        np.testing.assert_allclose(written[f"p_{label}"], [p.probabilities[number] for p in predictions], atol=1e-6)
