"""Which steps are tried again, and by whom.

A failure that may pass (a process out of memory, a bucket that did not answer) is worth another try; a wrong config,
wrong data or a refusal is not. Argo cannot tell them apart: KFP's launcher ends with 1 whatever its command ended with
(`glog.Exit` in backend/src/v2/cmd/launcher-v2/main.go of kubeflow/pipelines, 2.0.5 to 2.17.0). So Argo tries again
the steps that do the work, and those that reach a verdict are tried again in their container, which knows the reason.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable
from typing import Any

import tenacity

from fullbake.kubeflow.executor_platform import NAMESPACE_FILE
from fullbake.kubeflow.releases import read_release, release_name

log = logging.getLogger("fullbake")

VERDICTS = ("CsvExampleGen", "ConfigSchema", "DataGate", "Pusher")
"""The components that stop for good: the config or the data is wrong, or the gate refused the model."""

# The first release whose compiler makes a retryStrategy of the policy (backend/src/v2/compiler/argocompiler).
_RETRYING = (2, 4, 1)
_INDEX_VARIABLE = "KFP_RETRY_INDEX"  # from release 2.16.1 of Kubeflow Pipelines on
_NODE_ANNOTATION = "workflows.argoproj.io/node-name"
_API_SECONDS = 5
FIRST_WAIT_SECONDS = 60
_FACTOR = 2
# Not a wait: the time since the first try began after which no other is begun and the one under way is killed
# (processNodeRetries in workflow/controller/operator.go of argo-workflows; kubeflow/pipelines#13452). The backend makes
# 0 of none, which allows no second try. So: a year, more than any training takes.
_LONGEST_TRYING_SECONDS = 365 * 24 * 3600


def retry_policy(component: str, retries: int) -> dict[str, Any] | None:
    """Returns the `retryPolicy` of a component's task, for Argo; None if Argo must not try it again."""
    if not retries or component in VERDICTS:
        return None
    return {
        "maxRetryCount": retries,
        "backoffDuration": f"{FIRST_WAIT_SECONDS}s",
        "backoffFactor": float(_FACTOR),
        "backoffMaxDuration": f"{_LONGEST_TRYING_SECONDS}s",
    }


def untried(server: str, retries: int) -> list[str]:
    """Returns warnings about retries that the server does not make.

    Args:
        server: The tag that it names, such as `2.0.5`.
        retries: How often a failure is to be tried again.
    """
    release = read_release(server)
    if not retries or release is None or release >= _RETRYING:
        return []
    return [
        f"kubeflow.retries: Kubeflow Pipelines {release_name(release)} does not try a step again, which "
        f"{release_name(_RETRYING)} and newer do; only {', '.join(VERDICTS)} are tried again, by themselves"
    ]


def tried_again(component: str, retries: int) -> bool:
    """Returns whether Argo tries a component again if this container fails; False where that is not known.

    Args:
        component: Its id.
        retries: How often a failure is tried again (`kubeflow.retries`).
    """
    if retry_policy(component, retries) is None:
        return False
    index = os.environ.get(_INDEX_VARIABLE) or _index_in_name_of_node()
    return index is not None and int(index) < retries


def _index_in_name_of_node() -> str | None:
    """Returns which try this pod is, from 0, by its annotation: `a-run.root.Trainer.executor(0)`.

    None where it is the only one: releases to 2.4.0 of Kubeflow Pipelines know of no retries.
    """
    from kubernetes import client, config

    try:
        config.load_incluster_config()
        namespace = NAMESPACE_FILE.read_text(encoding="utf-8").strip()
        pod = client.CoreV1Api().read_namespaced_pod(
            os.environ["KFP_POD_NAME"], namespace, _request_timeout=_API_SECONDS
        )
        found = re.search(r"\((\d+)\)$", (pod.metadata.annotations or {}).get(_NODE_ANNOTATION, ""))
    except Exception as error:
        # No right to read the pod, or no answer: whether it is tried again is no reason to fail in another way.
        log.info("which try this is, cannot be told: %s", type(error).__name__)
        return None
    return found[1] if found else None


def tries(
    component: str, retries: int, final: tuple[type[Exception], ...], log: logging.Logger
) -> Iterable[tenacity.AttemptManager]:
    """Returns the tries of a component within one container: more than one only where Argo makes no other.

    Args:
        component: Its id.
        retries: How often a failure is tried again (`kubeflow.retries`).
        final: The errors that another try cannot fix.
        log: Where each failure goes that is tried again.

    Returns:
        One context manager a try, which keeps the error to itself if there is another try.
    """
    return tenacity.Retrying(
        retry=tenacity.retry_if_not_exception_type(final),
        stop=tenacity.stop_after_attempt(1 + retries if component in VERDICTS else 1),
        wait=tenacity.wait_exponential(multiplier=FIRST_WAIT_SECONDS, exp_base=_FACTOR),
        before_sleep=tenacity.before_sleep_log(log, logging.WARNING),
        reraise=True,
    )
