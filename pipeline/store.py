"""The metadata store of an output root, and its repair after runs that were killed."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from ml_metadata import errors
from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2

from fullbake.contract.errors import InputError

METADATA_FILE = "metadata.sqlite"

_BUSY_SECONDS = 5.0  # how long another program may write before the run gives up
_TOO_NEW = "is greater than library version"  # in what ml-metadata says of such a store
_RUNNING = metadata_store.ListOptions(filter_query="last_known_state = NEW OR last_known_state = RUNNING")


def prepare_store(root: Path, artifacts: Path) -> str | None:
    """Makes or repairs the store; nothing else may be at work in the root meanwhile.

    A store that cannot be read is set aside and another begun: what it knew only saves work. The numbers of its
    executions go on after the highest that there is a folder of, so that no component finds its output folder filled by
    an execution that the store knows nothing of. Executions that were killed are ended, and what they left is removed.

    Args:
        root: The output root; `metadata.sqlite` is in it.
        artifacts: The folder of TFX's artifacts.

    Returns:
        What people should know of it, or None.

    Raises:
        InputError: The store cannot be written to, or is too new for this version.
    """
    file = root / METADATA_FILE
    note = None
    if file.exists() and (damage := _damage(file)):
        aside = file.with_name(f"{file.name}.damaged-{time.time_ns()}")
        file.rename(aside)
        # Else SQLite would play the journal of the one into the other.
        for journal in (f"{file.name}-journal", f"{file.name}-wal", f"{file.name}-shm"):
            with contextlib.suppress(FileNotFoundError):
                file.with_name(journal).rename(aside.with_name(aside.name + journal.removeprefix(file.name)))
        note = (
            f"{file} is damaged ({damage}); it is kept as {aside.name}, and a new one is begun: the cache is empty, so "
            "all is made anew"
        )
    store = _open(file)
    _end_killed(store, artifacts)
    del store
    _number_on(file, artifacts)
    return note


def open_store(root: Path) -> metadata_store.MetadataStore:
    """Opens the store of an output root to read it."""
    connection = metadata_store_pb2.ConnectionConfig()
    connection.sqlite.filename_uri = str(root / METADATA_FILE)
    connection.sqlite.connection_mode = metadata_store_pb2.SqliteMetadataSourceConfig.READONLY
    return metadata_store.MetadataStore(connection)


def _damage(file: Path) -> str | None:
    """Returns what makes a store unreadable, or None.

    Raises:
        InputError: It is sound, and cannot be written to.
    """
    if not file.is_file():
        raise InputError(
            "{file} is a folder, where the metadata store belongs; take it away, or name another {root}", file=file
        )
    try:
        with contextlib.closing(sqlite3.connect(file, timeout=_BUSY_SECONDS, isolation_level=None)) as database:
            # Also rolls back what a killed run left half written.
            database.execute("BEGIN IMMEDIATE")
            database.execute("PRAGMA user_version = 1")  # to see whether it can be written to; it is rolled back
            (found,) = database.execute("PRAGMA quick_check(1)").fetchone()
            database.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        remedy = (
            "another program is using it; close that, and run again"
            if "locked" in str(error)
            else "make it and its folder writable, or name another {root}"
        )
        raise InputError("{file} cannot be written to ({reason}): " + remedy, file=file, reason=error) from error
    except sqlite3.DatabaseError as error:
        return str(error)
    if found != "ok":
        return " ".join(found.split())
    try:
        _open(file)
    except (errors.StatusError, RuntimeError) as error:
        if _TOO_NEW in str(error):
            raise InputError(
                "{file} was written by a newer version of ml-metadata; use that one, or name another {root}", file=file
            ) from error
        return str(error).splitlines()[0].split(" query:")[0][:200]
    return None


def _open(file: Path) -> metadata_store.MetadataStore:
    connection = metadata_store_pb2.ConnectionConfig()
    connection.sqlite.filename_uri = str(file)
    return metadata_store.MetadataStore(connection)


def _end_killed(store: metadata_store.MetadataStore, artifacts: Path) -> None:
    killed = store.get_executions(list_options=_RUNNING)
    for execution in killed:
        execution.last_known_state = metadata_store_pb2.Execution.FAILED
    if killed:
        store.put_executions(killed)
    numbers = {execution.id for execution in killed}
    for number, folder in _numbered(artifacts):
        if number in numbers:
            shutil.rmtree(folder, ignore_errors=True)
    for folder in artifacts.glob("*/.system/stateful_working_dir/*"):
        shutil.rmtree(folder, ignore_errors=True)


def _number_on(file: Path, artifacts: Path) -> None:
    highest = max((number for number, _ in _numbered(artifacts)), default=0)
    with contextlib.closing(sqlite3.connect(file, timeout=_BUSY_SECONDS)) as database, database:
        # A documented use of this table (sqlite.org/autoinc.html): the next row gets a higher number.
        if not database.execute(
            "UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'Execution'", (highest,)
        ).rowcount:
            database.execute("INSERT INTO sqlite_sequence VALUES ('Execution', ?)", (highest,))


def _numbered(artifacts: Path) -> Iterator[tuple[int, Path]]:
    """Yields the folders of executions and their numbers; those of drivers are numbered by the time."""
    for pattern in ("*/*/*", "*/.system/executor_execution/*"):
        for folder in artifacts.glob(pattern):
            if folder.name.isascii() and folder.name.isdecimal() and not folder.is_symlink() and os.path.isdir(folder):
                yield int(folder.name), folder
