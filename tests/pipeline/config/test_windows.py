"""The keys of the windows in which long texts are read."""

import pytest
import yaml

from fullbake.trainer.windows import Windows
from tests.pipeline.config.refusal import MINIMAL, refusal

WINDOWS = "model.truncation=windows"


def test_by_default_windows_overlap_by_a_quarter(load):
    assert load().model.windows is None
    assert load(yaml.safe_dump(MINIMAL), WINDOWS).model.windows == Windows(512, 128, 8, "max")
    for length, overlap in ((3, 0), (4, 1), (128, 32)):
        assert load(yaml.safe_dump(MINIMAL), WINDOWS, f"model.max_length={length}").model.windows == Windows(
            length, overlap, 8, "max"
        )


def test_windows_are_those_that_the_keys_say(load):
    keys = ("model.window_overlap=0", "model.max_windows=3", "model.window_pooling=mean", "model.max_length=100")
    config = load(yaml.safe_dump(MINIMAL), WINDOWS, *keys)
    assert config.model.windows == Windows(100, 0, 3, "mean")
    assert load(config.to_yaml()) == config
    assert load(yaml.safe_dump(MINIMAL), WINDOWS, "model.window_overlap=97", "model.max_length=100").model.windows


@pytest.mark.parametrize(
    ("overrides", "key", "remedy"),
    [
        (("model.window_overlap=16",), "model.window_overlap", "with truncation 'head'; leave it out, or set trunc"),
        (("model.truncation=head_tail", "model.max_windows=4"), "model.max_windows", "with truncation 'head_tail'"),
        (("model.window_pooling=mean",), "model.window_pooling", "leave it out, or set truncation to windows"),
        ((WINDOWS, "model.max_windows=0"), "model.max_windows", "1"),
        ((WINDOWS, "model.max_windows=65"), "model.max_windows", "64"),
        ((WINDOWS, "model.max_windows=true"), "model.max_windows", "truth value"),
        ((WINDOWS, "model.window_overlap=-1"), "model.window_overlap", "0"),
        ((WINDOWS, "model.window_pooling=sum"), "model.window_pooling", "max, mean"),
        (
            (WINDOWS, "model.max_length=100", "model.window_overlap=98"),
            "model.window_overlap",
            "that have 98 in common would not move on; set it to 97 or less",
        ),
        ((WINDOWS, "data.text_pair_column=other"), "model.truncation", "use head, not windows"),
        ((WINDOWS, "training.distribution=tpu"), "model.truncation", "windows are not possible on a TPU"),
    ],
)
def test_values_that_do_not_fit_are_refused_with_the_one_to_change(load, overrides, key: str, remedy: str):
    message = refusal(load, yaml.safe_dump(MINIMAL), *overrides)
    assert f": {key}: " in message
    assert remedy in message
