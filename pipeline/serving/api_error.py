"""Errors of the REST API, with the status codes and texts of TensorFlow Serving."""

from __future__ import annotations

BAD_REQUEST = 400  # its INVALID_ARGUMENT
NOT_FOUND = 404
REQUEST_TIMEOUT = 408  # ours: the request did not arrive in time
TOO_LARGE = 413  # ours: TensorFlow Serving takes a body of any size
INTERNAL = 500
UNAVAILABLE = 503  # also where the queue is full
DEADLINE_EXCEEDED = 504

QUEUE_FULL = "The batch scheduling queue to which this task was submitted is full"
TIMED_OUT = "Timed out waiting for notification"


class ApiError(Exception):
    """Becomes a response with this status code and a body `{"error": text}`.

    Args:
        status: The HTTP status code.
        text: What is wrong.
    """

    def __init__(self, status: int, text: str):
        super().__init__(text)
        self.status = status
        self.text = text


def bad_request(text: str) -> ApiError:
    """Returns the error for a request that cannot be understood."""
    return ApiError(BAD_REQUEST, text)


def no_servable(name: str, version: int | None) -> ApiError:
    """Returns the error for a model or version that is not loaded.

    Args:
        name: The model's, as it was asked for.
        version: As it was asked for; None: the latest.
    """
    asked = f"Latest({name})" if version is None else f"Specific({name}, {version})"
    return ApiError(NOT_FOUND, f"Servable not found for request: {asked}")
