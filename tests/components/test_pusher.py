"""The Pusher and the folder of pushed models: what a server that looks in at any moment finds."""

import json
import threading
from pathlib import Path

import pytest
from tfx.dsl.io.filesystem import NotFoundError
from tfx.types import standard_artifacts

from components.production import NOTHING, PUSH_FILE, made_of, newest_version, production_key, read_about, versions
from components.pusher import PusherExecutor
from trainer.served_model import ABOUT_FILE

FILES = 400
FINGERPRINT = "split:*,num_files:1,total_bytes:7,xor_checksum:1,sum_checksum:1"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model artifact of many files; what they hold is nothing to the Pusher."""
    folder = tmp_path_factory.mktemp("model")
    saved = folder / "Format-Serving"
    for number in range(FILES):
        file = saved / "variables" / f"{number:03d}" / "shard"
        file.parent.mkdir(parents=True)
        file.write_bytes(bytes([number % 256]) * 5000)
    (saved / "saved_model.pb").write_bytes(b"graph")
    (saved / ABOUT_FILE).parent.mkdir()
    (saved / ABOUT_FILE).write_text(json.dumps({"labels": ["grün", "rot"]}), encoding="utf-8")
    return folder


def push(model: Path, serving: Path, *, blessed=1, serves=1, recipe="recipe", production=NOTHING):
    """Runs the Pusher and returns its artifact."""

    def artifact(kind, verdict=None):
        made = kind()
        made.uri = str(model)
        if verdict is not None:
            made.set_int_custom_property("blessed", verdict)
        return made

    examples = standard_artifacts.Examples()
    examples.set_string_custom_property("input_fingerprint", FINGERPRINT)
    pushed = standard_artifacts.PushedModel()
    PusherExecutor().Do(
        {
            "examples": [examples],
            "model": [artifact(standard_artifacts.Model)],
            "model_blessing": [artifact(standard_artifacts.ModelBlessing, blessed)],
            "infra_blessing": [artifact(standard_artifacts.InfraBlessing, serves)],
        },
        {"pushed_model": [pushed]},
        {"serving_dir": str(serving), "recipe": recipe, "production": production},
    )
    return pushed


def place(serving: Path, version: int | str, *, recipe: str | None = None, key: str = NOTHING) -> str:
    """Puts a version there by hand."""
    folder = serving / str(version)
    (folder / PUSH_FILE).parent.mkdir(parents=True)
    (folder / "saved_model.pb").touch()
    if recipe is not None:
        (folder / PUSH_FILE).write_text(json.dumps({"recipe": recipe, "production_key": key}))
    return str(folder)


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_a_blessed_model_is_pushed_whole_with_a_note_of_what_made_it(model: Path, tmp_path: Path):
    older = place(tmp_path, 7)
    pushed = push(model, tmp_path, recipe="abc", production="what it was judged against")
    destination = Path(pushed.get_string_custom_property("pushed_destination"))
    assert pushed.get_int_custom_property("pushed") == 1
    assert destination == tmp_path / pushed.get_string_custom_property("pushed_version")
    assert newest_version(str(tmp_path)) == str(destination)
    copied = files_of(destination)
    note = json.loads(copied.pop(PUSH_FILE))
    assert copied == files_of(model / "Format-Serving")
    assert note == {
        "recipe": "abc",
        "data": FINGERPRINT,
        "production_key": "what it was judged against",
        "replaced": older,
    }
    assert read_about(str(destination)) == {"labels": ["grün", "rot"]}
    assert {path.name for path in tmp_path.iterdir()} == {"7", destination.name}


def test_the_model_in_production_knows_the_recipe_and_the_data_it_was_made_of(model: Path, tmp_path: Path):
    assert made_of(str(tmp_path), "abc", FINGERPRINT) is None
    push(model, tmp_path, recipe="abc")
    newest = newest_version(str(tmp_path))
    assert made_of(str(tmp_path), "abc", FINGERPRINT) == newest
    assert made_of(str(tmp_path), "another", FINGERPRINT) is None
    assert made_of(str(tmp_path), "abc", "another") is None
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
    assert [path.name for path in tmp_path.iterdir()] == ["7"]


def test_who_looks_in_while_a_model_is_pushed_never_sees_a_part_of_it(model: Path, tmp_path: Path):
    expected = len(files_of(model / "Format-Serving")) + 1  # and push.json
    looks, incomplete, done = [], [], threading.Event()

    def look_in():
        while not done.is_set():
            for entry in tmp_path.iterdir():
                # What a model server takes for a version, whatever is in it.
                if entry.name.isdigit() and (found := len(files_of(entry))) != expected:
                    incomplete.append((entry.name, found))
            # A partial copy is there to be seen, were it under its number.
            looks.append(any(entry.name.startswith(".") for entry in tmp_path.iterdir()))

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
    with pytest.raises(NotFoundError):
        push(tmp_path / "model", tmp_path / "serving")
    assert newest_version(str(tmp_path / "serving")) == before
    assert [path.name for path in (tmp_path / "serving").iterdir()] == ["7"]

    pushed = push(model, tmp_path / "serving")
    assert newest_version(str(tmp_path / "serving")) == pushed.get_string_custom_property("pushed_destination")


def test_versions_rise_even_within_a_second_and_above_any_number_there(model: Path, tmp_path: Path):
    far_ahead = 99_999_999_999
    numbers = [int(push(model, tmp_path).get_string_custom_property("pushed_version")) for _ in range(3)]
    place(tmp_path, far_ahead)
    numbers += [int(push(model, tmp_path).get_string_custom_property("pushed_version")) for _ in range(2)]
    assert numbers == sorted(set(numbers))
    assert numbers[3:] == [far_ahead + 1, far_ahead + 2]
    assert versions(str(tmp_path)) == sorted([*numbers, far_ahead])


def test_versions_are_ordered_as_numbers_and_anything_else_is_passed_over(tmp_path: Path):
    for name in (9, 10, 100):
        place(tmp_path, name)
    for name in (".200.unfinished", "latest", "²", "3b"):
        place(tmp_path, name)
    (tmp_path / "300").mkdir()  # being copied by some other tool
    (tmp_path / "400").touch()
    assert versions(str(tmp_path)) == [9, 10, 100]
    assert newest_version(str(tmp_path)) == str(tmp_path / "100")


def test_a_folder_that_is_not_there_holds_no_versions(tmp_path: Path):
    assert versions(str(tmp_path / "none")) == []
    assert newest_version(str(tmp_path / "none")) is None


def test_a_model_is_production_key_nothing_where_nothing_was_pushed(tmp_path: Path):
    assert production_key(str(tmp_path / "none"), "mine") == production_key(str(tmp_path), "mine") == NOTHING


def test_a_model_is_production_key_what_others_pushed(tmp_path: Path):
    by_hand = place(tmp_path, 1)
    assert production_key(str(tmp_path), "mine") == by_hand
    by_another_recipe = place(tmp_path, 2, recipe="another", key=by_hand)
    assert production_key(str(tmp_path), "mine") == by_another_recipe


def test_a_recipes_own_push_does_not_make_its_verdict_stale(model: Path, tmp_path: Path):
    for _ in range(2):  # into an empty folder, then onto another's model
        before = production_key(str(tmp_path), "mine")
        push(model, tmp_path, recipe="mine", production=before)
        assert production_key(str(tmp_path), "mine") == before
        other = place(tmp_path, versions(str(tmp_path))[-1] + 1, recipe="another")
        assert production_key(str(tmp_path), "mine") == other


def test_a_recipes_own_push_is_new_to_other_recipes(model: Path, tmp_path: Path):
    pushed = push(model, tmp_path, recipe="mine")
    assert production_key(str(tmp_path), "another") == pushed.get_string_custom_property("pushed_destination")
