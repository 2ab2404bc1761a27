"""The Pusher: what a server that looks in at any moment finds."""

import json
import os
import stat
import threading
from pathlib import Path

import pytest
from filelock import FileLock

from fullbake.components.evaluation.gate import GateSpec
from fullbake.components.nodes.pusher import STALE
from fullbake.components.serving.making import NOTHING
from fullbake.components.serving.publishing import LOCK_FILE
from fullbake.components.serving.pushed_models import fault, newest_version, read_about, read_push, versions
from fullbake.contract.errors import InputError
from fullbake.contract.names import CARD_FILE, EVALUATION_FILE, HF_FOLDER, INGEST_FILE, PUSH_FILE, TRAINING_FILE
from fullbake.contract.results.about import About
from fullbake.contract.results.push import PushedBounds
from tests.components.pushing import EVALUATION, FINGERPRINT, files_of, make_model, place, push, shown, where


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("model"), 10)


def test_a_blessed_model_is_pushed_whole_with_a_note_of_what_made_it(model: Path, tmp_path: Path):
    place(tmp_path, 7)
    pushed = push(model, tmp_path, recipe="abc", key="what it was judged against", judged_against="7")
    destination = Path(pushed.get_string_custom_property("pushed_destination"))
    assert pushed.get_int_custom_property("pushed") == 1
    assert destination == tmp_path / pushed.get_string_custom_property("pushed_version")
    assert newest_version(str(tmp_path)) == str(destination)
    copied = files_of(destination)
    text = copied.pop(PUSH_FILE).decode()
    note = json.loads(text)
    files = note.pop("files")
    assert {name: entry["bytes"] for name, entry in files.items()} == {name: len(kept) for name, kept in copied.items()}
    assert fault(str(destination)) is None, "what was written of the files is not what they are"
    cards = [copied.pop(name).decode() for name in (CARD_FILE, f"{HF_FOLDER}/{CARD_FILE}")]
    assert copied == files_of(model / "Format-Serving")
    assert all("# rüde words" in card and "| grün |" in card for card in cards)
    assert str(tmp_path) not in "".join(cards)
    assert note.pop("time")[:4] >= "2024"
    assert note == {
        "version": destination.name,
        "run": None,
        "recipe": "abc",
        "data": FINGERPRINT,
        "span": 3,
        "examples": {"train": 5, "eval": 1, "test": 2},
        "metrics": EVALUATION.model_dump(include={"examples", "accuracy", "macro_f1", "recall", "precision"}),
        "production_key": "what it was judged against",
        "replaced": "7",
        "withdrawn": [],
    }
    assert str(tmp_path) not in text, "what is pushed names a place of the machine that pushed it"
    assert read_about(str(destination)) == About(labels=("grün", "rot"))
    assert shown(tmp_path) == {"7", destination.name}


def test_what_is_pushed_can_be_read_by_a_server_of_any_user(model: Path, tmp_path: Path):
    source = tmp_path / "model/Format-Serving/variables"
    source.mkdir(parents=True)
    for name in ("saved_model.pb", "variables/variables.index"):
        (source.parent / name).write_bytes(b"x")
        (source.parent / name).chmod(0o600)
    for name in (EVALUATION_FILE, INGEST_FILE, TRAINING_FILE):
        (tmp_path / "model" / name).write_bytes((model / name).read_bytes())
    source.chmod(0o700)
    before = os.umask(0o077)
    try:
        pushed = Path(where(push(tmp_path / "model", tmp_path / "serving")))
    finally:
        os.umask(before)
    modes = {path.is_dir(): stat.S_IMODE(path.stat().st_mode) for path in [pushed, *pushed.rglob("*")]}
    assert modes == {True: 0o755, False: 0o644}
    assert len({stat.S_IMODE(path.stat().st_mode) for path in pushed.rglob("*") if path.is_file()}) == 1


def test_the_first_push_makes_the_folder_and_replaces_nothing(model: Path, tmp_path: Path):
    pushed = push(model, tmp_path / "not/there/yet")
    note = Path(pushed.get_string_custom_property("pushed_destination"), PUSH_FILE)
    assert json.loads(note.read_text())["replaced"] is None


@pytest.mark.parametrize("verdicts", [{"blessed": 0}, {"serves": 0}, {"blessed": 0, "serves": 0}, {"blessed": None}])
def test_a_model_that_was_refused_or_does_not_serve_is_not_pushed(model: Path, tmp_path: Path, verdicts):
    place(tmp_path, 7)
    pushed = push(model, tmp_path, **verdicts)
    assert pushed.get_int_custom_property("pushed") == 0
    assert pushed.has_custom_property("pushed")
    assert not pushed.has_custom_property("pushed_destination")
    assert shown(tmp_path) == {"7"}


def test_who_looks_in_while_a_model_is_pushed_never_sees_a_part_of_it(tmp_path_factory, tmp_path: Path):
    model = make_model(tmp_path_factory.mktemp("many"), 400)  # so that there is time to look in
    expected = len(files_of(model / "Format-Serving")) + 3  # and push.json, and two cards
    looks, incomplete, done = [], [], threading.Event()

    def look_in():
        while not done.is_set():
            for entry in tmp_path.iterdir():
                # What a model server takes for a version, whatever is in it.
                if entry.name.isdigit() and (found := len(files_of(entry))) != expected:
                    incomplete.append((entry.name, found))
            # A partial copy is there to be seen, were it under its number.
            looks.append(any(entry.name.endswith(".unfinished") for entry in tmp_path.iterdir()))

    reader = threading.Thread(target=look_in)
    reader.start()
    try:
        push(model, tmp_path)
    finally:
        done.set()
        reader.join()
    assert incomplete == []
    assert any(looks), "the reader never looked in during a push"
    assert len(versions(str(tmp_path))) == 1


