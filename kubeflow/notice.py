"""Tells a webhook that a step refused a model or failed: `kubeflow.notify`.

The container itself does it, for it knows the reason; Kubeflow knows only that it ended. An exit task, which would also
see what no container can report (no memory, no image, no time), is not among the steps: up to release 2.5 the backend
refuses a package whose exit task asks how the run ended ("task final status not supported yet"), and up to 2.3 a run
with an exit task is marked as succeeded, whatever failed in it (kubeflow/pipelines#11405).

Whoever has the address can post to the channel: so it comes from a secret of Kubernetes through the environment, and is
in no package, log or error.
"""

from __future__ import annotations

import html
import logging
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import requests
import tenacity

from fullbake.contract.errors import InputError
from fullbake.kubeflow.carried_config import read_carried_config
from fullbake.kubeflow.executor_platform import ADDRESS_VARIABLE
from fullbake.kubeflow.parameters import CONFIG_PARAMETER
from fullbake.kubeflow.retries import tried_again
from fullbake.pipeline.config.redaction import Redactor

log = logging.getLogger("fullbake")

_CONNECT_SECONDS, _ANSWER_SECONDS = 5, 10
_POSTS = 4
LONGEST_WAIT_SECONDS = 10
_LONGEST_REASON = 2_000  # characters; TensorFlow's errors may hold a whole graph

_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"


@dataclass(frozen=True)
class Notice:
    """What is sent to a webhook.

    Attributes:
        pipeline: The config's name; None if the config cannot be read.
        run: Kubeflow's id of the run; None if it is not known.
        step: The component.
        verdict: `refused`: the model was not pushed; `failed`: anything else.
        reason: A sentence.
        missed_bounds: A sentence for each bound of the gate that the model missed.
    """

    pipeline: str | None
    run: str | None
    step: str
    verdict: Literal["refused", "failed"]
    reason: str
    missed_bounds: tuple[str, ...] = ()

    def payload(self) -> dict[str, Any]:
        """Returns its fields, and `text`, which Slack's incoming webhooks show."""
        outcome = "the model was refused by" if self.verdict == "refused" else "failed in"
        text = f"{self.pipeline or 'fullbake'}: {outcome} step {self.step}: {self.reason}"
        if self.run is not None:
            text += f" (run {self.run})"
        # Slack's own three; it takes all else as it is.
        return {"text": html.escape(text, quote=False), **asdict(self)}


def notify(
    step: str,
    executor_input: Mapping[str, Any],
    verdict: Literal["refused", "failed"],
    reason: str,
    missed_bounds: Sequence[str] = (),
) -> None:
    """Posts a notice, if the containers were given an address and this is the step's last try.

    What cannot be sent is a warning in the log, and nothing more.

    Args:
        step: The component.
        executor_input: What the launcher asked of it, from JSON.
        verdict: See `Notice`.
        reason: A sentence; passwords in it are left out, and what is very long is cut.
        missed_bounds: See `Notice`.
    """
    address = os.environ.get(ADDRESS_VARIABLE, "").strip()
    if not address:
        return
    try:
        config = read_carried_config(executor_input["inputs"]["parameterValues"][CONFIG_PARAMETER])
    except InputError:
        config = None
    if config is not None and tried_again(step, config["kubeflow"]["retries"]):
        log.info("%s: no notice, for it is tried again", step)
        return
    redact = Redactor(config["beam"]["args"] if config else ())
    notice = Notice(
        pipeline=config["name"] if config else None,
        run=find_run(executor_input),
        step=step,
        verdict=verdict,
        reason=_cut(redact(reason)),
        missed_bounds=tuple(redact(bound) for bound in missed_bounds),
    )
    fault = post(address, notice)
    if fault is None:
        log.info("%s: notice sent", step)
    else:
        log.warning("%s: notice not sent: %s; look at the secret that kubeflow.notify names", step, fault)


def post(address: str, notice: Notice) -> str | None:
    """Posts a notice as JSON, four times at most if the webhook is busy or cannot be reached.

    Args:
        address: Http or https.
        notice: What is sent.

    Returns:
        None if it was taken; otherwise why not, without the address.
    """
    if not address.lower().startswith(("http://", "https://")):
        return "its address begins with neither http:// nor https://"

    def once() -> str | None:
        # No redirects: they may lead to somebody else.
        answer = requests.post(
            address, json=notice.payload(), timeout=(_CONNECT_SECONDS, _ANSWER_SECONDS), allow_redirects=False
        )
        if answer.status_code == requests.codes.too_many_requests or answer.status_code >= 500:
            raise _BusyError(f"the webhook answers {answer.status_code}")
        return None if 200 <= answer.status_code < 300 else f"the webhook answers {answer.status_code}"

    trying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type((_BusyError, requests.ConnectionError, requests.Timeout)),
        stop=tenacity.stop_after_attempt(_POSTS),
        wait=tenacity.wait_exponential(max=LONGEST_WAIT_SECONDS),
        reraise=True,
    )
    try:
        return trying(once)
    except _BusyError as error:
        return str(error)
    except Exception as error:
        # Whatever it is must not change how the step ends; and its text holds the address.
        return f"the webhook cannot be reached ({type(error).__name__})"


def find_run(executor_input: Mapping[str, Any]) -> str | None:
    """Returns the id of the run. The addresses of artifacts hold it, between the pipeline's name and the step's."""
    for side in ("outputs", "inputs"):
        for wanted in executor_input[side].get("artifacts", {}).values():
            for artifact in wanted["artifacts"]:
                if found := re.search(rf"/({_UUID})/\w+/", artifact["uri"]):
                    return found[1]
    return None


class _BusyError(Exception):
    """The webhook could not take it now."""


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_REASON else f"{text[:_LONGEST_REASON]} …"
