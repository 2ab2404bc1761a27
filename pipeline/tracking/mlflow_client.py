"""MLflow's client, set so that a server that does not answer costs seconds, and that nothing else is said or sent."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow import MlflowClient

# Variables of MLflow's own (mlflow/environment_variables.py); what the user has set stays.
_SETTINGS = {
    # By default it tries for four minutes, and waits two for each answer.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    # The command line prints what a run came to, and nothing may be printed in another program.
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    # It would tell its makers how it is used.
    "MLFLOW_DISABLE_TELEMETRY": "true",
}


@contextmanager
def mlflow_client(uri: str) -> Iterator[MlflowClient]:
    """Gives a client of a tracking server, or of whatever else MLflow keeps runs in.

    Args:
        uri: Its address. A server is not called before the client is used.

    Raises:
        ImportError: MLflow is not installed, or not the part of it that this kind of address takes.
        MlflowException: It knows no such address.
    """
    added = [name for name in _SETTINGS if name not in os.environ]
    os.environ.update({name: _SETTINGS[name] for name in added})
    try:
        from mlflow import MlflowClient

        yield MlflowClient(tracking_uri=uri)
    finally:
        for name in added:
            os.environ.pop(name, None)
