"""Runs the pipeline on this machine."""

from __future__ import annotations

import contextlib
import datetime
import itertools
import logging
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tfx.dsl.compiler.constants import PIPELINE_RUN_ID_PARAMETER_NAME
from tfx.dsl.components.base.base_node import BaseNode
from tfx.orchestration import metadata
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.orchestration.pipeline import Pipeline
from tfx.orchestration.portable import runtime_parameter_utils
from tfx.proto.orchestration import pipeline_pb2

from fullbake.components.report.page import render
from fullbake.components.serving.making import NOTHING, baseline_key, made_of, same_model, withdrawn
from fullbake.contract.errors import InputError
from fullbake.contract.names import PREDICTIONS_FILE, REPORT_FILE
from fullbake.contract.progress import Activity
from fullbake.contract.setting_names import settings_named
from fullbake.pipeline.beam_engine import beam_engine
from fullbake.pipeline.captured_output import captured_output
from fullbake.pipeline.component_log import ComponentLog
from fullbake.pipeline.config.config import Config
from fullbake.pipeline.config.config_keys import CONFIG_KEYS
from fullbake.pipeline.graph import create_components, input_locations, recipe
from fullbake.pipeline.outline import Places
from fullbake.pipeline.plain_root import plain_root
from fullbake.pipeline.preflight import serving_folder
from fullbake.pipeline.run_record import RunRecord, read_run
from fullbake.pipeline.store import METADATA_FILE, prepare_store
from fullbake.pipeline.tracking.mlflow_log import log_run
from fullbake.trainer.content_hash import kept_hashes
from fullbake.trainer.data.frozen_features import drop_unfinished
from fullbake.trainer.encoder.base_model import hash_base, resolve_base
from fullbake.trainer.locations import located

log = logging.getLogger("fullbake")

HASHES_FILE = "hashes.json"
"""In the output root: what `trainer.content_hash` knows of files, so that the next run need not read them again."""
# The Evaluator takes minutes, a push seconds: that production changes so often meanwhile is no coincidence.
MOST_JUDGEMENTS = 4


def run_locally(
    config: Config,
    root: Path,
    on_component: Callable[[str, float | None], None],
    on_warning: Callable[[str], None] = lambda text: None,
    on_activity: Callable[[Activity], None] = lambda activity: None,
    *,
    capture: bool = False,
) -> RunRecord:
    """Runs every component whose result is not in the cache.

    Where production changes before the model is pushed, or has changed since the cached verdict, the model is judged
    and pushed once more.

    Args:
        config: What to run.
        root: The output root.
        on_component: Called with a component's name when it starts, and again with its seconds when it is done.
        on_warning: Called with what a component warns of, as it does.
        on_activity: Called with what a component is doing, as it says so; `component_log.CACHED` if it is spared.
        capture: Whether what libraries print goes to the run's log. Then the three have to print elsewhere.

    Returns:
        What the run left behind, the verdict among it.

    Raises:
        InputError: The data, the base model or the model in production cannot be used.
    """
    root, places = _places(config, root)
    report_folder = _new_folder(root / "reports")
    log_file = report_folder / "run.log"
    with (
        captured_output(log_file) if capture else contextlib.nullcontext(),
        ComponentLog(log_file, config.beam.args, on_component, on_warning, on_activity),
        _inputs(config, root) as base_hash,
    ):
        run = report_folder.name
        key = baseline_key(places.serving_dir, recipe(config, base_hash))
        components = create_components(config, places, key, base_hash)
        record = _run_components(config, places, root, components, run)
        for judgement in range(2, MOST_JUDGEMENTS + 2):
            outdated = _outdated(record, places.serving_dir, recipe(config, base_hash))
            if outdated is None:
                break
            if judgement > MOST_JUDGEMENTS:
                raise InputError(
                    f"push.serving_dir: {outdated}, and that {MOST_JUDGEMENTS} times in this run; let one run at a "
                    f"time push to {places.serving_dir}"
                )
            log.warning("%s: judged once more", outdated)
            again = f"{key} since {run}, judgement {judgement}"
            components = create_components(config, places, again, base_hash)
            record = _run_components(config, places, root, components, f"{run}, judgement {judgement}")
        record.report = report_folder / REPORT_FILE
        # The component's own page cannot know what comes after it: whether the model was pushed, and all components'
        # times.
        report = record.report_parts.after_run(
            run=report_folder.name,
            pushed=record.pushed_model is not None,
            seconds={name: spent for name, spent in record.seconds.items() if name not in record.cached},
        )
        if (predictions := record.predictions) is not None:
            shutil.copyfile(predictions, report_folder / PREDICTIONS_FILE)
        record.report.write_text(render(report), encoding="utf-8")
        log_run(config, record)
    return record


