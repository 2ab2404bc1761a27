import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
import tracemalloc
from pathlib import Path

import pytest

from fullbake.trainer import content_hash
from fullbake.trainer.content_hash import hash_file, hash_names, kept_hashes

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 (a tmpfs; the file in it has a name of its own)
OLD = Path(pytest.__file__)  # on a disk of this machine, and not written to for more than a minute


def rewritten_alike(file: Path, content: bytes) -> None:
    """Changes a file as `rsync -t` does: another inode, of the same size and time."""
    before = file.stat()
    copy = file.with_name("copy")
    copy.write_bytes(content)
    os.utime(copy, ns=(before.st_atime_ns, before.st_mtime_ns))
    copy.replace(file)
    assert (file.stat().st_size, file.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)


def vouched(file: Path) -> bool:
    with file.open("rb") as opened:
        return content_hash.is_vouched_for(content_hash.file_state(opened))


def test_the_hash_is_that_of_the_content_in_bounded_memory(tmp_path: Path):
    file = tmp_path / "large"
    file.write_bytes(os.urandom(1000) * 30_000)
    tracemalloc.start()
    found = hash_file(file)
    assert tracemalloc.get_traced_memory()[1] < 3 << 20
    tracemalloc.stop()
    assert found == hashlib.sha256(file.read_bytes()).hexdigest()


def test_content_that_changes_behind_equal_size_and_time_has_another_hash(tmp_path: Path):
    file = tmp_path / "data.csv"
    file.write_bytes(b"old")
    old = hash_file(file)
    rewritten_alike(file, b"new")
    new = hash_file(file)
    assert new != old
    # In place, too: the inode stays, and the time is put back.
    time = file.stat().st_mtime_ns
    with file.open("r+b") as opened:
        opened.write(b"old")
    os.utime(file, ns=(time, time))
    assert hash_file(file) == old


def test_a_file_that_has_just_changed_is_not_believed_the_next_time(tmp_path: Path):
    file = tmp_path / "data.csv"
    found = set()
    for number in range(300):  # several within a tick of the clock, which their change times cannot tell apart
        with file.open("wb") as opened:
            opened.write(b"%03d" % number)
        found.add(hash_file(file))
    assert len(found) == 300


@pytest.mark.skipif(not vouched(OLD), reason="this file system does not vouch for its files")
def test_an_old_file_is_read_once_and_the_next_process_does_not_read_it_either(tmp_path: Path):
    kept = tmp_path / "hashes.json"
    program = (
        "import sys; from pathlib import Path; from fullbake.trainer.content_hash import hash_file, kept_hashes\n"
        "with kept_hashes(Path(sys.argv[1])): print(hash_file(sys.argv[2]))"
    )

    def in_a_process() -> str:
        return subprocess.run(
            [sys.executable, "-c", program, str(kept), str(OLD)], capture_output=True, text=True, check=True
        ).stdout.strip()

    assert in_a_process() == hashlib.sha256(OLD.read_bytes()).hexdigest()
    ((*state, _),) = json.loads(kept.read_text())
    # What is kept is what is given: so the file was not read.
    kept.write_text(json.dumps([[*state, "as it was kept"]]))
    assert in_a_process() == "as it was kept"
    for nanosecond in (3, 4):  # either time is enough to have it read again
        other = [value + (place == nanosecond) for place, value in enumerate(state)]
        kept.write_text(json.dumps([[*other, "as it was kept"]]))
        assert in_a_process() == hashlib.sha256(OLD.read_bytes()).hexdigest()


@pytest.mark.skipif(not SHARED_MEMORY.is_dir(), reason="no tmpfs")
def test_a_file_system_that_misses_writes_is_not_believed():
    with tempfile.NamedTemporaryFile(dir=SHARED_MEMORY) as file:
        assert not vouched(Path(file.name))


@pytest.mark.parametrize("content", [b"", b"{", b"[1, 2]", b'[[1, "x"]]', b'[["a", 1, 2, 3, 4, "x"]]', b"\xff\x00"])
def test_what_was_kept_and_is_damaged_counts_as_nothing(tmp_path: Path, content: bytes):
    kept = tmp_path / "hashes.json"
    kept.write_bytes(content)
    with kept_hashes(kept):
        assert hash_file(OLD) == hashlib.sha256(OLD.read_bytes()).hexdigest()
    assert all(len(row) == 6 for row in json.loads(kept.read_text()))


def test_several_files_are_told_apart_by_name_order_and_content():
    pairs = [("a", "1"), ("b", "2"), ("ab", "")]
    shuffled = random.Random(1).sample(pairs, 3)  # noqa: S311 (nothing secret)
    assert shuffled != pairs
    assert len({hash_names(p) for p in (pairs, shuffled, pairs[:2], [("a", "1b"), ("", "2"), ("ab", "")])}) == 4
