"""What a Beam worker does with one file: rows to the shards of their splits, and an account of all of them.

Rows pass no shuffle: a file is read and written in one go, so memory stays flat however many rows it has.
"""

import contextlib
import csv
import gzip
import itertools
import json
import os
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, BinaryIO, NamedTuple, cast

import numpy as np
import tensorflow as tf
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from fullbake.components.data.csv_records import BadRow, LineCount, Quoting
from fullbake.components.data.csv_rows import INPUT_BASE, TEST_BASE, CsvFormat, Row, quoting_of, read_rows
from fullbake.components.data.drift import Profile
from fullbake.components.data.repeats import find_repeats
from fullbake.components.data.same_text import digest_of, row_digest_of
from fullbake.components.data.text_rows import is_plain_text, read_lines
from fullbake.contract.errors import InputError

ROWS_PER_SHARD = 50_000
"""Rows of a file and split after which a new shard begins: some megabytes, small enough for later steps to share."""

IN_TEST_BASE = f"also in {TEST_BASE}"
"""The kind of rejected row that is no fault: a text kept out of training because the test folder has it."""

HELD_OUT_SPLITS = "the eval or test split"
"""What people are told a text of the corpus is in too, where one of these splits has it."""

IN_HELD_OUT_SPLITS = f"also in {HELD_OUT_SPLITS}"
"""The kind of rejected text of the corpus that is no fault: what measures a model must not be learned before either."""

REPEATED = "repeats an earlier row"
"""The kind of rejected row that is no fault: an earlier one has its text and label, and `data.on_duplicate` is drop."""

CONTRADICTED = "its text has other labels too"
"""The kind of rejected row that is no fault: another has its text and not its label, and `data.on_conflict` is drop."""

# Of each usable row, what `scan_file` writes for `plan_files`.
_SCANNED = np.dtype([("text", "<u8"), ("row", "<u8"), ("label", "<u4"), ("line", "<u4")])

# In a plan a byte stands for each usable row: the number of its split, or one of these.
_IN_TEST_BASE, _REPEATED, _CONTRADICTED = 255, 254, 253

File = tuple[int, str, str]
"""A file's number, its path, and its name for people."""


def split_of(text: str, split: Mapping[str, int]) -> str:
    r"""Returns the split a text belongs to, the same on every machine and in every run.

    A hash decides that a text shares with its trivial copies (see `digest_of`: shouted, re-indented, with its accents
    composed otherwise, with invisible characters): they are never on two sides. Of a pair, the first text decides.

    Args:
        text: The text.
        split: Name of a split -> its share in parts of the sum. The order counts.

    Example:
        >>> split_of("So kind!", {"train": 8, "test": 2}) == split_of(" so\nKIND !", {"train": 8, "test": 2})
        True
    """
    return list(split)[_splits_of(np.frombuffer(digest_of(text), ">u8"), split)[0]]


def _splits_of(digests: np.ndarray, split: Mapping[str, int]) -> np.ndarray:
    """Returns the number of each digest's split, uint8."""
    bounds = np.array(list(itertools.accumulate(split.values())), np.uint64)
    return np.searchsorted(bounds, digests.astype(np.uint64) % bounds[-1], side="right").astype(np.uint8)


