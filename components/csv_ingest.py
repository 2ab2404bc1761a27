"""What a Beam worker does with one file: rows to the shards of their splits, and an account of all of them.

Rows pass no shuffle: a file is read and written in one go, so memory stays flat however many rows it has.
"""

import bisect
import contextlib
import csv
import gzip
import hashlib
import itertools
import json
import os
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, cast

import numpy as np
import tensorflow as tf
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from components.csv_rows import INPUT_BASE, TEST_BASE, BadRow, CsvFormat, Row, read_rows
from components.drift import Profile
from components.text_rows import is_plain_text, read_lines
from trainer.errors import InputError

ROWS_PER_SHARD = 50_000
"""Rows of a file and split after which a new shard begins: some megabytes, small enough for later steps to share."""

IN_TEST_BASE = f"also in {TEST_BASE}"
"""The kind of rejected row that is no fault: a text kept out of training because the test folder has it."""

HELD_OUT_SPLITS = "the eval or test split"
"""What people are told a text of the corpus is in too, where one of these splits has it."""

IN_HELD_OUT_SPLITS = f"also in {HELD_OUT_SPLITS}"
"""The kind of rejected text of the corpus that is no fault: what measures a model must not be learned before either."""


def digest_of(text: str) -> bytes:
    """Returns eight bytes that a text shares with its trivial copies (see `split_of`) and, almost surely, no other."""
    canonical = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return hashlib.blake2b(canonical.encode(), digest_size=8).digest()


def split_of(text: str, split: Mapping[str, int]) -> str:
    r"""Returns the split a text belongs to, the same on every machine and in every run.

    A BLAKE2b hash decides, of the text in Unicode's NFKC form, case-folded, with each run of white space as one space:
    a text and its trivial copies (shouted, re-indented, with its accents composed otherwise) are never on two sides.
    Of a pair, the first text decides.

    Args:
        text: The text.
        split: Name of a split -> its share in parts of the sum. The order counts.

    Example:
        >>> split_of("So kind!", {"train": 8, "test": 2}) == split_of(" so\nKIND!", {"train": 8, "test": 2})
        True
    """
    return _split_of_digest(digest_of(text), split)


