"""The Pusher: puts a blessed model in its place among the pushed ones, in one step."""

from __future__ import annotations

import json
import os
from typing import Any

from tfx import types
from tfx.components.example_gen import utils
from tfx.components.pusher import executor
from tfx.dsl.components.base import base_component, executor_spec
from tfx.dsl.io import fileio
from tfx.types import artifact_utils, component_spec, standard_artifacts

from fullbake.components.model_card.card import model_card
from fullbake.components.model_card.facts import CardSettings, Facts
from fullbake.components.nodes.evaluator import JUDGED_AGAINST
from fullbake.components.serving.making import NOTHING, all_withdrawn, withdrawn
from fullbake.components.serving.publishing import (
    ServingVersionChangedError,
    publish,
    remove_old,
    sole_pusher,
    still_withdrawn,
)
from fullbake.components.serving.pushed_models import newest_version, read_about
from fullbake.contract.names import CARD_FILE, EVALUATION_FILE, HF_FOLDER, INGEST_FILE, TRAINING_FILE
from fullbake.contract.results.evaluation import Evaluation
from fullbake.contract.results.ingest import Ingest
from fullbake.contract.results.push import Push, PushedBounds, PushedMetrics
from fullbake.contract.results.training import Training

STALE = "stale"
"""Custom property of a model that was not pushed because another version serves than it was judged against: why."""
WITHDRAWN = "withdrawn"
"""Custom property of a model that was not pushed because a rollback took back one of the same making: which version."""


class PusherSpec(component_spec.ComponentSpec):
    """The Pusher's parameters, inputs and outputs."""

    PARAMETERS = {
        "serving_dir": component_spec.ExecutionParameter(type=str),
        "recipe": component_spec.ExecutionParameter(type=str),
        "baseline_key": component_spec.ExecutionParameter(type=str),
        "keep_versions": component_spec.ExecutionParameter(type=int, optional=True),
        "card": component_spec.ExecutionParameter(type=str),
        "bounds": component_spec.ExecutionParameter(type=str, optional=True),
    }
    INPUTS = {
        "evaluation": component_spec.ChannelParameter(type=standard_artifacts.ModelEvaluation),
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "model_run": component_spec.ChannelParameter(type=standard_artifacts.ModelRun),
        "model_blessing": component_spec.ChannelParameter(type=standard_artifacts.ModelBlessing),
        "infra_blessing": component_spec.ChannelParameter(type=standard_artifacts.InfraBlessing),
    }
    OUTPUTS = {"pushed_model": component_spec.ChannelParameter(type=standard_artifacts.PushedModel)}


