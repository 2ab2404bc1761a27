"""The folder of pushed models: what a server takes for a version, and what is wrong with one."""

from pathlib import Path

import pytest

from fullbake.components.serving.pushed_models import fault, newest_version, versions
from fullbake.contract.names import ABOUT_FILE
from tests.components.pushing import make_model, place, push, where


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("model"), 10)


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
