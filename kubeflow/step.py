"""One step of the pipeline: makes its component from the config, and runs it on what Kubeflow's launcher hands it."""

from __future__ import annotations

import json
import logging
import os
import tempfile
from collections.abc import Callable, Sequence
from typing import Any

from tfx import types
from tfx.components.example_gen import driver as example_gen_driver
from tfx.components.example_gen import utils
from tfx.dsl.components.base import base_beam_executor, base_executor
from tfx.dsl.components.base.base_node import BaseNode
from tfx.dsl.io import fileio
from tfx.orchestration import data_types
from tfx.orchestration.portable import outputs_utils

from fullbake.components.evaluation.gate import describe
from fullbake.components.nodes.evaluator import MISSED
from fullbake.components.nodes.pusher import STALE, WITHDRAWN, Pusher
from fullbake.components.serving.making import made_of, why_withdrawn, withdrawn
from fullbake.contract.errors import InputError
from fullbake.contract.names import EVALUATION_FILE
from fullbake.contract.results.evaluation import Evaluation
from fullbake.contract.setting_names import settings_named
from fullbake.kubeflow.carried_config import read_carried_config
from fullbake.kubeflow.cluster_check import check_cluster
from fullbake.kubeflow.cluster_places import PRODUCTION, cluster_places
from fullbake.kubeflow.executor_artifacts import read_artifacts, to_local, write_artifacts
from fullbake.kubeflow.parameters import CONFIG_PARAMETER, overrides
from fullbake.kubeflow.retries import tries
from fullbake.kubeflow.training_job import train_in_job, trains_in_job
from fullbake.kubeflow.ui_artifacts import write_ui_artifacts
from fullbake.pipeline.beam_engine import beam_engine, distributed_runner
from fullbake.pipeline.config.config import Config
from fullbake.pipeline.config.config_keys import CONFIG_KEYS
from fullbake.pipeline.config.loading import restore_config
from fullbake.pipeline.config.redaction import LOG_LINE, RedactingFormatter
from fullbake.pipeline.graph import create_components, input_locations, recipe
from fullbake.pipeline.preflight import check_baseline
from fullbake.trainer.encoder.base_model import hash_base, resolve_base
from fullbake.trainer.locations import located

log = logging.getLogger("fullbake")

NOTHING_NEW = "nothing_new"
"""Custom property of an artifact that was not made, because the model in production was made of the same data: why."""

OPEN_BASE = ("CsvExampleGen", "DataGate", "Transform", "Pretrainer", "Tuner", "Trainer", "Report")
"""The components that open the base model, and ExampleGen, which finds out whether anything is new."""

BASE_HASH = "base_hash"
"""Custom property of an artifact: the content of the base model when it was made."""

Artifacts = dict[str, list[types.Artifact]]


class RefusedError(Exception):
    """The model was not pushed.

    Args:
        reason: The bounds that it missed, or what else is in the way.
        missed_bounds: A sentence for each of these bounds.
    """

    def __init__(self, reason: str, missed_bounds: Sequence[str]):
        super().__init__(reason)
        self.missed_bounds = missed_bounds


def run_component(name: str, executor_input: dict[str, Any], *, in_job: bool = False) -> str | None:
    """Runs one component.

    Args:
        name: The component's id.
        executor_input: Kubeflow's `ExecutorInput`, from JSON.
        in_job: Whether this is a worker of the component's job, and not its step.

    Returns:
        None if the component did its work; otherwise why there was nothing new to work on.

    Raises:
        InputError: The config, a parameter or the data cannot be used.
        RefusedError: This is the Pusher, and the gate refused the model.
    """
    given, wanted = executor_input["inputs"], executor_input["outputs"]
    parameters = given["parameterValues"]
    carried = read_carried_config(parameters[CONFIG_PARAMETER])
    config = restore_config(carried, overrides(restore_config(carried), parameters))
    for handler in logging.getLogger().handlers:
        handler.setFormatter(RedactingFormatter(LOG_LINE, config.beam.args))
    # A folder that this run names instead may be in the container alone: a model pushed there would be lost with it.
    check_cluster(config)
    base = resolve_base(config.model.base, config.model.revision) if name in OPEN_BASE else None
    base_hash = _hash_of_steps_before(given) if base is None else hash_base(base)
    component = _component(config, name, base_hash)
    locate = place_of_artifacts(component, config)
    inputs = read_artifacts(given.get("artifacts", {}), component.inputs, locate)
    outputs = read_artifacts(wanted.get("artifacts", {}), component.outputs, locate)
    for attempt in tries(name, config.kubeflow.retries, (InputError, RefusedError), log):
        with attempt, located(input_locations(config, base)), settings_named(CONFIG_KEYS):
            settings = {key: value for key, value in component.exec_properties.items() if value is not None}
            if issubclass(component.driver_class, example_gen_driver.Driver):
                nothing_new = _find_span(component, config, settings, outputs, base_hash)
            else:
                nothing_new = _passed_on(inputs)
            if nothing_new is None:
                check_same_base(inputs, outputs, base_hash)
                if trains_in_job(config, name) and not in_job:
                    train_in_job(component, config, parameters, inputs, outputs)
                else:
                    _execute(component, config, inputs, outputs, settings)
            else:
                _pass_on(outputs, nothing_new)
    shown = write_ui_artifacts(name, wanted.get("artifacts", {}), outputs, nothing_new)
    _write_output(wanted["outputFile"], {"artifacts": write_artifacts(outputs) | shown})
    return nothing_new


