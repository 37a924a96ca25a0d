"""The server's addresses (ASGI); docs/serve.md lists them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import ExitStack
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Query, Request, Response, WebSocket
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import rtser
from rtser.engine.contract import segment_end_s, window_segments
from rtser.events import Event
from rtser.protocol import CONTROL, PATH, SUBPROTOCOL
from rtser.serve.connection import SocketConnection
from rtser.serve.page import WEB, about
from rtser.serve.service import Service
from rtser.serve.upload import Upload, UploadError

NDJSON = "application/x-ndjson"
RETRY_S = "5"
OPEN_PATHS = ("/health", "/health/live", "/health/ready")
"""Addresses for probes, which name no host and have no token."""
TOKEN_PATHS = ("/v1", "/metrics", "/openapi.json", "/model.")
"""Addresses that need the token: all except the files of the page, which are public anyway."""


class Problem(BaseModel):
    """Why a request was refused."""

    problem: str


class Health(BaseModel):
    """`live`: the server works. `ready`: it takes new clients. `problem`: why not; empty if it does."""

    live: bool
    ready: bool
    problem: str


class ServedModel(BaseModel):
    """The model that all streams share; docs/model.md explains its limits."""

    name: str
    sha256: str
    labels: list[str]
    window_s: float
    label_threshold: float
    provider: str
    licence: str
    limits: str


def make_app(service: Service) -> FastAPI:
    """The application around a service."""
    app = FastAPI(
        title="rtser",
        version=rtser.__version__,
        summary="Recognises emotion in speech as it is spoken. The WebSocket /v1/stream is described in docs/serve.md.",
        docs_url=None,  # the pages of FastAPI load scripts from other hosts
        redoc_url=None,
    )
    app.add_middleware(Guard, service=service)
    if origins := service.settings.access.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["GET", "POST"],
            allow_headers=["authorization", "content-type"],
        )
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _other)
    refused: dict[int | str, dict[str, Any]] = {status: {"model": Problem} for status in (401, 403)}

    @app.websocket(PATH)
    async def stream(socket: WebSocket) -> None:
        if problem := service.problem or ("the server is full" if service.full else ""):
            service.metrics.rejected.labels("full" if service.full else "not_ready").inc()
            await socket.send_denial_response(_problem(503, problem, **{"Retry-After": RETRY_S}))
            return
        await SocketConnection(socket, service).serve()

    @app.get(PATH, include_in_schema=False)
    async def stream_without_upgrade() -> Response:
        hint = f"this is a WebSocket: connect to it as ws://HOST:PORT{PATH} (wss:// with TLS)"
        return _problem(426, hint, Upgrade="websocket", Connection="Upgrade")

    @app.get("/v1/recognize", include_in_schema=False)
    async def recognize_without_file() -> Response:
        return _problem(405, "send a sound file with POST (curl --data-binary @FILE)", Allow="POST")

    @app.post(
        "/v1/recognize",
        response_class=JSONResponse,
        responses=refused
        | {status: {"model": Problem} for status in (400, 408, 413, 415, 422, 503)}
        | {200: {"description": "All events, oldest first, by events.schema.json.", "content": {
            "application/json": {"schema": {"type": "object", "required": ["events"], "properties": {
                "events": {"type": "array", "items": {"type": "object"}}}}},
            NDJSON: {"schema": {"type": "string"}}}}},
        openapi_extra={"requestBody": {"required": True, "content": {
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}},
    )  # fmt: skip
    async def recognize(
        request: Request,
        events: Annotated[Literal["utterances", "decisions"], Query(description="decisions: those too")] = "utterances",
        channel: Annotated[int | None, Query(ge=0, le=255, description="counted from 0; the mean of all")] = None,
    ) -> Response:
        """Recognise a sound file: wav, flac, mp3, ogg; m4a, webm and others with the extra `media`.

        With ``Accept: application/x-ndjson`` the answer is one event a line, as they are made.
        """
        return await _recognised(service, request, channel, events == "decisions")

    @app.get("/v1/models", responses=refused)
    async def models() -> list[ServedModel]:
        """The model that all streams share."""
        model, metadata = service.model, service.model.metadata
        return [
            ServedModel(
                name=metadata.name,
                sha256=model.sha256,
                labels=list(model.labels),
                window_s=service.settings.window_s or segment_end_s(metadata.window - 1),
                label_threshold=metadata.label_threshold,
                provider=model.execution_provider,
                licence=metadata.licence,
                limits=metadata.limits,
            )
        ]

    @app.get("/v1/protocol", responses=refused)
    async def protocol() -> dict[str, Any]:
        """JSON Schemas of the WebSocket /v1/stream: what the client says, and what the server says."""
        events = (files("rtser") / "events.schema.json").read_text(encoding="utf-8")
        return {"subprotocol": SUBPROTOCOL, "client": CONTROL.json_schema(), "server": json.loads(events)}

    @app.get("/health")
    async def health() -> Health:
        """The state of the server."""
        return Health(live=service.recogniser.alive, ready=not service.problem, problem=service.problem)

    @app.get("/health/live", responses={503: {"model": Health}})
    async def live() -> Response:
        """200 while the server works."""
        return JSONResponse((await health()).model_dump(), 200 if service.recogniser.alive else 503)

    @app.get("/health/ready", responses={503: {"model": Health}})
    async def ready() -> Response:
        """200 while new clients are taken."""
        return JSONResponse((await health()).model_dump(), 503 if service.problem else 200)

    @app.get("/metrics", responses=refused | {200: {"content": {"text/plain": {}}}}, response_class=Response)
    async def metrics() -> Response:
        """Figures for Prometheus."""
        return Response(service.metrics.text(), media_type=CONTENT_TYPE_LATEST)

    @app.get(
        "/model.onnx", responses=refused | {200: {"content": {"application/octet-stream": {}}}}, response_class=Response
    )
    async def model_file() -> Response:
        """The model file, for the page's own engine."""
        return FileResponse(service.model_file, media_type="application/octet-stream")

    @app.get("/model.json", responses=refused)
    async def model_about() -> dict[str, Any]:
        """The metadata of the model file (`rtser info --json`), its SHA-256, and this server's own settings."""
        made: dict[str, Any] = json.loads(about(service.model))
        settings = service.settings
        if settings.window_s is not None:
            made["window"] = window_segments(settings.window_s)
        return made | {"decide": settings.decide.model_dump()}

    with as_file(WEB) as web:
        app.mount("/", StaticFiles(directory=web, html=True))
    return app