def _outdated(record: RunRecord, serving_dir: str, recipe: str) -> str | None:
    """Returns why the verdict of a run is not about what is in production now, or None if it is.

    What the cache remembers may have been undone since, by a rollback, another run, or somebody who cleared up.
    """
    if record.stale is not None:
        return record.stale
    if "Pusher" not in record.cached:
        return None
    if record.pushed_model is None and record.withdrawn is None:
        before = record.judged_against
        if before in (None, NOTHING) or same_model(serving_dir, before):
            return None
        return f"the model was refused by comparison with version {before}, which is not in production any more"
    record.serves_as = made_of(serving_dir, recipe, record.fingerprint)
    record.withdrawn = withdrawn(serving_dir, recipe, record.fingerprint)
    if record.serves_as is not None or record.withdrawn is not None:
        return None
    return "what an earlier run made of the same files in the same way is not in production any more"


def train_locally(config: Config, root: Path) -> RunRecord:
    """Runs the pipeline up to its Trainer: nothing is judged, nothing pushed, and a later run finds it in the cache.

    Args:
        config: What to run.
        root: The output root.

    Raises:
        InputError: The data or the base model cannot be used.
    """
    root, places = _places(config, root)
    with _inputs(config, root) as base_hash:
        components = create_components(config, places, NOTHING, base_hash)
        trainer = [component.id for component in components].index("Trainer")
        return _run_components(config, places, root, components[: trainer + 1], f"training-{uuid.uuid4()}")


def _places(config: Config, root: Path) -> tuple[Path, Places]:
    root = root.absolute()
    root.mkdir(parents=True, exist_ok=True)
    drop_unfinished(root / "vectors")
    # Beam and Transform write absolute paths into the graph and the metadata; so the root may not be relative.
    plain = plain_root(root)
    return root, Places(
        pipeline_root=str(plain / "pipeline"),
        serving_dir=serving_folder(config, root),
        checkpoints=str(plain / "checkpoints"),
        vectors=str(plain / "vectors"),
    )


def _new_folder(parent: Path) -> Path:
    """Makes a folder with a new name: the time, with a number if a clock was put back or two runs begin at once."""
    started = datetime.datetime.now().strftime("%Y-%m-%dT%H-%M-%S")
    for number in itertools.count(1):
        folder = parent / (started if number == 1 else f"{started}-{number}")
        with contextlib.suppress(FileExistsError):
            folder.mkdir(parents=True)
            return folder
    raise AssertionError


@contextmanager
def _inputs(config: Config, root: Path) -> Iterator[str]:
    """Sets where the components find their inputs and what settings are called; yields the hash of the base model."""
    base = resolve_base(config.model.base, config.model.revision)
    with kept_hashes(root / HASHES_FILE), located(input_locations(config, base)), settings_named(CONFIG_KEYS):
        yield hash_base(base)


def _run_components(config: Config, places: Places, root: Path, components: list[BaseNode], run_id: str) -> RunRecord:
    if note := prepare_store(root, Path(places.pipeline_root)):
        log.warning("%s", note)
    with beam_engine(config.beam.args) as args:
        pipeline = Pipeline(
            pipeline_name=config.name,
            pipeline_root=places.pipeline_root,
            components=components,
            enable_cache=True,
            metadata_connection_config=metadata.sqlite_metadata_connection_config(str(root / METADATA_FILE)),
            beam_pipeline_args=args,
        )
        _Runner(run_id).run(pipeline)
    return read_run(root, config.name, run_id)


class _Runner(LocalDagRunner):
    """TFX's local runner, with a name of the run that is given: its executions are found again by it."""

    def __init__(self, run_id: str):
        super().__init__()
        self._run_id = run_id

    def run_with_ir(self, pipeline: pipeline_pb2.Pipeline, run_options: Any = None) -> None:
        runtime_parameter_utils.substitute_runtime_parameter(pipeline, {PIPELINE_RUN_ID_PARAMETER_NAME: self._run_id})
        super().run_with_ir(pipeline, run_options)
