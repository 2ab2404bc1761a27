"""What the workers that read data files leave for each other, beside the splits, until it is merged.

Each name is made from a file's number: a bundle that Beam tries again overwrites what it wrote before. A file of no
content is there all the same.
"""

import json
import os
from collections.abc import Iterable, Iterator

import numpy as np
import tensorflow as tf

from fullbake.components.data.data_file import DataFile
from fullbake.components.data.ingest.tally import Tally
from fullbake.components.data.quoting import Quoting
from fullbake.components.data.rows import LabelSet
from fullbake.contract.results.ingest import Classes, Repeats

SCANNED = np.dtype([("text", "<u8"), ("row", "<u8"), ("label", "<u4"), ("line", "<u4")])
"""What is known of each usable row after the first reading: two digests, the number of its label, and its line.

Of a multi-label format the number is that of its label set, among those of its file (see `IngestParts.label_sets`).
"""

SCANNED_AT_ONCE = 10_000  # rows


class IngestParts:
    """The folder of these files.

    Args:
        uri: The folder.
    """

    def __init__(self, uri: str):
        self.uri = uri

    def rejected(self, number: int) -> str:
        """Returns where the rejected rows of the file of that number go, as CSV without a header."""
        return self._path("rejected", number)

    def write_scan(self, number: int, batches: Iterable[list[tuple[int, int, int, int]]]) -> None:
        """Writes what is known of the rows of a file, each as `SCANNED` has it."""
        with tf.io.gfile.GFile(self._path("scan", number), "wb") as file:
            file.write(b"")  # a GFile exists only once it has been written to
            for batch in batches:
                file.write(np.array(batch, SCANNED).tobytes())

    def scanned_rows(self, number: int) -> int:
        """Returns how many rows of a file were scanned."""
        return int(tf.io.gfile.stat(self._path("scan", number)).length) // SCANNED.itemsize

    def scan(self, number: int) -> Iterator[tuple[int, np.ndarray]]:
        """Yields what was scanned of a file, in pieces, each with the number of its first row."""
        with tf.io.gfile.GFile(self._path("scan", number), "rb") as file:
            start = 0
            while content := file.read(SCANNED_AT_ONCE * SCANNED.itemsize):
                piece = np.frombuffer(content, SCANNED)
                yield start, piece
                start += len(piece)

    def write_label_sets(self, number: int, sets: Iterable[LabelSet]) -> None:
        """Writes the different label sets of the rows of a file, in the order of their numbers."""
        self._write(self._path("label-sets", number), json.dumps(list(sets)).encode())

    def label_sets(self, number: int) -> list[LabelSet]:
        """Returns the different label sets of the rows of a file."""
        sets = json.loads(self._read(self._path("label-sets", number)))
        return [LabelSet(tuple(present), tuple(masked)) for present, masked in sets]

    def write_quoting(self, number: int, quoting: Quoting) -> None:
        """Writes what the quotes of a file mean."""
        self._write(
            self._path("quoting", number),
            json.dumps({"ordinary": quoting.ordinary, "joined": sorted(quoting.joined)}).encode(),
        )

    def quoting(self, number: int) -> Quoting:
        """Returns what the quotes of a file mean."""
        values = json.loads(self._read(self._path("quoting", number)))
        return Quoting(values["ordinary"], frozenset(values["joined"]))

    def write_plan(self, number: int, plan: bytes) -> None:
        """Writes where each usable row of a file goes, a byte to a row (see `plan`)."""
        self._write(self._path("plan", number), plan)

    def plan(self, number: int) -> bytes:
        """Returns where each usable row of a file goes."""
        return self._read(self._path("plan", number))

    def write_tally(self, number: int, tally: Tally) -> None:
        """Writes what became of the rows of a file."""
        self._write(self._path("tally", number), tally.to_json().encode())

    def tally(self, files: Iterable[DataFile]) -> Tally:
        """Returns what became of the rows of several files together."""
        whole = Tally()
        for file in files:
            whole.add(Tally.from_json(self._read(self._path("tally", file.number)).decode()))
        return whole

    def write_repeats(self, repeats: Repeats) -> None:
        """Writes what repeats or contradicts an earlier row, in all files."""
        self._write(os.path.join(self.uri, "repeats"), json.dumps(repeats.to_dict()).encode())

    def repeats(self) -> Repeats:
        """Returns what repeats or contradicts an earlier row."""
        return Repeats(**json.loads(self._read(os.path.join(self.uri, "repeats"))))

    def write_classes(self, classes: Classes) -> None:
        """Writes how large the classes are, and which are left out."""
        self._write(os.path.join(self.uri, "classes"), json.dumps(classes.to_dict()).encode())

    def classes(self) -> Classes:
        """Returns how large the classes are, and which are left out."""
        return Classes(**json.loads(self._read(os.path.join(self.uri, "classes"))))

    def write_held_out(self, digests: np.ndarray) -> None:
        """Writes the digests of the texts that must not be in a corpus, uint64."""
        self._write(os.path.join(self.uri, "held-out"), digests.tobytes())

    def held_out(self) -> np.ndarray:
        """Returns the digests of the texts that must not be in a corpus, uint64."""
        return np.frombuffer(self._read(os.path.join(self.uri, "held-out")), np.uint64).copy()

    def _path(self, kind: str, number: int) -> str:
        return os.path.join(self.uri, f"{kind}-{number:05d}")

    @staticmethod
    def _write(path: str, content: bytes) -> None:
        with tf.io.gfile.GFile(path, "wb") as file:
            file.write(content)

    @staticmethod
    def _read(path: str) -> bytes:
        with tf.io.gfile.GFile(path, "rb") as file:
            content: bytes = file.read()
        return content
