"""The Pusher: puts a blessed model into production in one step."""

from __future__ import annotations

import json
import os
import time
from typing import Any

from tfx import types
from tfx.components.example_gen import utils
from tfx.components.pusher import executor
from tfx.dsl.components.base import base_component, executor_spec
from tfx.dsl.io import fileio
from tfx.types import artifact_utils, component_spec, standard_artifacts
from tfx.utils import io_utils

from components.production import PUSH_FILE, newest_version, versions


class PusherSpec(component_spec.ComponentSpec):
    """What the Pusher takes and gives."""

    PARAMETERS = {
        "serving_dir": component_spec.ExecutionParameter(type=str),
        "recipe": component_spec.ExecutionParameter(type=str),
        "production": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
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
        """Copies the model to ``<serving_dir>/<version>`` if it was blessed; the version is the time in seconds."""
        pushed = artifact_utils.get_single_instance(output_dict["pushed_model"])
        if not self.CheckBlessing(input_dict):
            self._MarkNotPushed(pushed)
            return
        serving_dir = exec_properties["serving_dir"]
        fileio.makedirs(serving_dir)
        existing = versions(serving_dir)
        # Never lower than what is there: servers take the highest number for the newest model.
        version = max([int(time.time()), *(number + 1 for number in existing)])
        # Servers look at numbers only, so they do not see the copy until it is renamed.
        unfinished = os.path.join(serving_dir, f".{version}.unfinished")
        destination = os.path.join(serving_dir, str(version))
        push = {
            "recipe": exec_properties["recipe"],
            "data": artifact_utils.get_single_instance(input_dict["examples"]).get_string_custom_property(
                utils.FINGERPRINT_PROPERTY_NAME
            ),
            "production_key": exec_properties["production"],
            "replaced": newest_version(serving_dir),
        }
        try:
            io_utils.copy_dir(self.GetModelPath(input_dict), unfinished)
            io_utils.write_string_file(os.path.join(unfinished, PUSH_FILE), json.dumps(push, indent=1))
            fileio.rename(unfinished, destination)
        except BaseException:
            # The next push has another number: what is left here would stay for good.
            if fileio.exists(unfinished):
                fileio.rmtree(unfinished)
            raise
        self._MarkPushed(pushed, pushed_destination=destination, pushed_version=str(version))


class Pusher(base_component.BaseComponent):
    """Pushes a model that the Evaluator blessed and that was seen to serve.

    Args:
      examples: what it was made of; their fingerprint is kept beside the pushed model.
      model: the model.
      model_blessing: the Evaluator's verdict.
      infra_blessing: the servable check's.
      serving_dir: the push destination.
      recipe: a fingerprint of all that decides which model a run makes; kept beside the pushed model.
      production: see ``components.production.production_key``.

    Outputs: ``pushed_model``, whose property ``pushed`` is 1 if the model was pushed and ``pushed_destination`` where.
    """

    SPEC_CLASS = PusherSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(PusherExecutor)

    def __init__(
        self,
        examples: types.BaseChannel,
        model: types.BaseChannel,
        model_blessing: types.BaseChannel,
        infra_blessing: types.BaseChannel,
        serving_dir: str,
        recipe: str,
        production: str,
    ):
        super().__init__(
            PusherSpec(
                examples=examples,
                model=model,
                model_blessing=model_blessing,
                infra_blessing=infra_blessing,
                serving_dir=serving_dir,
                recipe=recipe,
                production=production,
                pushed_model=types.Channel(type=standard_artifacts.PushedModel),
            )
        )
