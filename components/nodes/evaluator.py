"""The Evaluator: measures a model by the decisions that its serving graph makes on raw test examples, and judges it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import asdict, replace
from typing import Any

from tfx import types
from tfx.components.evaluator import constants
from tfx.dsl.components.base import base_beam_component, base_beam_executor, executor_spec
from tfx.types import artifact_utils, component_spec, standard_artifacts
from tfx.utils import io_utils, path_utils

from fullbake.components.evaluation.gate import GateSpec, describe
from fullbake.components.evaluation.judged_model import explain_in_place, judge_model
from fullbake.components.evaluation.measuring import read_metrics
from fullbake.components.evaluation.served_metrics import BASELINE, CANDIDATE, add_measuring
from fullbake.components.evaluation.summary import shares
from fullbake.components.serving.baseline import Baseline, find_baseline
from fullbake.components.serving.making import NOTHING
from fullbake.components.serving.opening_fault import opening_fault
from fullbake.components.serving.plain_path import plain_path
from fullbake.components.serving.pushed_models import read_about
from fullbake.contract.names import ABOUT_FILE, EVALUATION_FILE
from fullbake.contract.progress import tell
from fullbake.contract.results.evaluation import BaselineRecall

MISSED = "missed"
"""Custom property of the blessing: a sentence for each bound that was missed, for those who see the blessing only."""
JUDGED_AGAINST = "judged_against"
"""Custom property of the blessing: the name of the version that served when the model was judged, or `NOTHING`; not
there where no comparison was asked for."""


class EvaluatorSpec(component_spec.ComponentSpec):
    """The Evaluator's parameters, inputs and outputs."""

    PARAMETERS = {
        "gate": component_spec.ExecutionParameter(type=str),
        "serving_dir": component_spec.ExecutionParameter(type=str),
        "baseline_key": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "schema": component_spec.ChannelParameter(type=standard_artifacts.Schema),
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
    }
    OUTPUTS = {
        "evaluation": component_spec.ChannelParameter(type=standard_artifacts.ModelEvaluation),
        "blessing": component_spec.ChannelParameter(type=standard_artifacts.ModelBlessing),
    }


class EvaluatorExecutor(base_beam_executor.BaseBeamExecutor):
    """Runs TFMA over the test split with the candidate and the version that serves, then the gate."""

    def Do(  # noqa: N802 (TFX's name)
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Judges a model: blesses it, or does not.

        To `evaluation` go TFMA's results, `evaluation.json`, `mistakes.json` and `predictions.csv`.
        """
        gate = GateSpec.from_dict(json.loads(exec_properties["gate"]))
        evaluation = artifact_utils.get_single_instance(output_dict["evaluation"])
        blessing = artifact_utils.get_single_instance(output_dict["blessing"])
        model = artifact_utils.get_single_instance(input_dict["model"])

        candidate = path_utils.serving_model_path(model.uri)
        about = read_about(candidate)
        if about is None:
            raise RuntimeError(f"{candidate} has no usable {ABOUT_FILE}")

        def look(opens: Callable[[str], str | None] = lambda version: None) -> Baseline:
            return find_baseline(
                exec_properties["serving_dir"],
                gate.labels,
                about.text_features,
                task=gate.task,
                accept_loss=gate.accept_baseline_loss,
                opens=opens,
            )

        compares = gate.max_recall_drop is not None
        baseline = look() if compares else Baseline()
        tell("labelling the test texts through the served graph")

        def measure() -> dict[str, dict[str, Any]]:
            # The candidate is below the pipeline root, whose path is plain.
            with plain_path(baseline.model) if baseline.model else nullcontext() as plain:
                opened = replace(baseline, model=plain)
                return self._measure(candidate, opened, gate, about.text_features, input_dict, evaluation.uri)

        try:
            metrics = measure()
        except Exception:
            # Nobody opens the version that serves before there is need. Was it this one that stopped the measuring?
            if baseline.model is None or opening_fault(baseline.model) is None:
                raise
            baseline = look(opening_fault)
            metrics = measure()
        compared = None
        if baseline.model is not None:
            its, _ = shares(metrics[BASELINE], gate.labels)
            # A label without a row is of a class that was left out as too rare; the DataGate lets no other pass.
            in_both = {label: its[label].value for label in gate.labels if label in baseline.labels and its[label].rows}
            compared = BaselineRecall(model=baseline.model, recall=in_both)
        result = judge_model(metrics[CANDIDATE], gate, about, baseline=compared, baseline_note=baseline.note)
        io_utils.write_string_file(os.path.join(evaluation.uri, EVALUATION_FILE), result.to_json())
        tell("explaining the hardest mistakes")
        explain_in_place(evaluation.uri, candidate, gate)
        _bless(blessing, model, [describe(bound) for bound in result.missed])
        if compares:
            version = NOTHING if baseline.version is None else os.path.basename(baseline.version)
            blessing.set_string_custom_property(JUDGED_AGAINST, version)

    def _measure(
        self,
        candidate: str,
        baseline: Baseline,
        gate: GateSpec,
        text_features: Sequence[str],
        input_dict: dict[str, list[types.Artifact]],
        output_folder: str,
    ) -> dict[str, dict[str, Any]]:
        models = {CANDIDATE: candidate} | ({} if baseline.model is None else {BASELINE: baseline.model})
        schema_file = io_utils.get_only_uri_in_dir(artifact_utils.get_single_uri(input_dict["schema"]))
        with self._make_beam_pipeline() as pipeline:
            add_measuring(
                pipeline,
                models,
                gate,
                examples=input_dict["examples"],
                schema=io_utils.SchemaReader().read(schema_file),
                text_features=text_features,
                baseline_labels=baseline.labels,
                output_folder=output_folder,
            )
        return read_metrics(output_folder, list(models))


class Evaluator(base_beam_component.BaseBeamComponent):
    """Measures a model on the test split through its serving graph, and blesses it if it meets every bound.

    Args:
        examples: Raw examples with `text` and `label`.
        schema: Their schema.
        model: The candidate.
        gate: The bounds.
        serving_dir: Where models are pushed; the highest version there is the one that serves.
        baseline_key: Names what the model is compared with, for the cache (see `components.serving.making`).

    Outputs: `evaluation` (TFMA's results and `evaluation.json`) and `blessing`.
    """

    SPEC_CLASS = EvaluatorSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(EvaluatorExecutor)

    def __init__(
        self,
        examples: types.BaseChannel,
        schema: types.BaseChannel,
        model: types.BaseChannel,
        gate: GateSpec,
        serving_dir: str,
        baseline_key: str,
    ):
        super().__init__(
            EvaluatorSpec(
                examples=examples,
                schema=schema,
                model=model,
                gate=json.dumps(asdict(gate)),
                serving_dir=serving_dir,
                baseline_key=baseline_key,
                evaluation=types.Channel(type=standard_artifacts.ModelEvaluation),
                blessing=types.Channel(type=standard_artifacts.ModelBlessing),
            )
        )


def _bless(blessing: types.Artifact, model: types.Artifact, missed: list[str]) -> None:
    blessed = not missed
    blessing.set_string_custom_property(MISSED, "; ".join(missed))
    # The files and properties that TFX's own Evaluator leaves, which Pusher and other tools read.
    name = constants.BLESSED_FILE_NAME if blessed else constants.NOT_BLESSED_FILE_NAME
    io_utils.write_string_file(os.path.join(blessing.uri, name), "")
    value = constants.BLESSED_VALUE if blessed else constants.NOT_BLESSED_VALUE
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, value)
    blessing.set_string_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_URI_KEY, model.uri)
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY, model.id)
