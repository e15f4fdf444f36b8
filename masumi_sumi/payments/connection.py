"""Calls to one payment node, as seller and as buyer: the token, the time bounds, the errors.

Reads are repeated a few times within one time bound; calls that act are sent once, ever.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import Any, Self, TypedDict

import httpx
from pydantic import SecretStr

from masumi_sumi.errors import (
    NodeFailed,
    NodeNotFound,
    NodeUnreachable,
    NodeUnreadable,
    SettingInvalid,
)
from masumi_sumi.payments import registration as registry
from masumi_sumi.payments.envelope import data_of
from masumi_sumi.payments.registration import Registration
from masumi_sumi.payments.wire import KeyStatus, Source, Sources, StateRow, parse

TIMEOUT = 20.0
CONNECT_TIMEOUT = 5.0
PAUSES = (0.2, 0.8)
"""Seconds before the second and the third try of a read, each give or take a half."""

KEEP_ALIVE = 4.0
"""Seconds: below the five after which Node.js closes an idle connection, so that no call that
acts is sent into a connection that is just being closed."""

Sleep = Callable[[float], Awaitable[None]]


class Manner(TypedDict, total=False):
    """How calls are made, for clients that hand it on."""

    timeout: float
    pauses: Sequence[float]
    sleep: Sleep
    chance: Callable[[], float]


class NodeConnection:
    """A node at ``url``: it ends in ``/api/v1``, and a login in it goes to a proxy in front of
    the node. All times in seconds.

    ``timeout`` bounds every call, tries included. A given ``http`` client stays its owner's to
    close. Raises SettingInvalid for a URL or a token that cannot be sent.
    """

    def __init__(
        self,
        url: str,
        token: SecretStr | str,
        http: httpx.AsyncClient | None = None,
        *,
        timeout: float = TIMEOUT,
        pauses: Sequence[float] = PAUSES,
        sleep: Sleep = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        base = _checked_url(url)
        self.url = str(base.copy_with(userinfo=b""))
        self._login = httpx.BasicAuth(base.username, base.password) if base.userinfo else None
        self._token = _checked_token(token)
        self._owns_http = http is None
        self._http = http or connections(base.host)
        self._timeout = timeout
        self._pauses, self._sleep, self._chance = pauses, sleep, chance

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        if self._owns_http:
            await self._http.aclose()

    async def payment_sources(self) -> list[Source]:
        """The contracts that the node serves, as far as our key may see them."""
        data = await self._get("/payment-source", {"take": "100"})
        return parse("GET /payment-source", Sources, data).sources

    async def registration(self, network: str, agent_identifier: str) -> Registration | None:
        """What the chain says of an agent; None when it is not there, or cannot be sold."""
        path = "/registry/agent-identifier"
        query = {"network": network, "agentIdentifier": agent_identifier}
        try:
            data = await self._get(path, query)
        except NodeNotFound:
            return None
        return registry.on_chain(f"GET {path}", data, network, agent_identifier)

    async def own_registration(self, network: str, agent_identifier: str) -> Registration | None:
        """What this node says of an agent that it registered itself; None for any other."""
        query = {"network": network, "filterAgentIdentifier": agent_identifier}
        data = await self._get("/registry", query)
        return registry.own("GET /registry", data, network, agent_identifier)

    async def selling_wallet(self, network: str, agent_identifier: str) -> str:
        """Its key hash, where this very node registered the agent; else an empty text."""
        own = await self.own_registration(network, agent_identifier)
        return own.selling_vkey if own and own.state in registry.CONFIRMED else ""

    async def api_key_status(self) -> KeyStatus:
        data = await self._get("/api-key-status", {})
        return parse("GET /api-key-status", KeyStatus, data)

    async def health(self) -> None:
        """Returns when the node is well, and raises the reason when it is not."""
        data = await self._get("/health", {})
        if data.get("status") != "ok":
            raise NodeUnreadable("GET /health", "its status is not ok")

    async def _act(self, path: str, body: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        async with self._within(f"POST {path}", seconds):
            return await self._send("POST", path, json=body)

    async def _get(self, path: str, query: Mapping[str, str]) -> dict[str, Any]:
        return await self._read("GET", path, params=query)

    async def _read(self, method: str, path: str, **content: Any) -> dict[str, Any]:
        async with self._within(f"{method} {path}", self._timeout):
            for pause in self._pauses:
                try:
                    return await self._send(method, path, **content)
                except (NodeUnreachable, NodeFailed):
                    await self._sleep(pause * (0.5 + self._chance()))
            return await self._send(method, path, **content)

    @asynccontextmanager
    async def _within(self, call: str, seconds: float) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError as error:
            raise NodeUnreachable(self.url, f"no answer to {call} in {seconds:g} s") from error

    async def _send(self, method: str, path: str, **content: Any) -> dict[str, Any]:
        call = f"{method} {path}"
        try:
            response = await self._http.request(
                method,
                f"{self.url}{path}",
                auth=self._login,
                headers={"token": self._token.get_secret_value()},
                follow_redirects=False,  # httpx would hand our token to the new host
                timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT),
                **content,
            )
        except httpx.DecodingError as error:
            raise NodeUnreadable(call, "its body does not decompress") from error
        except httpx.TransportError as error:
            raise NodeUnreachable(self.url, f"{call}: {_cause(error)}") from error
        return data_of(call, response)


def same_row[Row: StateRow](
    call: str, shape: type[Row], data: object, blockchain_identifier: str
) -> Row:
    """The row, if it is the one asked for; NodeUnreadable if not."""
    row = parse(call, shape, data)
    if row.blockchain_identifier != blockchain_identifier:
        raise NodeUnreadable(call, "it answered with another payment")
    return row


def connections(host: str) -> httpx.AsyncClient:
    """Through the environment's proxy, if there is one, but never to this very machine."""
    limits = httpx.Limits(keepalive_expiry=KEEP_ALIVE)
    return httpx.AsyncClient(limits=limits, trust_env=not is_here(host))


def is_here(host: str) -> bool:
    """Whether a host's name can only mean this very machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _cause(error: httpx.TransportError) -> str:
    return f"{type(error).__name__} {error}".strip()


def _checked_url(url: str) -> httpx.URL:
    rule = "expected http(s)://HOST[:PORT]/api/v1"
    refused = SettingInvalid("the payment node's url", "(hidden: it may be the token)", rule)
    try:
        base = httpx.URL(url.strip().rstrip("/"))
    except httpx.InvalidURL:
        raise refused from None
    if base.scheme not in ("http", "https") or not base.host or base.query or base.fragment:
        raise refused
    return base


def _checked_token(token: SecretStr | str) -> SecretStr:
    secret = SecretStr(token) if isinstance(token, str) else token
    text = secret.get_secret_value()
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        rule = "expected printable ASCII without spaces"
        raise SettingInvalid("the payment node's token", "(hidden)", rule)
    return secret
