"""The gateway as an ASGI app: our routes first, everything else to the panel as it came."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Receive, Send

from masumi_sumi.errors import SumiError
from masumi_sumi.faces import sumi
from masumi_sumi.faces.headers import answer_options

Scope = MutableMapping[str, Any]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]
Routes = Callable[[], AbstractAsyncContextManager[Sequence[Route]]]

Matched = tuple[Route, Match, Scope]

OPTIONS = "OPTIONS"


class Gateway:
    """``routes`` are opened before the panel's startup and closed after its shutdown. Their paths
    may be asked with a slash at the end or without."""

    def __init__(self, panel: ASGIApp, routes: Routes) -> None:
        self._panel, self._open = panel, routes
        self._routes: Sequence[Route] = ()
        self._ours: frozenset[str] = frozenset()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
        elif scope["type"] == "http" and _first(scope["path"]) in self._ours:
            await self._answer({**scope, "path": scope["path"].rstrip("/")}, receive, send)
        else:
            await self._panel(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        matches = [(route, *route.matches(scope)) for route in self._routes]
        found = _most_particular([each for each in matches if each[1] is not Match.NONE])
        for route, match, child in found:
            if match is Match.FULL:
                await route.handle({**scope, **child}, receive, send)
                return
        methods = [method for route, *_ in found for method in route.methods or ()]
        await _without_route(scope, methods)(scope, receive, send)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with self._open() as routes:
                self._ours = frozenset(_first(route.path) for route in routes)
                self._routes = routes
                await self._panel(scope, receive, send)
        except SumiError as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})


def _most_particular(found: list[Matched]) -> list[Matched]:
    """Without the routes that take any path, where a route of this very path is there."""
    return [*found[:1], *(each for each in found[1:] if ":path}" not in each[0].path)]


def _without_route(scope: Scope, methods: Sequence[str]) -> Response:
    """Answer what no route takes: a path that is none, a wrong method, or OPTIONS."""
    path = str(scope["path"])
    if not methods:
        return sumi.problem("NotFoundException", 404, f"{path!r} not found", path)
    told = sorted(set(methods) - {"HEAD"})
    return answer_options(told) if scope["method"] == OPTIONS else sumi.not_allowed(path, told)


def _first(path: str) -> str:
    return path.lstrip("/").partition("/")[0]
