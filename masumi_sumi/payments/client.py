"""One payment node over HTTP: one method per call, and errors of the NodeError tree.

Reads are repeated a few times within one time bound; calls that act are sent once, ever.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import Any

import httpx
from pydantic import SecretStr

from masumi_sumi.errors import (
    NodeFailed,
    NodeNotFound,
    NodeUnreachable,
    NodeUnreadable,
    SettingInvalid,
)
from masumi_sumi.jobs.model import PaymentFacts, PaymentOrder, PaymentView, SourceType
from masumi_sumi.payments.envelope import data_of
from masumi_sumi.payments.order import body_of, misfit
from masumi_sumi.payments.wire import (
    Changed,
    KeyStatus,
    PaymentRow,
    Source,
    Sources,
    StateRow,
    changed_rows,
    parse,
)

TIMEOUT = 20.0
OPEN_TIMEOUT = 12.0
CONNECT_TIMEOUT = 5.0
PAUSES = (0.2, 0.8)
"""Seconds before the second and the third try of a read, each give or take a half."""

_KEEP_ALIVE = 4.0
"""Seconds: below the five after which Node.js closes an idle connection, so that no call that
acts is sent into a connection that is just being closed."""

_UNKNOWN_PAYMENT = "payment not found"

Sleep = Callable[[float], Awaitable[None]]


class NodeClient:
    """A node at ``url``: it ends in ``/api/v1``, and a login in it goes to a proxy in front of
    the node. All times in seconds.

    ``open_timeout`` bounds ``open`` as a whole, ``timeout`` every other call, tries included.
    A given ``http`` client stays its owner's to close. Raises SettingInvalid for a URL or a token
    that cannot be sent.
    """

    def __init__(
        self,
        url: str,
        token: SecretStr | str,
        http: httpx.AsyncClient | None = None,
        *,
        open_timeout: float = OPEN_TIMEOUT,
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
        self._http = http or _connections(base.host)
        self._open_timeout, self._timeout = open_timeout, timeout
        self._pauses, self._sleep, self._chance = pauses, sleep, chance

    def __repr__(self) -> str:
        return f"NodeClient({self.url!r})"

    async def aclose(self) -> None:
        if self._owns_http:
            await self._http.aclose()

    async def open(self, order: PaymentOrder) -> PaymentFacts:
        """Ask for a payment, once. After NodeUnreachable or NodeFailed it may exist or not."""
        data = await self._act("/payment", body_of(order), self._open_timeout)
        row = parse("POST /payment", PaymentRow, data)
        if reason := misfit(order, row):
            raise NodeUnreadable("POST /payment", reason)
        return row.facts()

    async def look(self, network: str, blockchain_identifier: str) -> PaymentView | None:
        """One payment; None only when the node says that it does not know it."""
        row = await self._row(network, blockchain_identifier)
        return row.view() if row else None

    async def changed(
        self, network: str, source: SourceType, since: str, row_id: str = "", limit: int = 100
    ) -> list[Changed]:
        """A page of all payments by time of change, from ``since`` (ISO) and ``row_id`` on.

        Inclusive: the row at the cursor comes again.
        """
        query = {
            "network": network,
            "filterPaymentSourceType": source,
            "limit": str(limit),
            "lastUpdate": since,
        }
        if row_id:
            query["cursorId"] = row_id
        return changed_rows("GET /payment/diff", await self._get("/payment/diff", query))

    async def submit(
        self, network: str, blockchain_identifier: str, result_hash: str
    ) -> PaymentView:
        """Hand in the hash, once. NodeNotFound says no more than: look again."""
        body = {
            "network": network,
            "blockchainIdentifier": blockchain_identifier,
            "submitResultHash": result_hash,
        }
        view = await self._act_on("/payment/submit-result", body)
        if (view.action_result_hash or "").lower() != result_hash.lower():
            raise NodeUnreadable("POST /payment/submit-result", "it took another hash than ours")
        return view

    async def authorize_refund(self, network: str, blockchain_identifier: str) -> PaymentView:
        """Grant the buyer's wish for a refund. NodeNotFound when nobody asked for one."""
        body = {"network": network, "blockchainIdentifier": blockchain_identifier}
        return await self._act_on("/payment/authorize-refund", body)

    async def recover(
        self, network: str, blockchain_identifier: str, *, retry: bool
    ) -> PaymentView:
        """Take a payment out of its error state; with ``retry`` the failed step is done again.

        Bound to the row as it is now: a change in between is NodeNotFound.
        """
        path = "/payment/error-state-recovery"
        row = await self._row(network, blockchain_identifier)
        if row is None:
            raise NodeNotFound(f"POST {path}", 404, "Payment not found")
        body = {
            "network": network,
            "blockchainIdentifier": blockchain_identifier,
            "updatedAt": row.updated_at,
            "retryPreviousAction": retry,
        }
        return await self._act_on(path, body)

    async def payment_sources(self) -> list[Source]:
        """The contracts that the node serves, as far as our key may see them."""
        data = await self._get("/payment-source", {"take": "100"})
        return parse("GET /payment-source", Sources, data).sources

    async def api_key_status(self) -> KeyStatus:
        data = await self._get("/api-key-status", {})
        return parse("GET /api-key-status", KeyStatus, data)

    async def health(self) -> None:
        """Returns when the node is well, and raises the reason when it is not."""
        data = await self._get("/health", {})
        if data.get("status") != "ok":
            raise NodeUnreadable("GET /health", "its status is not ok")

    async def _row(self, network: str, blockchain_identifier: str) -> StateRow | None:
        path = "/payment/resolve-blockchain-identifier"
        body = {"network": network, "blockchainIdentifier": blockchain_identifier}
        try:
            data = await self._read("POST", path, json=body)
        except NodeNotFound as error:
            if error.message.lower() == _UNKNOWN_PAYMENT:
                return None
            raise
        return _same(f"POST {path}", data, blockchain_identifier)

    async def _act_on(self, path: str, body: Mapping[str, Any]) -> PaymentView:
        data = await self._act(path, body, self._timeout)
        return _same(f"POST {path}", data, body["blockchainIdentifier"]).view()

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


def _same(call: str, data: object, blockchain_identifier: str) -> StateRow:
    row = parse(call, StateRow, data)
    if row.blockchain_identifier != blockchain_identifier:
        raise NodeUnreadable(call, "it answered with another payment")
    return row


def _connections(host: str) -> httpx.AsyncClient:
    """Through the environment's proxy, if there is one, but never to this very machine."""
    limits = httpx.Limits(keepalive_expiry=_KEEP_ALIVE)
    return httpx.AsyncClient(limits=limits, trust_env=not _is_here(host))


def _is_here(host: str) -> bool:
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
