"""Finds and opens data files, here or on any file system that Beam knows. A folder may be called anything."""

import glob
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import BinaryIO

from fullbake.components.data.compression import decompressed
from fullbake.components.data.dataset_folders import rows_alone

Opened = Callable[[], AbstractContextManager[BinaryIO]]
"""Opens the bytes of a file, from their start."""


def match_files(folder: str, pattern: str) -> list[str]:
    """Finds the files that a pattern means.

    Args:
        folder: A folder, or its address; each character of its path stands for itself.
        pattern: A glob below it; `**` stands for any folders. A part with brackets that is the very name of a file or
            folder there means that one.

    Returns:
        The paths, sorted; without files whose name starts with `.` or `_`, and those that Hugging Face's datasets keeps
        beside its rows (see `dataset_folders`).
    """
    paths = _match_addresses(folder, pattern) if is_address(folder) else _match_local(folder, pattern)
    found = [path for path in paths if not os.path.basename(path).startswith((".", "_"))]
    return sorted(rows_alone(found, _content))


def is_address(path: str) -> bool:
    """Says whether a path is an address, such as `gs://...`, where only Beam and TensorFlow can look."""
    return "://" in path


@contextmanager
def opened(path: str) -> Iterator[BinaryIO]:
    """Opens the bytes of a file; of one whose name says that it is compressed, those that were compressed.

    Raises:
        WrongKindError: It is not compressed as its name says; when it is read, that it is damaged.
    """
    with _open_address(path) if is_address(path) else open(path, "rb") as stream:
        # Not Beam's decompression: what is used here says when a file ends too early.
        yield decompressed(stream, path)


def _match_local(folder: str, pattern: str) -> Iterator[str]:
    for name in glob.glob(_brackets_as_they_are(folder, pattern), root_dir=folder, recursive=True):
        if os.path.isfile(path := os.path.join(folder, name)):
            yield path


def _brackets_as_they_are(folder: str, pattern: str) -> str:
    escaped, place = [], folder
    for part in pattern.split("/"):
        place = os.path.join(place, part)
        escaped.append(part.replace("[", "[[]") if os.path.lexists(place) else part)
    return "/".join(escaped)


def _match_addresses(folder: str, pattern: str) -> Iterator[str]:
    from apache_beam.io.filesystems import FileSystems  # here, for it takes seconds to import

    (found,) = FileSystems.match([os.path.join(glob.escape(folder), pattern)])
    return (file.path for file in found.metadata_list)


def _content(path: str) -> bytes | None:
    if not is_address(path):
        if not os.path.isfile(path):
            return None
        with open(path, "rb") as file:
            return file.read()
    from apache_beam.io.filesystems import FileSystems

    if not FileSystems.exists(path):
        return None
    with _open_address(path) as stream:
        return stream.read()


def _open_address(path: str) -> BinaryIO:
    from apache_beam.io.filesystem import CompressionTypes
    from apache_beam.io.filesystems import FileSystems

    stream: BinaryIO = FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)
    return stream
