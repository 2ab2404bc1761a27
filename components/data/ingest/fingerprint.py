"""What data files hold, in a line: so that the same files are not read twice, and changed ones are."""

import os
from collections.abc import Iterable
from typing import NamedTuple

from apache_beam.io.filesystems import FileSystems

from fullbake.components.data.data_files import is_address, match_files
from fullbake.contract.errors import InputError
from fullbake.trainer.content_hash import hash_file, hash_names


class Files(NamedTuple):
    """The files of a folder that a pattern means, and what they are read as."""

    name: str
    folder: str
    pattern: str


def fingerprint(files: Iterable[Files], others: Iterable[tuple[str, str]] = ()) -> str:
    """Returns a hash of the contents of all files, and of their names below their folders; not of where these are.

    Args:
        files: What folders hold.
        others: The setting that names another file, and its path.

    Raises:
        InputError: A file cannot be read.
    """
    parts = []
    for name, folder, pattern in files:
        found = [(path.removeprefix(os.path.join(folder, "")), path) for path in match_files(folder, pattern)]
        contents = hash_names((below, _content(path)) for below, path in found)
        parts.append(f"split:{name},num_files:{len(found)},sha256:{contents}")
    parts += [f"{setting},sha256:{_content(path, setting)}" for setting, path in others]
    return ";".join(parts)


def _content(path: str, setting: str = "input_base") -> str:
    """The hash of a file's content; of an object in a bucket, the checksum that its store keeps."""
    try:
        if not is_address(path):
            return hash_file(path)
        return f"{FileSystems.checksum(path)} {FileSystems.match([path])[0].metadata_list[0].size_in_bytes}"
    except OSError as error:
        raise InputError(
            "{file} cannot be read: {reason}; fix it, or take it away",
            field=setting,
            file=path,
            reason=str(error),
        ) from error
