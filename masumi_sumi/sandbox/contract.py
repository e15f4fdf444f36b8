"""What the escrow contract allows: who may take which step from which state, and where it leads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from masumi_sumi.sandbox.clock import MINUTE, SECOND
from masumi_sumi.sandbox.model import (
    DISPUTED,
    DISPUTED_WITHDRAWN,
    FUNDS_INVALID,
    FUNDS_LOCKED,
    REFUND_AUTHORIZED,
    REFUND_REQUESTED,
    REFUND_WITHDRAWN,
    RESULT_SUBMITTED,
    WITHDRAW_AUTHORIZED,
    WITHDRAWN,
    Escrow,
    Mined,
    Row,
    Sent,
)

LOCK, BAD_LOCK = "lock", "bad-lock"
SUBMIT = "submit-result"
REQUEST_REFUND, CANCEL_REFUND = "request-refund", "cancel-refund"
AUTHORIZE_REFUND, AUTHORIZE_WITHDRAWAL = "authorize-refund", "authorize-withdrawal"
WITHDRAW, WITHDRAW_REFUND = "withdraw", "withdraw-refund"
ARBITRATE = "arbitrate"

COOLDOWN = 7 * MINUTE
FEE = 201_234
"""Lovelace of every transaction here; real fees vary."""

Party = Literal["seller", "buyer", "admins"]


@dataclass(frozen=True)
class Step:
    by: Party
    moves: Mapping[str, str]
    v2_moves: Mapping[str, str] | None = None

    def leads_to(self, state: str, *, is_v2: bool) -> str | None:
        moves = self.v2_moves if is_v2 and self.v2_moves is not None else self.moves
        return moves.get(state)


STEPS: Mapping[str, Step] = {
    LOCK: Step("buyer", {}),
    BAD_LOCK: Step("buyer", {}),
    SUBMIT: Step(
        "seller",
        {FUNDS_LOCKED: RESULT_SUBMITTED, REFUND_REQUESTED: DISPUTED, DISPUTED: DISPUTED},
    ),
    REQUEST_REFUND: Step("buyer", {FUNDS_LOCKED: REFUND_REQUESTED, RESULT_SUBMITTED: DISPUTED}),
    CANCEL_REFUND: Step(
        "buyer", {REFUND_REQUESTED: FUNDS_LOCKED, DISPUTED: RESULT_SUBMITTED}, v2_moves={}
    ),
    AUTHORIZE_REFUND: Step(
        "seller",
        {DISPUTED: REFUND_REQUESTED},
        v2_moves={DISPUTED: REFUND_AUTHORIZED, REFUND_REQUESTED: REFUND_AUTHORIZED},
    ),
    AUTHORIZE_WITHDRAWAL: Step("buyer", {}, v2_moves={DISPUTED: WITHDRAW_AUTHORIZED}),
    WITHDRAW: Step("seller", {RESULT_SUBMITTED: WITHDRAWN, WITHDRAW_AUTHORIZED: WITHDRAWN}),
    WITHDRAW_REFUND: Step(
        "buyer",
        {
            FUNDS_LOCKED: REFUND_WITHDRAWN,
            REFUND_REQUESTED: REFUND_WITHDRAWN,
            REFUND_AUTHORIZED: REFUND_WITHDRAWN,
        },
    ),
    ARBITRATE: Step("admins", {DISPUTED: DISPUTED_WITHDRAWN}),
}


@dataclass(frozen=True)
class Job:
    """How the node carries a ``...Requested`` action out."""

    step: str
    initiated: str


JOBS: Mapping[str, Job] = {
    "FundsLockingRequested": Job(LOCK, "FundsLockingInitiated"),
    "SubmitResultRequested": Job(SUBMIT, "SubmitResultInitiated"),
    "AuthorizeRefundRequested": Job(AUTHORIZE_REFUND, "AuthorizeRefundInitiated"),
    "WithdrawRequested": Job(WITHDRAW, "WithdrawInitiated"),
    "SetRefundRequestedRequested": Job(REQUEST_REFUND, "SetRefundRequestedInitiated"),
    "UnSetRefundRequestedRequested": Job(CANCEL_REFUND, "UnSetRefundRequestedInitiated"),
    "AuthorizeWithdrawalRequested": Job(AUTHORIZE_WITHDRAWAL, "AuthorizeWithdrawalInitiated"),
    "WithdrawRefundRequested": Job(WITHDRAW_REFUND, "WithdrawRefundInitiated"),
}


def may_send(row: Row, step: str, now: int) -> bool:
    """Whether the node's job still sends this step; a step it no longer sends hangs for ever."""
    deadlines = row.deadlines
    if step == LOCK:
        return deadlines.pay_by >= now + 57 * SECOND
    if step == SUBMIT:
        return deadlines.submit_result > now + 5 * MINUTE
    if step == REQUEST_REFUND:
        return now < deadlines.unlock - 3 * MINUTE
    if step == AUTHORIZE_REFUND and row.source_type == "Web3CardanoV1":
        return row.state == DISPUTED
    return True


def mine(sent: Sent, escrow: Escrow | None, height: int, now: int) -> Mined | None:
    """The transaction in a block at ``now``, or None if the contract does not take it."""
    if sent.step in (LOCK, BAD_LOCK):
        after = None if escrow is not None else _locked(sent, now)
    elif escrow is None or escrow.tx_hash != sent.spends:
        after = None
    else:
        after = _moved(escrow, sent, now)
    if after is None:
        return None
    before = escrow.state if escrow is not None else None
    return Mined(sent.tx_hash, sent.step, height, now // SECOND, before, after)


def _locked(sent: Sent, now: int) -> Escrow:
    is_sound = sent.step == LOCK and now <= sent.pay_by
    state = FUNDS_LOCKED if is_sound else FUNDS_INVALID
    return Escrow(sent.identifier, state, sent.tx_hash, sent.is_v2)


def _moved(escrow: Escrow, sent: Sent, now: int) -> Escrow | None:
    step = STEPS[sent.step]
    state = step.leads_to(escrow.state, is_v2=escrow.is_v2)
    if state is None:
        return None
    result = sent.result_hash if sent.step == SUBMIT else escrow.result_hash
    return Escrow(
        escrow.identifier,
        state,
        sent.tx_hash,
        escrow.is_v2,
        result,
        seller_cooldown=now + COOLDOWN if step.by == "seller" else 0,
        buyer_cooldown=now + COOLDOWN if step.by == "buyer" else 0,
    )
