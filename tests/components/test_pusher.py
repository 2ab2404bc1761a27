"""The Pusher and the folder of pushed models: what a server that looks in at any moment finds."""

import json
import os
import stat
import threading
from pathlib import Path

import pytest
from filelock import FileLock
from tfx.types import standard_artifacts

from fullbake.components.nodes.evaluator import EVALUATION_FILE, JUDGED_AGAINST
from fullbake.components.nodes.pusher import STALE, WITHDRAWN, PusherExecutor
from fullbake.components.serving.publishing import LOCK_FILE, rollback
from fullbake.components.serving.pushed_models import (
    NOTHING,
    PUSH_FILE,
    fault,
    made_of,
    newest_version,
    production_key,
    read_about,
    read_push,
    versions,
)
from fullbake.contract.errors import InputError
from fullbake.contract.names import ABOUT_FILE, INGEST_FILE

FINGERPRINT = "split:*,num_files:1,total_bytes:7,xor_checksum:1,sum_checksum:1"
EVALUATION = {
    "examples": 40,
    "accuracy": 0.9,
    "macro_f1": 0.8,
    "recall": {"grün": 0.7, "rot": 1.0},
    "precision": {"grün": None, "rot": 0.5},
    "confusion": [[1, 2], [3, 4]],
}


def make_model(folder: Path, files: int) -> Path:
    """Writes a model artifact; what its files hold is nothing to the Pusher."""
    saved = folder / "Format-Serving"
    for number in range(files):
        file = saved / "variables" / f"{number:03d}" / "shard"
        file.parent.mkdir(parents=True)
        file.write_bytes(bytes([number % 256]) * 5000)
    (saved / "saved_model.pb").write_bytes(b"graph")
    (saved / "variables/variables.index").write_bytes(b"index")
    (saved / "variables/variables.data-00000-of-00001").write_bytes(b"weights")
    (saved / ABOUT_FILE).parent.mkdir()
    (saved / ABOUT_FILE).write_text(json.dumps({"labels": ["grün", "rot"]}), encoding="utf-8")
    (folder / EVALUATION_FILE).write_text(json.dumps(EVALUATION), encoding="utf-8")
    (folder / INGEST_FILE).write_text(json.dumps({"examples": {"train": 5, "eval": 1, "test": 2}}), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("model"), 10)


def push(
    model: Path,
    serving: Path,
    *,
    blessed=1,
    serves=1,
    recipe="recipe",
    production=NOTHING,
    data=FINGERPRINT,
    judged_against=None,
    keep_versions=None,
):
    """Runs the Pusher and returns its artifact."""

    def artifact(kind, verdict=None):
        made = kind()
        made.uri = str(model)
        if verdict is not None:
            made.set_int_custom_property("blessed", verdict)
        return made

    examples = artifact(standard_artifacts.Examples)
    examples.set_string_custom_property("input_fingerprint", data)
    examples.set_int_custom_property("span", 3)
    blessing = artifact(standard_artifacts.ModelBlessing, blessed)
    if judged_against is not None:
        blessing.set_string_custom_property(JUDGED_AGAINST, judged_against)
    pushed = standard_artifacts.PushedModel()
    PusherExecutor().Do(
        {
            "evaluation": [artifact(standard_artifacts.ModelEvaluation)],
            "examples": [examples],
            "model": [artifact(standard_artifacts.Model)],
            "model_blessing": [blessing],
            "infra_blessing": [artifact(standard_artifacts.InfraBlessing, serves)],
        },
        {"pushed_model": [pushed]},
        {"serving_dir": str(serving), "recipe": recipe, "production": production, "keep_versions": keep_versions},
    )
    return pushed


def where(pushed) -> str:
    return pushed.get_string_custom_property("pushed_destination")


def place(serving: Path, version: int | str, *, recipe: str | None = None, key: str = NOTHING) -> str:
    """Puts a version there by hand."""
    folder = serving / str(version)
    (folder / PUSH_FILE).parent.mkdir(parents=True)
    (folder / "saved_model.pb").touch()
    if recipe is not None:
        (folder / PUSH_FILE).write_text(json.dumps({"recipe": recipe, "production_key": key}))
    return str(folder)


