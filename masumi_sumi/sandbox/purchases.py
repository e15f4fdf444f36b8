"""The buyer's calls: POST /purchase, which checks every signed term, and the refund wishes."""

from __future__ import annotations

from typing import Any

from masumi_sumi.sandbox import registry, rules
from masumi_sumi.sandbox.cuid import new_id
from masumi_sumi.sandbox.errors import Exists, Forbidden, Invalid, Missing
from masumi_sumi.sandbox.forms import Purchase
from masumi_sumi.sandbox.identifier import FormatInvalid, Identifier, Terms, decode
from masumi_sumi.sandbox.keys import SandboxKey
from masumi_sumi.sandbox.model import (
    DISPUTED,
    FUNDS_LOCKED,
    REFUND_REQUESTED,
    RESULT_SUBMITTED,
    WAITING,
    Action,
    Deadlines,
    Fund,
    Row,
)
from masumi_sumi.sandbox.node import Node
from masumi_sumi.sandbox.registry import Agent, Pricing
from masumi_sumi.sandbox.source import PaymentSource, by_policy
from masumi_sumi.sandbox.views import raw_purchase_view
from masumi_sumi.sandbox.wallet import SignatureUnreadable

_WRONG = "Invalid blockchain identifier, "
_STRANGER = "f" * 56
"""The key hash of whoever holds an agent that none of the node's wallets holds."""


def buy(node: Node, key: SandboxKey, form: Purchase) -> Row:
    """A new purchase; the same identifier again is Exists."""
    key.check_network(form.network)
    with node.turn() as now:
        signed = _decoded(form)
        _check_new(node, form)
        rules.check_hex(form.input_hash, "Input hash")
        source = _source(node, form)
        deadlines = _deadlines(form)
        rules.check_deadlines(deadlines, now)
        agent = registry.sold(node.registry.find(form.agent_identifier, source))
        held_by = source.selling.vkey if agent.holder == "selling" else _STRANGER
        if form.seller_vkey != held_by:
            raise Invalid("Invalid seller vkey")
        registry.check_metadata(agent)
        pricing = _pricing(agent, source, form)
        funds = _price(pricing, form.amounts)
        _check_signed(form, signed, _terms(form, signed, source, pricing))
        node.charge(key, funds)
        return node.ledger.save(_row(now, key, form, source, agent, pricing, funds, deadlines))


def request_refund(node: Node, key: SandboxKey, form: dict[str, Any]) -> Row:
    with node.turn() as now:
        row = _waiting(
            node,
            key,
            form,
            (FUNDS_LOCKED, RESULT_SUBMITTED),
            "Purchase not found or not in valid state",
        )
        if not key.owns(row.owner):
            raise Forbidden("You are not authorized to request a refund for this purchase")
        wish = Action.new(now, "SetRefundRequestedRequested")
        return node.ledger.save(row.changed(now, action=wish))


def cancel_refund(node: Node, key: SandboxKey, form: dict[str, Any]) -> Row:
    """V1 takes the wish back; V2 lets the seller have the money."""
    with node.turn() as now:
        row = _waiting(
            node,
            key,
            form,
            (REFUND_REQUESTED, DISPUTED),
            "Purchase not found or in invalid state",
        )
        if not key.owns(row.owner):
            raise Forbidden("You are not authorized to cancel a refund request for this purchase")
        is_v2 = node.source_of(row).is_v2
        if is_v2 and row.state != DISPUTED:
            raise Invalid("V2 purchases can only authorize a withdrawal from the Disputed state")
        requested = "AuthorizeWithdrawalRequested" if is_v2 else "UnSetRefundRequestedRequested"
        return node.ledger.save(row.changed(now, action=Action.new(now, requested)))


def _decoded(form: Purchase) -> Identifier:
    try:
        return decode(form.identifier)
    except FormatInvalid as error:
        raise Invalid(_WRONG + "format invalid") from error


def _check_new(node: Node, form: Purchase) -> None:
    row = node.ledger.find("purchase", form.identifier)
    if row is not None and row.network == form.network:
        raise Exists("Purchase exists", row.id, raw_purchase_view(row, node.source_of(row)))


