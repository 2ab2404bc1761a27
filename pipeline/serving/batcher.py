"""Puts the rows of requests that come together through the model together."""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import tensorflow as tf

from fullbake.pipeline.serving.api_error import BAD_REQUEST, INTERNAL, QUEUE_FULL, UNAVAILABLE, ApiError
from fullbake.pipeline.serving.limits import Limits
from fullbake.pipeline.serving.predict_request import Columns
from fullbake.pipeline.serving.served_model import Answers, ServedModel

_NO_TRACES = "<stack traces unavailable>\n"


class _Task(NamedTuple):
    model: ServedModel
    signature: str | None
    columns: Columns
    rows: int
    answers: asyncio.Future[Answers]


class Batcher:
    """The queue before the model, and what calls it: one call at a time, in a thread of its own.

    While a call is under way, requests gather, and the next call takes them all. Where the model has nothing to do, a
    request waits a moment if the call before had several requests, until there are as many again: a client alone never
    waits, and those of many that were answered together come back together.

    Args:
        limits: Rows of a call and of the queue, and how long the moment is.
    """

    def __init__(self, limits: Limits):
        self._limits = limits
        self._waiting: deque[_Task] = deque()
        self._rows = 0  # of those that wait
        self._last = 1  # requests of the last call
        self._arrived = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, "model")

    async def answers(self, model: ServedModel, signature: str | None, columns: Columns) -> Answers:
        """Returns what a model says of some rows, in its turn.

        Args:
            model: Which; it counts a lease meanwhile.
            signature: As `ServedModel.run` takes it.
            columns: Likewise.

        Raises:
            ApiError: The queue is full, or the model cannot answer.
        """
        rows = len(next(iter(columns.values())))
        if self._rows + rows > self._limits.queued_rows:
            raise ApiError(UNAVAILABLE, QUEUE_FULL)
        future: asyncio.Future[Answers] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Task(model, signature, columns, rows, future))
        self._rows += rows
        self._arrived.set()
        model.leases += 1
        try:
            return await future
        finally:
            model.leases -= 1

    async def run(self) -> None:
        """Answers what comes, until it is cancelled."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                await self._company()
                batch = self._take()
                if batch:
                    self._last = len(batch)
                    for task, found in zip(batch, await loop.run_in_executor(self._thread, _run, batch), strict=True):
                        _settle(task, found)
        finally:
            self._thread.shutdown()

    async def _company(self) -> None:
        """Waits for a request, and then for as many as there were last time, but not long."""
        await self._arrived.wait()
        loop = asyncio.get_running_loop()
        until = loop.time() + self._limits.wait_seconds
        while len(self._waiting) < self._last and self._rows < self._limits.batch_rows:
            left = until - loop.time()
            if left <= 0:
                return
            self._arrived.clear()
            try:
                await asyncio.wait_for(self._arrived.wait(), left)
            except asyncio.TimeoutError:
                return

    def _take(self) -> list[_Task]:
        """Returns the oldest request, and those of the others that go with it; those given up meanwhile are dropped."""
        batch: list[_Task] = []
        rows = 0
        kept: deque[_Task] = deque()
        for task in self._waiting:
            if task.answers.done():
                self._rows -= task.rows
            elif not batch or (
                task.model is batch[0].model
                and task.signature == batch[0].signature
                and rows + task.rows <= self._limits.batch_rows
            ):
                batch.append(task)
                rows += task.rows
            else:
                kept.append(task)
        self._waiting = kept
        self._rows -= rows
        if kept:
            self._arrived.set()
        else:
            self._arrived.clear()
        return batch


def _settle(task: _Task, found: Answers | ApiError) -> None:
    if task.answers.done():  # nobody waits any longer
        return
    if isinstance(found, ApiError):
        task.answers.set_exception(found)
    else:
        task.answers.set_result(found)


def _run(batch: list[_Task]) -> list[Answers | ApiError]:
    """Returns the answers of each task; if they cannot all be answered together, each is asked for alone."""
    first = batch[0]
    columns = {name: [value for task in batch for value in task.columns[name]] for name in first.columns}
    try:
        answers = first.model.run(first.signature, columns)
    except Exception as error:  # whatever it is, it belongs to a request, and the others are to be answered
        if len(batch) > 1:
            return [found for task in batch for found in _run([task])]
        return [_as_api_error(error)]
    parts: list[Answers | ApiError] = []
    start = 0
    for task in batch:
        parts.append(answers.rows(start, start + task.rows))
        start += task.rows
    return parts


def _as_api_error(error: Exception) -> ApiError:
    if isinstance(error, tf.errors.InvalidArgumentError):
        # Before it stands where in the graph it happened, of which a server says nothing.
        return ApiError(BAD_REQUEST, str(error.message).rpartition(_NO_TRACES)[2])
    return ApiError(INTERNAL, f"the model failed: {type(error).__name__}")
