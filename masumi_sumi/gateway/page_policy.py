"""The Content-Security-Policy of everything that the panel's address answers.

Only scripts with the nonce of this one answer run: those of the panel's own templates. Markup that
somebody brought into a page can neither run a script, nor load or post anything elsewhere.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import Receive, Send

Scope = MutableMapping[str, Any]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

NONCE = "masumi_sumi.nonce"
"""Where a template finds the nonce: ``request.scope[NONCE]``."""

# The panel's style sheet names that place of its icon fonts beside the one that is used.
_POLICY = """default-src 'none'; script-src 'nonce-{nonce}'; script-src-attr 'none';
    style-src 'self' 'nonce-{nonce}'; style-src-attr 'unsafe-inline'; img-src 'self' data:;
    font-src 'self' data: https://cdn.jsdelivr.net/npm/beercss@3.9.4/;
    connect-src 'self'; form-action 'self'; frame-ancestors 'self'; base-uri 'none';
    object-src 'none'"""
_NOTHING = (
    "default-src 'none'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'; sandbox"
)
# The API's documentation loads Swagger from another server: it gets no cookie and no origin.
_DOCUMENTATION = """sandbox allow-scripts allow-popups; default-src 'none';
    script-src 'unsafe-inline' https://cdn.jsdelivr.net;
    style-src 'unsafe-inline' https://cdn.jsdelivr.net; img-src data: https://cdn.jsdelivr.net;
    frame-ancestors 'self'; base-uri 'none'; object-src 'none'"""

_PAGES = ("text/html", "application/xhtml", "text/xml", "application/xml", "image/svg")


class PagePolicy:
    """An ASGI app around the whole address. It replaces a policy that an answer brings along."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        nonce = secrets.token_urlsafe(18)
        path = str(scope["path"])

        async def send_with_policy(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=list(message.get("headers", [])))
                kind = headers.get("content-type", "").partition(";")[0].strip().lower()
                headers["content-security-policy"] = choose_policy(path, kind, nonce)
                headers["referrer-policy"] = "same-origin"
                headers["x-content-type-options"] = "nosniff"
                message["headers"] = headers.raw
            await send(message)

        await self.app({**scope, NONCE: nonce}, receive, send_with_policy)


def choose_policy(path: str, kind: str, nonce: str) -> str:
    """Return the policy for an answer of this content type at this path."""
    first = path.lstrip("/").partition("/")[0]
    if first == "schema" and kind == "text/html":
        policy = _DOCUMENTATION
    elif first not in ("-", "lock", "sumi", "mip003") and kind.startswith(_PAGES):
        policy = _POLICY.format(nonce=nonce)
    else:  # data, files, and whatever an app answers
        policy = _NOTHING if kind.startswith(_PAGES) else _NOTHING.removesuffix("; sandbox")
    return " ".join(policy.split())