def shown(serving: Path) -> set[str]:
    """What is there, but for the lock."""
    return {path.name for path in serving.iterdir()} - {LOCK_FILE}


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_a_blessed_model_is_pushed_whole_with_a_note_of_what_made_it(model: Path, tmp_path: Path):
    place(tmp_path, 7)
    pushed = push(model, tmp_path, recipe="abc", production="what it was judged against", judged_against="7")
    destination = Path(pushed.get_string_custom_property("pushed_destination"))
    assert pushed.get_int_custom_property("pushed") == 1
    assert destination == tmp_path / pushed.get_string_custom_property("pushed_version")
    assert newest_version(str(tmp_path)) == str(destination)
    copied = files_of(destination)
    text = copied.pop(PUSH_FILE).decode()
    note = json.loads(text)
    assert copied == files_of(model / "Format-Serving")
    files = note.pop("files")
    assert {name: entry["bytes"] for name, entry in files.items()} == {name: len(kept) for name, kept in copied.items()}
    assert note.pop("time")[:4] >= "2024"
    assert note == {
        "version": destination.name,
        "run": None,
        "recipe": "abc",
        "data": FINGERPRINT,
        "span": 3,
        "examples": {"train": 5, "eval": 1, "test": 2},
        "metrics": {name: EVALUATION[name] for name in ("examples", "accuracy", "macro_f1", "recall", "precision")},
        "production_key": "what it was judged against",
        "replaced": "7",
        "withdrawn": [],
    }
    assert str(tmp_path) not in text, "what is pushed names a place of the machine that pushed it"
    assert read_about(str(destination)) == {"labels": ["grün", "rot"]}
    assert shown(tmp_path) == {"7", destination.name}


def test_what_is_pushed_can_be_read_by_a_server_of_any_user(model: Path, tmp_path: Path):
    source = tmp_path / "model/Format-Serving/variables"
    source.mkdir(parents=True)
    for name in ("saved_model.pb", "variables/variables.index"):
        (source.parent / name).write_bytes(b"x")
        (source.parent / name).chmod(0o600)
    for name in (EVALUATION_FILE, INGEST_FILE):
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
    expected = len(files_of(model / "Format-Serving")) + 1  # and push.json
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
    for name in (EVALUATION_FILE, INGEST_FILE):
        (tmp_path / "model" / name).write_bytes((model / name).read_bytes())
    line = r"push.serving_dir: the model cannot be copied to .*serving, and what was in production stays.*zzz/variables"
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


def test_versions_are_what_a_server_takes_for_versions_whatever_is_in_them(tmp_path: Path):
    # TensorFlow Serving reads a child's whole name as an integer of 64 bits (safe_strto64).
    for name in (9, 10, 100, "00000123", "-1"):
        place(tmp_path, name)
    for name in (".200.unfinished", "latest", "²", "3b", "1_000", "0x1", "1e3", str(2**63)):
        place(tmp_path, name)
    assert [version.name for version in versions(str(tmp_path))] == ["-1", "9", "10", "100", "00000123"]
    assert newest_version(str(tmp_path)) == str(tmp_path / "00000123")
    (tmp_path / "300").mkdir()
    assert newest_version(str(tmp_path)) == str(tmp_path / "300")
    (tmp_path / "400").touch()
    assert newest_version(str(tmp_path)) == str(tmp_path / "400")
    # Of two names for one number the later in the alphabet is loaded.
    place(tmp_path, "00400")
    assert [version.name for version in versions(str(tmp_path))][-1] == "400"


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda folder: (folder / "saved_model.pb").unlink(), "has no saved_model.pb"),
        (lambda folder: (folder / "saved_model.pb").write_bytes(b""), "has an empty saved_model.pb"),
        (lambda folder: (folder / "variables/variables.index").unlink(), "has no variables/variables.index"),
        (
            lambda folder: (folder / "variables/variables.data-00000-of-00001").unlink(),
            "has no variables/variables.data-*",
        ),
        (
            lambda folder: (folder / "variables/variables.data-00000-of-00001").write_bytes(bytes(7)),
            "has another variables/variables.data-00000-of-00001 than was pushed",
        ),
        (lambda folder: (folder / "variables/007/shard").unlink(), "lacks variables/007/shard, which was pushed"),
        (lambda folder: (folder / ABOUT_FILE).write_text("{"), f"has another {ABOUT_FILE} than was pushed"),
    ],
)
def test_what_is_wrong_with_a_version_is_said(model: Path, tmp_path: Path, spoil, reason: str):
    pushed = where(push(model, tmp_path))
    assert fault(pushed) is None
    spoil(Path(pushed))
    assert str(fault(pushed)).startswith(reason)


