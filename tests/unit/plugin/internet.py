"""An internet of three kinds of hosts: public ones, one that is not, and one that is gone."""

from __future__ import annotations

import httpx

from masumi_sumi.runtime.addresses import UnknownHost
from masumi_sumi.runtime.downloads import Downloads, FileRules


async def resolve(host: str, port: int) -> list[str]:
    if host == "gone.test":
        raise UnknownHost(host)
    return ["10.0.0.7" if host == "inner.test" else "93.184.215.14"]


def downloads() -> Downloads:
    """Every file has its own path as its content."""
    return Downloads(FileRules(), lambda: httpx.MockTransport(_served), resolve)


def _served(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, stream=httpx.ByteStream(request.url.path.encode()))
