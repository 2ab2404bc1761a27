"""Why a step ended: written by its container, and found again in its log or message.

KFP's launcher ends every failed step with 1, and its API has no reasons. So a step that stops says why in a line of
its log, and in its termination message: the file that Kubernetes mounts into each container and keeps in the pod's
status, from where Argo takes it into the message of the step's node (`inferFailedReason` in
workflow/controller/operator.go of argo-workflows 3.3 to 4.0).
"""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import NamedTuple

from fullbake.contract.exit_codes import EXIT_INPUT_ERROR, EXIT_REFUSED

TERMINATION_LOG = Path("/dev/termination-log")  # Kubernetes' default terminationMessagePath

_KEPT_BYTES = 4096  # of a longer message Kubernetes keeps the end, and would lose what it is about
_STOPPED = "stopped"
_REFUSED = "refused, the model was not pushed"
_CODES = {_STOPPED: EXIT_INPUT_ERROR, _REFUSED: EXIT_REFUSED}
_LINE = re.compile(rf" fullbake: (?P<line>\w+: (?P<what>{'|'.join(_CODES)}): .*)")


class Verdict(NamedTuple):
    """What a step stopped for.

    Attributes:
        code: The exit code of `fullbake` for it, 2 or 3.
        line: The step and the reason.
    """

    code: int
    line: str


class TerminationMessage(logging.Handler):
    """Keeps the last error of `fullbake` as the container's termination message."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.addFilter(logging.Filter("fullbake"))  # libraries log errors that they get over

    def emit(self, record: logging.LogRecord) -> None:
        """Writes a record down."""
        try:
            TERMINATION_LOG.write_bytes(self.format(record).encode(errors="replace")[:_KEPT_BYTES])
        except OSError:
            self.handleError(record)


def stopped(component: str, reason: str) -> str:
    """Returns the line of a step for which the config or the data is wrong."""
    return f"{component}: {_STOPPED}: {reason}"


def refused(component: str, reason: str) -> str:
    """Returns the line of a step that refuses the model."""
    return f"{component}: {_REFUSED}: {reason}"


def find_verdict(text: str) -> Verdict | None:
    """Returns the last verdict in a log or a message; None if there is none."""
    found = list(_LINE.finditer(text))
    return Verdict(_CODES[found[-1]["what"]], found[-1]["line"].rstrip()) if found else None
