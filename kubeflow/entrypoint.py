"""What a container runs: one component of the pipeline, as Kubeflow's launcher asks for it.

`python -m fullbake.kubeflow.entrypoint --component NAME --executor-input JSON`, where the launcher puts the JSON. In
order (see `kubeflow.step`):

1. The config comes out of the executor input, with this run's parameters in it, and is checked as a whole: a bad
   parameter stops the first step.
2. The component is made anew from the config, by the function that makes it on a laptop. All settings and the types of
   its artifacts come from there (see `kubeflow.compiler` for why not from Kubeflow).
3. ExampleGen's driver, which finds the newest span, is run here: the backend runs no drivers (`preCacheCheck`), and
   without it the span would be lost. If the model in production was made of these very contents in the same way,
   nothing more is done, in no step.
4. The executor runs on local folders, and what it made is written down for the launcher (see
   `kubeflow.executor_artifacts`). A training on several nodes is done by a job instead (see `kubeflow.training_job`).
   Only where Beam's workers are elsewhere (`beam.args`) do they read and write the bucket itself.

Exit codes are those of `fullbake`: 0 done, 2 the config or the data is wrong, 3 the gate refused the model. The
launcher turns all but 0 into 1: a failed step, whose log has one line that says why (see `kubeflow.verdict` for who
reads it). A webhook gets a notice, if the config names one (see `kubeflow.notice`). Which steps are tried again is in
`kubeflow.retries`.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time

import click

from fullbake.contract.errors import InputError
from fullbake.contract.exit_codes import EXIT_INPUT_ERROR, EXIT_REFUSED
from fullbake.kubeflow.notice import notify
from fullbake.kubeflow.step import RefusedError, run_component
from fullbake.kubeflow.verdict import TERMINATION_LOG, TerminationMessage, refused, stopped
from fullbake.pipeline.config.config_keys import CONFIG_KEYS
from fullbake.pipeline.config.redaction import LOG_LINE

log = logging.getLogger("fullbake")

FOLLOWER = "ConfigSchema"
"""The component that begins beside CsvExampleGen, and has the config alone to stop at: so does CsvExampleGen, and one
notice is enough."""

EXIT_CRASH = 1


@click.command()
@click.option("--component", "name", required=True, help="The component to run.")
@click.option("--executor-input", required=True, help="What the launcher asks for, as JSON.")
def main(name: str, executor_input: str) -> None:
    """Run one component of the pipeline in a container of Kubeflow."""
    # By force: absl has put a handler of its own there.
    last_words = [TerminationMessage()] if TERMINATION_LOG.exists() else []
    logging.basicConfig(
        level=logging.INFO, format=LOG_LINE, handlers=[logging.StreamHandler(), *last_words], force=True
    )
    started = time.monotonic()
    request = json.loads(executor_input)
    try:
        nothing_new = run_component(name, request)
    except InputError as error:
        reason = error.text(CONFIG_KEYS)
        log.error("%s", stopped(name, reason))
        if name != FOLLOWER:
            notify(name, request, "failed", reason)
        leave(EXIT_INPUT_ERROR)
    except RefusedError as error:
        log.error("%s", refused(name, str(error)))
        notify(name, request, "refused", str(error), error.missed_bounds)
        leave(EXIT_REFUSED)
    except Exception as error:
        log.exception("%s: failed", name)
        notify(name, request, "failed", f"{type(error).__name__}: {error}")
        leave(EXIT_CRASH)
    if nothing_new is None:
        log.info("%s: done in %.1f s", name, time.monotonic() - started)
    else:
        log.info("%s: left out, for there is nothing new: %s", name, nothing_new)
    leave(0)


def leave(code: int) -> None:
    """Ends the process, whatever threads there are."""
    # Native threads of TensorFlow, Beam and gRPC that outlive the interpreter end a step that was done with "pure
    # virtual method called" and a failure.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
