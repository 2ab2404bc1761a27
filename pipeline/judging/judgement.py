"""What came out where models were judged on a file."""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fullbake.contract.names import PREDICTIONS_FILE, REPORT_FILE
from fullbake.contract.results.evaluation import Bound, Evaluation
from fullbake.contract.results.ingest import Ingest
from fullbake.contract.results.paired import Paired
from fullbake.pipeline.measured_values import bound_values, metric_values


def _now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")


@dataclass(frozen=True)
class Judgement:
    """What came out.

    Attributes:
        file: The labelled file.
        models: The model that was judged, and maybe the one that it was compared with: their folders.
        evaluation: What was measured of the first, and its bounds with their outcomes.
        ingest: What became of the file's rows.
        other: What was measured of the second; None: there is none.
        paired: Both, row by row; likewise.
        notes: What people should know, a sentence each, without its stop.
        folder: Has `report.html`, `evaluation.json` (`to_dict` as JSON) and, if texts may be shown, `predictions.csv`.
        seconds: How long it took.
        created: When, in ISO 8601.
    """

    file: Path
    models: tuple[str, ...]
    evaluation: Evaluation
    ingest: Ingest
    other: Evaluation | None
    paired: Paired | None
    notes: tuple[str, ...]
    folder: Path
    seconds: float
    created: str = field(default_factory=_now)

    @property
    def passed(self) -> bool:
        """Whether every bound is met."""
        return self.evaluation.blessed

    @property
    def bounds(self) -> tuple[Bound, ...]:
        """The bounds with their outcomes."""
        return self.evaluation.bounds

    @property
    def metrics(self) -> dict[str, Any]:
        """Accuracy, recall by label and so on, as in the summary of a run."""
        return metric_values(self.evaluation)

    @property
    def report(self) -> Path:
        """The page."""
        return self.folder / REPORT_FILE

    @property
    def predictions(self) -> Path | None:
        """The file with every text and what was decided of it; None where texts are not to be shown."""
        file = self.folder / PREDICTIONS_FILE
        return file if file.is_file() else None

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values for JSON."""
        return {
            "file": str(self.file),
            "models": list(self.models),
            "passed": self.passed,
            "bounds": [bound_values(bound) for bound in self.bounds],
            "missed_bounds": [bound_values(bound) for bound in self.evaluation.missed],
            "examples": {
                "judged": self.evaluation.examples,
                "read": self.ingest.read,
                "rejected": self.ingest.rejected,
                "by_label": self.ingest.labels.get("test", {}),
            },
            "metrics": self.metrics,
            "other_metrics": None if self.other is None else metric_values(self.other),
            "paired": None if self.paired is None else self.paired.to_dict(),
            "notes": list(self.notes),
            "report": str(self.report),
            "predictions": None if self.predictions is None else str(self.predictions),
            "seconds": self.seconds,
        }

    def to_json(self) -> str:
        """Returns the content of `evaluation.json`."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
