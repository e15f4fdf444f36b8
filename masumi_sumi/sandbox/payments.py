"""The seller's calls: POST /payment and what may be asked of a payment afterwards."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

from masumi_sumi.sandbox import registry, rules
from masumi_sumi.sandbox.cuid import new_id
from masumi_sumi.sandbox.errors import Forbidden, Invalid, Missing
from masumi_sumi.sandbox.forms import Init
from masumi_sumi.sandbox.identifier import Terms, issue
from masumi_sumi.sandbox.keys import SandboxKey
from masumi_sumi.sandbox.model import (
    DISPUTED,
    DONE,
    END_STATES,
    FUNDS_LOCKED,
    MANUAL,
    REFUND_REQUESTED,
    WAITING,
    Action,
    Deadlines,
    Fund,
    Row,
    Transaction,
)
from masumi_sumi.sandbox.node import Node
from masumi_sumi.sandbox.registry import Agent, Pricing
from masumi_sumi.sandbox.source import PaymentSource, by_policy

NOT_NOW = "Payment not found or in invalid state"
_RETRY = {
    "SubmitResultRequested": "SubmitResultRequested",
    "SubmitResultInitiated": "SubmitResultRequested",
    "AuthorizeRefundRequested": "AuthorizeRefundRequested",
    "AuthorizeRefundInitiated": "AuthorizeRefundRequested",
    "WithdrawRequested": "WithdrawRequested",
    "WithdrawInitiated": "WithdrawRequested",
}


def start(node: Node, key: SandboxKey, form: Init) -> Row:
    """A new payment with a fresh identifier; the same form twice makes two."""
    key.check_network(form.network)
    with node.turn() as now:
        source = _source(node, form)
        deadlines = Deadlines(form.pay_by, form.submit_result, form.unlock, form.dispute_unlock)
        rules.check_hex(form.nonce, "Purchaser identifier")
        rules.check_hex(form.input_hash, "Input hash")
        rules.check_deadlines(deadlines, now)
        agent = registry.sold(node.registry.find(form.agent_identifier, source))
        registry.check_metadata(agent)
        pricing = registry.offer(agent, source, form.source_index)
        funds = _price(pricing, form.funds)
        if agent.holder != "selling":
            raise Missing("Selling wallet not found")
        if not key.sees(source.type):
            raise Missing("Not found")
        return node.ledger.save(_row(now, key, form, source, agent, pricing, funds, deadlines))


def submit_result(node: Node, key: SandboxKey, form: dict[str, Any]) -> Row:
    states = (FUNDS_LOCKED, REFUND_REQUESTED, DISPUTED)
    with node.turn() as now:
        row = _waiting(node, key, form, states)
        if not key.owns(row.owner):
            raise Forbidden("You are not authorized to submit results for this payment")
        wish = Action.new(now, "SubmitResultRequested", result_hash=form["submitResultHash"])
        return node.ledger.save(row.changed(now, action=wish))


def authorize_refund(node: Node, key: SandboxKey, form: dict[str, Any]) -> Row:
    with node.turn() as now:
        row = _waiting(node, key, form, (DISPUTED, REFUND_REQUESTED))
        if not key.owns(row.owner):
            raise Forbidden("You are not authorized to authorize a refund for this payment")
        wish = Action.new(now, "AuthorizeRefundRequested")
        return node.ledger.save(row.changed(now, action=wish))


def recover(node: Node, key: SandboxKey, form: dict[str, Any]) -> Row:
    """Clear an error, or take the failed action up again."""
    key.check_network(form["network"])
    with node.turn() as now:
        row = node.ledger.find("payment", form["blockchainIdentifier"])
        if row is None or row.updated_at != form["updatedAt"] or not _visible(key, form, row):
            raise Missing(
                "Payment request not found with the provided blockchain identifier "
                "or it was changed"
            )
        if not key.owns(row.owner):
            raise Forbidden("You are not authorized to recover this payment request")
        _check_recoverable(row)
        wish = _retry(row, now) if form["retryPreviousAction"] else _cleared(row, now)
        pinned = _pinned(row, keeps=node.settings.safe_recovery)
        past = tuple(_reset(old, pinned, now) for old in row.transactions)
        return node.ledger.save(
            row.changed(now, action=wish, transaction=pinned, transactions=past)
        )


def _source(node: Node, form: Init) -> PaymentSource:
    source = by_policy(node.sources, form.network, form.agent_identifier)
    if source is None:
        raise Missing("Network and policyId combination not supported")
    if form.source_type not in (None, source.type):
        raise Invalid("paymentSourceType does not match the agent registry source")
    return source


def _price(pricing: Pricing, asked: tuple[Fund, ...] | None) -> tuple[Fund, ...]:
    if pricing.type == "Free":
        raise Invalid("Pricing type not supported for payments")
    if pricing.type == "Fixed":
        if asked is not None:
            raise Invalid("For fixed pricing, RequestedFunds must be null")
        return pricing.funds
    if not asked:
        raise Invalid("For dynamic pricing, RequestedFunds must be provided")
    if any(rules.big_int(fund.amount) <= 0 for fund in asked):
        raise Invalid("RequestedFunds amounts must be positive")
    return asked


def _row(
    now: int,
    key: SandboxKey,
    form: Init,
    source: PaymentSource,
    agent: Agent,
    pricing: Pricing,
    funds: tuple[Fund, ...],
    deadlines: Deadlines,
) -> Row:
    row_id = new_id(now)
    terms = _terms(row_id, form, source, pricing, funds)
    return Row(
        side="payment",
        id=row_id,
        created_at=now,
        updated_at=now,
        network=form.network,
        source_type=source.type,
        identifier=issue(terms, source.selling).encode(),
        agent_identifier=form.agent_identifier,
        agent_name=agent.name,
        pricing_type=pricing.type,
        deadlines=deadlines,
        owner=key.id,
        input_hash=form.input_hash,
        funds=funds,
        seller_vkey=source.selling.vkey,
        action=Action.new(now, WAITING),
        changed_at=now,
        action_changed_at=now,
        state_changed_at=now,
        result_hash="",
        metadata=form.metadata,
        seller_return=form.seller_return,
    )


def _terms(
    row_id: str, form: Init, source: PaymentSource, pricing: Pricing, funds: tuple[Fund, ...]
) -> Terms:
    """What the seller signs. The row's id makes the seller's part of it unique."""
    signed_funds = [(fund.amount, fund.unit) for fund in funds]
    return Terms(
        input_hash=form.input_hash,
        agent_identifier=form.agent_identifier,
        purchaser_id=form.nonce,
        seller_id=hashlib.sha256(row_id.encode()).hexdigest() + form.agent_identifier,
        requested_funds=signed_funds if pricing.type == "Dynamic" else None,
        pay_by=str(form.pay_by),
        submit_result=str(form.submit_result),
        unlock=str(form.unlock),
        dispute_unlock=str(form.dispute_unlock),
        seller_address=source.selling.address,
        contract_address=source.contract_address if source.is_v2 else None,
        seller_return_address=form.seller_return,
        source_index=form.source_index,
    )


def _waiting(node: Node, key: SandboxKey, form: dict[str, Any], states: tuple[str, ...]) -> Row:
    """The payment, if it is in one of the states and waits for somebody else's move."""
    key.check_network(form["network"])
    row = node.ledger.find("payment", form["blockchainIdentifier"])
    if row is None or not _visible(key, form, row):
        raise Missing(NOT_NOW)
    if row.state not in states or row.action.requested != WAITING or row.transaction is None:
        raise Missing(NOT_NOW)
    return row


