"""What made a pushed model: from the metadata store of its output root, and from the files beside it."""

from __future__ import annotations

import datetime
import math
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from ml_metadata.metadata_store.metadata_store import MetadataStore
from ml_metadata.proto import metadata_store_pb2

from fullbake.components.serving.pushed_models import read_about, read_push
from fullbake.contract.names import INGEST_FILE, REPORT_PARTS_FILE
from fullbake.contract.results.about import About
from fullbake.contract.results.ingest import Ingest
from fullbake.contract.results.push import Push
from fullbake.contract.results.report import Report
from fullbake.pipeline.store import METADATA_FILE, open_store

_OUTPUTS = (metadata_store_pb2.Event.OUTPUT, metadata_store_pb2.Event.DECLARED_OUTPUT)
_INPUTS = (metadata_store_pb2.Event.INPUT, metadata_store_pb2.Event.DECLARED_INPUT)


@dataclass(frozen=True)
class Step:
    """One execution of a component that had a part in a model.

    Attributes:
        component: Its name.
        execution: Its number in the store, which is that of its folders, too.
        run: The run that it was part of; an earlier one than the push's where the cache spared it.
        started: When, in ISO 8601, in local time.
        seconds: How long it took.
    """

    component: str
    execution: int
    run: str
    started: str
    seconds: float


@dataclass(frozen=True)
class Lineage:
    """What made a model.

    Attributes:
        model: Its folder.
        version: Its name.
        copy_of: The version whose copy a rollback made of it, or None.
        pushed: When, in ISO 8601.
        run: The run that pushed it.
        recipe: A fingerprint of all but the data that decides which model a run makes.
        data: ExampleGen's fingerprint of the files.
        input_base: The folder that they were in.
        span: The newest span; 0 without spans.
        examples: By split, how many examples there were.
        rejected: How many rows were not used; None where that is not known.
        base: The pre-trained encoder.
        base_hash: Of its files.
        approach: The approach.
        accuracy: On the test split.
        versions: Of libraries, by name.
        steps: The executions that it came from, in their order; empty where the store does not have them.
        again: The later runs that made nothing new and found this model in the cache.
        config: The config as YAML, without secrets; None where the store does not have it.
        note: What could not be told, and why; None where all could.
    """

    model: str
    version: str
    copy_of: str | None = None
    pushed: str | None = None
    run: str | None = None
    recipe: str | None = None
    data: str | None = None
    input_base: str | None = None
    span: int | None = None
    examples: dict[str, int] = field(default_factory=dict)
    rejected: int | None = None
    base: str | None = None
    base_hash: str | None = None
    approach: str | None = None
    accuracy: float | None = None
    versions: dict[str, str] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    again: tuple[str, ...] = ()
    config: str | None = None
    note: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values for JSON."""
        return asdict(self)


def trace(model: str, root: Path) -> Lineage:
    """Finds what made a model.

    Args:
        model: The folder of a pushed version.
        root: The output root of the run that pushed it.
    """
    push, about = read_push(model) or Push(), read_about(model)
    beside = _from_files(model, push, about)
    if not (root / METADATA_FILE).is_file():
        return replace(
            beside,
            note=f"there is no {METADATA_FILE} in {root}, so this is what the files beside the model say; name the "
            "output root of its run with --root",
        )
    store = open_store(root)
    made = _pushed_artifact(store, beside.copy_of or beside.version, push.run)
    if made is None:
        return replace(
            beside,
            note=f"the metadata store in {root} does not know this model, so this is what the files beside it say; "
            "name the output root of its run with --root",
        )
    return _from_store(beside, store, made)


def _from_files(model: str, push: Push, about: About | None) -> Lineage:
    return Lineage(
        model=model,
        version=os.path.basename(model),
        copy_of=push.rolled_back.to if push.rolled_back else None,
        pushed=push.time,
        run=push.run,
        recipe=push.recipe,
        data=push.data,
        span=push.span,
        examples=dict(push.examples or {}),
        base=about.base if about else None,
        base_hash=about.base_hash if about else None,
        approach=about.approach if about else None,
        accuracy=_finite(push.metrics.accuracy if push.metrics else None),
        versions=dict(about.versions) if about else {},
    )


def _finite(value: float | None) -> float | None:
    """Returns the number, or None for one that JSON has no word for: an accuracy of no rows."""
    return value if value is not None and math.isfinite(value) else None


def _pushed_artifact(store: MetadataStore, version: str, run: str | None) -> metadata_store_pb2.Artifact | None:
    """Returns the record of a push: of this version, by this run, so that no other root's version of one number is."""
    for artifact in store.get_artifacts_by_type("PushedModel"):
        if artifact.custom_properties["pushed_version"].string_value == version:
            made = _maker(store, artifact)
            if made is not None and run in (None, _name(store, made, "pipeline_run")):
                return artifact
    return None


