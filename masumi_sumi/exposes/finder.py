"""The flows of an app, from its OpenAPI document: its GET routes that Kodosumi marked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import httpx

from masumi_sumi.errors import FlowsUnreadable
from masumi_sumi.exposes.ports import FoundFlow

MARK = "x-kodosumi"
AUTHOR, ORGANIZATION, VERSION = "x-author", "x-organization", "x-version"


class OpenApiFinder:
    """The ``FlowFinder`` over HTTP. Close it with ``aclose``."""

    def __init__(self, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._client = httpx.AsyncClient(transport=transport, trust_env=False, timeout=30.0)

    async def aclose(self) -> None:
        await self._client.aclose()

    async def find(self, url: str) -> tuple[FoundFlow, ...]:
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
