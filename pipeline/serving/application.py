"""TensorFlow Serving's REST API over a pushed model, the page to try it, and checks of health."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from fullbake.contract.names import EXAMPLES_SIGNATURE, TEXT_SIGNATURE
from fullbake.pipeline.serving import answer_bodies
from fullbake.pipeline.serving.address import Address, read_address
from fullbake.pipeline.serving.api_error import (
    DEADLINE_EXCEEDED,
    INTERNAL,
    NOT_FOUND,
    REQUEST_TIMEOUT,
    TIMED_OUT,
    TOO_LARGE,
    ApiError,
    bad_request,
    no_servable,
)
from fullbake.pipeline.serving.batcher import Batcher
from fullbake.pipeline.serving.classify_request import read_classify_request
from fullbake.pipeline.serving.json_document import read_document
from fullbake.pipeline.serving.limits import Limits
from fullbake.pipeline.serving.model_versions import ModelVersions
from fullbake.pipeline.serving.predict_request import Columns, read_predict_request, signature_name
from fullbake.pipeline.serving.request_body import Refusal, read_body
from fullbake.pipeline.serving.served_model import ServedModel
from fullbake.pipeline.serving.try_it_page import try_it_page

_Made = TypeVar("_Made")

_JSON = "application/json"
_ASIDE_BYTES = 64 * 2**10  # a body of more is read in another thread, so that it holds up nobody
_ASIDE_NUMBERS = 2048  # likewise an answer of more probabilities is written there
_PREDICT_METHOD = "tensorflow/serving/predict"


class Application:
    """What answers HTTP requests.

    Args:
        name: The model's.
        model_versions: Its versions, of which one is open.
        limits: What is taken at most.
        say: Is called with each line about what went wrong here; it never has a text in it.
    """

    def __init__(self, name: str, model_versions: ModelVersions, limits: Limits, say: Callable[[str], None]):
        self._name = name
        self._versions = model_versions
        self._limits = limits
        self._say = say
        self._batcher = Batcher(limits)
        routes = [
            Route("/", self._page, methods=["GET"]),
            Route("/healthz", self._health, methods=["GET"]),
            Route("/v1/models", self._models, methods=["GET"]),
            Route("/{path:path}", self._api, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
        ]
        self.asgi = Starlette(routes=routes, lifespan=self._lifespan)

    @contextlib.asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(self._batcher.run()), asyncio.create_task(self._versions.watch())]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _page(self, _: Request) -> Response:
        page = try_it_page(self._name, self._model(self._name, None))
        return HTMLResponse(page.html, headers={"Content-Security-Policy": page.policy})

    async def _health(self, _: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def _models(self, _: Request) -> Response:
        return JSONResponse({"models": [self._name]})

    async def _api(self, request: Request) -> Response:
        loop = asyncio.get_running_loop()
        until = loop.time() + self._limits.seconds
        try:
            path = request.scope["raw_path"].decode("ascii", "replace")
            if not path.lower().startswith("/v1/"):
                raise ApiError(NOT_FOUND, "Not Found")
            address = read_address(request.method, path)
            if request.method == "GET":
                return JSONResponse(self._status(address) if address.method == "status" else self._metadata(address))
            body = await self._in_time(read_body(request, self._limits.body_bytes), until, REQUEST_TIMEOUT)
            answer = await self._in_time(self._answer(address, body), until, DEADLINE_EXCEEDED)
            return Response(answer, media_type=_JSON)
        except ClientDisconnect:
            return Response(status_code=REQUEST_TIMEOUT)  # nobody reads it
        except ApiError as error:
            if error.status >= INTERNAL:
                self._say(f"{error.status} {error.text}")
            kind = Refusal if error.status in (TOO_LARGE, REQUEST_TIMEOUT) else Response
            return kind(answer_bodies.error_body(error.text), error.status, media_type=_JSON)
        except Exception as error:
            # The error's own words may quote a text.
            self._say(f"{INTERNAL} {type(error).__name__}")
            return Response(answer_bodies.error_body("Internal error"), INTERNAL, media_type=_JSON)

    @staticmethod
    async def _in_time(work: Any, until: float, status: int) -> bytes:
        try:
            done: bytes = await asyncio.wait_for(work, until - asyncio.get_running_loop().time())
        except asyncio.TimeoutError as error:
            raise ApiError(status, TIMED_OUT) from error
        return done

    def _model(self, name: str, version: int | None) -> ServedModel:
        model = self._versions.current
        if name != self._name or model is None or version not in (None, model.version.number):
            raise no_servable(name, version)
        return model

    def _status(self, address: Address) -> dict[str, Any]:
        statuses = self._versions.statuses if address.name == self._name else {}
        if address.version is not None:
            if address.version not in statuses:
                raise ApiError(NOT_FOUND, f"Could not find version {address.version} of model {address.name}")
            statuses = {address.version: statuses[address.version]}
        if not statuses:
            raise ApiError(NOT_FOUND, f"Could not find any versions of model {address.name}")
        return {
            "model_version_status": [
                {
                    "version": str(number),  # protocol buffers write 64 bits as a string
                    "state": status.state,
                    "status": {"error_code": status.error_code, "error_message": status.error_message},
                }
                for number, status in sorted(statuses.items(), reverse=True)
            ]
        }

    def _metadata(self, address: Address) -> dict[str, Any]:
        return self._model(address.name, address.version).metadata(address.name)

    async def _answer(self, address: Address, body: bytes) -> bytes:
        document = await _aside(len(body) > _ASIDE_BYTES, lambda: read_document(body))
        signature = signature_name(document)
        if address.method == "predict":
            model = self._model(address.name, address.version)
            inputs = model.inputs(signature)
            if inputs is None:
                name = signature or TEXT_SIGNATURE
                raise bad_request(f'Serving signature name: "{name}" not found in signature def')
            request = await _aside(len(body) > _ASIDE_BYTES, lambda: read_predict_request(document, inputs))
            answers = await self._batcher.answers(model, signature, self._few(request.columns))
            write = answer_bodies.predictions_body if request.by_row else answer_bodies.outputs_body
            return await _aside(_is_long(answers.probabilities), lambda: write(answers))
        examples = await _aside(len(body) > _ASIDE_BYTES, lambda: read_classify_request(document))
        model = self._model(address.name, address.version)
        if signature and model.inputs(signature) is None:
            raise bad_request(f"No signature was found with the name: {signature}")
        if address.method == "regress":
            wanted = "Expected regression signature method_name to be tensorflow/serving/regress"
            raise bad_request(f"{wanted}. Was: {_PREDICT_METHOD}")
        answers = await self._batcher.answers(model, EXAMPLES_SIGNATURE, self._few({"examples": examples}))
        return await _aside(
            _is_long(answers.probabilities), lambda: answer_bodies.classifications_body(answers, model.labels)
        )

    def _few(self, columns: Columns) -> Columns:
        rows = len(next(iter(columns.values())))
        if not rows:
            raise bad_request("the request has no rows")
        if rows > self._limits.instances:
            raise bad_request(f"the request has {rows:,} rows; send at most {self._limits.instances:,} at once")
        return columns


def _is_long(rows: list[list[float]]) -> bool:
    return len(rows) * len(rows[0]) > _ASIDE_NUMBERS


async def _aside(long: bool, work: Callable[[], _Made]) -> _Made:
    return await asyncio.to_thread(work) if long else work()
