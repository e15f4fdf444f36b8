"""Plain HTTP to the parts of a stack: never through a proxy, and cheap enough to look often."""

from __future__ import annotations

from functools import cache
from typing import Any

import httpx


def request(method: str, url: str, *, timeout: float = 5.0, **content: Any) -> httpx.Response:
    """Raises httpx.HTTPError when there is no answer."""
    return _client().request(method, url, timeout=timeout, **content)


@cache
def _client() -> httpx.Client:
    """One for all: to make a client costs more (it reads all certificates) than to ask with it."""
    limits = httpx.Limits(max_keepalive_connections=0)
    return httpx.Client(trust_env=False, limits=limits)
