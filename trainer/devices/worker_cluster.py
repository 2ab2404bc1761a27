"""The workers that `TF_CONFIG` names: which there are, and whether all have come. Imports nothing heavy."""

from __future__ import annotations

import json
import os
import socket
import time
from dataclasses import dataclass

from fullbake.contract.errors import InputError
from fullbake.contract.progress import tell

VARIABLE = "TF_CONFIG"
# How long the workers wait for each other. Nodes that are started for them and pull an image take minutes.
MEETING_SECONDS = 600.0
_TOLD_EACH = 60.0
_PAUSE = 0.2
EXAMPLE = '{"cluster": {"worker": ["host:port", ...]}, "task": {"type": "worker", "index": 0}}'


@dataclass(frozen=True)
class WorkerCluster:
    """The workers of one training.

    Attributes:
        addresses: `host:port` of each, the chief among them.
        own: Which of them is this one.
    """

    addresses: tuple[str, ...]
    own: int

    def meet(self, seconds: float = MEETING_SECONDS) -> None:
        """Waits until all workers have come, and prints which ones are missing.

        TensorFlow itself waits for ever without a message, and ignores signals meanwhile (2.16). Until it is started,
        this worker answers at its address itself, so that those that come later find it.

        Args:
            seconds: How long to wait.

        Raises:
            InputError: Some did not come, or this worker's port is taken.
        """
        absent = [address for number, address in enumerate(self.addresses) if number != self.own]
        own = self.addresses[self.own]
        started = told = time.monotonic()
        with socket.socket(socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET) as answering:
            answering.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if answering.family == socket.AF_INET6:
                answering.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            try:
                answering.bind(("", _host_and_port(own)[1]))
            except OSError as error:
                raise InputError(
                    f"{VARIABLE}: the port of this worker, {own}, cannot be taken ({error.strerror}); name a free one"
                ) from error
            answering.listen()
            while absent := [address for address in absent if not _answers(address)]:
                now = time.monotonic()
                if now - started > seconds:
                    raise InputError(
                        f"{VARIABLE}: {len(absent)} of {len(self.addresses)} workers did not come within "
                        f"{seconds:.0f} s: {', '.join(absent)}; start them, or leave {VARIABLE} out to train alone"
                    )
                if told == started or now - told > _TOLD_EACH:
                    told = now
                    tell(f"waiting for {', '.join(absent)}, named by {VARIABLE}, up to {seconds:.0f} s")
                time.sleep(_PAUSE)


def configured_workers() -> WorkerCluster | None:
    """The workers that `TF_CONFIG` names, or None where it is not set.

    Raises:
        InputError: It cannot be understood, or does not name this worker.
    """
    text = os.environ.get(VARIABLE, "").strip()
    if not text:
        return None
    try:
        given = json.loads(text)
    except ValueError as error:
        raise InputError(f"{VARIABLE}: it is not JSON ({error}); write it like {EXAMPLE}, or leave it out") from error
    cluster = given.get("cluster") if isinstance(given, dict) else None
    jobs = {} if not isinstance(cluster, dict) else {name: cluster.get(name, []) for name in ("chief", "worker")}
    addresses = [(name, index, address) for name, job in jobs.items() for index, address in enumerate(job)]
    if not addresses:
        raise InputError(f"{VARIABLE}: its cluster has no worker; write it like {EXAMPLE}, or leave it out")
    for name, index, address in addresses:
        if not _is_address(address):
            raise InputError(f"{VARIABLE}: {name} {index} of its cluster is {address!r}, and must be like host:port")
    task = given.get("task")
    task = task if isinstance(task, dict) else {}
    wanted = f"{task.get('type')} {task.get('index')}"
    own = [number for number, (name, at, _) in enumerate(addresses) if f"{name} {at}" == wanted]
    if not own:
        known = ", ".join(f"{name} {at}" for name, at, _ in addresses)
        raise InputError(f"{VARIABLE}: its task is {wanted}, which its cluster has not (it has: {known})")
    return WorkerCluster(tuple(address for _, _, address in addresses), own[0])


def _is_address(address: object) -> bool:
    host, _, port = str(address).rpartition(":")
    return bool(host) and port.isdecimal() and 0 < int(port) < 1 << 16


def _host_and_port(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def _answers(address: str) -> bool:
    try:
        with socket.create_connection(_host_and_port(address), timeout=_PAUSE * 5):
            return True
    except OSError:
        return False