@dataclass
class Tally:
    """What became of the rows of one file, or of several.

    Attributes:
        read: Rows found.
        labels: Split -> label -> examples written.
        reasons: Kind of reason -> rows rejected.
        first: Kind of reason -> the first row rejected for it: file, line and reason.
        profile: Of all rows that can be used, those kept out of training among them.
        error: Why a file cannot be read at all, if so.
        lines: Physical lines, in all and those that are no rows.
        used_lines: Lines of the examples written.
        rejected_lines: Lines of the rows rejected.
        ordinary_quotes: The files whose quotes were found to be characters like any other.
    """

    read: int = 0
    labels: dict[str, Counter[str]] = field(default_factory=dict)
    reasons: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)
    profile: Profile = field(default_factory=Profile)
    error: str | None = None
    lines: LineCount = field(default_factory=LineCount)
    used_lines: int = 0
    rejected_lines: int = 0
    ordinary_quotes: list[str] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        """Adds the rows of another; of the first rows and the errors, its own go before."""
        self.read += other.read
        for split, labels in other.labels.items():
            self.labels.setdefault(split, Counter()).update(labels)
        self.reasons.update(other.reasons)
        for kind, row in other.first.items():
            self.first.setdefault(kind, row)
        self.profile.add(other.profile)
        self.error = self.error or other.error
        self.lines.add(other.lines)
        self.used_lines += other.used_lines
        self.rejected_lines += other.rejected_lines
        self.ordinary_quotes += other.ordinary_quotes

    def to_json(self) -> str:
        """Returns it as JSON."""
        return json.dumps({**vars(self), "profile": self.profile.to_dict(), "lines": asdict(self.lines)})

    @classmethod
    def from_json(cls, text: str) -> "Tally":
        """Makes it of what `to_json` returned."""
        values = json.loads(text)
        profile, lines = Profile.from_dict(values["profile"]), LineCount(**values["lines"])
        return cls(**{**values, "profile": profile, "lines": lines})

    @property
    def examples(self) -> dict[str, int]:
        """Split -> examples written."""
        return {split: sum(labels.values()) for split, labels in self.labels.items()}

    @property
    def used(self) -> int:
        """Examples written, in all splits."""
        return sum(self.examples.values())

    @property
    def rejected(self) -> int:
        """Rows rejected, for any reason."""
        return sum(self.reasons.values())

    @property
    def bad(self) -> Counter[str]:
        """Kind of reason -> rows that cannot be used; not those that are only kept out of training."""
        no_fault = (IN_TEST_BASE, IN_HELD_OUT_SPLITS, REPEATED, CONTRADICTED)
        return Counter({kind: count for kind, count in self.reasons.items() if kind not in no_fault})

    def line_account(self) -> dict[str, int]:
        """Returns what every line read was: the parts add up to the total.

        Raises:
            RuntimeError: They do not.
        """
        parts = {**asdict(self.lines), "used": self.used_lines, "rejected": self.rejected_lines}
        total = parts.pop("total")
        if total != sum(parts.values()):
            raise RuntimeError(f"{total} lines were read, but they are {parts}")
        return {"total": total, **parts}


class _ShardWriter:
    """Writes the examples of one file that fall into one split, a new shard every `ROWS_PER_SHARD`."""

    def __init__(self, split_uri: str, file_number: int):
        self._prefix = os.path.join(split_uri, f"data_tfrecord-{file_number:05d}")
        self._rows = 0
        self._shard: Any = None

    def __enter__(self) -> "_ShardWriter":
        return self

    def __exit__(self, *_: object) -> None:
        if self._shard:
            self._shard.close()

    def write(self, record: bytes) -> None:
        if self._rows % ROWS_PER_SHARD == 0:
            self.__exit__()
            path = f"{self._prefix}-{self._rows // ROWS_PER_SHARD:05d}.gz"
            self._shard = tf.io.TFRecordWriter(path, tf.io.TFRecordOptions(compression_type="GZIP"))
        self._shard.write(record)
        self._rows += 1


class _HeldOutTexts:
    """Texts that must not be learned, as sorted digests: eight bytes each."""

    def __init__(self, digests: np.ndarray):
        self._digests = digests
        self._digests.sort()  # in place: a sorted copy would be as large again

    def holds(self, digests: np.ndarray) -> np.ndarray:
        """Returns of each digest whether its text is one of them."""
        if not self._digests.size:
            return np.zeros(digests.shape, bool)
        places = np.minimum(np.searchsorted(self._digests, digests), self._digests.size - 1)
        return cast(np.ndarray, self._digests[places] == digests)