def _from_store(beside: Lineage, store: MetadataStore, pushed: metadata_store_pb2.Artifact) -> Lineage:
    executions: dict[int, metadata_store_pb2.Execution] = {}
    artifacts: dict[int, metadata_store_pb2.Artifact] = {}
    waiting = [pushed]
    while waiting:
        artifact = waiting.pop()
        maker = None if artifact.id in artifacts else _maker(store, artifact)
        artifacts[artifact.id] = artifact
        if maker is not None and maker.id not in executions:
            executions[maker.id] = maker
            events = store.get_events_by_execution_ids([maker.id])
            waiting += store.get_artifacts_by_id([event.artifact_id for event in events if event.type in _INPUTS])
    steps = tuple(_step(store, executions[number]) for number in sorted(executions))
    examples = _last(artifact for artifact in artifacts.values() if "input_base" in artifact.custom_properties)
    ingest = None if examples is None else _read(examples.uri, INGEST_FILE)
    return replace(
        beside,
        steps=steps,
        again=_again(store, pushed),
        input_base=None if examples is None else examples.custom_properties["input_base"].string_value,
        rejected=None if ingest is None else Ingest.from_json(ingest).rejected,
        config=_config(store, beside.run),
    )


def _maker(store: MetadataStore, artifact: metadata_store_pb2.Artifact) -> metadata_store_pb2.Execution | None:
    """Returns the execution that made an artifact; later ones found it in the cache."""
    events = store.get_events_by_artifact_ids([artifact.id])
    makers = store.get_executions_by_id([event.execution_id for event in events if event.type in _OUTPUTS])
    return min(makers, key=lambda execution: execution.id, default=None)


def _again(store: MetadataStore, artifact: metadata_store_pb2.Artifact) -> tuple[str, ...]:
    events = store.get_events_by_artifact_ids([artifact.id])
    executions = store.get_executions_by_id([event.execution_id for event in events if event.type in _OUTPUTS])
    cached = [e for e in executions if e.last_known_state == metadata_store_pb2.Execution.CACHED]
    return tuple(_name(store, execution, "pipeline_run") for execution in sorted(cached, key=lambda e: e.id))


def _step(store: MetadataStore, execution: metadata_store_pb2.Execution) -> Step:
    pipeline, node = _name(store, execution, "pipeline"), _name(store, execution, "node")
    started = datetime.datetime.fromtimestamp(execution.create_time_since_epoch / 1000).astimezone()
    return Step(
        component=node.removeprefix(f"{pipeline}."),
        execution=execution.id,
        run=_name(store, execution, "pipeline_run"),
        started=started.isoformat(timespec="seconds"),
        seconds=round((execution.last_update_time_since_epoch - execution.create_time_since_epoch) / 1000, 1),
    )


def _name(store: MetadataStore, execution: metadata_store_pb2.Execution, kind: str) -> str:
    return next((str(c.name) for c in store.get_contexts_by_execution(execution.id) if c.type == kind), "")


def _config(store: MetadataStore, run: str | None) -> str | None:
    context = store.get_context_by_type_and_name("pipeline_run", run) if run else None
    found = store.get_artifacts_by_context(context.id) if context else []
    page = _last(artifact for artifact in found if artifact.type == "RunReport")
    parts = None if page is None else _read(page.uri, REPORT_PARTS_FILE)
    return None if parts is None else Report.from_json(parts).config


def _last(artifacts: Iterable[metadata_store_pb2.Artifact]) -> metadata_store_pb2.Artifact | None:
    return max(artifacts, key=lambda artifact: artifact.id, default=None)


def _read(uri: str, name: str) -> str | None:
    try:
        return Path(uri, name).read_text(encoding="utf-8")
    except OSError:  # somebody cleared up: the store still has the rest
        return None
