"""An agent's MIP-003 endpoints, called by someone who trusts nothing that comes back.

No credentials are sent, no redirect is followed, every answer is bounded in bytes and in time.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import httpx

from masumi_sumi.buyer import answers
from masumi_sumi.buyer.answers import Availability, Receipt, Standing, Started
from masumi_sumi.errors import (
    AgentFailed,
    AgentRefused,
    AgentUnreachable,
    AgentUnreadable,
    SettingInvalid,
)
from masumi_sumi.flows.questions import Form
from masumi_sumi.payments.connection import is_here

CONNECT_TIMEOUT = 5.0
HEADERS = {"accept": "application/json", "accept-encoding": "identity"}

_KILOBYTE = 2**10
_LARGEST_REFUSAL = 64 * _KILOBYTE


@dataclass(frozen=True, slots=True)
class Bounds:
    """Seconds for a whole call, and bytes of its answer."""

    seconds: float
    size: int


BOUNDS: Mapping[str, Bounds] = {
    "availability": Bounds(10.0, 64 * _KILOBYTE),
    "input_schema": Bounds(10.0, 1024 * _KILOBYTE),
    "start_job": Bounds(30.0, 256 * _KILOBYTE),
    "status": Bounds(15.0, 32 * 1024 * _KILOBYTE),
    "provide_input": Bounds(30.0, 256 * _KILOBYTE),
}


class AgentClient:
    """An agent at ``url``, without or with a slash at its end.

    A given ``http`` client stays its owner's to close. Raises SettingInvalid for a URL that is no
    agent's; all calls raise AgentError.
    """

    def __init__(
        self,
        url: str,
        http: httpx.AsyncClient | None = None,
        *,
        bounds: Mapping[str, Bounds] = BOUNDS,
    ) -> None:
        base = _checked_url(url)
        self.url = str(base).rstrip("/")
        self._owns_http = http is None
        self._http = http or httpx.AsyncClient(trust_env=not is_here(base.host))
        self._bounds = bounds

    def __repr__(self) -> str:
        return f"AgentClient({self.url!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        if self._owns_http:
            await self._http.aclose()

    async def availability(self) -> Availability:
        return answers.availability(await self._get("availability"))

    async def input_schema(self) -> Form:
        return answers.schema("GET /input_schema", await self._get("input_schema"))

    async def start_job(self, identifier: str, input_data: Mapping[str, Any]) -> Started:
        """Once. After AgentUnreachable or AgentFailed the job may exist or not; nothing is paid."""
        body = {"identifier_from_purchaser": identifier, "input_data": input_data}
        return answers.started(await self._post("start_job", body))

    async def status(self, job_id: str) -> Standing:
        return answers.standing(await self._get("status", job_id=job_id))

    async def provide_input(
        self,
        job_id: str,
        input_data: Mapping[str, Any],
        *,
        status_id: str = "",
        schema_hash: str = "",
    ) -> Receipt:
        body: dict[str, Any] = {"job_id": job_id, "input_data": input_data}
        body |= {"status_id": status_id} if status_id else {}
        body |= {"input_schema_hash": schema_hash} if schema_hash else {}
        return answers.receipt(await self._post("provide_input", body))

    async def _get(self, action: str, **query: str) -> Any:
        return await self._call("GET", action, params=query)

    async def _post(self, action: str, body: Mapping[str, Any]) -> Any:
        return await self._call("POST", action, json=body)

    async def _call(self, method: str, action: str, **content: Any) -> Any:
        call, bounds = f"{method} /{action}", self._bounds[action]
        try:
            async with asyncio.timeout(bounds.seconds):
                status, raw = await self._send(call, method, action, bounds, content)
        except TimeoutError as error:
            reason = f"it took longer than {bounds.seconds:g} s"
            raise AgentUnreachable(call, reason) from error
        except httpx.TransportError as error:
            reason = f"{type(error).__name__} {error}".strip()
            raise AgentUnreachable(call, answers.one_line(reason)) from error
        if status >= 400:
            raise AgentRefused(call, status, _detail(raw))
        return _json(call, raw)

    async def _send(
        self, call: str, method: str, action: str, bounds: Bounds, content: Mapping[str, Any]
    ) -> tuple[int, bytes]:
        async with self._http.stream(
            method,
            f"{self.url}/{action}",
            headers=HEADERS,
            follow_redirects=False,
            timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT),
            **content,
        ) as response:
            status = response.status_code
            if status >= 500 or status == 408:
                raise AgentFailed(call, status)
            if 300 <= status < 400:
                raise AgentUnreadable(call, "it redirects; redirects are not followed")
            if response.headers.get("content-encoding", "identity") != "identity":
                raise AgentUnreadable(call, "it is compressed, which was not asked for")
            if status >= 400:
                return status, await _start_of(response, _LARGEST_REFUSAL)
            return status, await _whole(call, response, bounds.size)


async def _whole(call: str, response: httpx.Response, size: int) -> bytes:
    raw = await _start_of(response, size)
    if len(raw) > size:
        raise AgentUnreadable(call, f"it is larger than {size} bytes")
    return raw


async def _start_of(response: httpx.Response, size: int) -> bytes:
    """At most a little more than ``size`` bytes."""
    raw = bytearray()
    async for chunk in response.aiter_bytes():
        raw += chunk
        if len(raw) > size:
            break
    return bytes(raw)


def _json(call: str, raw: bytes) -> Any:
    try:
        return json.loads(raw, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise AgentUnreadable(call, "it is no JSON") from None


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def _detail(raw: bytes) -> str:
    """FastAPI's ``detail``, a first-generation agent's ``message`` or ``error``, or nothing."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return "without a reason"
    if not isinstance(body, dict):
        return "without a reason"
    found = next((body[name] for name in ("detail", "message", "error") if body.get(name)), None)
    return answers.one_line(_joined(found)) or "without a reason"


def _joined(detail: Any) -> Any:
    """The messages of pydantic's list, with the last part of each place."""
    if not isinstance(detail, list):
        return detail
    return "; ".join(_placed(each) for each in detail[:10])


def _placed(fault: Any) -> str:
    if not isinstance(fault, dict):
        return str(fault)[: answers.LONGEST_TEXT]
    where = fault.get("loc")
    place = f"{where[-1]}: " if isinstance(where, list) and where else ""
    return f"{place}{fault.get('msg', '')}"


def _checked_url(url: str) -> httpx.URL:
    rule = "expected http(s)://HOST[:PORT][/PATH] of an agent, without a query"
    try:
        base = httpx.URL(url.strip())
    except httpx.InvalidURL:
        raise SettingInvalid("the agent's URL", url[:200], rule) from None
    odd = base.query or base.fragment or base.userinfo
    if base.scheme not in ("http", "https") or not base.host or odd:
        raise SettingInvalid("the agent's URL", url[:200], rule)
    return base
