"""The server process: its socket, its start, and its end."""

from __future__ import annotations

import asyncio
import contextlib
import math
import signal
import socket
from collections.abc import Callable, Iterator

import uvicorn
from starlette.applications import Starlette

from fullbake.contract.errors import InputError

_KEEP_ALIVE_SECONDS = 75  # nginx's default; a pool of connections must not find them closed after a pause
_SECONDS_TO_END = 5  # more than a request may take


def bound_socket(host: str, port: int) -> socket.socket:
    """Returns a socket that has the port, and does not answer yet.

    Args:
        host: A name or an address of this machine.
        port: 0: any that is free.

    Raises:
        InputError: It cannot be had.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        raise InputError(f"--host: {host!r} is no address of this machine; use 127.0.0.1 or 0.0.0.0") from error
    bound = socket.socket(family, kind, protocol)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind(address)
    except OSError as error:
        bound.close()
        raise _no_port(host, port, error) from error
    return bound


def _no_port(host: str, port: int, error: OSError) -> InputError:
    return InputError(f"--port: {port} of {host} cannot be had: {error.strerror}; name another, or 0 for any")


def url_of(bound: socket.socket) -> str:
    """Returns the address at which a browser on this machine finds a server."""
    host, port = bound.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104 - that is what is asked for
        host = "localhost"
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def serve(application: Starlette, bound: socket.socket, seconds: float, ready: Callable[[], None]) -> None:
    """Answers requests until Ctrl-C or SIGTERM, then finishes those under way. A second Ctrl-C leaves them.

    Args:
        application: What answers.
        bound: As `bound_socket` returned it.
        seconds: That a request may take, at most.
        ready: Is called when it answers.

    Raises:
        InputError: Another process has taken the port meanwhile.
    """
    host, port = bound.getsockname()[:2]
    config = uvicorn.Config(
        application,
        http="h11",
        ws="none",
        loop="asyncio",
        lifespan="on",
        log_config=None,
        log_level="critical",  # what goes wrong in the application it says itself, without texts
        access_log=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=math.ceil(seconds) + _SECONDS_TO_END,
    )
    try:
        asyncio.run(_Server(config, ready).serve(sockets=[bound]))
    except OSError as error:
        raise _no_port(host, port, error) from error


class _Server(uvicorn.Server):
    """Uvicorn, but a signal only ends it; the process goes on to its own end."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]):
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
