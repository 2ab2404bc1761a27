"""What was pushed, listed and rolled back by the command line, in a process that must not need TensorFlow for it."""

import json
from pathlib import Path

import pytest

from fullbake.contract.names import PUSH_FILE
from tests.commands import Answer, answers
from tests.components.placed_models import place

METRICS = {"accuracy": 0.91234, "macro_f1": 0.8, "recall": {"fine": 0.95, "[/b]:x:": 0.625, "none": None}}
COUNTS = {"train": 1800, "eval": 200, "test": 210, "rejected": 3}


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Answer]:
    root = tmp_path_factory.mktemp("root")
    serving = root / "serving"
    for number, data in ((1700000000, "a"), (1700000100, "b")):
        push = {
            "time": "2026-11-25T12:00:00+00:00",
            "data": data,
            "examples": COUNTS,
            "metrics": METRICS,
            "recipe": "r",
        }
        path = Path(place(serving, number)) / PUSH_FILE
        path.write_text(json.dumps(push | {"span": 4 if data == "b" else 0}), encoding="utf-8")
    place(serving, 1700000050, graph=b"")
    (root / "empty").mkdir()
    commands = {
        "listed": ["models", "."],
        "as JSON": ["models", ".", "--json"],
        "before all": ["rollback", "serving", "1600000000"],
        "rolled back": ["rollback", "."],
        "then": ["models", "serving/"],
        "then as JSON": ["models", "serving/", "--json", "--quiet"],
        "no further": ["rollback", "."],
        "nothing there, as JSON": ["models", "empty", "--json"],
        "nothing there": ["models", "empty"],
        "no folder": ["rollback", "none"],
        "to a version": ["rollback", "serving", "1700000100", "--json"],
    }
    return dict(zip(commands, answers(root, list(commands.values())), strict=True))


def table(answer: Answer) -> dict[str, str]:
    """The lines of a listing by version."""
    lines = [line.split() for line in answer.stdout.splitlines()]
    return {words[0]: " ".join(words[1:]) for words in lines if words and words[0].isdigit()}


def test_models_lists_the_versions_newest_first_with_what_they_are_made_of_and_how_good(said):
    assert said["listed"].code == 0
    rows = table(said["listed"])
    assert list(rows) == ["1700000100", "1700000050", "1700000000"]
    data = "1,800 + 200 + 210 rows"
    assert rows["1700000100"].startswith("2026-11-25 ")
    assert f"{data}, span 4 0.912 0.800 0.625 [/b]:x: serves" in rows["1700000100"]
    assert rows["1700000000"].endswith(f"{data} 0.912 0.800 0.625 [/b]:x:")
    assert rows["1700000050"] == "– – – – – cannot be used: it has an empty saved_model.pb"


def test_rollback_says_what_serves_now_and_models_tells_the_story(said):
    before, after = said["rolled back"], table(said["then"])
    assert before.code == 0
    version = next(iter(after))
    assert before.stdout == f"version 1700000000 is in production again, as ./serving/{version}\n"
    assert after[version].endswith("0.625 [/b]:x: serves, version 1700000000 again, rolled back from 1700000100")
    assert after["1700000100"].endswith("[/b]:x: rolled back")
    assert len(after) == 4


def test_what_cannot_be_done_is_said_in_a_line(said):
    for name, line in {
        "before all": "rollback: there is no version '1600000000'; there are 1700000000, 1700000050, 1700000100",
        "no further": "rollback: there is no usable version before 1700000000; name one, or push a new model",
        "nothing there": "DIR: nothing was pushed to empty; name a serving folder or an output root",
        "no folder": "DIR: nothing was pushed to none; name a serving folder or an output root",
    }.items():
        assert (said[name].code, said[name].stderr, said[name].stdout) == (2, f"fullbake: {line}\n", "")


def test_none_of_it_waits_for_tensorflow(said):
    assert {name for answer in said.values() for name in answer.heavy} == set()


def test_as_json_models_is_a_list_with_all_that_was_kept_of_each_push(said):
    assert (said["as JSON"].code, said["as JSON"].stderr) == (0, "")
    newest, damaged, oldest = json.loads(said["as JSON"].stdout)
    assert [each["version"] for each in (newest, damaged, oldest)] == ["1700000100", "1700000050", "1700000000"]
    assert [each["serves"] for each in (newest, damaged, oldest)] == [True, False, False]
    assert newest["push"]["metrics"]["recall"] == METRICS["recall"]
    assert newest["push"]["span"] == 4
    assert newest["fault"] is None
    assert damaged["fault"] == "has an empty saved_model.pb"
    assert damaged["push"] is None
    after = {each["version"]: each for each in json.loads(said["then as JSON"].stdout)}
    assert after["1700000100"]["rolled_back"]
    assert not after["1700000100"]["serves"]


def test_as_json_rollback_says_what_serves_again_and_where(said):
    told = json.loads(said["to a version"].stdout)
    assert told["version"] == "1700000100"
    assert Path(told["model"]).parent.name == "serving"


def test_an_error_goes_to_stderr_and_leaves_stdout_empty_as_json_too(said):
    plain, as_json = said["nothing there"], said["nothing there, as JSON"]
    assert (as_json.code, as_json.stdout, as_json.stderr) == (2, "", plain.stderr)