def test_a_version_of_other_make_is_told_from_ours(tmp_path: Path):
    folder = Path(place(tmp_path, 5))
    assert fault(str(folder)) == "has an empty saved_model.pb"
    for name in ("saved_model.pb", "variables/variables.index", "variables/variables.data-00000-of-00001"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"x")
    assert fault(str(folder)) == "was not made by fullbake: it has no usable assets.extra/fullbake.json"
    (tmp_path / "6").touch()
    assert fault(str(tmp_path / "6")) == "is a file, not a folder with a SavedModel"


def test_a_folder_that_is_not_there_holds_no_versions(tmp_path: Path):
    assert versions(str(tmp_path / "none")) == []
    assert newest_version(str(tmp_path / "none")) is None


def test_a_model_is_production_key_nothing_where_nothing_was_pushed(tmp_path: Path):
    assert production_key(str(tmp_path / "none"), "mine") == production_key(str(tmp_path), "mine") == NOTHING


def test_a_model_is_production_key_what_others_pushed(tmp_path: Path):
    place(tmp_path, 1)
    assert production_key(str(tmp_path), "mine") == "version 1"
    place(tmp_path, 2, recipe="another", key="version 1")
    assert production_key(str(tmp_path), "mine") == "version 2"


def test_a_recipes_own_push_does_not_make_its_verdict_stale(model: Path, tmp_path: Path):
    for _ in range(2):  # into an empty folder, then onto another's model
        before = production_key(str(tmp_path), "mine")
        push(model, tmp_path, recipe="mine", production=before)
        assert production_key(str(tmp_path), "mine") == before
        other = versions(str(tmp_path))[-1].number + 1
        place(tmp_path, other, recipe="another")
        assert production_key(str(tmp_path), "mine") == f"version {other}"


def test_a_recipes_own_push_is_new_to_other_recipes(model: Path, tmp_path: Path):
    pushed = push(model, tmp_path, recipe="mine")
    assert production_key(str(tmp_path), "another") == f"version {pushed.get_string_custom_property('pushed_version')}"


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


def test_a_rollback_puts_the_version_before_under_a_higher_number_and_loses_nothing(model: Path, tmp_path: Path):
    serving = str(tmp_path)
    one, two, three = (
        push(model, tmp_path, data=data, recipe="mine").get_string_custom_property("pushed_version") for data in "abc"
    )
    back, path = rollback(serving, None)
    assert (back, newest_version(serving)) == (two, path)
    assert shown(tmp_path) == {one, two, three, Path(path).name}
    note = read_push(path)
    assert note["rolled_back"] == {"to": two, "from": three}
    assert note["data"] == "b"
    assert fault(path) is None
    assert made_of(serving, "mine", "b") == path
    # Once more goes further back, not to what was just rolled back from.
    back, path = rollback(serving, None)
    assert back == one
    assert read_push(path)["rolled_back"] == {"to": one, "from": note["version"]}
    assert {entry["data"] for entry in read_push(path)["withdrawn"]} == {"b", "c"}
    # And forth, to a version by its name.
    back, path = rollback(serving, three)
    assert back == three
    assert {entry["data"] for entry in read_push(path)["withdrawn"]} == {"b"}
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
