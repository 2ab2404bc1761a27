"""The check of the config's section `tracking`, before anything is trained."""

from __future__ import annotations

import importlib.util

from fullbake.contract.errors import InputError
from fullbake.pipeline.config.config import Config
from fullbake.pipeline.tracking.failure import failure
from fullbake.pipeline.tracking.mlflow_client import mlflow_client


def check_tracking(config: Config) -> None:
    """Checks that MLflow is installed, and that it knows this kind of address. No server is called.

    Raises:
        InputError: It is not, or it does not.
    """
    uri = config.tracking.mlflow_uri
    if uri is None:
        return
    if importlib.util.find_spec("mlflow") is None:
        raise InputError(
            "tracking.mlflow_uri: MLflow is not installed; run: pip install 'fullbake[mlflow]', or leave it out"
        )
    try:
        with mlflow_client(uri):
            pass
    except ImportError as error:
        raise InputError(
            f"tracking.mlflow_uri: for {uri} the whole of MLflow is needed ({failure(error)}); run: pip install "
            "mlflow, or name a server (http://...)"
        ) from error
    except Exception as error:  # MlflowException, or what a driver of its makers' raises
        raise InputError(
            f"tracking.mlflow_uri: MLflow cannot use {uri} ({failure(error)}); name a server (http://...)"
        ) from error