class _Refusal(NamedTuple):
    """Why a row that can be used is not."""

    kind: str
    reason: str


def scan_file(element: File, fmt: CsvFormat, parts_uri: str, stop_at_bad_row: bool, source: str = INPUT_BASE) -> int:
    """Reads a labelled file for the first time: what its quotes mean, and of each usable row what tells it from others.

    What is wrong with the file is left for `ingest_file` to find.

    Args:
        element: The file. Files ending in `.gz` are decompressed.
        fmt: How the file is written; it lists the labels.
        parts_uri: The folder for what was found.
        stop_at_bad_row: Whether the first bad row ends the reading.
        source: The config key of the file's folder.

    Returns:
        The file's number.
    """
    number, path, name = element
    tally, quoting = Tally(), Quoting()
    numbers = {label: index for index, label in enumerate(fmt.labels)}
    with contextlib.suppress(*_UNREADABLE):
        quoting = quoting_of(lambda: _opened(path), name, fmt, source)
    with tf.io.gfile.GFile(_part(parts_uri, "scan", number), "wb") as file:
        file.write(b"")  # a GFile exists only once it has been written to
        rows = _read(path, name, fmt, source, tally, quoting)
        usable = itertools.takewhile(lambda row: isinstance(row, Row) or not stop_at_bad_row, rows)
        while batch := list(itertools.islice(usable, _SCANNED_AT_ONCE)):
            scanned = [
                (
                    int.from_bytes(digest_of(row.text), "big"),
                    int.from_bytes(row_digest_of(row.text, row.text_pair), "big"),
                    numbers[row.label],
                    row.line,
                )
                for row in batch
                if isinstance(row, Row)
            ]
            file.write(np.array(scanned, _SCANNED).tobytes())
    with tf.io.gfile.GFile(_part(parts_uri, "quoting", number), "w") as file:
        file.write(json.dumps({"ordinary": quoting.ordinary, "joined": sorted(quoting.joined)}))
    return number


def plan_files(
    parts_uri: str,
    scanned: list[int],
    *,
    files: list[File],
    test_files: list[File],
    labels: tuple[str, ...],
    split: dict[str, int],
    held_out_splits: tuple[str, ...],
    drop_duplicates: bool,
    drop_conflicts: bool,
) -> str:
    """Decides for each usable row of all files where it goes, and writes that down, a byte to a row.

    Memory is some 50 bytes a row.

    Args:
        parts_uri: The folder of what was scanned, and for the plans.
        scanned: What `scan_file` returned for each file.
        files: The files of `data.input_base`.
        test_files: Those of the test folder; their rows are the split after those of `split`.
        labels: The labels, as `scan_file` numbered them.
        split: Name of a split -> its share, as for `split_of`.
        held_out_splits: The splits whose texts must not be in a corpus.
        drop_duplicates: Whether of rows with one text and label only the first is used.
        drop_conflicts: Whether rows are left out whose text has another label elsewhere.

    Returns:
        The path of the digests of the texts in `held_out_splits`, eight bytes each.
    """
    all_files = (*files, *test_files)
    bounds = np.cumsum([0, *(_scanned_rows(parts_uri, number) for number, _path, _name in all_files)])
    in_test = _HeldOutTexts(
        _joined(chunk["text"] for number, _path, _name in test_files for _, chunk in _scan(parts_uri, number))
    )
    held_out_bytes = [place for place, split_name in enumerate((*split, "test")) if split_name in held_out_splits]
    plan = np.full(bounds[-1], len(split), np.uint8)
    rows, row_labels = np.zeros(bounds[-1], np.uint64), np.zeros(bounds[-1], np.uint32)
    held_out = []
    for index, (number, _, _) in enumerate(all_files):
        for start, chunk in _scan(parts_uri, number):
            here = slice(bounds[index] + start, bounds[index] + start + len(chunk))
            rows[here], row_labels[here] = chunk["row"], chunk["label"]
            if index < len(files):
                plan[here] = _splits_of(chunk["text"], split)
                plan[here][in_test.holds(chunk["text"])] = _IN_TEST_BASE
            held_out.append(chunk["text"][np.isin(plan[here], held_out_bytes)])
    used = np.flatnonzero(plan != _IN_TEST_BASE)
    rows, row_labels = rows[used], row_labels[used]

    def name(row: int, with_label: bool) -> str:
        index = int(np.searchsorted(bounds, used[row], side="right")) - 1
        number, _, file_name = all_files[index]
        start = used[row] - bounds[index]
        line = next(
            chunk["line"][start - first] for first, chunk in _scan(parts_uri, number) if start < first + len(chunk)
        )
        return f"{file_name} line {line}" + (f" ({labels[row_labels[row]]!r})" if with_label else "")

    repeats, duplicates, conflicts = find_repeats(rows, row_labels, name, without_conflicts=drop_conflicts)
    if drop_conflicts:
        plan[used[conflicts]] = _CONTRADICTED
    if drop_duplicates:
        plan[used[duplicates]] = _REPEATED
    for index, (number, _, _) in enumerate(all_files):
        _write_bytes(_part(parts_uri, "plan", number), plan[bounds[index] : bounds[index + 1]].tobytes())
    with tf.io.gfile.GFile(repeats_part(parts_uri), "w") as file:
        file.write(json.dumps(repeats.to_dict()))
    path = os.path.join(parts_uri, "held-out")
    _write_bytes(path, _joined(held_out).tobytes())
    return path


