"""Keep the panel's cookies from scripts and from requests of other sites."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.types import Message, Receive, Send

Scope = MutableMapping[str, Any]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

REPLACED = ("httponly", "secure", "samesite")


class ProtectCookies:
    """Rewrites each Set-Cookie to HttpOnly and SameSite=Lax, and Secure behind https."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self._app = app
        self._attributes = ("HttpOnly", "SameSite=Lax", *(("Secure",) if secure else ()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message.get("headers", ())
                message = {**message, "headers": [self._protect(*header) for header in headers]}
            await send(message)

        await self._app(scope, receive, send_protected if scope["type"] == "http" else send)

    def _protect(self, name: bytes, value: bytes) -> tuple[bytes, bytes]:
        if name.lower() != b"set-cookie":
            return name, value
        cookie, *attributes = value.decode("latin-1").split(";")
        kept = [
            each.strip()
            for each in attributes
            if each.partition("=")[0].strip().lower() not in REPLACED
        ]
        return name, "; ".join([cookie, *kept, *self._attributes]).encode("latin-1")
