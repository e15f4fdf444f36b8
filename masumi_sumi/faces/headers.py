"""Headers that every answer of ours has, set on the way out.

Buyers may ask from a web page of any origin. No cookie is ever allowed along, so a page learns
nothing that a stranger could not ask for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import Send

SAFE_HEADERS = {"x-content-type-options": "nosniff", "referrer-policy": "same-origin"}
"""With ``no-referrer`` browsers would send forms of our own pages with ``Origin: null``."""

NO_STORE = {"cache-control": "no-store"}

CROSS_ORIGIN_HEADERS = {
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "allow, retry-after",
}

BUYER_HEADERS = {**SAFE_HEADERS, **NO_STORE, **CROSS_ORIGIN_HEADERS}


def with_headers(send: Send, headers: Mapping[str, str]) -> Send:
    """Return a channel that sets these headers on the response."""

    async def send_with_headers(message: Any) -> None:
        if message["type"] == "http.response.start":
            message.setdefault("headers", [])
            MutableHeaders(scope=message).update(headers)
        await send(message)

    return send_with_headers


def format_allow(methods: Iterable[str]) -> str:
    """Return the ``Allow`` header of an endpoint: HEAD goes with GET, and OPTIONS with all."""
    given = set(methods)
    allowed = given | {"OPTIONS"} | ({"HEAD"} if "GET" in given else set())
    order = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
    return ", ".join(method for method in order if method in allowed)


def answer_options(methods: Iterable[str]) -> Response:
    """Answer OPTIONS, and a browser's question whether a page of another origin may ask so."""
    allowed = format_allow(methods)
    preflight = {
        "allow": allowed,
        "access-control-allow-methods": allowed,
        "access-control-allow-headers": "*",
        "access-control-max-age": "600",
    }
    return Response(status_code=204, headers=preflight)
