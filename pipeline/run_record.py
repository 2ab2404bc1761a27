"""What a run left behind: read from the metadata store, told as a summary."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ml_metadata.proto import metadata_store_pb2
from tfx.components.example_gen.utils import FINGERPRINT_PROPERTY_NAME

from fullbake.components.evaluation.gate import Bound
from fullbake.components.nodes.evaluator import EVALUATION_FILE, JUDGED_AGAINST
from fullbake.components.nodes.pusher import STALE, WITHDRAWN
from fullbake.contract.names import INGEST_FILE, PRETRAINING_FILE, TRAINING_FILE, TUNER_RESULTS_FILE
from fullbake.pipeline.store import open_store

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
        serves_as: The version in production that was made of the same files in the same way, where the cache spared the
            push: that one, a copy that a rollback made, or one of another root; None: what was pushed.
        withdrawn: The version of the same making that a rollback took out of production, wherefore none was pushed.
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
    def evaluation(self) -> dict[str, Any]:
        """What `evaluation.json` says."""
        return self._read("Evaluator", "evaluation", EVALUATION_FILE)

    @property
    def ingest(self) -> dict[str, Any]:
        """What `ingest.json` says."""
        return self._read("CsvExampleGen", "examples", INGEST_FILE)

    @property
    def training(self) -> dict[str, Any]:
        """What `training.json` says."""
        return self._read("Trainer", "model_run", TRAINING_FILE)

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
        """Why the verdict was on another production than there was at the push; None if that was not so."""
        return self._pushed[STALE].string_value or None

    @property
    def judged_against(self) -> str | None:
        """The version in production when the model was judged, or None where no comparison was asked for."""
        return self.artifacts["Evaluator"]["blessing"].custom_properties[JUDGED_AGAINST].string_value or None

    @property
    def _pushed(self) -> Any:
        return self.artifacts["Pusher"]["pushed_model"].custom_properties

    @property
    def nothing_new(self) -> bool:
        """Whether the cache spared every component."""
        return len(self.cached) == len(self.artifacts)

    @property
    def bounds(self) -> list[Bound]:
        """Every bound of the gate and its outcome."""
        return [Bound.from_dict(bound) for bound in self.evaluation["bounds"]]

    def summary(self) -> dict[str, Any]:
        """What `--summary` writes."""
        evaluation = self.evaluation
        training = self.training
        ingest = self.ingest
        bounds = [{**bound.to_dict(), "missed_by": None if bound.passed else bound.missed_by} for bound in self.bounds]
        return {
            "pushed": self.pushed_model is not None,
            "model": self.pushed_model,
            "blessed": evaluation["blessed"],
            "withdrawn": self.withdrawn,
            "bounds": bounds,
            "missed_bounds": [bound for bound in bounds if not bound["passed"]],
            "examples": {**ingest["examples"], "rejected": ingest["rejected"], "corpus": ingest["corpus"]},
            "lines": ingest["lines"],
            "repeats": ingest["repeats"],
            "ordinary_quotes": ingest["ordinary_quotes"],
            "drift": ingest["drift"],
            "metrics": {
                name: evaluation[name] for name in ("accuracy", "macro_f1", "recall", "precision", "f1", "baseline")
            },
            "baseline_note": evaluation["baseline_note"],
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
                    "distribution",
                    "precision",
                    "warnings",
                )
            },
            "pretraining": self._read("Pretrainer", "model_run", PRETRAINING_FILE),
            "tuning": self._read("Tuner", "tuner_results", TUNER_RESULTS_FILE),
            "seconds": self.seconds,
            "cached": self.cached,
            "report": str(self.report),
        }

    def _read(self, component: str, output: str, name: str) -> Any:
        if component not in self.artifacts:
            return None
        return json.loads(Path(self.artifacts[component][output].uri, name).read_text(encoding="utf-8"))


def read_run(root: Path, pipeline_name: str, run_id: str) -> RunRecord:
    """Reads a run from the metadata store of its output root.

    Args:
        root: The output root.
        pipeline_name: The pipeline; a store may hold several.
        run_id: What the run was called when it began. Which run is the newest is not asked: a clock may have been put
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
