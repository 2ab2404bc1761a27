"""What the report page is made from: `report.json`."""

from __future__ import annotations

from typing import Any

from fullbake.contract.names import REPORT_PARTS_FILE
from fullbake.contract.results.evaluation import Evaluation
from fullbake.contract.results.ingest import Ingest
from fullbake.contract.results.mistakes import Mistakes
from fullbake.contract.results.paired import Paired
from fullbake.contract.results.pretraining import Pretraining
from fullbake.contract.results.result import Result, ResultFile
from fullbake.contract.results.tokens import Tokens
from fullbake.contract.results.training import Training
from fullbake.contract.results.tuning import Candidate


class Lengths(Result):
    """Training texts by their length in tokens before any cut.

    Attributes:
        max_length: The longest that the model reads, in one window or in several.
        counts: How many texts have 0, 1, ... tokens, special tokens included; the last is of all that have more than
            `max_length`.
        truncated: How many those are.
        rows: How many texts there are.
        window_length: Tokens of a window where a longer text is read in several, or None.
        most_windows: How many there are of a text at most, or None.
    """

    max_length: int
    counts: tuple[int, ...]
    truncated: int
    rows: int
    window_length: int | None = None
    most_windows: int | None = None

    @property
    def windowed(self) -> int:
        """How many texts are longer than a window."""
        return sum(self.counts[self.window_length + 1 :]) if self.window_length else 0


class Report(ResultFile):
    """Everything that the page can show. What is None or empty is left out of it.

    Attributes:
        title: The pipeline's name.
        run: The run's name.
        created: When, in ISO 8601.
        base: The pre-trained encoder.
        evaluation: What the test split says.
        mistakes: The texts that the model gets wrong, or where these are not to be shown, how many; None: not known.
        pretraining: How the base was trained further first.
        tuning: The learning rates that were tried.
        training: How the model was made.
        ingest: What became of the rows.
        lengths: How long the texts are.
        tokens: How well the base's vocabulary fits them.
        config: The config as YAML.
        versions: Library versions by name.
        judged_file: The labelled file on which a pushed model was judged; None where this is the report of a run.
        paired: There, this model and another on the same rows; None where there is no other.
        notes: What people should know there, a sentence each, without its stop.
        pushed: Whether the model was pushed; None where the page is made before that is known. Not in the file.
        seconds: Time by component, known only after the whole run. Not in the file.
    """

    FILE = REPORT_PARTS_FILE

    title: str
    run: str
    created: str
    base: str | None = None
    evaluation: Evaluation
    mistakes: Mistakes | None = None
    pretraining: Pretraining | None = None
    tuning: tuple[Candidate, ...] | None = None
    training: Training | None = None
    ingest: Ingest | None = None
    lengths: Lengths | None = None
    tokens: Tokens | None = None
    config: str | None = None
    versions: dict[str, str] = {}
    judged_file: str | None = None
    paired: Paired | None = None
    notes: tuple[str, ...] = ()
    pushed: bool | None = None
    seconds: dict[str, float] = {}

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values for JSON, without what is known only after the whole run."""
        return self.model_dump(exclude={"pushed", "seconds"})

    def after_run(self, *, run: str, pushed: bool, seconds: dict[str, float]) -> Report:
        """Returns the report of a finished run.

        Args:
            run: Its name; this report may be of an earlier run, where the cache spared the Report component in this.
            pushed: Whether the model was pushed.
            seconds: Time by component.
        """
        return self.model_copy(update={"run": run, "pushed": pushed, "seconds": seconds})
