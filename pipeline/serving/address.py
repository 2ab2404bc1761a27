"""The addresses of TensorFlow Serving's REST API (`model_servers/http_rest_api_util.cc`)."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote

from fullbake.pipeline.serving.api_error import bad_request

_MODEL = r"/v1/models/([^/:]+)(?:/versions/(\d+)|/labels/([^/:]+))?"
_POST = re.compile(rf"{_MODEL}:(classify|regress|predict)", re.ASCII | re.IGNORECASE)
_GET = re.compile(rf"{_MODEL}(?:/(metadata))?", re.ASCII | re.IGNORECASE)
_HIGHEST = 2**63 - 1


class Address(NamedTuple):
    """What a request is about.

    Attributes:
        name: Of the model.
        version: Its number; None: the latest, or all.
        method: `classify`, `regress`, `predict`, `metadata` or `status`.
    """

    name: str
    version: int | None
    method: str


def read_address(http_method: str, path: str) -> Address:
    """Returns what an address asks for.

    Args:
        http_method: GET, POST, or another, for which there is nothing.
        path: As it was sent, without the query.

    Raises:
        ApiError: It is none of the API's.
    """
    pattern = {"POST": _POST, "GET": _GET}.get(http_method)
    found = pattern and pattern.fullmatch(path)
    if not found:
        raise bad_request(f"Malformed request: {http_method} {path}")
    name, number, label, method = found.groups()
    if label:
        raise bad_request(f"Unrecognized servable version label: {unquote(label)}")
    if number and int(number) > _HIGHEST:
        raise bad_request(f"Failed to convert version: {number} to numeric.")
    return Address(unquote(name), int(number) if number else None, (method or "status").lower())
