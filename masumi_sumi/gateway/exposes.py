"""``/expose`` and ``/boot``: what an operator keeps, and brings to Ray Serve."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from masumi_sumi.errors import ExposeInvalid
from masumi_sumi.exposes import (
    Boot,
    Event,
    Expose,
    ExposeBook,
    draft_of,
    expose_json,
    line,
    status_json,
)
from masumi_sumi.faces.body import BodyLimits, read_object
from masumi_sumi.gateway.access import Access
from masumi_sumi.gateway.refusals import Endpoint, told

LINES = "text/plain; charset=utf-8"

NOTHING_RUNS = "No boot in progress"

SILENCE = 10.0
"""Seconds; clients commonly give up after 30 without a byte."""


class ExposeRoutes:
    """All of it is for operators."""

    def __init__(
        self, book: ExposeBook, boot: Boot, access: Access, limits: BodyLimits | None = None
    ) -> None:
        self._book, self._boot, self._access = book, boot, access
        self._limits = limits or BodyLimits()

    def routes(self) -> list[Route]:
        return [
            Route("/expose", self._guarded(self.every), methods=["GET"]),
            Route("/expose", self._guarded(self.save), methods=["POST"]),
            Route("/expose/health", self._guarded(self.health), methods=["POST"]),
            Route("/expose/{name}", self._guarded(self.get), methods=["GET"]),
            Route("/expose/{name}", self._guarded(self.delete), methods=["DELETE"]),
            Route("/expose/{name}/health", self._guarded(self.health), methods=["POST"]),
            Route("/boot", self._guarded(self.boot_status), methods=["GET"]),
            Route("/boot", self._guarded(self.boot), methods=["POST"]),
            Route("/boot", self._guarded(self.shutdown), methods=["DELETE"]),
            Route("/boot/stream", self._guarded(self.follow), methods=["GET"]),
            Route("/boot/refresh/{name}", self._guarded(self.refresh), methods=["POST"]),
        ]

    def _guarded(self, act: Endpoint) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            await self._access.operator(request)
            return await act(request)

        return told(endpoint)

    # --- the book ------------------------------------------------------------------------------

    async def every(self, request: Request) -> Response:
        return JSONResponse([expose_json(each) for each in await self._book.list()])

    async def get(self, request: Request) -> Response:
        return JSONResponse(expose_json(await self._book.get(request.path_params["name"])))

    async def save(self, request: Request) -> Response:
        saved = await self._book.save(draft_of(await read_object(request, self._limits)))
        return JSONResponse(expose_json(saved), status_code=201)

    async def delete(self, request: Request) -> Response:
        await self._book.delete(request.path_params["name"])
        return Response(status_code=204)

    async def health(self, request: Request) -> Response:
        looked = await self._boot.health(request.path_params.get("name"))
        return JSONResponse(_health_json(looked), status_code=201)

    # --- bringing it to Ray Serve ----------------------------------------------------------------

    async def boot(self, request: Request) -> Response:
        return await _streamed(self._boot.boot(force=_forced(request)), 201)

    async def refresh(self, request: Request) -> Response:
        name = request.path_params["name"]
        return await _streamed(self._boot.refresh(name, force=_forced(request)), 200)

    async def shutdown(self, request: Request) -> Response:
        return await _streamed(self._boot.shutdown(force=_forced(request)), 200)

    async def follow(self, request: Request) -> Response:
        if request.method == "HEAD":
            return Response(media_type=LINES)
        return await _streamed(self._boot.stream(), 200)

    async def boot_status(self, request: Request) -> Response:
        return JSONResponse(status_json(await self._boot.status()))


async def _streamed(events: AsyncIterator[Event], status: int) -> Response:
    """A line for each event, sent as it happens; what raises before the first one is an answer."""
    first = await anext(events, None)
    lines = _lines(first, events)
    return StreamingResponse(lines, status, media_type=LINES)


async def _lines(first: Event | None, events: AsyncIterator[Event]) -> AsyncIterator[str]:
    """Empty lines where it is long silent, so that no client takes it for dead."""
    if first is None:
        yield f"{NOTHING_RUNS}\n"
        return
    yield f"{line(first)}\n"
    while True:
        upcoming = asyncio.ensure_future(anext(events, None))
        try:
            while not (await asyncio.wait({upcoming}, timeout=SILENCE))[0]:
                yield "\n"
        finally:
            upcoming.cancel()
        event = upcoming.result()
        if event is None:
            return
        yield f"{line(event)}\n"


def _forced(request: Request) -> bool:
    """Raises ExposeInvalid for anything but yes and no."""
    said = request.query_params.get("force", "false").lower()
    if said not in ("true", "false", "1", "0"):
        raise ExposeInvalid("force", "must be true or false")
    return said in ("true", "1")


def _health_json(looked: list[Expose]) -> dict[str, Any]:
    """``updated`` is not told apart: a look is always written down."""
    results = [
        {
            "name": each.name,
            "state": each.state.value,
            "heartbeat": each.heartbeat,
            "flow_stats": each.flow_stats,
            "error": each.error or None,
            "meta": expose_json(each)["meta"],
        }
        for each in looked
    ]
    return {"checked": len(results), "results": results}
