"""The config's section `tracking`: where runs on this machine are logged, for comparison with others."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from fullbake.pipeline.config.config_section import Section


class TrackingConfig(Section):
    """Where runs on this machine are logged. It decides nothing about the model."""

    mlflow_uri: Annotated[str, Field(min_length=1)] | None = None
    """The address of an MLflow tracking server, such as http://mlflow:5000. null: runs are not logged."""

    # MAX_EXPERIMENT_NAME_LENGTH in mlflow/utils/validation.py.
    mlflow_experiment: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    """The experiment of MLflow's that the runs belong to; it is made where it is missing. null: the config's name."""
