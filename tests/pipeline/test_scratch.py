import os
import tempfile
from pathlib import Path

import pytest

from fullbake.contract.errors import InputError
from fullbake.pipeline.scratch import scratch_folder


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The system's temporary folder."""
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def test_all_temporary_files_go_there_and_go_with_it(temporary: Path):
    with scratch_folder(Path("runs/one")) as folder:
        assert folder.parent == temporary
        assert folder.stat().st_mode & 0o077 == 0
        handle, name = tempfile.mkstemp()
        os.close(handle)
        assert Path(name).parent == folder == Path(os.environ["TMPDIR"])
    assert list(temporary.iterdir()) == []
    assert os.environ["TMPDIR"] == str(temporary) == tempfile.gettempdir()


def test_what_a_killed_run_left_is_removed_by_the_next_one_of_its_root_alone(temporary: Path):
    with scratch_folder(Path("runs/one")) as one, scratch_folder(Path("runs/two")) as two:
        left = {folder.name: temporary / f"{folder.name}-left" for folder in (one, two)}
    for folder in left.values():
        folder.mkdir()
        (folder / "rows.int32").touch()
    precious = temporary / "precious"
    precious.mkdir()
    link = temporary / f"{one.name}-link"
    link.symlink_to(precious)
    with scratch_folder(Path("runs/../runs/one")):
        assert not left[one.name].exists()
        assert left[two.name].exists()
        assert link.is_symlink()
        assert precious.exists()


def test_no_temporary_folder_is_told(temporary: Path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(temporary / "nowhere"))
    with (
        pytest.raises(InputError, match="TMPDIR: the temporary folder cannot be written to"),
        scratch_folder(Path("x")),
    ):
        pass
