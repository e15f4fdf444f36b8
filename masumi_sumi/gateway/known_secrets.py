"""Keep other machines from a panel whose secrets everybody knows.

The address that the panel listens at is told by a setting, but a server of somebody's own can put
the same app at another one. So the caller's address is looked at, too.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import Receive, Send

from masumi_sumi.panel_secrets import Weakness, is_loopback

Scope = MutableMapping[str, Any]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]


class RefuseStrangers:
    """Answers 403 to callers from elsewhere while a secret of the panel is known."""

    def __init__(self, app: ASGIApp, weaknesses: Sequence[Weakness]) -> None:
        self._app = app
        named = ", ".join(weakness.setting for weakness in weaknesses)
        self._detail = f"closed beyond this machine: set {named} to something of your own"
        self._is_weak = bool(weaknesses)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._is_weak and scope["type"] != "lifespan" and not _is_local(scope):
            refusal = JSONResponse({"detail": self._detail}, status_code=403)
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _is_local(scope: Scope) -> bool:
    """A caller without an address came through a Unix socket."""
    client = scope.get("client")
    return client is None or is_loopback(str(client[0]).removeprefix("::ffff:"))
