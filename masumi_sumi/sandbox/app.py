"""The node's HTTP face: envelopes, status codes and sentences as the real node has them."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware

from masumi_sumi.sandbox.calls import CALLS, SAFE_RECOVERY_CALL, Call
from masumi_sumi.sandbox.controls import Controls
from masumi_sumi.sandbox.errors import Broken, Invalid, Refused, TooLarge, Unauthorized
from masumi_sumi.sandbox.gate import BASE_PATH, Gate
from masumi_sumi.sandbox.node import Node
from masumi_sumi.sandbox.panel import control_routes

BODY_LIMIT = 100 * 1024
Endpoint = Callable[[Request], Coroutine[Any, Any, Response]]


def build(controls: Controls) -> FastAPI:
    """The application around a node; its lifespan keeps the chain going."""
    node = controls.node

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        ticking = asyncio.create_task(_tick(node))
        try:
            yield
        finally:
            ticking.cancel()
            with suppress(asyncio.CancelledError):
                await ticking

    app = FastAPI(
        title="Masumi payment node (sandbox)",
        description=__doc__,
        lifespan=lifespan,
        redirect_slashes=False,
    )
    app.add_api_route(f"{BASE_PATH}/health", _health, tags=["node"], summary="No token needed.")
    newer = (SAFE_RECOVERY_CALL,) if node.settings.safe_recovery else ()
    for call in (*CALLS, *newer):
        app.add_api_route(
            BASE_PATH + call.path,
            _endpoint(node, call),
            methods=[call.method],
            tags=["node"],
            summary=f"Needs {call.permission} permission.",
            openapi_extra=_parameters(call),
        )
    app.include_router(control_routes(controls))

    @app.exception_handler(HTTPException)
    async def no_route(request: Request, error: HTTPException) -> Response:
        return _json(
            {"status": "error", "error": {"message": _no_route(request, error)}}, error.status_code
        )

    app.add_middleware(Gate, faults=controls.faults)
    app.add_middleware(
        CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"]
    )
    return app


async def _tick(node: Node) -> None:
    """A block every ``block_seconds``, also while nobody asks."""
    while True:
        await asyncio.sleep(node.settings.block_seconds)
        await run_in_threadpool(node.catch_up)


async def _health() -> Response:
    return _success({"status": "ok"})


def _endpoint(node: Node, call: Call) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        try:
            values = await _values(request)
            key = node.keys.admit(request.headers.get("token"), call.permission)
            return _success(await run_in_threadpool(call.answer, node, key, values))
        except Refused as refused:
            if isinstance(refused, Unauthorized) and node.settings.refusal_delay:
                await asyncio.sleep(random.uniform(0, node.settings.refusal_delay))
            return _error(refused, hide=node.settings.production)

    return endpoint


async def _values(request: Request) -> dict[str, Any]:
    """Query parameters of a GET, the JSON body of a POST; a body of another type is none."""
    if request.method == "GET":
        return dict(request.query_params)
    body = await request.body()
    if len(body) > BODY_LIMIT:
        raise TooLarge("request entity too large")
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if kind != "application/json" or not body:
        return {}
    text = body.decode(errors="replace")
    try:
        values = json.loads(text)
        json.dumps(values, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise Invalid(_unreadable(text, error.pos)) from error
    except UnicodeEncodeError as error:
        raise Broken("the database takes no half characters") from error
    return values if isinstance(values, dict) else {}


def _unreadable(text: str, position: int) -> str:
    if position >= len(text.rstrip()):
        return "Unexpected end of JSON input"
    return f"Unexpected token '{text[position]}', \"{text[:20]}\" is not valid JSON"


def _no_route(request: Request, error: HTTPException) -> str:
    messages = {
        404: f"Can not {request.method} {request.url.path}",
        405: f"{request.method} is not allowed",
    }
    return messages.get(error.status_code, error.detail)


def _success(data: dict[str, Any]) -> Response:
    return _json({"status": "success", "data": data}, 200)


def _error(refused: Refused, *, hide: bool) -> Response:
    message = refused.message
    if hide and refused.status >= 500:
        message = "Internal Server Error"
    body = {"status": "error", "error": {"message": message}, **refused.extra}
    return _json(body, refused.status)


def _json(body: dict[str, Any], status: int) -> Response:
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    return Response(text, status, media_type="application/json")


def _parameters(call: Call) -> dict[str, Any]:
    """What OpenAPI says about the fields; the exact rules are in ``forms``."""
    token = {"name": "token", "in": "header", "required": True, "schema": {"type": "string"}}
    if call.method == "GET":
        fields = [
            {
                "name": field.name,
                "in": "query",
                "required": not field.optional,
                "schema": {"type": "string"},
            }
            for field in call.fields
        ]
        return {"parameters": [token, *fields]}
    schema = {
        "type": "object",
        "required": [field.name for field in call.fields if not field.optional],
        "properties": {field.name: {} for field in call.fields},
    }
    body = {"content": {"application/json": {"schema": schema}}, "required": True}
    return {"parameters": [token], "requestBody": body}
