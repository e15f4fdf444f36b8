"""What the node's jobs write into a row: pure, from a row to the row after it."""

from __future__ import annotations

from dataclasses import replace

from masumi_sumi.sandbox import contract
from masumi_sumi.sandbox.cuid import new_id
from masumi_sumi.sandbox.ledger import Alarm
from masumi_sumi.sandbox.model import (
    DISPUTED_WITHDRAWN,
    FUNDS_INVALID,
    MANUAL,
    Action,
    Mined,
    Row,
    Sent,
    Transaction,
)
from masumi_sumi.sandbox.transitions import error_type, react

_HAS_HASH = ("SubmitResultRequested", "SubmitResultInitiated", MANUAL)

ROLLED_BACK = (
    "Rolled back transaction detected. Please check the transaction and manually resolve the issue."
)


def apply_alarm(row: Row, alarm: Alarm, now: int) -> Row:
    if alarm == "collect":
        return row.changed(now, action=Action.new(now, "WithdrawRequested"))
    if alarm == "refund":
        return row.changed(now, action=Action.new(now, "WithdrawRefundRequested"))
    note = (
        f"{row.side.capitalize()} request payByTime ({row.deadlines.pay_by}) passed without "
        "on-chain lock; no FundsLocked tx observed within 300s grace."
    )
    action = Action.new(now, MANUAL, error_type="Unknown", error_note=note)
    return row.changed(now, action=action, state=FUNDS_INVALID)


def initiate(row: Row, sent: Sent, now: int) -> Row:
    initiated = contract.JOBS[row.action.requested].initiated
    action = Action.new(now, initiated, result_hash=row.action.result_hash)
    pending = Transaction(new_id(now), now, now, sent.tx_hash)
    return row.changed(
        now, action=action, transaction=pending, transactions=_past_transactions(row, now)
    )


def park(row: Row, note: str, now: int) -> Row:
    action = Action.new(
        now,
        MANUAL,
        error_type="Unknown",
        error_note=note,
        result_hash=row.action.result_hash,
    )
    return row.changed(now, action=action)


def roll_back(row: Row, now: int) -> Row:
    action = Action.new(
        now,
        MANUAL,
        error_type="Unknown",
        error_note=ROLLED_BACK,
        result_hash=row.action.result_hash,
    )
    undone = row.transaction and replace(row.transaction, status="RolledBack", updated_at=now)
    return row.changed(now, action=action, transaction=undone)


def see(row: Row, mined: Mined, depth: int, buyer_vkey: str, now: int) -> Row:
    """The row after its side saw a mined transaction."""
    after = mined.after
    reaction = react(row.side, row.action.requested, after.state)
    # A hash that waits to be sent does not outlive a new state: the real node writes the next
    # action without it, and then neither sends nor takes a hash for this payment.
    is_waiting = row.action.requested == "SubmitResultRequested"
    keeps_hash = reaction.action in _HAS_HASH and not is_waiting
    kept = row.action.result_hash if keeps_hash else None
    action = Action.new(
        now,
        reaction.action,
        error_type=error_type(row.side, after.state, reaction),
        error_note=reaction.note,
        result_hash=kept,
    )
    by = contract.STEPS[mined.step].by
    is_settled = after.state == DISPUTED_WITHDRAWN
    return row.changed(
        now,
        action=action,
        state=after.state,
        result_hash=after.result_hash or row.result_hash or None,
        transaction=_confirmed(row, mined, depth, now),
        transactions=_past_transactions(row, now, but=mined.tx_hash),
        collateral=row.collateral or "0",
        buyer_vkey=row.buyer_vkey or buyer_vkey,
        seller_cooldown=after.seller_cooldown,
        buyer_cooldown=after.buyer_cooldown,
        seller_fees=row.seller_fees + (contract.FEE if by == "seller" else 0),
        buyer_fees=row.buyer_fees + (contract.FEE if by == "buyer" else 0),
        withdrawn_buyer=row.funds if is_settled else row.withdrawn_buyer,
    )


def _confirmed(row: Row, mined: Mined, depth: int, now: int) -> Transaction:
    current = row.transaction
    if current is None or current.tx_hash != mined.tx_hash:
        current = Transaction(new_id(now), now, now, mined.tx_hash)
    return replace(
        current,
        updated_at=now,
        status="Confirmed",
        fees=str(contract.FEE),
        block_height=mined.height,
        block_time=mined.block_time,
        previous=mined.before,
        new=mined.after.state,
        confirmations=depth,
    )


def _past_transactions(row: Row, now: int, but: str | None = None) -> tuple[Transaction, ...]:
    """The history once the current transaction makes way for another one than ``but``."""
    current = row.transaction
    if current is None or current.tx_hash == but:
        return row.transactions
    if any(past.id == current.id for past in row.transactions):
        return row.transactions  # recovery made a past one current, and left it among the past
    if current.status == "Pending":
        current = replace(current, status="FailedViaTimeout", updated_at=now)
    return (current, *row.transactions)