def _hash_of_steps_before(given: dict[str, Any]) -> str | None:
    """Returns the hash of the base that earlier steps opened: the Pusher records what the model was made of."""
    found = [
        str(artifact["metadata"][BASE_HASH])
        for wanted in given.get("artifacts", {}).values()
        for artifact in wanted["artifacts"]
        if BASE_HASH in artifact.get("metadata", {})
    ]
    return found[0] if found else None


def check_same_base(inputs: Artifacts, outputs: Artifacts, base_hash: str | None) -> None:
    """Raises InputError where the base is not the one that earlier steps opened; records it for later steps."""
    if base_hash is None:
        return
    for (artifact,) in inputs.values():
        if artifact.get_string_custom_property(BASE_HASH) not in ("", base_hash):
            raise InputError(
                "model.base: its files changed after this pipeline began, so that its steps would be of two models; "
                "leave them as they are while it runs, and run it again"
            )
    for (artifact,) in outputs.values():
        artifact.set_string_custom_property(BASE_HASH, base_hash)


def place_of_artifacts(component: BaseNode, config: Config) -> Callable[[str], str]:
    """Returns the function from an artifact's address to its place for a component: in the launcher's folders.

    Or, where Beam workers that do not see these folders do the work, in the bucket itself. The launcher allows that
    there is nothing in its folder to upload, and the next step's downloads what the workers wrote.
    """
    on_beam = issubclass(component.executor_spec.executor_class, base_beam_executor.BaseBeamExecutor)
    return str if on_beam and distributed_runner(config.beam.args) else to_local


def _execute(
    component: BaseNode, config: Config, inputs: Artifacts, outputs: Artifacts, settings: dict[str, Any]
) -> None:
    executor_class = component.executor_spec.executor_class
    for (artifact,) in outputs.values():
        # A step that is tried again may find what the failed one wrote; its output must not be added to that.
        if fileio.exists(artifact.uri):
            fileio.rmtree(artifact.uri)
    with tempfile.TemporaryDirectory(prefix="fullbake-") as scratch, beam_engine(config.beam.args) as args:
        executor = executor_class(_context(executor_class, args, scratch))
        executor.Do(inputs, outputs, settings)
    outputs_utils.tag_output_artifacts_with_version(outputs)
    if isinstance(component, Pusher):
        (pushed,), (blessing,) = outputs["pushed_model"], inputs["model_blessing"]
        if not pushed.get_int_custom_property("pushed"):
            missed = missed_bounds(inputs["evaluation"][0].uri)
            raise RefusedError(_why_not_pushed(pushed, blessing, settings["serving_dir"]), missed)


def _why_not_pushed(pushed: types.Artifact, blessing: types.Artifact, serving_dir: str) -> str:
    if stale := pushed.get_string_custom_property(STALE):
        return f"{stale}; start another run, which judges against that"
    if version := pushed.get_string_custom_property(WITHDRAWN):
        return why_withdrawn(serving_dir, version)
    return str(blessing.get_string_custom_property(MISSED))


def missed_bounds(evaluation: str) -> list[str]:
    """Returns a sentence for each bound that the model missed, from the Evaluator's folder."""
    with fileio.open(os.path.join(evaluation, EVALUATION_FILE)) as file:
        return [describe(bound) for bound in Evaluation.from_json(file.read()).missed]


def _component(config: Config, name: str, base_hash: str | None) -> BaseNode:
    components = create_components(config, cluster_places(config), PRODUCTION, base_hash)
    return next(component for component in components if component.id == name)


def _find_span(
    component: BaseNode, config: Config, settings: dict[str, Any], outputs: Artifacts, base_hash: str | None
) -> str | None:
    """Lets ExampleGen's driver find span, version and fingerprint, and writes them to the examples.

    Returns:
        Why this data need not be worked on, or None.
    """
    driver = component.driver_class(metadata_handle=None)
    nowhere = data_types.PipelineInfo("", "")
    settings.update(
        driver.resolve_exec_properties(settings, nowhere, data_types.ComponentInfo("", component.id, nowhere))
    )
    for (artifact,) in outputs.values():
        example_gen_driver.update_output_artifact(settings, artifact.mlmd_artifact)
    serving_dir = cluster_places(config).serving_dir
    making = recipe(config, base_hash), settings[utils.FINGERPRINT_PROPERTY_NAME]
    check_baseline(config, serving_dir)
    if model := made_of(serving_dir, *making):
        return f"{model}, the model in production, was made of the same files in the same way"
    if version := withdrawn(serving_dir, *making):
        return why_withdrawn(serving_dir, version)
    return None


def _passed_on(inputs: Artifacts) -> str | None:
    reasons = [
        artifact.get_string_custom_property(NOTHING_NEW)
        for (artifact,) in inputs.values()
        if artifact.has_custom_property(NOTHING_NEW)
    ]
    return reasons[0] if reasons else None


def _pass_on(outputs: Artifacts, reason: str) -> None:
    # Every later step is started all the same and ends at once: a condition in the package would depend on how each
    # release of the backend treats the steps after one that is left out.
    for (artifact,) in outputs.values():
        artifact.set_string_custom_property(NOTHING_NEW, reason)


def _context(executor_class: type, beam_args: list[str], scratch: str) -> base_executor.BaseExecutor.Context:
    common = {"tmp_dir": scratch, "unique_id": "step", "stateful_working_dir": os.path.join(scratch, "state")}
    if issubclass(executor_class, base_beam_executor.BaseBeamExecutor):
        return base_beam_executor.BaseBeamExecutor.Context(beam_pipeline_args=beam_args, **common)
    return base_executor.BaseExecutor.Context(**common)


def _write_output(file: str, output: dict[str, Any]) -> None:
    os.makedirs(os.path.dirname(file), exist_ok=True)
    with open(file, "w", encoding="utf-8") as stream:
        json.dump(output, stream)
