"""Which recipe made what of which data: nothing is made twice, and no rollback undone."""

from pathlib import Path

import pytest

from fullbake.components.nodes.pusher import WITHDRAWN
from fullbake.components.serving.making import NOTHING, baseline_key, made_of
from fullbake.components.serving.publishing import rollback
from fullbake.components.serving.pushed_models import fault, newest_version, read_push, versions
from fullbake.contract.results.push import RolledBack
from tests.components.pushing import FINGERPRINT, make_model, place, push, shown, where


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("model"), 10)


def test_the_model_in_production_knows_the_recipe_and_the_data_it_was_made_of(model: Path, tmp_path: Path):
    assert made_of(str(tmp_path), "abc", FINGERPRINT) is None
    push(model, tmp_path, recipe="abc")
    newest = newest_version(str(tmp_path))
    assert made_of(str(tmp_path), "abc", FINGERPRINT) == newest
    assert made_of(str(tmp_path), "another", FINGERPRINT) is None
    assert made_of(str(tmp_path), "abc", "another") is None
    (Path(newest) / "variables/variables.data-00000-of-00001").write_bytes(b"wEights")
    assert made_of(str(tmp_path), "abc", FINGERPRINT) is None, "it is damaged: there is something to do"
    newest = where(push(model, tmp_path, recipe="abc"))
    assert made_of(str(tmp_path), "abc", FINGERPRINT) == newest
    place(tmp_path, 2**40)  # pushed by something else
    assert made_of(str(tmp_path), "abc", FINGERPRINT) is None


def test_a_model_is_judged_against_nothing_where_nothing_was_pushed(tmp_path: Path):
    assert baseline_key(str(tmp_path / "none"), "mine") == baseline_key(str(tmp_path), "mine") == NOTHING


def test_a_model_is_judged_against_what_others_pushed(tmp_path: Path):
    place(tmp_path, 1)
    assert baseline_key(str(tmp_path), "mine") == "version 1"
    place(tmp_path, 2, recipe="another", key="version 1")
    assert baseline_key(str(tmp_path), "mine") == "version 2"


def test_a_recipes_own_push_does_not_make_its_verdict_stale(model: Path, tmp_path: Path):
    for _ in range(2):  # into an empty folder, then onto another's model
        before = baseline_key(str(tmp_path), "mine")
        push(model, tmp_path, recipe="mine", key=before)
        assert baseline_key(str(tmp_path), "mine") == before
        other = versions(str(tmp_path))[-1].number + 1
        place(tmp_path, other, recipe="another")
        assert baseline_key(str(tmp_path), "mine") == f"version {other}"


def test_a_recipes_own_push_is_new_to_other_recipes(model: Path, tmp_path: Path):
    pushed = push(model, tmp_path, recipe="mine")
    assert baseline_key(str(tmp_path), "another") == f"version {pushed.get_string_custom_property('pushed_version')}"


def test_a_rollback_puts_the_version_before_under_a_higher_number_and_loses_nothing(model: Path, tmp_path: Path):
    serving = str(tmp_path)
    one, two, three = (
        push(model, tmp_path, data=data, recipe="mine").get_string_custom_property("pushed_version") for data in "abc"
    )
    back, path = rollback(serving, None)
    assert (back, newest_version(serving)) == (two, path)
    assert shown(tmp_path) == {one, two, three, Path(path).name}
    note = read_push(path)
    assert note.rolled_back == RolledBack(to=two, source=three)
    assert note.data == "b"
    assert fault(path) is None
    assert made_of(serving, "mine", "b") == path
    # Once more goes further back, not to what was just rolled back from.
    back, path = rollback(serving, None)
    assert back == one
    assert read_push(path).rolled_back == RolledBack(to=one, source=note.version)
    assert {entry.data for entry in read_push(path).withdrawn} == {"b", "c"}
    # And forth, to a version by its name.
    back, path = rollback(serving, three)
    assert back == three
    assert {entry.data for entry in read_push(path).withdrawn} == {"b"}
    assert len(shown(tmp_path)) == 6


def test_a_model_that_was_rolled_back_is_not_pushed_again_until_it_is_put_back(model: Path, tmp_path: Path):
    first = push(model, tmp_path, data="a").get_string_custom_property("pushed_version")
    bad = push(model, tmp_path, data="b").get_string_custom_property("pushed_version")
    _, path = rollback(str(tmp_path), None)
    again = push(model, tmp_path, data="b")
    assert again.get_int_custom_property("pushed") == 0
    assert again.get_string_custom_property(WITHDRAWN) == bad
    assert newest_version(str(tmp_path)) == path
    # Neither other pushes nor their clearing up make it forgotten.
    push(model, tmp_path, data="c", keep_versions=1)
    assert first not in shown(tmp_path)
    assert push(model, tmp_path, data="b").get_int_custom_property("pushed") == 0
    place(tmp_path, versions(str(tmp_path))[-1].number + 1)  # put there by something else
    assert push(model, tmp_path, data="b").get_int_custom_property("pushed") == 0
    # What is only damaged is not what a rollback is to keep out.
    damaged = Path(where(push(model, tmp_path, data="d")))
    (damaged / "saved_model.pb").write_bytes(b"GRAPH")
    rollback(str(tmp_path), None)
    assert push(model, tmp_path, data="d").get_int_custom_property("pushed") == 1
    # Another recipe makes another model.
    assert push(model, tmp_path, data="b", recipe="another").get_int_custom_property("pushed") == 1