def _split_of_digest(digest: bytes, split: Mapping[str, int]) -> str:
    bounds = list(itertools.accumulate(split.values()))
    return list(split)[bisect.bisect(bounds, int.from_bytes(digest, "big") % bounds[-1])]


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
    """

    read: int = 0
    labels: dict[str, Counter[str]] = field(default_factory=dict)
    reasons: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)
    profile: Profile = field(default_factory=Profile)
    error: str | None = None

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

    def to_json(self) -> str:
        """Returns it as JSON."""
        return json.dumps({**vars(self), "profile": self.profile.to_dict()})

    @classmethod
    def from_json(cls, text: str) -> "Tally":
        """Makes it of what `to_json` returned."""
        values = json.loads(text)
        return cls(**{**values, "profile": Profile.from_dict(values["profile"])})

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
        no_fault = (IN_TEST_BASE, IN_HELD_OUT_SPLITS)
        return Counter({kind: count for kind, count in self.reasons.items() if kind not in no_fault})


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

    def __init__(self, paths: Sequence[str]):
        parts = [np.zeros(0, np.uint64)]
        for path in paths:
            with tf.io.gfile.GFile(path, "rb") as file:
                parts.append(np.frombuffer(file.read(), ">u8").astype(np.uint64))
        self._digests = np.concatenate(parts)
        self._digests.sort()  # in place: a sorted copy would be as large again

    def __contains__(self, digest: bytes) -> bool:
        if not self._digests.size:
            return False
        wanted = np.uint64(int.from_bytes(digest, "big"))
        place = np.searchsorted(self._digests, wanted)
        return bool(place < self._digests.size and self._digests[place] == wanted)


def ingest_file(
    element: tuple[int, str, str],
    fmt: CsvFormat,
    split: dict[str, int],
    split_uris: dict[str, str],
    parts_uri: str,
    stop_at_bad_row: bool,
    source: str = INPUT_BASE,
    pairs: bool = False,
    keep_digests_of: tuple[str, ...] = (),
    held_out_digests: Sequence[str] = (),
    held_out_in: str = TEST_BASE,
) -> str:
    """Writes a file's rows to the shards of their splits, and its rejected rows and its tally beside them.

    Each name it writes is made from the file's number: a bundle that Beam tries again overwrites what it wrote before.
    What makes a file unreadable is said in its tally, because Beam would wrap an exception in its own.

    Args:
        element: The file: its number, its path, and its name for people. Files ending in `.gz` are decompressed.
        fmt: How the file is written. Without labels it may also be plain text (see `is_plain_text`).
        split: Name of a split -> its share, as for `split_of`.
        split_uris: Name of a split -> the folder of its shards.
        parts_uri: The folder for tallies, rejected rows and digests.
        stop_at_bad_row: Whether the first bad row ends the reading.
        source: The config key of the file's folder, for errors.
        pairs: Whether a text without a second one gets an empty one, to be as the other examples are.
        keep_digests_of: The splits of whose texts the digests (see `digest_of`) are written, for `held_out_digests`.
        held_out_digests: What was returned for each file with texts that must not be learned from this one: they are
            rejected here, as no bad rows. Of a pair, the first text is compared.
        held_out_in: Where those texts are, for people: `TEST_BASE` (default) or `HELD_OUT_SPLITS`.

    Returns:
        The path of the file's digests, one after the other; it is empty where none were to be written.
    """
    number, path, name = element
    tally = Tally()
    held_out = _HeldOutTexts(held_out_digests)
    digests_path = os.path.join(parts_uri, f"digests-{number:05d}")
    with contextlib.ExitStack() as stack:
        shards = {part: stack.enter_context(_ShardWriter(split_uris[part], number)) for part in split}
        rejected = stack.enter_context(tf.io.gfile.GFile(rejected_part(parts_uri, number), "w"))
        rejected.write("")  # a GFile exists only once it has been written to
        write_rejected = csv.writer(rejected, lineterminator="\n").writerow
        digests = stack.enter_context(tf.io.gfile.GFile(digests_path, "wb"))
        digests.write(b"")
        for row in _read(path, name, fmt, source, tally):
            tally.read += 1
            if isinstance(row, BadRow):
                write_rejected([name, row.line, row.reason, json.dumps(row.fields)])
                tally.reasons[row.kind] += 1
                tally.first.setdefault(row.kind, f"{name} line {row.line}: {row.reason}")
                if stop_at_bad_row:
                    break
                continue
            tally.profile.count(row)
            if (digest := digest_of(row.text)) in held_out:
                fields = [value for value in (row.text, row.text_pair, row.label) if value]
                write_rejected([name, row.line, f"this text is in {held_out_in} too", json.dumps(fields)])
                tally.reasons[f"also in {held_out_in}"] += 1
            else:
                part = _split_of_digest(digest, split)
                shards[part].write(_as_example(row, pairs))
                tally.labels.setdefault(part, Counter())[row.label] += 1
                if part in keep_digests_of:
                    digests.write(digest)
    _write_tally(tally, parts_uri, number)
    return digests_path


def profile_file(element: tuple[int, str, str], fmt: CsvFormat, parts_uri: str) -> None:
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
    return os.path.join(parts_uri, f"tally-{number:05d}.json")


def rejected_part(parts_uri: str, number: int) -> str:
    """Returns where the worker writes the rejected rows of the file of that number, as CSV without a header."""
    return os.path.join(parts_uri, f"rejected-{number:05d}.csv")


@contextlib.contextmanager
def _opened(path: str) -> Iterator[BinaryIO]:
    # Python's gzip, not Beam's: it says when a file ends too early.
    with FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED) as stream:
        yield cast(BinaryIO, gzip.GzipFile(fileobj=stream)) if path.endswith(".gz") else stream


def _read(path: str, name: str, fmt: CsvFormat, source: str, tally: Tally) -> Iterator[Row | BadRow]:
    """Yields the rows of a file; what makes the rest of it unreadable goes into the tally."""
    try:
        with _opened(path) as stream:
            if not fmt.labelled and is_plain_text(path):
                yield from read_lines(stream, name, fmt.encoding, source)
            else:
                yield from read_rows(stream, name, fmt, source)
    except InputError as error:
        tally.error = str(error)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        tally.error = f"{source}: {name} is not a whole gzip file ({error}); copy it here again"


def _as_example(row: Row, pairs: bool) -> bytes:
    values = {"text": row.text, "label": row.label}
    if pairs or row.text_pair is not None:
        values["text_pair"] = row.text_pair or ""
    features = {
        name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value.encode()])) for name, value in values.items()
    }
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString(deterministic=True)
