"""The flows of an app, from its OpenAPI document: its GET routes that Kodosumi marked. What each is
sold for stands in a document of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import httpx

from masumi_sumi.errors import FlowsUnreadable
from masumi_sumi.exposes.ports import FoundFlow
from masumi_sumi.jobs.sale import SALE, Sale

MARK = "x-kodosumi"
AUTHOR, ORGANIZATION, VERSION = "x-author", "x-organization", "x-version"

NOT_SOLD = (401, 404, 405)
"""What an app answers a stranger where its flows are not for sale: 401 where they want a login."""

AT_ONCE = 8


Sign = Callable[[httpx.Request], Awaitable[None]]


class OpenApiFinder:
    """The ``FlowFinder`` over HTTP. Close it with ``aclose``. ``sign`` adds the gateway's proof."""

    def __init__(
        self, transport: httpx.AsyncBaseTransport | None = None, sign: Sign | None = None
    ) -> None:
        limits = httpx.Limits(max_connections=AT_ONCE)
        self._client = httpx.AsyncClient(
            transport=transport,
            trust_env=False,
            timeout=30.0,
            limits=limits,
            event_hooks={"request": [sign]} if sign else None,
        )

    async def aclose(self) -> None:
        await self._client.aclose()

    async def find(self, url: str) -> tuple[FoundFlow, ...]:
        listed = await self._list(url)
        return tuple(await asyncio.gather(*(self._with_sale(url, flow) for flow in listed)))

    async def _list(self, url: str) -> tuple[FoundFlow, ...]:
        place = f"{url.rstrip('/')}/openapi.json"
        try:
            answer = await self._client.get(place)
            answer.raise_for_status()
            return tuple(_flows(answer.json()))
        except httpx.HTTPStatusError as error:
            raise FlowsUnreadable(place, f"status {error.response.status_code}") from error
        except httpx.HTTPError as error:
            raise FlowsUnreadable(place, str(error) or type(error).__name__) from error
        except (ValueError, TypeError, AttributeError) as error:
            raise FlowsUnreadable(place, f"is no OpenAPI document: {error}") from error

    async def _with_sale(self, url: str, flow: FoundFlow) -> FoundFlow:
        place = f"{url.rstrip('/')}/{flow.path.strip('/')}".rstrip("/")
        try:
            answer = await self._client.get(f"{place}/openapi")
            if answer.status_code in NOT_SOLD:
                return flow
            answer.raise_for_status()
            return replace(flow, sale=Sale.model_validate(answer.json()[SALE]))
        except httpx.HTTPStatusError as error:
            return replace(flow, unread=f"status {error.response.status_code}")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return replace(flow, unread=str(error) or type(error).__name__)
        except (ValueError, TypeError, KeyError):
            return replace(flow, unread=f"has no {SALE} that could be read")


def _flows(document: Mapping[str, Any]) -> Iterator[FoundFlow]:
    for path, methods in document.get("paths", {}).items():
        told = methods.get("get") or {}
        if told.get(MARK) is True:
            yield FoundFlow(
                path=str(path),
                summary=str(told.get("summary") or ""),
                description=str(told.get("description") or ""),
                tags=tuple(sorted(str(tag) for tag in told.get("tags") or [])),
                author=str(told.get(AUTHOR) or ""),
                organization=str(told.get(ORGANIZATION) or ""),
                version=str(told.get(VERSION) or ""),
                deprecated=bool(told.get("deprecated")),
            )
