"""What a run left behind: found through the metadata store, and summed up."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from ml_metadata.proto import metadata_store_pb2
from tfx.components.example_gen.utils import FINGERPRINT_PROPERTY_NAME

from fullbake.components.nodes.evaluator import JUDGED_AGAINST
from fullbake.components.nodes.pusher import STALE, WITHDRAWN
from fullbake.contract.names import PREDICTIONS_FILE, TUNER_RESULTS_FILE
from fullbake.contract.results.evaluation import Evaluation
from fullbake.contract.results.ingest import Ingest
from fullbake.contract.results.pretraining import Pretraining
from fullbake.contract.results.report import Report
from fullbake.contract.results.result import ResultFile
from fullbake.contract.results.tokens import Tokens
from fullbake.contract.results.training import Training
from fullbake.contract.results.tuning import Candidate, read_tuner_results
from fullbake.pipeline.measured_values import bound_values, metric_values
from fullbake.pipeline.store import open_store

_File = TypeVar("_File", bound=ResultFile)

_OUTPUT_EVENTS = (metadata_store_pb2.Event.OUTPUT, metadata_store_pb2.Event.DECLARED_OUTPUT)


@dataclass
class RunRecord:
    """One run of the pipeline.

    Attributes:
        run_id: What it is called in the metadata store; the name of its folder in `reports/`, and
            which judgement if not the first.
        artifacts: By component and output name, what it made or found in the cache.
        seconds: By component, how long it took; 0 where the cache spared it.
        spent: By component, how long it took to make what is there now, in this run or in the one that was cached.
        cached: The components that the cache spared.
        report: The report page.
        serves_as: The version that serves and was made of the same files in the same way, where the cache spared the
            push: that one, a copy that a rollback made, or one of another root; None: what was pushed.
        withdrawn: The version of the same making that a rollback took back, so that none was pushed.
    """

    run_id: str
    artifacts: dict[str, dict[str, metadata_store_pb2.Artifact]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    spent: dict[str, float] = field(default_factory=dict)
    cached: list[str] = field(default_factory=list)
    report: Path | None = None
    serves_as: str | None = None
    withdrawn: str | None = None

    @property
    def ingest(self) -> Ingest:
        """What became of the rows."""
        return self._read(Ingest, "CsvExampleGen", "examples")

    @property
    def pretraining(self) -> Pretraining | None:
        """How the base was trained further; None where it was not."""
        return self._read(Pretraining, "Pretrainer", "model_run") if "Pretrainer" in self.artifacts else None

    @property
    def tuning(self) -> tuple[Candidate, ...] | None:
        """The learning rates that were tried; None where there was no search."""
        if "Tuner" not in self.artifacts:
            return None
        return read_tuner_results(self._text("Tuner", "tuner_results", TUNER_RESULTS_FILE))

    @property
    def training(self) -> Training:
        """How the model was made."""
        return self._read(Training, "Trainer", "model_run")

    @property
    def evaluation(self) -> Evaluation:
        """What the test split says, with every bound of the gate and its outcome."""
        return self._read(Evaluation, "Evaluator", "evaluation")

    @property
    def report_parts(self) -> Report:
        """What the Report component made its page from."""
        return self._read(Report, "Report", "report")

    @property
    def predictions(self) -> Path | None:
        """The file with every test text and what was decided of it; None where texts are not to be shown."""
        file = Path(self.artifacts["Report"]["report"].uri, PREDICTIONS_FILE)
        return file if file.is_file() else None

    @property
    def tokens(self) -> Tokens | None:
        """How well the base's vocabulary fits the texts; None where an earlier release made the report."""
        return self.report_parts.tokens

    @property
    def pushed_model(self) -> str | None:
        """The folder of the pushed model, or None if it was not pushed."""
        if self.withdrawn is not None or not self._pushed["pushed"].int_value:
            return None
        return self.serves_as or str(self._pushed["pushed_destination"].string_value)

    @property
    def fingerprint(self) -> str:
        """ExampleGen's fingerprint of the files."""
        properties = self.artifacts["CsvExampleGen"]["examples"].custom_properties
        return str(properties[FINGERPRINT_PROPERTY_NAME].string_value)

    @property
    def stale(self) -> str | None:
        """Why the model was judged against another version than served at the push; None if it was not."""
        return self._pushed[STALE].string_value or None

    @property
    def judged_against(self) -> str | None:
        """The version that served when the model was judged, or None where no comparison was asked for."""
        return self.artifacts["Evaluator"]["blessing"].custom_properties[JUDGED_AGAINST].string_value or None

    @property
    def _pushed(self) -> Any:
        return self.artifacts["Pusher"]["pushed_model"].custom_properties

    @property
    def nothing_new(self) -> bool:
        """Whether the cache spared every component."""
        return len(self.cached) == len(self.artifacts)

    def summary(self) -> dict[str, Any]:
        """Returns what `--summary` writes."""
        evaluation, training, ingest = self.evaluation, self.training.to_dict(), self.ingest.to_dict()
        pretraining, tuning, tokens = self.pretraining, self.tuning, self.tokens
        return {
            "pushed": self.pushed_model is not None,
            "model": self.pushed_model,
            "blessed": evaluation.blessed,
            "withdrawn": self.withdrawn,
            "bounds": [bound_values(bound) for bound in evaluation.bounds],
            "missed_bounds": [bound_values(bound) for bound in evaluation.missed],
            "examples": {**ingest["examples"], "rejected": ingest["rejected"], "corpus": ingest["corpus"]},
            **{name: ingest[name] for name in ("lines", "repeats", "ordinary_quotes", "drift")},
            "tokens": None if tokens is None else tokens.summary(),
            "metrics": metric_values(evaluation),
            "baseline_note": evaluation.baseline_note,
            "parameters": training["parameters"],
            "training": {
                name: training[name]
                for name in (
                    "epochs",
                    "probe_epochs",
                    "best_epoch",
                    "learning_rate",
                    "encoder_shift",
                    "decision_threshold",
                    *(("decision_thresholds",) if evaluation.multi_label else ()),
                    "calibration",
                    "distribution",
                    "precision",
                    "warnings",
                )
            },
            "pretraining": None if pretraining is None else pretraining.to_dict(),
            "tuning": None if tuning is None else [candidate.to_dict() for candidate in tuning],
            "seconds": self.seconds,
            "cached": self.cached,
            "report": str(self.report),
        }

    def _read(self, kind: type[_File], component: str, output: str) -> _File:
        return kind.from_json(self._text(component, output, kind.FILE))

    def _text(self, component: str, output: str, name: str) -> str:
        return Path(self.artifacts[component][output].uri, name).read_text(encoding="utf-8")


