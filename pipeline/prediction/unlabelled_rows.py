"""The file that says why rows of another came back without a label."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from fullbake.components.data.compression import without_compression
from fullbake.components.data.reading import place_in
from fullbake.components.data.rows import BadRow
from fullbake.components.data.text_encoding import printable
from fullbake.contract.errors import InputError
from fullbake.pipeline.output_file import is_stream, writing


def unlabelled_file(target: Path) -> Path:
    """Returns where the reasons go: `labelled.unlabelled.csv` beside `labelled.csv.gz`."""
    return target.with_name(f"{Path(without_compression(target.name)).stem}.unlabelled.csv")


@contextmanager
def writing_reasons(source: Path, target: Path) -> Iterator[Callable[[BadRow], None]]:
    """Yields what writes down why a row gets no label.

    The file appears when this ends without an error. Where nothing was written, one of an earlier time is removed;
    beside what is no regular file, such as a pipe, there is none.

    Args:
        source: Where the rows come from.
        target: Where they go.

    Raises:
        InputError: It cannot be written.
    """
    file = unlabelled_file(target)
    with ExitStack() as opened:
        rows: list[Any] = []

        def write(bad: BadRow) -> None:
            if not rows:
                rows.append(
                    csv.writer(opened.enter_context(writing(file, "--output", newline="")), lineterminator="\n")
                )
                rows[0].writerow([place_in(source.name, 0).split()[0], "kind", "reason"])
            rows[0].writerow([bad.line, bad.kind, printable(bad.reason)])

        def skip(bad: BadRow) -> None:
            pass

        if is_stream(target):
            yield skip
            return
        yield write
        if not rows:
            try:
                file.unlink(missing_ok=True)
            except OSError as error:
                raise InputError(f"--output: {file} of an earlier time cannot be removed: {error.strerror}") from error