def _scanned_rows(parts_uri: str, number: int) -> int:
    return int(tf.io.gfile.stat(_part(parts_uri, "scan", number)).length) // _SCANNED.itemsize


def _scan(parts_uri: str, number: int) -> Iterator[tuple[int, np.ndarray]]:
    """Yields what was scanned of a file, in pieces, each with the number of its first row."""
    with tf.io.gfile.GFile(_part(parts_uri, "scan", number), "rb") as file:
        start = 0
        while content := file.read(_SCANNED_AT_ONCE * _SCANNED.itemsize):
            piece = np.frombuffer(content, _SCANNED)
            yield start, piece
            start += len(piece)


def _joined(parts: Iterable[np.ndarray], dtype: Any = np.uint64) -> np.ndarray:
    return np.concatenate([np.zeros(0, dtype), *parts])


def _write_bytes(path: str, content: bytes) -> None:
    with tf.io.gfile.GFile(path, "wb") as file:
        file.write(content)


def ingest_file(
    element: File,
    planned: str,
    *,
    fmt: CsvFormat,
    splits: list[str],
    split_uris: dict[str, str],
    parts_uri: str,
    stop_at_bad_row: bool,
    source: str = INPUT_BASE,
) -> None:
    """Writes a labelled file's rows to the shards of their splits, and its rejected rows and its tally beside them.

    Each name it writes is made from the file's number: a bundle that Beam tries again overwrites what it wrote before.
    What makes a file unreadable is said in its tally, because Beam would wrap an exception in its own.

    Args:
        element: The file, which was scanned. Files ending in `.gz` are decompressed.
        planned: What `plan_files` returned.
        fmt: How the file is written.
        splits: The splits, in the order in which the plan numbers them.
        split_uris: Name of a split -> the folder of its shards.
        parts_uri: The folder of the plans, and for tallies and rejected rows.
        stop_at_bad_row: Whether the first bad row ends the reading.
        source: The config key of the file's folder, for errors.
    """
    number, path, name = element
    tally = Tally()
    with tf.io.gfile.GFile(_part(parts_uri, "quoting", number)) as file:
        quoting = Quoting(**json.load(file))
    quoting = Quoting(quoting.ordinary, frozenset(quoting.joined))
    with tf.io.gfile.GFile(_part(parts_uri, "plan", number), "rb") as file:
        plan = file.read()
    refusals = {
        _IN_TEST_BASE: _Refusal(IN_TEST_BASE, f"this text is in {TEST_BASE} too"),
        _REPEATED: _Refusal(REPEATED, "an earlier row has this text and label (data.on_duplicate: drop)"),
        _CONTRADICTED: _Refusal(CONTRADICTED, "this text has other labels too (data.on_conflict: drop)"),
    }
    planned_rows = iter(plan)

    def fate(_: Row) -> str | _Refusal:
        byte = next(planned_rows, None)
        if byte is None:
            raise InputError(changed)
        return refusals.get(byte) or splits[byte]

    changed = f"{source}: {name} was changed while it was read; run again when it is complete"
    rows = _read(path, name, fmt, source, tally, quoting)
    _write_rows(rows, fate, tally, number, name, split_uris, splits, parts_uri, stop_at_bad_row, pairs=False)
    if next(planned_rows, None) is not None and not tally.error and not (stop_at_bad_row and tally.bad):
        tally.error = changed
    _write_tally(tally, parts_uri, number)