class PusherExecutor(executor.Executor):
    """TFX's Pusher, made atomic: a version appears under its number only when it is complete."""

    def Do(  # noqa: N802 (TFX's name)
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Copies the model to `<serving_dir>/<version>` if it was blessed; the version is the time in seconds.

        It is not pushed where another version serves than when it was judged, or where a rollback took back a model
        that was made of the same files in the same way; `pushed_model` says which.
        """
        pushed = artifact_utils.get_single_instance(output_dict["pushed_model"])
        if not self.CheckBlessing(input_dict):
            self._MarkNotPushed(pushed)
            return
        serving_dir, recipe = exec_properties["serving_dir"], exec_properties["recipe"]
        examples, evaluation, model_run, blessing = (
            artifact_utils.get_single_instance(input_dict[name])
            for name in ("examples", "evaluation", "model_run", "model_blessing")
        )
        ingest = Ingest.from_json(_read(examples.uri, INGEST_FILE))
        judged = Evaluation.from_json(_read(evaluation.uri, EVALUATION_FILE))
        training = Training.from_json(_read(model_run.uri, TRAINING_FILE))
        model = self.GetModelPath(input_dict)
        data = examples.get_string_custom_property(utils.FINGERPRINT_PROPERTY_NAME)
        judged_against = blessing.get_string_custom_property(JUDGED_AGAINST)
        with sole_pusher(serving_dir):
            replaced = newest_version(serving_dir)
            if version := withdrawn(serving_dir, recipe, data):
                self._MarkNotPushed(pushed)
                pushed.set_string_custom_property(WITHDRAWN, version)
                return
            push = Push(
                run=self._context.pipeline_run_id if self._context else None,
                recipe=recipe,
                data=data,
                span=examples.get_int_custom_property(utils.SPAN_PROPERTY_NAME),
                examples=ingest.examples,
                metrics=_metrics(judged),
                production_key=exec_properties["baseline_key"],
                replaced=_name(replaced),
                withdrawn=still_withdrawn(all_withdrawn(serving_dir), recipe, data),
                **_bounds(exec_properties.get("bounds")),
            )
            try:
                destination = publish(
                    serving_dir,
                    model,
                    push,
                    more=_cards(
                        model, CardSettings.from_dict(json.loads(exec_properties["card"])), judged, ingest, training
                    ),
                    unchanged=lambda: judged_against in ("", _name(newest_version(serving_dir)) or NOTHING),
                )
            except ServingVersionChangedError:
                self._MarkNotPushed(pushed)
                pushed.set_string_custom_property(
                    STALE,
                    f"the model was judged against {judged_against}, and now {newest_version(serving_dir)} is in "
                    "production",
                )
                return
            self._MarkPushed(pushed, pushed_destination=destination, pushed_version=os.path.basename(destination))
            keep = exec_properties.get("keep_versions")
            if keep is not None:
                remove_old(serving_dir, keep)


def _read(uri: str, name: str) -> str:
    with fileio.open(os.path.join(uri, name)) as file:
        return str(file.read())


def _cards(
    model: str, settings: CardSettings, evaluation: Evaluation, ingest: Ingest, training: Training
) -> dict[str, str]:
    """Returns the model's cards, by where they stand in its folder; none of a model of other make."""
    about = read_about(model)
    if about is None:
        return {}
    facts = Facts(settings, about, evaluation, ingest, training)
    cards = {CARD_FILE: model_card(facts, hugging_face=False)}
    if fileio.isdir(os.path.join(model, HF_FOLDER)):
        cards[os.path.join(HF_FOLDER, CARD_FILE)] = model_card(facts, hugging_face=True)
    return cards


def _metrics(evaluation: Evaluation) -> PushedMetrics:
    return PushedMetrics(
        examples=evaluation.examples,
        accuracy=evaluation.accuracy,
        macro_f1=evaluation.macro_f1,
        recall=evaluation.recall,
        precision=evaluation.precision,
    )


def _bounds(given: str | None) -> dict[str, Any]:
    return {} if given is None else {"bounds": PushedBounds.model_validate_json(given)}


def _name(version: str | None) -> str | None:
    return None if version is None else os.path.basename(version)


class Pusher(base_component.BaseComponent):
    """Pushes a model that the Evaluator blessed and that was seen to serve.

    Args:
        evaluation: The Evaluator's results; the metrics are kept beside the pushed model.
        examples: What it was made of; their fingerprint and counts are kept beside the pushed model.
        model: The model.
        model_run: The Trainer's logs, with `training.json`; the model's card says how it was trained.
        model_blessing: The Evaluator's verdict.
        infra_blessing: The servable check's.
        serving_dir: The push destination.
        recipe: A fingerprint of all that decides which model a run makes; kept beside the pushed model.
        baseline_key: See `components.serving.making.baseline_key`.
        card: What the model's card says beside what stages left.
        keep_versions: How many versions are to stay after a push (see `components.serving.publishing.remove_old`);
            None: all.
        bounds: Those that the model was held against; kept beside the pushed model.

    Outputs: `pushed_model`, whose property `pushed` is 1 if the model was pushed and `pushed_destination` where;
    otherwise `STALE` or `WITHDRAWN` say why, if the gate did not refuse it.
    """

    SPEC_CLASS = PusherSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(PusherExecutor)

    def __init__(
        self,
        evaluation: types.BaseChannel,
        examples: types.BaseChannel,
        model: types.BaseChannel,
        model_run: types.BaseChannel,
        model_blessing: types.BaseChannel,
        infra_blessing: types.BaseChannel,
        serving_dir: str,
        recipe: str,
        baseline_key: str,
        card: CardSettings,
        keep_versions: int | None = None,
        bounds: PushedBounds | None = None,
    ):
        super().__init__(
            PusherSpec(
                evaluation=evaluation,
                examples=examples,
                model=model,
                model_run=model_run,
                model_blessing=model_blessing,
                infra_blessing=infra_blessing,
                serving_dir=serving_dir,
                recipe=recipe,
                baseline_key=baseline_key,
                card=json.dumps(card.to_dict()),
                keep_versions=keep_versions,
                bounds=None if bounds is None else bounds.model_dump_json(),
                pushed_model=types.Channel(type=standard_artifacts.PushedModel),
            )
        )