def _source(node: Node, form: Purchase) -> PaymentSource:
    source = by_policy(node.sources, form.network, form.agent_identifier)
    if source is None:
        raise Missing("No payment source found for agent identifiers policy id")
    if form.source_type not in (None, source.type):
        raise Invalid("paymentSourceType does not match the blockchain identifier")
    if form.contract_address not in (None, source.contract_address):
        raise Invalid("smartContractAddress does not match the blockchain identifier")
    return source


def _deadlines(form: Purchase) -> Deadlines:
    times = (form.submit_result, form.pay_by, form.unlock, form.dispute_unlock)
    submit_result, pay_by, unlock, dispute_unlock = (rules.big_int(text) for text in times)
    return Deadlines(pay_by, submit_result, unlock, dispute_unlock)


def _pricing(agent: Agent, source: PaymentSource, form: Purchase) -> Pricing:
    if source.is_v2 and form.source_index is None and agent.offers:
        return agent.offers[0]
    return registry.offer(agent, source, form.source_index)


def _price(pricing: Pricing, given: tuple[Fund, ...] | None) -> tuple[Fund, ...]:
    if pricing.type == "Free":
        raise Invalid("Pricing type not supported for payments")
    if pricing.type == "Dynamic":
        if not given:
            raise Invalid("For dynamic pricing, Amounts must be provided")
        return given
    if given is not None and set(given) != set(pricing.funds):
        raise Invalid("Provided Amounts do not match the fixed pricing of the agent")
    return pricing.funds


def _terms(form: Purchase, signed: Identifier, source: PaymentSource, pricing: Pricing) -> Terms:
    """What the seller must have signed for this form to be right."""
    given = form.amounts if pricing.type == "Dynamic" else None
    return Terms(
        input_hash=form.input_hash,
        agent_identifier=form.agent_identifier,
        purchaser_id=form.nonce,
        seller_id=signed.seller_id,
        requested_funds=[(fund.amount, fund.unit) for fund in given] if given else None,
        pay_by=form.pay_by,
        submit_result=form.submit_result,
        unlock=form.unlock,
        dispute_unlock=form.dispute_unlock,
        seller_address=source.selling.address,
        contract_address=source.contract_address if source.is_v2 else None,
        seller_return_address=form.seller_return,
        source_index=form.source_index,
    )


def _check_signed(form: Purchase, signed: Identifier, terms: Terms) -> None:
    if signed.purchaser_id != form.nonce:
        raise Invalid(_WRONG + "purchaser id mismatch")
    rules.check_hex(signed.purchaser_id, "Purchaser identifier")
    rules.check_hex(signed.seller_id, "Seller identifier")
    if signed.agent_identifier != form.agent_identifier:
        raise Invalid(_WRONG + "agent identifier mismatch")
    try:
        vkey = signed.seller_vkey
    except SignatureUnreadable as error:
        raise Invalid(_WRONG + "key not found") from error
    if vkey != form.seller_vkey:
        raise Invalid(_WRONG + "key does not match")
    if signed.contract_address != terms.contract_address or not signed.covers(terms):
        raise Invalid(_WRONG + "signature invalid")


def _row(
    now: int,
    key: SandboxKey,
    form: Purchase,
    source: PaymentSource,
    agent: Agent,
    pricing: Pricing,
    funds: tuple[Fund, ...],
    deadlines: Deadlines,
) -> Row:
    return Row(
        side="purchase",
        id=new_id(now),
        created_at=now,
        updated_at=now,
        network=form.network,
        source_type=source.type,
        identifier=form.identifier,
        agent_identifier=form.agent_identifier,
        agent_name=agent.name,
        pricing_type=pricing.type,
        deadlines=deadlines,
        owner=key.id,
        input_hash=form.input_hash,
        funds=funds,
        seller_vkey=form.seller_vkey,
        action=Action.new(now, "FundsLockingRequested"),
        changed_at=now,
        action_changed_at=now,
        state_changed_at=now,
        metadata=form.metadata,
        seller_return=form.seller_return,
        buyer_return=form.buyer_return,
    )


def _waiting(
    node: Node, key: SandboxKey, form: dict[str, Any], states: tuple[str, ...], message: str
) -> Row:
    key.check_network(form["network"])
    row = node.ledger.find("purchase", form["blockchainIdentifier"])
    if row is None or row.network != form["network"] or not key.sees(row.source_type):
        raise Missing(message)
    if row.state not in states or row.action.requested != WAITING or row.transaction is None:
        raise Missing(message)
    return row
