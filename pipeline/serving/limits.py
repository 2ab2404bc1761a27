"""What the server takes at most, and how it batches."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Limits:
    """Each has an option of `fullbake serve`.

    Attributes:
        batch_rows: Rows of several requests that go through the model together; a request of more goes alone. 1: no
            two requests share a call.
        wait_seconds: How long a request waits for others, at most, while the model has nothing to do.
        queued_rows: Rows that may wait for the model, before further requests are refused.
        instances: Rows of one request.
        body_bytes: Of one request.
        seconds: From the first byte of a request to its answer; TensorFlow Serving's default.
    """

    batch_rows: int = 64
    wait_seconds: float = 0.005
    queued_rows: int = 2048
    instances: int = 1024
    body_bytes: int = 4 * 2**20
    seconds: float = 30.0
