"""An order to the node, and whether its answer is what was ordered."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from masumi_sumi.errors import IdentifierUnverified
from masumi_sumi.jobs.model import Amount, PaymentFacts, PaymentOrder
from masumi_sumi.payments import identifier
from masumi_sumi.payments.wire import PaymentRow, iso, unit

log = logging.getLogger(__name__)

_TOLERANCE_MS = 1000


def body_of(order: PaymentOrder) -> dict[str, Any]:
    """The body of POST /payment; what is not asked for is left out, since null is refused."""
    body: dict[str, Any] = {
        "network": order.network,
        "agentIdentifier": order.agent_identifier,
        "identifierFromPurchaser": order.identifier_from_purchaser,
        "inputHash": order.input_hash,
        "payByTime": iso(order.pay_by),
        "submitResultTime": iso(order.submit_by),
    }
    if order.price:
        body["RequestedFunds"] = [{"amount": p.amount, "unit": p.unit} for p in order.price]
    if order.source_index is not None:
        body["supportedPaymentSourceIndex"] = order.source_index
    if order.metadata:
        body["metadata"] = order.metadata
    return body


def misfit(order: PaymentOrder, row: PaymentRow) -> str | None:
    """Why a payment is not the one that was ordered, or None."""
    facts = row.facts()
    if row.source.network != order.network:
        return f"a payment on {row.source.network}, ordered on {order.network}"
    if facts.agent_identifier != order.agent_identifier:
        return "the payment is another agent's"
    if facts.input_hash != order.input_hash:
        return "the payment has another inputHash"
    if not _near(facts.times.pay_by, order.pay_by):
        return "payByTime is not the one asked for"
    if not _near(facts.times.submit_result, order.submit_by):
        return "submitResultTime is not the one asked for"
    if order.price and _sums(facts.price) != _sums(order.price):
        return "RequestedFunds are not the ones asked for"
    return _foreign_identifier(order, facts)


def _near(millis: int, seconds: float) -> bool:
    return abs(millis - seconds * 1000) <= _TOLERANCE_MS


def _sums(price: Iterable[Amount]) -> list[tuple[str, int]]:
    return sorted((unit(part.unit), int(part.amount)) for part in price)


def _foreign_identifier(order: PaymentOrder, facts: PaymentFacts) -> str | None:
    """A seller trusts its own node for the signature, and a newer node may issue a newer format:
    an identifier that cannot be decoded is accepted with a warning, a decoded one must be ours.
    """
    try:
        issued = identifier.decode(facts.blockchain_identifier)
    except IdentifierUnverified as error:
        log.warning(
            "blockchainIdentifier is of an unknown format and goes unchecked: %s",
            error.reason,
            extra={"blockchain_identifier": facts.blockchain_identifier[:16]},
        )
        return None
    if issued.purchaser_id != order.identifier_from_purchaser:
        return "blockchainIdentifier is for another purchaser"
    if issued.agent_identifier != order.agent_identifier:
        return "blockchainIdentifier is of another agent"
    return None
