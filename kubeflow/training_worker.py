"""What a pod of a training job runs: `python -m fullbake.kubeflow.training_worker FOLDER`.

The folder, on the volume, is made by `kubeflow.training_job`. All workers do the component's work together, and what
the first one makes is kept.
"""

from __future__ import annotations

import json
import logging
import tempfile
from pathlib import Path

import click

from fullbake.contract.errors import InputError
from fullbake.contract.exit_codes import EXIT_INPUT_ERROR
from fullbake.kubeflow.entrypoint import leave
from fullbake.kubeflow.step import run_component
from fullbake.kubeflow.training_job import OUTPUT_FILE, STOPPED_FILE, TASK_FILE
from fullbake.kubeflow.verdict import stopped
from fullbake.pipeline.config.config_keys import CONFIG_KEYS
from fullbake.pipeline.config.redaction import LOG_LINE
from fullbake.pipeline.output_file import write_output
from fullbake.trainer.devices.worker_cluster import configured_workers

log = logging.getLogger("fullbake")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
def main(folder: Path) -> None:
    """Train as one of several workers."""
    logging.basicConfig(level=logging.INFO, format=LOG_LINE, force=True)
    task = json.loads((folder / TASK_FILE).read_text(encoding="utf-8"))
    executor_input = task["executor_input"]
    try:
        cluster = configured_workers()
        with tempfile.TemporaryDirectory() as scratch:
            if cluster is not None and cluster.own != 0:  # a single worker has no cluster
                # TensorFlow wants every worker to save; only one may do so in the folder that counts.
                outputs = executor_input["outputs"]
                outputs["outputFile"] = str(Path(scratch, OUTPUT_FILE))
                for key, wanted in outputs["artifacts"].items():
                    wanted["artifacts"][0]["uri"] = str(Path(scratch, key))
            run_component(task["component"], executor_input, in_job=True)
    except InputError as error:
        reason = error.text(CONFIG_KEYS)
        log.error("%s", stopped(task["component"], reason))
        write_output(folder / STOPPED_FILE, reason, "the volume")
        leave(EXIT_INPUT_ERROR)
    leave(0)


if __name__ == "__main__":
    main()
