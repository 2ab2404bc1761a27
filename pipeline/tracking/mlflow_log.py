"""Logs what a run came to with MLflow."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from fullbake.contract.names import PREDICTIONS_FILE
from fullbake.pipeline.config.config import Config
from fullbake.pipeline.run_record import RunRecord
from fullbake.pipeline.tracking.failure import failure
from fullbake.pipeline.tracking.logged_values import logged_metrics, logged_params, logged_tags
from fullbake.pipeline.tracking.mlflow_client import mlflow_client

if TYPE_CHECKING:
    from mlflow import MlflowClient

log = logging.getLogger("fullbake")

SUMMARY_FILE = "summary.json"
"""What `--summary` writes, as an artifact."""

# MLflow's limits for one request (mlflow/utils/validation.py): MAX_PARAMS_TAGS_PER_BATCH, MAX_METRICS_PER_BATCH.
_MOST_PARAMS = 100
_MOST_METRICS = 1000

_Item = TypeVar("_Item")


def log_run(config: Config, record: RunRecord) -> None:
    """Logs a run that is done to the server that the config names, if it names one and the run made anything new.

    What goes wrong is a warning: the model is made, and pushed, by now.

    Args:
        config: What was run.
        record: What it left behind, its report among it.
    """
    uri = config.tracking.mlflow_uri
    if uri is None or record.nothing_new:
        return
    try:
        with mlflow_client(uri) as client:
            _log(client, config.tracking.mlflow_experiment or config.name, config, record)
    except Exception as error:  # MLflow's own, of its connection, or of the store that its artifacts go to
        log.info("MLflow failed", exc_info=True)
        log.warning(
            "tracking.mlflow_uri: the run was not logged, or not all of it: %s; nothing else is missing, and %s has "
            "the report",
            failure(error),
            record.report,
        )


def _log(client: MlflowClient, experiment: str, config: Config, record: RunRecord) -> None:
    from mlflow.entities import Metric, Param

    assert record.report is not None  # noqa: S101 (run_locally has written it)
    folder = record.report.parent
    run = client.create_run(_experiment_id(client, experiment), tags=logged_tags(record), run_name=folder.name)
    run_id = run.info.run_id
    try:
        for params in _portions([Param(*pair) for pair in logged_params(config).items()], _MOST_PARAMS):
            client.log_batch(run_id, params=params)
        now = int(time.time() * 1000)
        metrics = [Metric(metric.name, metric.value, now, metric.step) for metric in logged_metrics(record)]
        for portion in _portions(metrics, _MOST_METRICS):
            client.log_batch(run_id, metrics=portion)
        summary = json.dumps(record.summary(), indent=2, ensure_ascii=False)
        client.log_text(run_id, f"{summary}\n", SUMMARY_FILE)
        client.log_artifact(run_id, str(record.report))
        if config.report.show_texts and (predictions := folder / PREDICTIONS_FILE).is_file():
            client.log_artifact(run_id, str(predictions))
    except BaseException:
        with suppress(Exception):  # the first error is the one to tell
            client.set_terminated(run_id, "FAILED")
        raise
    client.set_terminated(run_id)


def _experiment_id(client: MlflowClient, name: str) -> str:
    found = client.get_experiment_by_name(name)
    return str(client.create_experiment(name) if found is None else found.experiment_id)


def _portions(items: Sequence[_Item], most: int) -> Iterator[Sequence[_Item]]:
    for start in range(0, len(items), most):
        yield items[start : start + most]
