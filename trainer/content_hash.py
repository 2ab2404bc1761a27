"""The hash of a file's content, which a cache key holds instead of the file's path, size and time.

A file that was hashed before is not read again if the file system can vouch that it is unchanged (see `hash_file`).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from fullbake.contract.errors import InputError

# File systems of this machine's own kernel: it sets ctime at every write and lets nobody choose it. Not among them:
# those of networks and of user space, whose ctime is what a server says or a copy of mtime; FAT, which has none; tmpfs,
# which does not see a write through a memory map.
_VOUCHING = frozenset({"ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "zfs", "bcachefs"})

# A file that changed so shortly before it was hashed is hashed again the next time. Within one tick of the clock (10 ms
# on ext4, 1 s on ext3) a second change leaves ctime as it is; so does a write through a memory map until the page is
# written back (30 s, the kernel's dirty_expire_centisecs).
_RACY_NANOSECONDS = 60 * 10**9

_CHUNK = 1 << 20
_MOST_KEPT = 10_000

FileState = tuple[int, int, int, int, int]  # device, inode, size, mtime and ctime in nanoseconds
_known: dict[FileState, str] = {}  # the one used last is the last


def hash_file(path: str | os.PathLike[str]) -> str:
    """Hashes a local file's content.

    The content is not read if it was hashed before, in this process or in one that kept what it knew (see
    `kept_hashes`), and device, inode, size, modification time and change time (`ctime`) are still the same to the
    nanosecond. The change time alone makes this safe: `rsync -t` and `cp -p` can set the modification time, and
    nothing sets the change time. Files on network file systems, and files that changed within the last minute, are
    always read.

    Args:
        path: The file.

    Returns:
        SHA-256 in hexadecimal digits.

    Raises:
        InputError: The file is being written to.
        OSError: It cannot be read.
    """
    with open(path, "rb") as file:
        # Of the open file: a network file system looks anew only at an open one.
        state = file_state(file)
        known = _known.pop(state, None)
        if known is None:
            began = time.time_ns()
            known = hash_stream(file)
            if file_state(file) != state:
                raise InputError(f"{os.fspath(path)}: it changed while it was read; wait until it is complete")
            if began - state[4] < _RACY_NANOSECONDS or not is_vouched_for(state):
                return known
        _known[state] = known
        return known


def hash_stream(stream: BinaryIO) -> str:
    """Hashes what is left of a stream, a megabyte at a time: SHA-256 in hexadecimal digits."""
    digest = hashlib.sha256()
    while chunk := stream.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def hash_names(hashes: Iterable[tuple[str, str]]) -> str:
    """One hash for several files.

    Args:
        hashes: The name and the hash of each; the order counts.

    Returns:
        SHA-256 in hexadecimal digits.
    """
    return hashlib.sha256(json.dumps([list(pair) for pair in hashes]).encode()).hexdigest()


@contextlib.contextmanager
def kept_hashes(file: Path) -> Iterator[None]:
    """Keeps in a file what was hashed, so that the next process need not read it again.

    Args:
        file: JSON; one that cannot be read counts as none.
    """
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        for device, inode, size, mtime, ctime, known in json.loads(file.read_text(encoding="utf-8")):
            _known.setdefault((int(device), int(inode), int(size), int(mtime), int(ctime)), str(known))
    try:
        yield
    finally:
        rows = [[*state, known] for state, known in list(_known.items())[-_MOST_KEPT:]]
        # It only saves time: others report a full disk.
        with contextlib.suppress(OSError):
            unfinished = file.with_name(f".{file.name}.unfinished")
            unfinished.write_text(json.dumps(rows), encoding="utf-8")
            unfinished.replace(file)


def file_state(file: BinaryIO) -> FileState:
    """Returns what a local file system keeps of an open file."""
    found = os.fstat(file.fileno())
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def is_vouched_for(state: FileState) -> bool:
    """Whether a file with this state is on a file system that sets the change time at every change."""
    device = f"{os.major(state[0])}:{os.minor(state[0])}"
    with contextlib.suppress(OSError), open("/proc/self/mountinfo", encoding="utf-8") as mounts:
        # 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue (man 5 proc)
        for mount in mounts:
            own, _, rest = mount.partition(" - ")
            if own.split()[2] == device:
                return rest.split()[0] in _VOUCHING
    return False
