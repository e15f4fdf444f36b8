"""The proofs that the gateway adds to its own requests to apps, and takes from everybody else's."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

import httpx

from masumi_sumi.exposes import ServeConfig
from masumi_sumi.gateway_proof import HEADER, derive_app_secret, drop_internal_headers
from masumi_sumi.settings import Settings

ROUTES_SECONDS = 1.0
"""How long the route prefixes of Ray Serve are believed: apps come and go."""

ANSWER_SECONDS = 2.0

_FIRST_ROUTE = "masumi_sumi.first_route"

LOOPBACK = frozenset({"localhost", "127.0.0.1", "0.0.0.0"})
"""The last one leads here too: apps that listen everywhere call it their own address."""

ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Serve:
    """Where Ray Serve answers, and the route prefixes of its applications, longest first."""

    url: httpx.URL
    routes: tuple[str, ...]
    read_at: float


class AppProofs:
    """``sign`` is an httpx event hook, called for each request and for each redirect of it.

    Close it with ``aclose``. ``transport`` is the seam for tests.
    """

    def __init__(
        self,
        master_secret: str,
        settings: Settings,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._master_secret, self._settings = master_secret, settings
        self._client = httpx.AsyncClient(
            transport=transport, trust_env=False, timeout=ANSWER_SECONDS
        )
        self._serve: _Serve | None = None
        self._reading = asyncio.Lock()

    async def aclose(self) -> None:
        await self._client.aclose()

    async def sign(self, request: httpx.Request) -> None:
        """Add the proof of the app that will get this request, and of no other.

        A request to another address goes without one. So does a redirect that leads out of the
        app: it loses what only an app that the panel chose may be told.
        """
        request.headers.pop(HEADER, None)
        serve = await self._read()
        is_at_serve = _is_same_place(request.url, serve.url)
        route = _match(request.url.path, serve.routes) if is_at_serve else None
        # httpx hands the extensions of a request on to its redirects
        if request.extensions.setdefault(_FIRST_ROUTE, route or "") != (route or ""):
            _drop_panel_headers(request)
        elif route is not None:
            request.headers[HEADER] = derive_app_secret(self._master_secret, route)

    async def _read(self) -> _Serve:
        async with self._reading:
            now = time.monotonic()
            if self._serve is None or now - self._serve.read_at > ROUTES_SECONDS:
                config = await asyncio.to_thread(ServeConfig.read, self._settings)
                url, found = httpx.URL(config.url), await self._read_routes(config.url)
                if found is None:  # Serve is slow or away: what it said before holds a while
                    is_known = self._serve is not None and self._serve.url == url
                    found = self._serve.routes if self._serve and is_known else ()
                # The time after the answer: a slow one must not make all who wait ask again.
                self._serve = _Serve(url, found, time.monotonic())
            return self._serve

    async def _read_routes(self, url: str) -> tuple[str, ...] | None:
        """Return the routes, longest first, and None while Serve does not answer."""
        try:
            answer = await self._client.get(f"{url}/-/routes")
            answer.raise_for_status()
            found = [route for route in answer.json() if route.startswith("/")]
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, TypeError, AttributeError):
            return None
        return tuple(sorted(found, key=len, reverse=True))


class DropInternalHeaders:
    """ASGI around the whole gateway: nobody outside sets what only the gateway and its panel may.

    The proof, ``x-sumi-*`` and ``x-kodosumi*`` are dropped from every incoming request.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if "headers" in scope:
            kept = drop_internal_headers(scope["headers"], everything=True)
            scope = {**scope, "headers": kept}
        await self.app(scope, receive, send)


def _drop_panel_headers(request: httpx.Request) -> None:
    for name in list(request.headers):
        if name.lower().replace("-", "_").startswith(("x_kodosumi", "kodosumi_api_key", "cookie")):
            del request.headers[name]


def _is_same_place(url: httpx.URL, serve: httpx.URL) -> bool:
    same_port = (url.scheme, _port(url)) == (serve.scheme, _port(serve))
    same_host = url.host == serve.host or {url.host, serve.host} <= LOOPBACK
    return same_port and same_host


def _port(url: httpx.URL) -> int:
    return url.port or (443 if url.scheme == "https" else 80)


def _match(path: str, routes: tuple[str, ...]) -> str | None:
    """Return the longest prefix that fits, as Ray Serve's proxy chooses it."""
    for route in routes:
        if path == route or path.startswith(route if route.endswith("/") else f"{route}/"):
            return route
    return None
