"""Bound the logins that are checked at once, before they take a connection to the database.

Each login holds one while its password is hashed. Without a bound, a flood of wrong ones would
leave none for operators and for who is logged in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.responses import Response

from masumi_sumi.faces.sumi import problem

ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]

PATHS = frozenset({"/login", "/api/login"})

AT_ONCE, OF_ONE_ADDRESS = 4, 2

RETRY_AFTER_SECONDS = 2


class LoginLimit:
    """ASGI around the panel's app. What is too much gets 429 at once, and waits nowhere."""

    def __init__(
        self, app: ASGIApp, at_once: int = AT_ONCE, of_one_address: int = OF_ONE_ADDRESS
    ) -> None:
        self.app = app
        self._at_once, self._of_one_address = at_once, of_one_address
        self._checked: Counter[str] = Counter()

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"].rstrip("/") not in PATHS:
            await self.app(scope, receive, send)
            return
        address = str((scope.get("client") or ("",))[0])
        is_full = self._checked.total() >= self._at_once
        if is_full or self._checked[address] >= self._of_one_address:
            await _busy(scope["path"])(scope, receive, send)
            return
        self._checked[address] += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self._checked[address] -= 1
            if not self._checked[address]:
                del self._checked[address]


def _busy(path: str) -> Response:
    detail = "too many logins are being checked; try again in a moment"
    answer = problem("TooManyRequestsException", 429, detail, path)
    answer.headers["retry-after"] = str(RETRY_AFTER_SECONDS)
    return answer
