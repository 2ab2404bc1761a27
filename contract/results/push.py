"""What is written down when a model is pushed or rolled back to, beside its SavedModel: `push.json`."""

from __future__ import annotations

from typing import Any

from pydantic import AliasChoices, Field

from fullbake.contract.names import PUSH_FILE
from fullbake.contract.results.result import Result, ResultFile


class PushedMetrics(Result):
    """How a pushed model was judged: the like-named fields of its `Evaluation`."""

    examples: int | None = None
    accuracy: float | None = None
    macro_f1: float | None = None
    recall: dict[str, float | None] = {}
    precision: dict[str, float | None] = {}


class PushedBounds(Result):
    """The bounds that a pushed model met; the like-named fields of `components.evaluation.gate.GateSpec`."""

    min_recall: dict[str, float] = {}
    min_precision: dict[str, float] = {}
    confidence: float | None = None
    allow_never_predicted: tuple[str, ...] = ()
    min_slice_recall: dict[str, float] = {}
    min_bias_auc: dict[str, float] = {}


class Withdrawal(Result):
    """A version that a rollback took back.

    Attributes:
        version: Its name.
        recipe: As that of its `Push`.
        data: Likewise.
    """

    version: str
    recipe: str | None = None
    data: str | None = None


class PushedFile(Result):
    """A file as it was pushed.

    Attributes:
        bytes: Its size.
        sha256: Of its content; None where the model was on another file system than this machine's.
    """

    bytes: int
    sha256: str | None = None


class RolledBack(Result):
    """A rollback.

    Attributes:
        to: The version whose copy this one is.
        source: The version that served until then; `from` in JSON, which Python keeps for itself.
    """

    to: str
    source: str = Field(validation_alias=AliasChoices("from", "source"), serialization_alias="from")


class Push(ResultFile):
    """What made a model, of what data, how it was judged, and which version it replaced.

    Attributes:
        run: The run that pushed it.
        recipe: A fingerprint of all that decides which model a run makes.
        data: ExampleGen's fingerprint of the files.
        span: The newest span.
        examples: By split, how many examples it was made of.
        metrics: How it was judged.
        bounds: The bounds that it met; None where an earlier release pushed it.
        production_key: What it was judged against (see `components.serving.making.baseline_key`).
        replaced: The version that served until then; None if there was none.
        withdrawn: What rollbacks took back and nothing has put back since.
        version: Its name.
        time: When it was pushed, in ISO 8601.
        files: By path below the model's folder, the files that were pushed.
        rolled_back: The rollback, if it is of one.
    """

    FILE = PUSH_FILE
    INDENT = 1
    ASCII = False

    run: str | None = None
    recipe: str | None = None
    data: str | None = None
    span: int | None = None
    examples: dict[str, int] | None = None
    metrics: PushedMetrics | None = None
    bounds: PushedBounds | None = None
    production_key: str | None = None
    replaced: str | None = None
    withdrawn: tuple[Withdrawal, ...] = ()
    version: str | None = None
    time: str | None = None
    files: dict[str, PushedFile] | None = None
    rolled_back: RolledBack | None = None

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values for JSON: of the keys that are known only, so that an older note stays as it was."""
        return self.model_dump(by_alias=True, exclude_unset=True)