def ingest_corpus_file(
    element: File,
    held_out_path: str,
    *,
    fmt: CsvFormat,
    split: str,
    split_uris: dict[str, str],
    parts_uri: str,
    stop_at_bad_row: bool,
    source: str,
    pairs: bool,
) -> None:
    """Writes the texts of a file without labels to the shards of one split, as `ingest_file` does those of others.

    Args:
        element: The file. It may also be plain text (see `is_plain_text`).
        held_out_path: What `plan_files` returned: texts that must not be learned are rejected, as no bad rows. Of a
            pair, the first text is compared.
        fmt: How the file is written, without labels.
        split: The split.
        split_uris: Name of a split -> the folder of its shards.
        parts_uri: The folder for tallies and rejected rows.
        stop_at_bad_row: Whether the first bad row ends the reading.
        source: The config key of the file's folder, for errors.
        pairs: Whether a text gets an empty second one, to be as the other examples are.
    """
    number, path, name = element
    tally = Tally()
    with tf.io.gfile.GFile(held_out_path, "rb") as file:
        held_out = _HeldOutTexts(np.frombuffer(file.read(), np.uint64).copy())
    refusal = _Refusal(IN_HELD_OUT_SPLITS, f"this text is in {HELD_OUT_SPLITS} too")

    def fate(row: Row) -> str | _Refusal:
        return refusal if held_out.holds(np.frombuffer(digest_of(row.text), ">u8"))[0] else split

    rows = _read(path, name, fmt, source, tally)
    _write_rows(rows, fate, tally, number, name, split_uris, [split], parts_uri, stop_at_bad_row, pairs=pairs)
    _write_tally(tally, parts_uri, number)


def _write_rows(
    rows: Iterator[Row | BadRow],
    fate: Callable[[Row], str | _Refusal],
    tally: Tally,
    number: int,
    name: str,
    split_uris: Mapping[str, str],
    splits: Sequence[str],
    parts_uri: str,
    stop_at_bad_row: bool,
    *,
    pairs: bool,
) -> None:
    """Writes each row to its split or, with the reason, to the rejected ones, and counts it."""
    with contextlib.ExitStack() as stack:
        shards = {part: stack.enter_context(_ShardWriter(split_uris[part], number)) for part in splits}
        rejected = stack.enter_context(tf.io.gfile.GFile(rejected_part(parts_uri, number), "w"))
        rejected.write("")  # a GFile exists only once it has been written to
        write_rejected = csv.writer(rejected, lineterminator="\n").writerow

        def reject(row: Row | BadRow, kind: str, reason: str, fields: list[str]) -> None:
            write_rejected([name, row.line, reason, json.dumps(fields)])
            tally.reasons[kind] += 1
            tally.rejected_lines += row.lines

        for row in rows:
            tally.read += 1
            if isinstance(row, BadRow):
                reject(row, row.kind, row.reason, row.fields)
                tally.first.setdefault(row.kind, f"{name} line {row.line}: {row.reason}")
                if stop_at_bad_row:
                    break
                continue
            tally.profile.count(row)
            try:
                part = fate(row)
            except InputError as error:
                tally.error = str(error)
                break
            if isinstance(part, _Refusal):
                fields = [value for value in (row.text, row.text_pair, row.label) if value]
                reject(row, part.kind, part.reason, fields)
            else:
                shards[part].write(_as_example(row, pairs))
                tally.labels.setdefault(part, Counter())[row.label] += 1
                tally.used_lines += row.lines