def read_run(root: Path, pipeline_name: str, run_id: str) -> RunRecord:
    """Reads a run from the metadata store of its output root.

    Args:
        root: The output root.
        pipeline_name: The pipeline; a store may hold several.
        run_id: What the run was called when it began. The newest run is not looked for: a clock may have been put
            back since the one before.
    """
    store = open_store(root)
    run = store.get_context_by_type_and_name("pipeline_run", run_id)

    record = RunRecord(run_id)
    for execution in sorted(store.get_executions_by_context(run.id), key=lambda e: e.id):
        contexts = store.get_contexts_by_execution(execution.id)
        (node,) = (c.name.removeprefix(f"{pipeline_name}.") for c in contexts if c.type == "node")
        events = store.get_events_by_execution_ids([execution.id])
        outputs = {e.artifact_id: e.path.steps[0].key for e in events if e.type in _OUTPUT_EVENTS}
        found = store.get_artifacts_by_id(list(outputs))
        record.artifacts[node] = {outputs[artifact.id]: artifact for artifact in found}
        made_by = execution
        if execution.last_known_state == metadata_store_pb2.Execution.CACHED:
            record.cached.append(node)
            events = store.get_events_by_artifact_ids(list(outputs))
            makers = {event.execution_id for event in events if event.type in _OUTPUT_EVENTS}
            made_by = min(store.get_executions_by_id(list(makers)), key=lambda e: e.id, default=execution)
        took = made_by.last_update_time_since_epoch - made_by.create_time_since_epoch
        record.spent[node] = round(took / 1000, 1)
        record.seconds[node] = record.spent[node] if made_by is execution else 0.0
    if "Pusher" in record.artifacts:
        pushed = record.artifacts["Pusher"]["pushed_model"]
        record.withdrawn = pushed.custom_properties[WITHDRAWN].string_value or None
    return record
