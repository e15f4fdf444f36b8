"""Stand around Kodosumi's panel: it sees itself at its own address, and passes on no pages of apps.

The panel calls itself at the address that a request names as its host, and tells apps to call it
there; a stranger's ``Host`` would send its cookies anywhere. And it hands on what an app answers,
with every header, so that an app could set cookies and show pages in the panel's name.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import Receive, Send

from masumi_sumi.faces import sumi
from masumi_sumi.faces.headers import SAFE_HEADERS
from masumi_sumi.gateway.cross_site import JSON, origin_of
from masumi_sumi.gateway.request_checks import first_segment

Scope = MutableMapping[str, Any]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

FROM_APPS = ("-", "lock")
"""First segments of the paths where the panel hands on what an app answers."""

WITH_APP_HEADERS = (*FROM_APPS, "inputs")
"""First segments of the paths where it copies an app's headers."""

KEPT_HEADERS = ("content-type", "content-length", "location", "allow")

_FORWARDED = (b"x-forwarded-", b"forwarded", b"x-real-ip")


def find_own_url(listens_at: str, public_url: str) -> str:
    """Return where the panel reaches itself. With a certificate only its public name will do."""
    place = urlsplit(listens_at)
    if place.scheme == "https" and public_url.startswith("https://"):
        return public_url
    if place.hostname in ("0.0.0.0", "::"):
        return f"{place.scheme}://127.0.0.1:{place.port}"
    return listens_at


class PanelRoutes:
    """What the panel takes, by its routes as it writes them: ``/role/{rid:uuid}``."""

    def __init__(self, routes: Iterable[tuple[str, Iterable[str]]] = ()) -> None:
        self._routes = [(_pattern_of(path), frozenset(methods)) for path, methods in routes]

    def find_methods(self, path: str) -> list[str]:
        plain = path.rstrip("/") or "/"
        found = [methods for pattern, methods in self._routes if pattern.fullmatch(plain)]
        return sorted(frozenset().union(*found))


class PanelBorder:
    """An ASGI app around the panel's. ``own_url`` is where the panel reaches itself; pages of the
    origins ``allowed`` may read its answers."""

    def __init__(
        self,
        app: ASGIApp,
        own_url: str,
        allowed: frozenset[str],
        routes: PanelRoutes | None = None,
    ) -> None:
        self.app = app
        self._own, self._allowed = urlsplit(own_url), allowed
        self._routes = routes or PanelRoutes()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        origin = origin_of(Headers(scope=scope).get("origin", ""))
        border = _Answer(scope["path"], origin in self._allowed, send, self._routes)
        await self.app(self._at_own_address(scope), receive, border.send)

    def _at_own_address(self, scope: Scope) -> Scope:
        """The origin was checked already, and the panel's calls to itself copy it."""
        own = {b"host": self._own.netloc.encode()}
        if origin_of(Headers(scope=scope).get("origin", "")) not in self._allowed:
            own[b"origin"] = f"{self._own.scheme}://{self._own.netloc}".encode()
        headers = [
            (name, own.get(name, value))
            for name, value in scope["headers"]
            if not name.startswith(_FORWARDED)
        ]
        return {**scope, "scheme": self._own.scheme, "headers": headers}


class _Answer:
    """One answer of the panel on its way out."""

    def __init__(self, path: str, readable: bool, send: Send, routes: PanelRoutes) -> None:
        self._path, self._readable, self._send = path, readable, send
        self._routes = routes
        self._first = first_segment(path)
        self._replaced = False

    async def send(self, message: Any) -> None:
        if message["type"] != "http.response.start":
            if not self._replaced:
                await self._send(message)
            return
        headers = MutableHeaders(scope=message)
        if self._is_apps_own(message["status"], headers):
            self._replaced = True
            await self._refuse()
            return
        self._restrict(headers)
        if message["status"] == 405 and (methods := self._routes.find_methods(self._path)):
            headers["allow"] = ", ".join(methods)
        await self._send(message)

    def _is_apps_own(self, status: int, headers: MutableHeaders) -> bool:
        """Whether this is something else than JSON, from an app."""
        if self._first not in FROM_APPS or 300 <= status < 400:
            return False
        given = headers.getlist("content-type")
        return any(each.partition(";")[0].strip().lower() != JSON for each in given)

    async def _refuse(self) -> None:
        said = "the app did not answer with JSON; a page of an app is not shown here"
        answer = sumi.problem("BadGatewayException", 502, said, self._path)
        await answer({"type": "http"}, _no_request, self._send)

    def _restrict(self, headers: MutableHeaders) -> None:
        for name in set(headers.keys()):
            copied = self._first in WITH_APP_HEADERS and name not in KEPT_HEADERS
            told = name.startswith("access-control-") and not self._readable
            if (copied or told) and name not in SAFE_HEADERS:
                del headers[name]
        if "location" in headers:
            headers["location"] = _local(headers["location"])


def _pattern_of(path: str) -> re.Pattern[str]:
    parts = re.split(r"(\{[^}]*\})", path)
    return re.compile("".join(map(_pattern_of_part, parts)))


def _pattern_of_part(part: str) -> str:
    if not part.startswith("{"):
        return re.escape(part)
    return ".+" if part.endswith(":path}") else "[^/]+"


def _local(location: str) -> str:
    """The panel sends nobody to another host, whatever ``redirect`` it was given."""
    is_path = location.startswith("/") and not location.startswith(("//", "/\\"))
    return location if is_path and location.isprintable() else "/"


async def _no_request() -> Any:
    return {"type": "http.disconnect"}
