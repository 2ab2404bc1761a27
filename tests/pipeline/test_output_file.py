import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from fullbake.contract.errors import InputError
from fullbake.pipeline.output_file import check_new, check_output, write_new, write_output


def test_an_output_that_cannot_be_written_is_refused_and_nothing_is_left(tmp_path: Path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("kept", encoding="utf-8")
    for file, reason in (
        (tmp_path / "none" / "x.json", f"--summary: there is no folder {tmp_path}/none; make it, or"),
        (tmp_path / "folder", f"--summary: {tmp_path}/folder is a folder; name a file"),
        (tmp_path / "file" / "x.json", f"--summary: there is no folder {tmp_path}/file"),
        (Path("/proc/x.json"), "--summary: /proc/x.json cannot be written: "),
        (tmp_path / ("x" * 300), "cannot be written: File name too long"),
    ):
        with pytest.raises(InputError) as refused:
            check_output(file, "--summary")
        assert reason in str(refused.value)
    check_output(tmp_path / "new.json", "--summary")
    check_output(tmp_path / "file", "--summary")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]
    assert (tmp_path / "file").read_text(encoding="utf-8") == "kept"


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only to root")
def test_a_read_only_file_or_folder_is_refused(tmp_path: Path):
    (tmp_path / "file").touch(mode=0o444)
    with pytest.raises(InputError, match="is read-only; name another file"):
        check_output(tmp_path / "file", "--summary")
    tmp_path.chmod(0o555)
    with pytest.raises(InputError, match="cannot be written: Permission denied"):
        check_output(tmp_path / "new", "--summary")


def test_a_file_is_replaced_in_whole_and_a_link_stays_a_link(tmp_path: Path):
    (tmp_path / "file").write_text("old", encoding="utf-8")
    (tmp_path / "link").symlink_to("file")
    write_output(tmp_path / "link", "nëw", "--output")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text(encoding="utf-8") == "nëw"
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o666 & ~umask
    with pytest.raises(UnicodeEncodeError):
        write_output(tmp_path / "file", "half\n" + "\ud800", "--output")
    assert (tmp_path / "file").read_text(encoding="utf-8") == "nëw"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "link"]


def test_a_new_file_is_never_one_that_is_there_and_leaves_nothing_when_it_cannot_be(tmp_path: Path):
    write_new(tmp_path / "new", "first", "--output")
    (tmp_path / "dangling").symlink_to("none")
    for name in ("new", "dangling"):
        for refuse in (check_new, lambda file, flag: write_new(file, "second", flag)):
            with pytest.raises(InputError, match=r"^--output: .* is there already, and is not overwritten; "):
                refuse(tmp_path / name, "--output")
    with pytest.raises(UnicodeEncodeError):
        write_new(tmp_path / "half", "half\n" + "\ud800", "--output")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dangling", "new"]
    assert (tmp_path / "new").read_text(encoding="utf-8") == "first"


@pytest.mark.parametrize("redirected", [False, True])
def test_the_terminal_can_be_the_output(tmp_path: Path, redirected: bool):
    code = (
        "from pathlib import Path; from fullbake.pipeline.output_file import *; out = Path('/dev/stdout');"
        "print('first', flush=True); check_output(out, '-'); write_output(out, 'second', '-')"
    )
    with (tmp_path / "out").open("a+") as out:
        done = subprocess.run(
            [sys.executable, "-c", code], stdout=out if redirected else subprocess.PIPE, check=True, text=True
        )
        out.seek(0)
        assert (out.read() if redirected else done.stdout).endswith("second")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
