"""What a new model is compared with, and what a bucket in place of a folder does to it all."""

import json
from pathlib import Path

import pytest
import tensorflow as tf

from fullbake.components.serving.baseline import Baseline, find_baseline
from fullbake.components.serving.publishing import (
    LOCK_FILE,
    ServingVersionChangedError,
    publish,
    remove_old,
    rollback,
    sole_pusher,
)
from fullbake.components.serving.pushed_models import fault, newest_version, read_push, versions
from fullbake.contract.errors import InputError
from fullbake.contract.names import ABOUT_FILE
from fullbake.contract.results.push import Push, RolledBack

LABELS = ["fine", "rude"]


def place(serving: Path, version: int, labels=LABELS, text_features=("text",), graph: bytes = b"graph") -> str:
    """Puts a model there that is one as far as can be told without opening it."""
    folder = serving / str(version)
    about = json.dumps({"labels": list(labels), "text_features": list(text_features)}).encode()
    for name, content in {
        "saved_model.pb": graph,
        "variables/variables.index": b"index",
        "variables/variables.data-00000-of-00001": b"weights",
        ABOUT_FILE: about,
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return str(folder)


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
        f"push.serving_dir: {path}, the model in production, {reason}, so a new model cannot be compared with it; "
        f"repair it or move it away, go back with: fullbake rollback {tmp_path}, or go on without it with "
        "gate.accept_baseline_loss: true"
    )
    found = find(tmp_path, accept_loss=True)
    assert (found.version, found.model) == (path, usable)
    assert found.note == f"the model in production ({path}) {reason}; it was not compared; 7 was compared with instead"


def test_where_a_loss_is_accepted_and_nothing_can_be_compared_with_nothing_is(tmp_path: Path):
    path = place(tmp_path, 8, graph=b"")
    note = f"the model in production ({path}) has an empty saved_model.pb; it was not compared"
    assert find(tmp_path, accept_loss=True) == Baseline(path, None, (), note)


def test_a_rollback_says_why_it_cannot_be(tmp_path: Path):
    serving = str(tmp_path)
    with pytest.raises(InputError, match=f"rollback: there is no version in {serving}; name a serving folder"):
        rollback(serving, None)
    place(tmp_path, 7)
    with pytest.raises(InputError, match="rollback: there is no usable version before 7; name one, or push"):
        rollback(serving, None)
    with pytest.raises(InputError, match="rollback: version 7 is what serves already, as "):
        rollback(serving, "7")
    with pytest.raises(InputError, match="rollback: there is no version '6'; there are 7"):
        rollback(serving, "6")
    place(tmp_path, 8, graph=b"")
    place(tmp_path, 9)
    with pytest.raises(InputError, match=r"rollback: .*8 has an empty saved_model.pb; name another version"):
        rollback(serving, "8")
    assert rollback(serving, None)[0] == "7"


def test_a_rollback_helps_where_the_newest_cannot_be_used(tmp_path: Path):
    place(tmp_path, 7)
    (tmp_path / "8").touch()
    version, path = rollback(str(tmp_path), None)
    assert (version, newest_version(str(tmp_path))) == ("7", path)
    assert int(Path(path).name) > 8
    assert find(tmp_path).model == path


def test_a_bucket_is_pushed_to_and_rolled_back_as_a_folder_is(tmp_path: Path):
    # TensorFlow's file system in memory stands for a bucket: like one it has addresses, no modes and no locks.
    serving = "ram://bucket/serving"
    source = place(tmp_path, 1)
    for replaced in (None, "1"):
        with sole_pusher(serving):
            path = publish(serving, source, Push(recipe="r", data="d", replaced=replaced))
            remove_old(serving, 5)
    first, second = versions(serving)
    assert second.path == path
    assert fault(path) is None
    assert sorted(name for name in tf.io.gfile.listdir(serving)) == [first.name, second.name]
    assert find_baseline(serving, LABELS, ["text"], accept_loss=False).model == path

    with pytest.raises(ServingVersionChangedError), sole_pusher(serving):
        publish(serving, source, Push(), unchanged=lambda: False)
    assert len(versions(serving)) == 2
    assert LOCK_FILE not in tf.io.gfile.listdir(serving)

    version, path = rollback(serving, None)
    assert version == first.name
    assert read_push(path).rolled_back == RolledBack(to=first.name, source=second.name)
    tf.io.gfile.remove(f"{path}/saved_model.pb")
    assert fault(path) == "has no saved_model.pb (perhaps it is still being copied)"
