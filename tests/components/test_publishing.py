"""Rollbacks, and what a bucket in place of a folder does to it all."""

from pathlib import Path

import pytest
import tensorflow as tf

from fullbake.components.serving.baseline import find_baseline
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
from fullbake.contract.results.push import Push, RolledBack
from tests.components.placed_models import LABELS, place


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
    assert find_baseline(str(tmp_path), LABELS, ["text"], accept_loss=False).model == path


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
