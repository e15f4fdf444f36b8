"""Forwarded headers are believed only from proxies that the operator trusts."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from masumi_sumi.plugin import SumiMiddleware
from masumi_sumi.settings import Settings

PROXY, BUYER = "10.0.0.7", "203.0.113.9"
FORWARDED = {"x-forwarded-for": f"198.51.100.1, {BUYER}", "x-forwarded-proto": "https"}


async def seen_by_app(
    sold_app: ModuleType, folder: Path, proxies: str, caller: str
) -> tuple[str, str]:
    """Return the client address and the scheme of a request as the app behind sees them."""
    seen: list[tuple[str, str]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append((scope["client"][0], scope["scheme"]))
        await api(scope, receive, send)

    api = sold_app.build()
    parts = sold_app.Parts(Settings(data_dir=folder, nodes={}, trusted_proxies=proxies))
    middleware = SumiMiddleware(app, api=api, parts=parts)
    transport = httpx.ASGITransport(app=middleware, client=(caller, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://serve") as client:
        await client.get("/health", headers=FORWARDED)
    return seen[0]


@pytest.mark.parametrize("proxies", [PROXY, "10.0.0.0/8"])
async def test_a_trusted_proxy_names_the_caller(
    sold_app: ModuleType, tmp_path: Path, proxies: str
) -> None:
    assert await seen_by_app(sold_app, tmp_path, proxies, PROXY) == (BUYER, "https")


@pytest.mark.parametrize(
    ("proxies", "caller"), [("", "127.0.0.1"), ("", PROXY), (PROXY, "203.0.113.5")]
)
async def test_nobody_else_does(
    sold_app: ModuleType, tmp_path: Path, proxies: str, caller: str
) -> None:
    assert await seen_by_app(sold_app, tmp_path, proxies, caller) == (caller, "http")
