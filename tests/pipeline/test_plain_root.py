from pathlib import Path

import pytest

from fullbake.contract.errors import InputError
from fullbake.pipeline.plain_root import plain_root


def test_a_root_gets_the_same_plain_path_in_each_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = tmp_path / "ro[ot] *"
    root.mkdir()
    plain = plain_root(root)
    assert plain.resolve() == root
    assert plain_root(root) == plain
    assert plain_root(tmp_path / "ro[ot] ?") != plain
    plain.unlink()
    plain.symlink_to(tmp_path)  # as it never should be
    assert plain_root(root).resolve() == root
    assert plain_root(tmp_path) == tmp_path


def test_a_root_that_no_link_can_be_made_to_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    nowhere = tmp_path / "file"
    nowhere.touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(nowhere))
    with pytest.raises(InputError, match=r"^root: .* has characters of patterns \(\[\]\) and there is no folder"):
        plain_root(tmp_path / "ro[ot]")
