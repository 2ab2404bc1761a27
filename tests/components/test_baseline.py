"""What a new model is compared with."""

from pathlib import Path

import pytest

from fullbake.components.serving.baseline import Baseline, find_baseline
from fullbake.contract.errors import InputError
from tests.components.placed_models import LABELS, place


def find(serving: Path, *, accept_loss: bool = False) -> Baseline:
    return find_baseline(str(serving), LABELS, ["text"], accept_loss=accept_loss)


def test_where_nothing_was_pushed_there_is_nothing_to_compare_with(tmp_path: Path):
    assert find(tmp_path) == find(tmp_path / "none") == Baseline()


def test_the_highest_version_is_compared_with_even_if_its_labels_are_in_another_order(tmp_path: Path):
    place(tmp_path, 7)
    path = place(tmp_path, 8, labels=["rude", "fine"])
    assert find(tmp_path) == Baseline(path, path, ("rude", "fine"))


def test_labels_that_only_one_of_the_models_has_are_told(tmp_path: Path):
    place(tmp_path, 7, labels=["rude", "gone"])
    assert find(tmp_path).note == (
        "the model in production also decides 'gone', which the new one cannot; "
        "the model in production does not know 'fine', so nothing is compared there"
    )


@pytest.mark.parametrize(
    ("spoilt", "reason"),
    [
        ({"graph": b""}, "has an empty saved_model.pb"),
        ({"text_features": ("text", "text_pair")}, "takes other columns of text"),
        ({"labels": ["a", "b"]}, "has none of the labels of this config"),
        ({"task": "multi_label"}, "gives a text any number of labels, and the new one one label"),
    ],
)
def test_a_model_in_production_that_cannot_be_compared_with_is_an_error_unless_that_is_accepted(
    tmp_path: Path, spoilt, reason: str
):
    usable = place(tmp_path, 7)
    path = place(tmp_path, 8, **spoilt)
    with pytest.raises(InputError) as stopped:
        find(tmp_path)
    assert str(stopped.value) == (
        f"serving_dir: {path}, the model in production, {reason}, so a new model cannot be compared with it; "
        f"repair it or move it away, go back with: fullbake rollback {tmp_path}, or go on without it with "
        "accept_baseline_loss: true"
    )
    found = find(tmp_path, accept_loss=True)
    assert (found.version, found.model) == (path, usable)
    assert found.note == f"the model in production ({path}) {reason}; it was not compared; 7 was compared with instead"


def test_where_a_loss_is_accepted_and_nothing_can_be_compared_with_nothing_is(tmp_path: Path):
    path = place(tmp_path, 8, graph=b"")
    note = f"the model in production ({path}) has an empty saved_model.pb; it was not compared"
    assert find(tmp_path, accept_loss=True) == Baseline(path, None, (), note)