def profile_file(element: File, fmt: CsvFormat, parts_uri: str) -> None:
    """Writes the tally of a file that is only compared with: no examples, and its bad rows are nobody's concern now.

    Args:
        element: The file, as for `ingest_file`.
        fmt: How it is written.
        parts_uri: The folder for tallies.
    """
    number, path, name = element
    tally = Tally()
    for row in _read(path, name, fmt, INPUT_BASE, tally):
        if isinstance(row, Row):
            tally.profile.count(row)
    _write_tally(tally, parts_uri, number)


def _write_tally(tally: Tally, parts_uri: str, number: int) -> None:
    with tf.io.gfile.GFile(tally_part(parts_uri, number), "w") as file:
        file.write(tally.to_json())


def tally_part(parts_uri: str, number: int) -> str:
    """Returns where the worker writes the tally of the file of that number, as JSON."""
    return _part(parts_uri, "tally", number)


def rejected_part(parts_uri: str, number: int) -> str:
    """Returns where the worker writes the rejected rows of the file of that number, as CSV without a header."""
    return _part(parts_uri, "rejected", number)


def repeats_part(parts_uri: str) -> str:
    """Returns where `plan_files` writes its `Repeats`, as JSON."""
    return os.path.join(parts_uri, "repeats")


def _part(parts_uri: str, kind: str, number: int) -> str:
    return os.path.join(parts_uri, f"{kind}-{number:05d}")


@contextlib.contextmanager
def _opened(path: str) -> Iterator[BinaryIO]:
    # Python's gzip, not Beam's: it says when a file ends too early.
    with FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED) as stream:
        yield cast(BinaryIO, gzip.GzipFile(fileobj=stream)) if path.endswith(".gz") else stream


_UNREADABLE = (InputError, EOFError, gzip.BadGzipFile, zlib.error)
_SCANNED_AT_ONCE = 10_000  # rows


def _read(
    path: str, name: str, fmt: CsvFormat, source: str, tally: Tally, quoting: Quoting | None = None
) -> Iterator[Row | BadRow]:
    """Yields the rows of a file; what makes the rest of it unreadable goes into the tally."""
    try:
        if not fmt.labelled and is_plain_text(path):
            with _opened(path) as stream:
                yield from read_lines(stream, name, fmt.encoding, source, tally.lines)
            return
        quoting = quoting or quoting_of(lambda: _opened(path), name, fmt, source)
        if quoting.ordinary and fmt.quoting == "auto":
            tally.ordinary_quotes.append(name)
        with _opened(path) as stream:
            yield from read_rows(stream, name, fmt, source, quoting=quoting, count=tally.lines)
    except _UNREADABLE as error:
        tally.error = (
            str(error)
            if isinstance(error, InputError)
            else f"{source}: {name} is not a whole gzip file ({error}); copy it here again"
        )


def _as_example(row: Row, pairs: bool) -> bytes:
    values = {"text": row.text, "label": row.label}
    if pairs or row.text_pair is not None:
        values["text_pair"] = row.text_pair or ""
    features = {
        name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value.encode()])) for name, value in values.items()
    }
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString(deterministic=True)
