"""A guard in front of Kodosumi's own endpoints of an app: the start of a flow, and its locks.

The guard stands where the router has chosen the endpoint already, so no spelling of an address and
no middleware of the author's leads past it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, MutableMapping
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response

from masumi_sumi.runtime import capture

REFUSAL_KEY = "masumi_sumi.strangers"
"""Where the ASGI scope of a stranger's request has who answers it."""

_KODOSUMI = "kodosumi.serve"
_LOCKS = "/_lock_/"


class Strangers(Protocol):
    async def start(self, request: Request, flow: str) -> Response:
        """Answer a stranger who starts the flow at this path as Kodosumi's panel does.

        The path is empty for a flow of an app inside of the app.
        """
        ...

    async def open_lock(self, request: Request) -> Response: ...


class GuardedEndpoint:
    """Stands for a route's own ``handle``."""

    def __init__(self, route: Any, flow: str, refuse: Callable[[], Response]) -> None:
        self._handle, self._methods = route.handle, frozenset(route.methods or ())
        self._is_lock, self._flow, self._refuse = route.path.startswith(_LOCKS), flow, refuse

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if scope["method"] not in self._methods or capture.may_reach_kodosumi(scope):
            await self._handle(scope, receive, send)
            return
        response = await self._answer(scope, receive)
        await response(scope, receive, send)

    async def _answer(self, scope: MutableMapping[str, Any], receive: Any) -> Response:
        strangers: Strangers | None = scope.get(REFUSAL_KEY)
        if strangers is None:  # it came past the middleware
            return self._refuse()
        request = Request(scope, receive)
        if self._is_lock:
            return await strangers.open_lock(request)
        return await strangers.start(request, self._flow)


def guard(routes: Iterable[Any], refuse: Callable[[], Response]) -> None:
    """Put the guard in front of Kodosumi's endpoints among these routes, also of mounted apps.

    It can be called again, for routes that came later. ``refuse`` answers what came past the
    middleware.
    """
    for route, flow in _all(routes, inner=False):
        if _is_guarded_kind(route) and not isinstance(route.handle, GuardedEndpoint):
            route.handle = GuardedEndpoint(route, flow, refuse)


def _all(routes: Iterable[Any], *, inner: bool) -> Iterator[tuple[Any, str]]:
    for route in routes:
        yield route, "" if inner else str(getattr(route, "path", ""))
        mounted = getattr(route, "routes", None)
        included = getattr(getattr(route, "original_router", None), "routes", None)
        yield from _all(mounted or included or (), inner=True)


def _is_guarded_kind(route: Any) -> bool:
    """Tell whether the route is Kodosumi's own, and more than a flow's form."""
    endpoint = getattr(route, "endpoint", None)
    if getattr(endpoint, "__module__", "") != _KODOSUMI:
        return False
    return route.path.startswith(_LOCKS) or "POST" in (route.methods or ())
