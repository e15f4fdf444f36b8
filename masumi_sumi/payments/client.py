"""One payment node over HTTP, as its seller: one method per call, errors of the NodeError tree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Unpack

import httpx
from pydantic import SecretStr

from masumi_sumi.errors import (
    NodeConflict,
    NodeFailed,
    NodeNotFound,
    NodeRefused,
    NodeUnreadable,
    RecoveryUnsafe,
    SourceUnclear,
)
from masumi_sumi.jobs.model import PaymentFacts, PaymentOrder, PaymentView, Pricing, SourceType
from masumi_sumi.jobs.standing import same_hash
from masumi_sumi.payments.connection import Manner, NodeConnection, same_row
from masumi_sumi.payments.order import body_of, misfit
from masumi_sumi.payments.recovery import RecoveryRow, refuse_recovery
from masumi_sumi.payments.statements import ACTION, CALL, Statement
from masumi_sumi.payments.wire import Changed, PaymentRow, StateRow, changed_rows, parse

OPEN_TIMEOUT = 12.0

_UNKNOWN_PAYMENT = "payment not found"
_RESOLVE = "/payment/resolve-blockchain-identifier"
_RECOVERY = "/payment/error-state-recovery"
_PARKED = "WaitingForManualAction"


class NodeClient(NodeConnection):
    """``open_timeout`` bounds ``open`` as a whole, in seconds; the rest is the connection's."""

    def __init__(
        self,
        url: str,
        token: SecretStr | str,
        http: httpx.AsyncClient | None = None,
        *,
        open_timeout: float = OPEN_TIMEOUT,
        **manner: Unpack[Manner],
    ) -> None:
        super().__init__(url, token, http, **manner)
        self._open_timeout = open_timeout
        self._indexed: set[str] = set()

    async def open(self, order: PaymentOrder, within: float | None = None) -> PaymentFacts:
        """Ask for a payment, once. After NodeUnreachable or NodeFailed it may exist or not.
        ``within`` is seconds that this one may take, if they are fewer.

        An agent of Web3CardanoV2 is paid under the index of a source: where the order names none,
        the only one that is priced as ordered is taken. Raises SourceUnclear if there is not one.
        """
        seconds = min(self._open_timeout, within or self._open_timeout)
        async with self._within("POST /payment", seconds):
            if order.agent_identifier not in self._indexed:
                try:
                    return await self._open(order)
                except NodeRefused as refusal:
                    await self._check_indexed(order, refusal)
            return await self._open(await self._placed(order))

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

        Bound to the row as it is now: a change in between is NodeNotFound. Raises RecoveryUnsafe,
        and calls nothing, where recovery could detach the payment from its transaction.
        """
        row = await self._row_with_history(network, blockchain_identifier)
        if row is None:
            raise NodeNotFound(f"POST {_RECOVERY}", 404, "Payment not found")
        return await self._recover(network, row, retry=retry)

    async def resubmit(
        self, network: str, blockchain_identifier: str, result_hash: str
    ) -> PaymentView:
        """Have the hash sent again that the node took and failed to send.

        NodeConflict, and nothing is done, for a payment that is parked with anything else: then
        the failed step, which the node would repeat, was another one. RecoveryUnsafe as with
        ``recover``.
        """
        row = await self._row_with_history(network, blockchain_identifier)
        failed = row is not None and row.action.requested == _PARKED and row.action.error_type
        if row is None or not failed or not same_hash(row.action.result_hash, result_hash):
            raise NodeConflict(f"POST {_RECOVERY}", 409, "it is not parked with this hash")
        return await self._recover(network, row, retry=True)

    async def _recover(self, network: str, row: RecoveryRow, *, retry: bool) -> PaymentView:
        reason = refuse_recovery(row)
        if reason and not refuse_recovery(row, keeps_transaction=True):
            reason = "" if await self._keeps_transaction(network) else reason
        if reason:
            note = row.action.error_note or row.action.error_type or row.action.requested
            raise RecoveryUnsafe(row.blockchain_identifier, note, reason)
        body = {
            "network": network,
            "blockchainIdentifier": row.blockchain_identifier,
            "updatedAt": row.updated_at,
            "retryPreviousAction": retry,
        }
        return await self._act_on(_RECOVERY, body)

    async def _keeps_transaction(self, network: str) -> bool:
        """Whether the node is of the releases whose recovery never detaches a payment.

        They are known by a call that others do not have. Only its success counts: a refusal may be
        another one's than the node's, and a payment hangs on it.
        """
        try:
            await self._get("/rail-readiness", {"network": network})
        except (NodeRefused, NodeFailed, NodeUnreadable):
            return False
        return True

    async def _open(self, order: PaymentOrder) -> PaymentFacts:
        data = await self._act("/payment", body_of(order), self._open_timeout)
        row = parse("POST /payment", PaymentRow, data)
        if reason := misfit(order, row):
            raise NodeUnreadable("POST /payment", reason)
        return replace(row.facts(), source_index=order.source_index)

    async def _check_indexed(self, order: PaymentOrder, refusal: NodeRefused) -> None:
        """Raises the refusal unless it can be for want of an index: the node did nothing then."""
        if order.source_index is not None or refusal.status != 400:
            raise refusal
        registered = await self.registration(order.network, order.agent_identifier)
        if registered is None or not registered.indexed:
            raise refusal
        self._indexed.add(order.agent_identifier)

    async def _placed(self, order: PaymentOrder) -> PaymentOrder:
        """Asked anew for each payment, since an agent's sources may be registered anew."""
        if order.source_index is not None:
            return order
        registered = await self.registration(order.network, order.agent_identifier)
        pricing: Pricing = "Dynamic" if order.price else "Fixed"
        places = registered.places(pricing) if registered else []
        if len(places) != 1:
            raise SourceUnclear(order.agent_identifier, pricing, places)
        return replace(order, source_index=places[0])

    async def vouch(self, agent_identifier: str, public_key: str) -> Statement:
        """Have the agent's selling wallet say that the key is the agent's; nothing is checked yet.

        NodeNotFound for an agent that this node did not register, NodeForbidden for another's.
        """
        body = {"action": ACTION, "agentIdentifier": agent_identifier, "publicKey": public_key}
        path = "/signature/sign/verifyAndPublishAgent"
        return parse(CALL, Statement, await self._act(path, body, self._timeout))

    async def _row(self, network: str, blockchain_identifier: str) -> StateRow | None:
        data = await self._resolve(network, blockchain_identifier)
        if data is None:
            return None
        return same_row(f"POST {_RESOLVE}", StateRow, data, blockchain_identifier)

    async def _row_with_history(
        self, network: str, blockchain_identifier: str
    ) -> RecoveryRow | None:
        data = await self._resolve(network, blockchain_identifier, includeHistory="true")
        if data is None:
            return None
        return same_row(f"POST {_RESOLVE}", RecoveryRow, data, blockchain_identifier)

    async def _resolve(
        self, network: str, blockchain_identifier: str, **options: str
    ) -> dict[str, Any] | None:
        body = {"network": network, "blockchainIdentifier": blockchain_identifier, **options}
        try:
            return await self._read("POST", _RESOLVE, json=body)
        except NodeNotFound as error:
            if error.message.lower() == _UNKNOWN_PAYMENT:
                return None
            raise

    async def _act_on(self, path: str, body: Mapping[str, Any]) -> PaymentView:
        data = await self._act(path, body, self._timeout)
        return same_row(f"POST {path}", StateRow, data, body["blockchainIdentifier"]).view()
