"""A real file system that is full: a tmpfs of one page. Where none can be mounted, the device that is always full."""

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import apache_beam as beam
import pytest
import tensorflow as tf

from fullbake.contract.errors import InputError
from fullbake.pipeline.disk import check_temporary_folder, full_disk_told

LINE = r"^no space is left on the disk of \S+ \([\d,]+ MB are free\): free some, or name another folder with root, or "


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "full"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", folder], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("no file system can be mounted here; run as root")
    (folder / "first").write_bytes(bytes(4096))
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def by_python(file: Path) -> None:
    file.write_bytes(bytes(10_000))


def by_tensorflow(file: Path) -> None:
    with tf.io.TFRecordWriter(str(file)) as writer:
        writer.write(os.urandom(1_000_000))


def by_sqlite(file: Path) -> None:
    (file.parent / "first").unlink()  # room for the first page alone
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE a (b)")
        database.execute("INSERT INTO a VALUES (zeroblob(100000))")


def by_beam(file: Path) -> None:
    with beam.Pipeline() as pipeline:
        _ = pipeline | beam.Create([file]) | beam.Map(by_tensorflow)


@pytest.mark.parametrize("write", [by_python, by_tensorflow, by_sqlite, by_beam])
def test_a_full_disk_is_told_in_one_line_whoever_writes(full: Path, write):
    with pytest.raises(InputError, match=LINE), full_disk_told(full):
        write(full / "file")


def test_a_full_device_is_told_in_one_line(tmp_path: Path):
    with (
        pytest.raises(InputError, match=LINE),
        full_disk_told(tmp_path),
        Path("/dev/full").open("wb", buffering=0) as device,
    ):
        device.write(b"x")


def test_what_else_goes_wrong_stays_as_it_is(tmp_path: Path):
    with pytest.raises(FileNotFoundError), full_disk_told(tmp_path):
        (tmp_path / "none").read_bytes()
    with pytest.raises(InputError, match=r"^as it was$"), full_disk_told(tmp_path):
        raise InputError("as it was") from OSError(28, os.strerror(28))


@pytest.mark.parametrize("name", ["TMPDIR", "TEMP", "TMP"])
@pytest.mark.parametrize(("folder", "why"), [("none", "No such file"), ("file", "Not a directory"), ("/proc", "")])
def test_a_temporary_folder_that_cannot_be_used_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, folder: str, why: str
):
    (tmp_path / "file").touch()
    for variable in ("TMPDIR", "TEMP", "TMP"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv(name, str(tmp_path / folder))
    with pytest.raises(
        InputError, match=rf"^{name}: temporary files cannot be written to .*{folder}: {why}.*; name a "
    ):
        check_temporary_folder()
    monkeypatch.setenv(name, str(tmp_path))
    check_temporary_folder()
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_a_full_temporary_folder_is_told(full: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TMPDIR", str(full))
    with pytest.raises(
        InputError, match=r"^TMPDIR: temporary files cannot be written to .*: No space left on device; "
    ):
        check_temporary_folder()
