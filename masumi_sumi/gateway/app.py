"""The gateway as an ASGI app: our routes first, everything else to the panel as it came."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from starlette.routing import Route, Router
from starlette.types import Receive, Send

from masumi_sumi.errors import SumiError

Scope = MutableMapping[str, Any]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]
Routes = Callable[[], AbstractAsyncContextManager[Sequence[Route]]]


class Gateway:
    """``routes`` are opened before the panel's startup and closed after its shutdown. Their paths
    may be asked with a slash at the end or without."""

    def __init__(self, panel: ASGIApp, routes: Routes) -> None:
        self._panel, self._open = panel, routes
        self._router = Router(default=panel, redirect_slashes=False)
        self._ours: frozenset[str] = frozenset()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
        elif scope["type"] == "http" and _first(scope["path"]) in self._ours:
            await self._router({**scope, "path": scope["path"].rstrip("/")}, receive, send)
        else:
            await self._panel(scope, receive, send)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with self._open() as routes:
                self._ours = frozenset(_first(route.path) for route in routes)
                self._router.routes = list(routes)
                await self._panel(scope, receive, send)
        except SumiError as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})


def _first(path: str) -> str:
    return path.lstrip("/").partition("/")[0]
