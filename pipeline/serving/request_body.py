"""The body of a request, read no further than is allowed."""

from __future__ import annotations

import asyncio
import contextlib

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from fullbake.pipeline.serving.api_error import TOO_LARGE, ApiError

_LINGER_SECONDS = 5.0  # nginx's lingering_timeout


async def read_body(request: Request, most: int) -> bytes:
    """Returns a request's body.

    Args:
        request: The request.
        most: Bytes that it may have; what has more is not read to its end, nor kept.

    Raises:
        ApiError: It has more.
    """
    too_large = ApiError(TOO_LARGE, f"the request's body has more than {most:,} bytes; send fewer rows at once")
    announced = request.headers.get("content-length", "0")
    if announced.isdecimal() and int(announced) > most:
        raise too_large
    read = bytearray()
    async for part in request.stream():
        read += part
        if len(read) > most:
            raise too_large
    return bytes(read)


class Refusal(Response):
    """A response to a request that is not read to its end; the connection is closed after it.

    Many clients write all of a request before they read, and a connection that is closed on them costs them the
    response. So what they write meanwhile is taken and thrown away, for some seconds.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102 (see Response)
        self.headers["connection"] = "close"
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(_drain(receive), _LINGER_SECONDS)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _drain(receive: Receive) -> None:
    message: Message = {"more_body": True}
    while message.get("more_body"):
        message = await receive()
