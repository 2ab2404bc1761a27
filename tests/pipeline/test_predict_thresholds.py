"""`--threshold`: labels are decided from another probability than the model's own; the probabilities stay."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tf_keras

from fullbake.contract.errors import InputError
from fullbake.pipeline.prediction.predictor import Predictor
from fullbake.pipeline.prediction.thresholds import read_thresholds, thresholds_of
from tests.pipeline.tiny_model import LABELS, TEXTS, export

ENCODED = {"text": [text.encode() for text in TEXTS]}


@pytest.fixture(scope="module")
def two(base: Path, transform, tmp_path_factory: pytest.TempPathFactory) -> str:
    return export(base, transform, tmp_path_factory.mktemp("two"), ("fine", "rude"))


@pytest.fixture(scope="module")
def several(base: Path, transform, tmp_path_factory: pytest.TempPathFactory) -> str:
    tf_keras.utils.set_random_seed(1)  # of the head
    return export(base, transform, tmp_path_factory.mktemp("several"), LABELS, task_name="multi_label", threshold=0.999)


@pytest.mark.parametrize("bound", [0.01, 0.5, 0.99])
def test_of_two_labels_the_second_is_decided_from_the_threshold_on(two: str, fullbake, bound: float):
    printed = fullbake("predict", "--model", two, "--threshold", bound, *TEXTS).stdout.splitlines()
    expected = [p.probabilities for p in Predictor(two).predict(ENCODED)]
    assert printed == [
        f"{'rude' if second >= bound else 'fine'}  {second if second >= bound else first:.3f}  {text}"
        for (first, second), text in zip(expected, TEXTS, strict=True)
    ]


def test_a_text_at_the_very_threshold_is_decided_in_the_numbers_of_the_graph(two: str):
    predictor, one = Predictor(two), {"text": [TEXTS[1].encode()]}
    ((*_, probabilities),) = predictor.predict(one)
    exact = np.float32(probabilities[1])
    # As people write it: more or fewer digits than float32 has.
    for threshold, label in ((exact, "rude"), (str(exact), "rude"), (np.nextafter(exact, np.float32(1)), "fine")):
        predictor.thresholds = {"rude": float(threshold)}
        assert predictor.predict(one)[0].label == label


def test_a_multi_label_model_takes_one_for_all_and_one_for_a_label(several: str, fullbake, tmp_path: Path):
    file, target = tmp_path / "in.csv", tmp_path / "out.csv"
    file.write_text("comment\n" + "\n".join(TEXTS) + "\n", encoding="utf-8")
    for given, bounds in (
        ([], {"fine": 0.5, "rude": 0.999, "odd": 0.5}),
        (["0.3"], {"fine": 0.3, "rude": 0.3, "odd": 0.3}),
        (["rude=0.2"], {"fine": 0.5, "rude": 0.2, "odd": 0.5}),
        (["rude=0.2", "0.7"], {"fine": 0.7, "rude": 0.2, "odd": 0.7}),
    ):
        options = [part for one in given for part in ("--threshold", one)]
        done = fullbake("predict", "--model", several, "--input", file, "--output", target, *options)
        assert done.exit_code == 0, done.output
        rows = pd.read_csv(target, keep_default_na=False)
        for _, row in rows.iterrows():
            reached = [label for label in LABELS if row[f"p_{label}"] >= bounds[label]]
            assert row["label"] == ",".join(reached)


@pytest.mark.parametrize("given", ["0", "1.1", "nan", "-1", "much", "rude=", "rude=much", ""])
def test_what_is_no_probability_is_refused(given: str):
    with pytest.raises(InputError, match=r"^--threshold: '.*' is no probability above 0 and up to 1; write "):
        read_thresholds([given])


def test_two_for_one_label_are_refused_and_a_label_may_hold_an_equals_sign():
    for given in (["0.3", "0.4"], ["a=0.3", "a=0.4"]):
        with pytest.raises(InputError, match=r"^--threshold: two are for .*; leave one out"):
            read_thresholds(given)
    assert read_thresholds(["a=b=0.25", "1"]) == {"a=b": 0.25, "": 1.0}


@pytest.mark.parametrize(
    ("given", "labels", "multi_label", "problem"),
    [
        ("0.3", LABELS, False, "decides between two labels, and the model has 3"),
        ("fine=0.3", ("fine", "rude"), False, "'rude', the second, is decided"),
        ("rud=0.3", LABELS, True, r"'rud' is no label of the model \(it has: fine, rude, odd\); did you mean 'rude'"),
    ],
)
def test_one_that_the_model_cannot_decide_by_is_refused(given: str, labels, multi_label: bool, problem: str):
    with pytest.raises(InputError, match=problem):
        thresholds_of(read_thresholds([given]), labels, multi_label=multi_label)
    assert thresholds_of(read_thresholds(["rude=0.3"]), ("fine", "rude"), multi_label=False) == {"rude": 0.3}
