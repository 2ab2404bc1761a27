"""What is piped in: texts, one a line, or a whole file."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, cast

from fullbake.components.data.rows import MAX_TEXT_CHARACTERS
from fullbake.contract.errors import InputError

_READ_AT_ONCE = 2**16  # bytes: what a pipe holds on Linux, some hundreds of texts
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def piped_texts(stream: BinaryIO) -> Iterator[list[bytes]]:
    """Yields the lines of a stream, without their ends, as they come; blank ones are left out.

    Args:
        stream: UTF-8. So that what is written into a pipe now and then is answered then, it is asked `read1` alone.

    Raises:
        InputError: A line is longer than any text may be.
    """
    read = cast(BufferedReader, stream).read1
    rest, first = b"", True
    while chunk := read(_READ_AT_ONCE):
        whole = rest + chunk
        if first:
            if len(whole) < len(_BYTE_ORDER_MARK) and _BYTE_ORDER_MARK.startswith(whole):
                rest = whole
                continue
            whole, first = whole.removeprefix(_BYTE_ORDER_MARK), False
        *lines, rest = whole.split(b"\n")
        if len(rest) > MAX_TEXT_CHARACTERS:
            raise InputError(f"--input: a line on stdin is longer than {MAX_TEXT_CHARACTERS:,} bytes; part it")
        if texts := _texts(lines):
            yield texts
    if texts := _texts([rest]):
        yield texts


def _texts(lines: list[bytes]) -> list[bytes]:
    return [line.removesuffix(b"\r") for line in lines if line.strip()]


@contextmanager
def piped_file(stream: BinaryIO, leftovers: list[Path]) -> Iterator[Path]:
    """Keeps what is piped in as a file, for as long as it is needed, since how it is written takes several readings.

    It is called `stdin.jsonl` where its first line is an object of JSON, else `stdin.txt`.

    Args:
        stream: Its bytes.
        leftovers: Folders that are removed where the process ends early; its own is added.
    """
    with tempfile.TemporaryDirectory(prefix="fullbake-") as folder:
        leftovers.append(Path(folder))
        first = stream.readline(MAX_TEXT_CHARACTERS)
        file = Path(folder) / ("stdin.jsonl" if _is_object(first) else "stdin.txt")
        with file.open("wb") as copy:
            copy.write(first)
            shutil.copyfileobj(stream, copy)
        yield file


def _is_object(line: bytes) -> bool:
    try:
        return line.lstrip().startswith(b"{") and isinstance(json.loads(line), dict)
    except ValueError:
        return False
