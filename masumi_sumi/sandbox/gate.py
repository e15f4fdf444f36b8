"""The door of the node: counts who comes, and lets faults strike before or after the act."""

from __future__ import annotations

import asyncio
import json

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from masumi_sumi.sandbox.errors import ConnectionDropped
from masumi_sumi.sandbox.faults import Fault, Faults

BASE_PATH = "/api/v1"


class Gate:
    """ASGI middleware. Only paths below the base path are counted and can be struck."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app = app
        self._faults = faults
        self._turn = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"].rstrip("/") or "/"
        scope = {**scope, "path": path, "raw_path": path.encode()}
        if not path.startswith(BASE_PATH + "/"):
            await self._app(scope, receive, send)
            return
        struck = self._faults.strike(scope["method"], path.removeprefix(BASE_PATH))
        if self._faults.is_down:
            await _drop(scope)
            return
        if seconds := self._faults.seconds_each:
            async with self._turn:
                await asyncio.sleep(seconds)
        if delay := struck.get("delay"):
            await asyncio.sleep(delay.seconds)
        if fail := struck.get("fail"):
            await _answer(fail, send)
        elif "lose" in struck:
            await self._app(scope, receive, _nowhere)
            await _drop(scope)
        else:
            await self._app(scope, receive, send)


async def _nowhere(message: Message) -> None:
    """A send that loses everything."""


async def _drop(scope: Scope) -> None:
    transport = scope.get("state", {}).get("transport")
    if transport is None:
        raise ConnectionDropped(scope["path"])
    transport.abort()
    await asyncio.sleep(0)


async def _answer(fault: Fault, send: Send) -> None:
    body = json.dumps({"status": "error", "error": {"message": fault.message}}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": fault.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
