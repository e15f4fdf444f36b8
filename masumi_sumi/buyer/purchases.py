"""The buyer's calls to a payment node: what an agent costs, buying, looking, refunds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from masumi_sumi.errors import (
    NodeConflict,
    NodeFailed,
    NodeNotFound,
    NodeRefused,
    NodeUnreachable,
    NodeUnreadable,
    PurchaseUnsettled,
    RefundImpossible,
)
from masumi_sumi.jobs.model import Amount, PaymentView, SourceType, Times
from masumi_sumi.payments.connection import NodeConnection, same_row
from masumi_sumi.payments.wire import Fund, StateRow, parse, unit

BUY_TRIES = 3
BUY_PAUSE = 1.0
"""Seconds between two tries to buy, after an answer was lost."""

_UNKNOWN_PURCHASE = "purchase not found"
_WISHED = ("SetRefundRequestedRequested", "SetRefundRequestedInitiated")
_ASKED = ("RefundRequested", "Disputed", "RefundAuthorized", "RefundWithdrawn")
_TAKEN_BACK = ("UnSetRefundRequestedRequested", "UnSetRefundRequestedInitiated")
_RELEASED = ("AuthorizeWithdrawalRequested", "AuthorizeWithdrawalInitiated")


@dataclass(frozen=True, slots=True)
class PurchaseOrder:
    """What the buyer's node is told to pay, all of it checked before.

    ``price`` is what the buyer agreed to: the node refuses where the chain or the signature says
    otherwise.
    """

    network: str
    blockchain_identifier: str
    agent_identifier: str
    seller_vkey: str
    purchaser_id: str
    input_hash: str
    times: Times
    price: tuple[Amount, ...]
    source_type: SourceType
    source_index: int | None = None
    contract_address: str | None = None
    seller_return_address: str | None = None

    def body(self) -> dict[str, Any]:
        """Of POST /purchase; what is not said is left out, since null is refused."""
        said: dict[str, Any] = {
            "network": self.network,
            "blockchainIdentifier": self.blockchain_identifier,
            "agentIdentifier": self.agent_identifier,
            "sellerVkey": self.seller_vkey,
            "identifierFromPurchaser": self.purchaser_id,
            "inputHash": self.input_hash,
            "payByTime": str(self.times.pay_by),
            "submitResultTime": str(self.times.submit_result),
            "unlockTime": str(self.times.unlock),
            "externalDisputeUnlockTime": str(self.times.external_dispute_unlock),
            "Amounts": [{"amount": part.amount, "unit": part.unit} for part in self.price],
            "paymentSourceType": self.source_type,
            "supportedPaymentSourceIndex": self.source_index,
            "smartContractAddress": self.contract_address,
            "sellerReturnAddress": self.seller_return_address,
        }
        return {name: value for name, value in said.items() if value is not None}


class Purchases(NodeConnection):
    """A payment node, as its buyer. Errors are the NodeError tree and PurchaseUnsettled."""

    async def look(self, network: str, blockchain_identifier: str) -> PaymentView | None:
        """One purchase; None only when the node says that it does not know it."""
        path = "/purchase/resolve-blockchain-identifier"
        body = {"network": network, "blockchainIdentifier": blockchain_identifier}
        try:
            data = await self._read("POST", path, json=body)
        except NodeNotFound as error:
            if error.message.lower() == _UNKNOWN_PURCHASE:
                return None
            raise
        return same_row(f"POST {path}", StateRow, data, blockchain_identifier).view()

    async def buy(self, order: PurchaseOrder) -> PaymentView:
        """Buy once, however often the answer is lost: the node knows a purchase by its identifier.

        Raises NodeRefused, with the node's sentence, when it will not; PurchaseUnsettled when it
        cannot be found out whether it does.
        """
        for _ in range(BUY_TRIES - 1):
            try:
                return await self._buy(order)
            except (NodeUnreachable, NodeFailed):
                await self._sleep(BUY_PAUSE * (0.5 + self._chance()))
        try:
            return await self._buy(order)
        except (NodeUnreachable, NodeFailed) as error:
            raise PurchaseUnsettled(order.blockchain_identifier, str(error)) from error

    async def request_refund(self, network: str, blockchain_identifier: str) -> PaymentView:
        """Ask the money back; asked already is done. Raises RefundImpossible."""
        path = "/purchase/request-refund"
        return await self._wish(path, network, blockchain_identifier, _asks_refund)

    async def cancel_refund_request(self, network: str, blockchain_identifier: str) -> PaymentView:
        """V1: take the wish back. V2: let the seller have the money. Raises RefundImpossible."""
        path = "/purchase/cancel-refund-request"
        return await self._wish(path, network, blockchain_identifier, _asks_no_refund)

    async def _buy(self, order: PurchaseOrder) -> PaymentView:
        call, identifier = "POST /purchase", order.blockchain_identifier
        try:
            data = await self._act("/purchase", order.body(), self._timeout)
        except NodeConflict as conflict:
            return await self._found(order, conflict)
        except (NodeUnreachable, NodeFailed):
            if (view := await self._look_if_there(order)) is not None:
                return view
            raise
        same_row(call, StateRow, data, identifier)
        row = parse(call, _Bought, data)
        if row.sums() and row.sums() != _sums(order.price):
            raise NodeUnreadable(call, "it pays another price than ours")
        return row.view()

    async def _found(self, order: PurchaseOrder, conflict: NodeConflict) -> PaymentView:
        view = await self.look(order.network, order.blockchain_identifier)
        if view is None:
            raise conflict
        return view

    async def _look_if_there(self, order: PurchaseOrder) -> PaymentView | None:
        try:
            return await self.look(order.network, order.blockchain_identifier)
        except (NodeUnreachable, NodeFailed):
            return None

    async def _wish(
        self,
        path: str,
        network: str,
        blockchain_identifier: str,
        wished: Callable[[PaymentView], bool],
    ) -> PaymentView:
        body = {"network": network, "blockchainIdentifier": blockchain_identifier}
        try:
            data = await self._act(path, body, self._timeout)
        except (NodeNotFound, NodeUnreachable, NodeFailed) as error:
            return await self._look_for(wished, network, blockchain_identifier, error)
        return same_row(f"POST {path}", StateRow, data, blockchain_identifier).view()

    async def _look_for(
        self,
        wished: Callable[[PaymentView], bool],
        network: str,
        blockchain_identifier: str,
        error: Exception,
    ) -> PaymentView:
        """404 means an unknown row, another state, or done already: the row itself tells."""
        view = await self.look(network, blockchain_identifier)
        if view is None:
            raise RefundImpossible("the node knows no such purchase") from error
        if wished(view):
            return view
        if not isinstance(error, NodeRefused):
            raise error
        raise RefundImpossible(f"the purchase is {told(view)}") from error


def told(view: PaymentView) -> str:
    """Where a purchase stands, in the node's own words."""
    state = view.on_chain_state or "not on chain yet"
    note = f": {view.error_note}" if view.error_note else ""
    return f"{state}, {view.action}{note}"


def _asks_refund(view: PaymentView) -> bool:
    undone = view.action in (*_TAKEN_BACK, *_RELEASED)
    return view.action in _WISHED or (view.on_chain_state in _ASKED and not undone)


def _asks_no_refund(view: PaymentView) -> bool:
    back = view.on_chain_state in ("FundsLocked", "ResultSubmitted", "WithdrawAuthorized")
    return view.action in (*_TAKEN_BACK, *_RELEASED) or (back and view.action not in _WISHED)


def _sums(price: tuple[Amount, ...]) -> list[tuple[str, int]]:
    return sorted((unit(part.unit), int(part.amount)) for part in price)


# --- wire --------------------------------------------------------------------------------------


class _Bought(StateRow):
    paid: list[Fund] = Field([], alias="PaidFunds")

    def sums(self) -> list[tuple[str, int]]:
        return _sums(tuple(Amount(fund.amount, fund.unit) for fund in self.paid))
