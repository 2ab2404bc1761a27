"""The pipeline's runtime parameters, which may be changed for one run or for a schedule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fullbake.kubeflow.cluster_places import cluster_places
from fullbake.pipeline.config.config import Config
from fullbake.trainer.approaches import APPROACHES

CONFIG_PARAMETER = "config"
"""The parameter of the pipeline, handed to every task, that carries the whole config."""


@dataclass(frozen=True)
class RuntimeParameter:
    """A key of the config that a run may have another value of.

    Attributes:
        name: What the pipeline calls it.
        key: The config's key, as `section.key`.
        type: A `ParameterType` of Kubeflow's pipeline spec.
        default: The config's value.
        description: What it is, for people.
    """

    name: str
    key: str
    type: str
    default: str | int | float
    description: str


def runtime_parameters(config: Config) -> list[RuntimeParameter]:
    """Returns the runtime parameters of a pipeline, with the config's values as defaults.

    A learning rate is not among them where the Tuner looks for one; of further pre-training they are there where the
    approach has it.
    """
    training, pretraining = config.training, config.pretraining
    parameters = [
        RuntimeParameter("input-base", "data.input_base", "STRING", config.data.input_base, "folder of the CSV files"),
        RuntimeParameter(
            "serving-dir", "push.serving_dir", "STRING", cluster_places(config).serving_dir, "where models are pushed"
        ),
        RuntimeParameter("epochs", "training.epochs", "NUMBER_INTEGER", training.epochs, "epochs of fine-tuning"),
        RuntimeParameter("batch-size", "training.batch_size", "NUMBER_INTEGER", training.batch_size, "rows a step"),
        RuntimeParameter("seed", "training.seed", "NUMBER_INTEGER", training.seed, "seed of the training"),
    ]
    if not config.tuning.learning_rates:
        parameters.append(
            RuntimeParameter(
                "learning-rate", "training.learning_rate", "NUMBER_DOUBLE", config.learning_rate, "peak learning rate"
            )
        )
    if APPROACHES[config.model.approach].pretrains:
        parameters += [
            RuntimeParameter(
                "pretraining-epochs",
                "pretraining.epochs",
                "NUMBER_INTEGER",
                pretraining.epochs,
                "epochs of further pre-training",
            ),
            RuntimeParameter(
                "pretraining-learning-rate",
                "pretraining.learning_rate",
                "NUMBER_DOUBLE",
                pretraining.learning_rate,
                "peak learning rate of further pre-training",
            ),
        ]
    return parameters


def overrides(config: Config, values: Mapping[str, Any]) -> dict[str, Any]:
    """Maps a run's parameter values to the config's keys.

    Args:
        config: The config that the pipeline was compiled from.
        values: By parameter name, what Kubeflow hands a container; names that are no runtime parameter are left out.

    Returns:
        By key of the config, the value.
    """
    return {p.key: values[p.name] for p in runtime_parameters(config) if values.get(p.name) is not None}
