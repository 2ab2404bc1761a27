"""What `fullbake serve` says to what it cannot do, at once."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from fullbake.pipeline.serving.source import find_source
from tests.commands import Answer, answers
from tests.components.placed_models import place

CASES = {
    "no folder": (["none"], "DIR: nothing was pushed to none; name a version, a serving folder or an output root"),
    "no model": (["empty"], "DIR: nothing was pushed to empty; name a version"),
    "damaged": (["damaged"], "DIR: damaged/serving/7 has an empty saved_model.pb; name another version, or push one"),
    "name": (["root", "--name", "a/b"], "--name: 'a/b' cannot be a part of an address; use letters"),
    "host": (["root", "--host", "no.such.host.invalid"], "--host: 'no.such.host.invalid' is no address"),
    "port": (["root", "--port", "TAKEN"], "cannot be had: Address already in use; name another, or 0 for any"),
}


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Answer]]:
    folder = tmp_path_factory.mktemp("served")
    (folder / "empty").mkdir()
    place(folder / "root/serving", 7)
    place(folder / "damaged/serving", 7, graph=b"")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        commands = [["serve", *(port if one == "TAKEN" else one for one in given)] for given, _ in CASES.values()]
        yield dict(zip(CASES, answers(folder, commands), strict=True))


@pytest.mark.parametrize("case", CASES)
def test_what_cannot_be_served_is_said_in_a_line_before_tensorflow_is_loaded(said: dict[str, Answer], case: str):
    answer = said[case]
    (line,) = answer.stderr.splitlines()
    assert (answer.code, answer.stdout, answer.heavy) == (2, "", [])
    assert line.startswith("fullbake: ")
    assert CASES[case][1] in line


@pytest.mark.parametrize("given", ["my run!", "my run!/serving", "my run!/serving/7"])
def test_the_model_is_called_as_its_run(tmp_path: Path, given: str):
    place(tmp_path / "my run!/serving", 7)
    source = find_source(str(tmp_path / given), None)
    assert (source.name, source.version.number) == ("my-run-", 7)
    assert (source.folder is None) == given.endswith("7")


def test_a_folder_is_followed_and_a_version_is_not(tmp_path: Path):
    place(tmp_path / "serving", 7)
    followed, fixed = (find_source(str(tmp_path / one), "x") for one in ("serving", "serving/7"))
    place(tmp_path / "serving", 8)
    assert [source.newest().number for source in (followed, fixed)] == [8, 7]