class Guard:
    """Refuses requests that are not allowed, before any part of their body is read (ASGI).

    Args:
        app: the application behind it.
        service: holds the `Access`.
    """

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app, self._service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "http":
            send = self._in_time(send)
        if scope["type"] not in ("http", "websocket") or scope["path"] in OPEN_PATHS:
            await self._pass(scope, receive, send)
            return
        scheme = "https" if scope["scheme"] in ("https", "wss") else "http"
        needs_token = scope["path"].startswith(TOKEN_PATHS)
        refusal = self._service.access.refusal(Headers(scope=scope), scheme, needs_token)
        if refusal is None:
            await self._pass(scope, receive, send)
            return
        self._service.metrics.rejected.labels(refusal.reason).inc()
        headers = {"WWW-Authenticate": "Bearer"} if refusal.status == 401 else {}
        response = _problem(refusal.status, refusal.problem, **headers)
        if scope["type"] == "websocket":
            await WebSocket(scope, receive, send).send_denial_response(response)
        else:
            await response(scope, receive, send)

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request. A client that does not read the answer is disconnected."""
        try:
            await self._app(scope, receive, send)
        except TimeoutError:
            self._service.metrics.rejected.labels("slow_reader").inc()

    def _in_time(self, send: Send) -> Send:
        """As `send`, which raises TimeoutError if the client does not read."""

        async def send_in_time(message: Message) -> None:
            async with asyncio.timeout(self._service.settings.limits.slow_reader_s):
                await send(message)

        return send_in_time


async def _recognised(service: Service, request: Request, channel: int | None, decisions: bool) -> Response:
    """The answer to a file."""
    if problem := service.problem or service.uploads_problem:
        service.metrics.rejected.labels("not_ready" if service.problem else "uploads").inc()
        return _problem(503, problem, **{"Retry-After": RETRY_S})
    if request.headers.get("content-type", "").startswith("multipart/"):
        return _problem(415, "send the file itself as the body, not a form (curl --data-binary @FILE)")
    with ExitStack() as stack:
        upload = Upload(service, channel, decisions)
        stack.enter_context(service.connected(upload))
        stack.callback(upload.close)
        file = stack.enter_context(NamedTemporaryFile(prefix="rtser-", delete=False))
        stack.callback(Path(file.name).unlink, missing_ok=True)
        try:
            await upload.receive(request, file)
            events = upload.events(file.name)
            first = await anext(events)
        except UploadError as error:
            service.metrics.rejected.labels(error.reason).inc()
            return _problem(error.status, error.problem)
        lines = NDJSON in request.headers.get("accept", "")
        return EventsResponse(first, events, lines, service, stack.pop_all())


class EventsResponse(StreamingResponse):
    """Events as they are made, as lines or as one JSON object.

    Args:
        first: the first event.
        others: the others.
        lines: whether to send one event per line.
        service: has the limits and metrics.
        stack: closed at the end, even if the client has gone.
    """

    def __init__(
        self, first: Event, others: AsyncGenerator[Event], lines: bool, service: Service, stack: ExitStack
    ) -> None:
        super().__init__(_text(first, others, lines), media_type=NDJSON if lines else "application/json")
        self._others, self._service, self._stack = others, service, stack

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events."""
        with self._stack:
            try:
                async with asyncio.timeout(self._service.settings.limits.total_s):
                    await super().__call__(scope, receive, send)
            finally:
                await self._others.aclose()


async def _text(first: Event, others: AsyncIterator[Event], lines: bool) -> AsyncIterator[str]:
    """The events as lines, or as one JSON object."""
    yield first.to_json() + "\n" if lines else f'{{"events": [{first.to_json()}'
    async for event in others:
        yield event.to_json() + "\n" if lines else f",\n{event.to_json()}"
    if not lines:
        yield "]}\n"


def _problem(status: int, problem: str, **headers: str) -> JSONResponse:
    return JSONResponse({"problem": problem}, status, headers)


async def _other(_request: Request, error: Exception) -> JSONResponse:
    """Requests that FastAPI itself refuses, such as an unknown path."""
    assert isinstance(error, HTTPException)
    return _problem(error.status_code, str(error.detail))


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    """What is wrong with a request's parameters, in one sentence."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    return _problem(422, f"{first['loc'][-1]}: {first['msg']}")
