"""What the folder of pushed models needs of a file system: Python does it on this machine, TensorFlow elsewhere.

A local folder must not cost an import of TensorFlow: `fullbake models` is to answer at once.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any, Protocol

FILE_MODE = 0o644
FOLDER_MODE = 0o755


class FileSystem(Protocol):
    """What both file systems can do. Paths are strings; a listing has names, in no order."""

    def is_folder(self, path: str) -> bool:
        """Returns whether it is a folder."""

    def names(self, folder: str) -> list[str]:
        """Returns the names of the files and folders in a folder."""

    def sizes(self, folder: str) -> dict[str, int]:
        """Returns by path below the folder the size of every file, at any depth."""

    def read(self, path: str) -> bytes:
        """Returns a file's bytes. Raises OSError where it cannot be read."""

    def write(self, path: str, text: str) -> None:
        """Writes a file in UTF-8, and the folders above it."""

    def make(self, folder: str) -> None:
        """Makes a folder and those above it."""

    def copy(self, source: str, target: str) -> None:
        """Copies a folder with all that is in it to a path that is free. Links are followed."""

    def rename(self, source: str, target: str) -> None:
        """Renames a folder: in one step, or where there is no such step, with `saved_model.pb` last."""

    def remove(self, folder: str) -> None:
        """Removes a folder with all that is in it."""

    def make_readable(self, folder: str) -> None:
        """Sets one mode for all in it, so that a server of any user can read it."""


def file_system(path: str) -> FileSystem:
    """Returns the file system that a path is on: addresses such as `gs://...` are TensorFlow's."""
    return TensorFlowFiles() if "://" in path else LocalFiles()


class LocalFiles:
    """The disks of this machine."""

    def is_folder(self, path: str) -> bool:  # noqa: D102 (see FileSystem)
        return os.path.isdir(path)

    def names(self, folder: str) -> list[str]:  # noqa: D102
        return os.listdir(folder)

    def sizes(self, folder: str) -> dict[str, int]:  # noqa: D102
        root = Path(folder)
        return {str(file.relative_to(root)): file.stat().st_size for file in root.rglob("*") if file.is_file()}

    def read(self, path: str) -> bytes:  # noqa: D102
        return Path(path).read_bytes()

    def write(self, path: str, text: str) -> None:  # noqa: D102
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text, encoding="utf-8")

    def make(self, folder: str) -> None:  # noqa: D102
        os.makedirs(folder, exist_ok=True)

    def copy(self, source: str, target: str) -> None:  # noqa: D102
        shutil.copytree(source, target)

    def rename(self, source: str, target: str) -> None:  # noqa: D102
        os.rename(source, target)

    def remove(self, folder: str) -> None:  # noqa: D102
        shutil.rmtree(folder)

    def make_readable(self, folder: str) -> None:  # noqa: D102
        # Whatever the umask was, and whatever mode a temporary file was made with.
        for path, _, files in os.walk(folder):
            os.chmod(path, FOLDER_MODE)
            for name in files:
                os.chmod(os.path.join(path, name), FILE_MODE)


class TensorFlowFiles:
    """What TensorFlow can read and write, such as a bucket of Google Cloud Storage."""

    def __init__(self) -> None:
        import tensorflow as tf

        self._files: Any = tf.io.gfile
        self._error = tf.errors.OpError

    def is_folder(self, path: str) -> bool:  # noqa: D102 (see FileSystem)
        return bool(self._files.isdir(path))

    def names(self, folder: str) -> list[str]:  # noqa: D102
        # A bucket lists all that is below a folder, and ends the names of folders with a slash.
        return sorted({name.partition("/")[0] for name in self._files.listdir(folder)} - {""})

    def sizes(self, folder: str) -> dict[str, int]:  # noqa: D102
        root = folder.rstrip("/") + "/"
        found = {}
        for path, _, files in self._files.walk(folder):
            for name in files:
                file = os.path.join(path, name)
                found[file.removeprefix(root)] = int(self._files.stat(file).length)
        return found

    def read(self, path: str) -> bytes:  # noqa: D102
        try:
            with self._files.GFile(path, "rb") as file:
                return bytes(file.read())
        except self._error as error:
            raise OSError(str(error)) from error

    def write(self, path: str, text: str) -> None:  # noqa: D102
        self._files.makedirs(os.path.dirname(path))
        # TensorFlow's file system in memory appends to a file that is there.
        if self._files.exists(path):
            self._files.remove(path)
        with self._files.GFile(path, "w") as file:
            file.write(text)

    def make(self, folder: str) -> None:  # noqa: D102
        self._files.makedirs(folder)

    def copy(self, source: str, target: str) -> None:  # noqa: D102
        # A reader takes a model for complete by this file.
        for file in sorted(self.sizes(source), key="saved_model.pb".__eq__):
            copied = os.path.join(target, file)
            self._files.makedirs(os.path.dirname(copied))
            self._files.copy(os.path.join(source, file), copied)

    def rename(self, source: str, target: str) -> None:  # noqa: D102
        # A bucket has no folders: it would copy object by object too, in an order of its own.
        self.copy(source, target)
        self.remove(source)

    def remove(self, folder: str) -> None:  # noqa: D102
        self._files.rmtree(folder)

    def make_readable(self, folder: str) -> None:
        """Buckets have no modes."""
