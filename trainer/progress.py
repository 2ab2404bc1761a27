"""What a training has measured so far, kept beside its checkpoints."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path


class Progress:
    """The measures of a training, found again when it goes on after an interruption.

    Args:
      file: where they are kept, or None to keep them in memory alone.

    Attributes:
      found: the measures, in the order in which they were taken.
    """

    def __init__(self, file: Path | None):
        self._file = file
        self.found: list[dict[str, float]] = []
        if file is not None and file.is_file():
            self.found = json.loads(file.read_text(encoding="utf-8"))

    def add(self, measured: dict[str, float]) -> None:
        """Keeps one more."""
        self.found.append(measured)
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            # Renamed when whole: an interruption leaves the measures of before.
            unfinished = self._file.with_suffix(".unfinished")
            unfinished.write_text(json.dumps(self.found), encoding="utf-8")
            unfinished.replace(self._file)

    def keep(self, wanted: Callable[[dict[str, float]], bool]) -> None:
        """Drops what was measured after the state that a training goes on from."""
        self.found = [measured for measured in self.found if wanted(measured)]

    def forget(self) -> None:
        """Removes the file: the training is complete."""
        if self._file is not None:
            self._file.unlink(missing_ok=True)