def test_a_push_that_breaks_off_leaves_production_as_it_was_and_the_next_one_succeeds(model: Path, tmp_path: Path):
    before = place(tmp_path / "serving", 7)
    # A link to nowhere among the files: copying stops there with an error, as with a full or failing disk.
    broken = tmp_path / "model/Format-Serving"
    (broken / "zzz").mkdir(parents=True)
    (broken / "saved_model.pb").touch()
    (broken / "zzz/variables").symlink_to(tmp_path / "nowhere")
    for name in (EVALUATION_FILE, INGEST_FILE, TRAINING_FILE):
        (tmp_path / "model" / name).write_bytes((model / name).read_bytes())
    line = r"^serving_dir: the model cannot be copied to .*serving, and what was in production stays.*zzz/variables"
    with pytest.raises(InputError, match=line):
        push(tmp_path / "model", tmp_path / "serving")
    assert newest_version(str(tmp_path / "serving")) == before
    assert shown(tmp_path / "serving") == {"7"}

    pushed = push(model, tmp_path / "serving")
    assert newest_version(str(tmp_path / "serving")) == pushed.get_string_custom_property("pushed_destination")


def test_versions_rise_even_within_a_second_and_above_any_number_there(model: Path, tmp_path: Path):
    far_ahead = 99_999_999_999
    numbers = [int(push(model, tmp_path).get_string_custom_property("pushed_version")) for _ in range(3)]
    place(tmp_path, far_ahead)
    numbers += [int(push(model, tmp_path).get_string_custom_property("pushed_version")) for _ in range(2)]
    assert numbers == sorted(set(numbers))
    assert numbers[3:] == [far_ahead + 1, far_ahead + 2]
    assert [version.number for version in versions(str(tmp_path))] == sorted([*numbers, far_ahead])


def test_a_model_is_not_pushed_over_one_that_it_was_not_judged_against(model: Path, tmp_path: Path):
    first = push(model, tmp_path, judged_against=NOTHING)
    assert first.get_int_custom_property("pushed") == 1
    version = first.get_string_custom_property("pushed_version")
    stale = push(model, tmp_path, judged_against=NOTHING)
    assert stale.get_int_custom_property("pushed") == 0
    assert stale.get_string_custom_property(STALE) == (
        f"the model was judged against nothing, and now {where(first)} is in production"
    )
    assert shown(tmp_path) == {version}
    again = push(model, tmp_path, judged_against=version)
    assert again.get_int_custom_property("pushed") == 1
    assert not again.get_string_custom_property(STALE)


def test_two_that_push_at_once_wait_for_each_other_and_only_one_of_the_same_judgement_is_pushed(
    model: Path, tmp_path: Path
):
    pushed = []
    threads = [
        threading.Thread(target=lambda: pushed.append(push(model, tmp_path, judged_against=NOTHING))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(each.get_int_custom_property("pushed") for each in pushed) == [0, 0, 1]
    assert len(shown(tmp_path)) == 1


def test_what_a_killed_push_left_is_cleared_but_not_while_somebody_may_be_writing_it(model: Path, tmp_path: Path):
    left = tmp_path / ".1700000000.unfinished/variables"
    left.mkdir(parents=True)
    (tmp_path / ".notes").mkdir()
    with FileLock(tmp_path / LOCK_FILE):
        waiting = threading.Thread(target=push, args=(model, tmp_path))
        waiting.start()
        waiting.join(timeout=0.5)
        assert waiting.is_alive()
        assert left.is_dir()
    waiting.join()
    assert len(versions(str(tmp_path))) == 1
    assert shown(tmp_path) == {".notes", versions(str(tmp_path))[0].name}


def test_old_versions_go_when_there_are_more_than_are_kept_but_not_what_was_replaced_nor_what_is_not_ours(
    model: Path, tmp_path: Path
):
    place(tmp_path, 5)  # put there by something else
    names = [push(model, tmp_path).get_string_custom_property("pushed_version") for _ in range(3)]
    assert shown(tmp_path) == {"5", *names}
    names.append(push(model, tmp_path, keep_versions=3).get_string_custom_property("pushed_version"))
    assert shown(tmp_path) == {"5", *names[1:]}
    # A server may answer from the one before until it has loaded the new one.
    names.append(push(model, tmp_path, keep_versions=1).get_string_custom_property("pushed_version"))
    assert shown(tmp_path) == {"5", *names[3:]}


def test_the_bounds_that_a_model_met_are_kept_beside_it(model: Path, tmp_path: Path):
    gate = GateSpec(("grün", "rot"), {"rot": 0.5}, confidence=0.9, max_recall_drop=0.02)
    pushed = read_push(where(push(model, tmp_path, bounds=gate.bounds.model_dump_json())))
    assert pushed
    assert pushed.bounds == PushedBounds(min_recall={"rot": 0.5}, confidence=0.9)