def _visible(key: SandboxKey, form: dict[str, Any], row: Row) -> bool:
    return row.network == form["network"] and key.sees(row.source_type)


def _check_recoverable(row: Row) -> None:
    if row.state is None:
        raise Invalid(
            "Payment request is in its initial on-chain state. Can not be recovered. "
            "Please start a new payment request."
        )
    if row.action.requested != MANUAL:
        raise Invalid(
            "Payment request is not in WaitingForManualAction state. "
            f"Current state: {row.action.requested}"
        )
    if row.action.error_type is None:
        raise Invalid("Payment request is not in an error state. No error to clear.")


def _retry(row: Row, now: int) -> Action:
    before = row.actions[0] if row.actions else None
    if before is None or before.requested not in _RETRY:
        raise Invalid("The immediately preceding payment action is not retryable.")
    retried = _RETRY[before.requested]
    result_hash = _hash_to_retry(row, before) if retried == "SubmitResultRequested" else None
    if retried == "SubmitResultRequested" and result_hash is None:
        raise Invalid("The failed submit-result action has no result hash to retry.")
    if row.state in END_STATES:
        raise Invalid("The payment is already completed and its previous action cannot be retried.")
    return Action.new(now, retried, result_hash=result_hash)


def _hash_to_retry(row: Row, before: Action) -> str | None:
    """The hash of the failed action, else that of the one which failed, or of its request."""
    found = row.action.result_hash or before.result_hash
    if found is None and before.requested == "SubmitResultInitiated" and len(row.actions) > 1:
        request = row.actions[1]
        found = request.result_hash if request.requested == "SubmitResultRequested" else None
    return found


def _pinned(row: Row, *, keeps: bool) -> Transaction | None:
    """What recovery makes the current transaction: looked for among the past ones alone.

    So it is none where there are none, which detaches the payment for ever, and an older one than
    the current where there are some; ``keeps`` (the development branch) leaves the current one in
    place when there is nothing to choose.
    """
    past = [old for old in row.transactions if old.tx_hash or not keeps]
    for status in ("Confirmed", "Pending"):
        found = next((old for old in past if old.status == status), None)
        if found is not None:
            return found
    return row.transaction if keeps else None


def _reset(old: Transaction, pinned: Transaction | None, now: int) -> Transaction:
    if old.status != "Pending" or old is pinned:
        return old
    if pinned is not None and old.created_at < pinned.created_at:
        return old
    return replace(old, status="FailedViaManualReset", updated_at=now)


def _cleared(row: Row, now: int) -> Action:
    return Action.new(now, DONE if row.state in END_STATES else WAITING)
