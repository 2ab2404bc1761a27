"""What a Beam worker does with one file: rows to the shards of their splits, and an account of all of them.

Rows pass no shuffle: a file is read and written in one go, so memory stays flat however many rows it has.
"""

import contextlib
import itertools
from collections.abc import Iterator

import numpy as np

from fullbake.components.data.data_file import DataFile
from fullbake.components.data.data_folders import INPUT_BASE
from fullbake.components.data.file_rows import quoting_of_file, read_file
from fullbake.components.data.ingest.label_states import LabelStates
from fullbake.components.data.ingest.parts import SCANNED_AT_ONCE, IngestParts
from fullbake.components.data.ingest.plan import refusals
from fullbake.components.data.ingest.refusal import HELD_OUT_SPLITS, IN_HELD_OUT_SPLITS, NOT_USED, Refusal
from fullbake.components.data.ingest.shards import write_rows
from fullbake.components.data.ingest.splitting import HeldOutTexts
from fullbake.components.data.ingest.tally import Tally
from fullbake.components.data.quoting import Quoting
from fullbake.components.data.row_format import OTHER, RowFormat
from fullbake.components.data.rows import BadRow, Row
from fullbake.components.data.same_text import digest_of, row_digest_of
from fullbake.contract.errors import InputError


def scan_file(
    file: DataFile, fmt: RowFormat, parts: IngestParts, stop_at_bad_row: bool, source: str = INPUT_BASE
) -> int:
    """Reads a labelled file for the first time: what its quotes mean, and of each usable row what tells it from others.

    What is wrong with the file is left for `ingest_file` to find.

    Args:
        file: The file.
        fmt: How the file is written; it lists the labels.
        parts: Gets what was found.
        stop_at_bad_row: Whether the first bad row ends the reading.
        source: The setting that names the file's folder.

    Returns:
        The file's number.
    """
    quoting = Quoting()
    states = LabelStates()
    numbers = {label: index for index, label in enumerate(fmt.labels)}
    with contextlib.suppress(InputError):
        quoting = quoting_of_file(file, fmt, source)
    rows = _read(file, fmt, source, Tally(), quoting)
    usable = itertools.takewhile(lambda row: isinstance(row, Row) or not stop_at_bad_row or row.kind in NOT_USED, rows)

    def scanned() -> Iterator[list[tuple[int, int, int, int]]]:
        while batch := list(itertools.islice(usable, SCANNED_AT_ONCE)):
            yield [
                (
                    int.from_bytes(digest_of(row.text), "big"),
                    int.from_bytes(row_digest_of(row.text, row.text_pair), "big"),
                    numbers[row.label] if row.label_set is None else states.number(row.label_set),
                    row.line,
                )
                for row in batch
                if isinstance(row, Row)
            ]

    parts.write_scan(file.number, scanned())
    if fmt.multi_label:
        parts.write_label_sets(file.number, states.sets)
    parts.write_quoting(file.number, quoting)
    return file.number


def ingest_file(
    file: DataFile,
    *,
    fmt: RowFormat,
    split_uris: dict[str, str],
    parts: IngestParts,
    stop_at_bad_row: bool,
    source: str = INPUT_BASE,
) -> None:
    """Writes a labelled file's rows to the shards of their splits, and its rejected rows and its tally beside them.

    What makes a file unreadable is said in its tally, because Beam would wrap an exception in its own.

    Args:
        file: The file, which was scanned.
        fmt: How the file is written.
        split_uris: Name of a split -> the folder of its shards, in the order in which the plan numbers them.
        parts: Has the file's plan, and gets its tally and its rejected rows.
        stop_at_bad_row: Whether the first bad row ends the reading.
        source: The setting that names the file's folder, for errors.
    """
    tally, splits, planned = Tally(), list(split_uris), iter(parts.plan(file.number))
    refused = refusals(fmt.names)
    merged = frozenset(parts.classes().left_out if fmt.rare_classes == OTHER else ())
    changed = InputError(
        "{file} was changed while it was read; run again when it is complete", field=source, file=file.name
    )

    def fate(_: Row) -> str | Refusal:
        byte = next(planned, None)
        if byte is None:
            raise changed
        return refused.get(byte) or splits[byte]

    write_rows(
        _read(file, fmt, source, tally, parts.quoting(file.number)),
        fate,
        tally,
        merged=merged,
        file=file,
        split_uris=split_uris,
        rejected_path=parts.rejected(file.number),
        stop_at_bad_row=stop_at_bad_row,
        pairs=False,
    )
    if next(planned, None) is not None and not tally.error and not (stop_at_bad_row and tally.bad):
        tally.error = changed
    parts.write_tally(file.number, tally)


def ingest_corpus_file(
    file: DataFile,
    *,
    fmt: RowFormat,
    split: str,
    split_uri: str,
    parts: IngestParts,
    stop_at_bad_row: bool,
    source: str,
    pairs: bool,
) -> None:
    """Writes the texts of a file without labels to the shards of one split, as `ingest_file` does those of others.

    Args:
        file: The file. Of a pair in the labelled files, the first text is compared with its texts.
        fmt: How the file is written, without labels.
        split: The split.
        split_uri: The folder of its shards.
        parts: Has the texts that must not be learned, which are rejected, as no bad rows; gets tally and rejected rows.
        stop_at_bad_row: Whether the first bad row ends the reading.
        source: The setting that names the file's folder, for errors.
        pairs: Whether a text gets an empty second one, to be as the other examples are.
    """
    tally, held_out = Tally(), HeldOutTexts(parts.held_out())
    refusal = Refusal(IN_HELD_OUT_SPLITS, f"this text is in {HELD_OUT_SPLITS} too")

    def fate(row: Row) -> str | Refusal:
        return refusal if held_out.holds(np.frombuffer(digest_of(row.text), ">u8"))[0] else split

    write_rows(
        _read(file, fmt, source, tally),
        fate,
        tally,
        file=file,
        split_uris={split: split_uri},
        rejected_path=parts.rejected(file.number),
        stop_at_bad_row=stop_at_bad_row,
        pairs=pairs,
    )
    parts.write_tally(file.number, tally)


def profile_file(file: DataFile, fmt: RowFormat, parts: IngestParts) -> None:
    """Writes the tally of a file that is only compared with: no examples, and its bad rows are nobody's concern now.

    Args:
        file: The file.
        fmt: How it is written.
        parts: Gets the tally.
    """
    tally = Tally()
    for row in _read(file, fmt, INPUT_BASE, tally):
        if isinstance(row, Row):
            tally.profile.count(row)
    parts.write_tally(file.number, tally)


def _read(
    file: DataFile, fmt: RowFormat, source: str, tally: Tally, quoting: Quoting | None = None
) -> Iterator[Row | BadRow]:
    """Yields the rows of a file; what makes the rest of it unreadable goes into the tally."""
    try:
        quoting = quoting or quoting_of_file(file, fmt, source)
        if quoting.ordinary and fmt.dialect.quoting == "auto":
            tally.ordinary_quotes.append(file.name)
        yield from read_file(file, fmt, source, quoting=quoting, count=tally.lines)
    except InputError as error:
        tally.error = error
