"""Where a payment stands after a look at it."""

from __future__ import annotations

from dataclasses import replace

from masumi_sumi.jobs.model import Job, JobState, Payment, PaymentState, PaymentView

_CHAIN: dict[str | None, PaymentState] = {
    None: PaymentState.AWAITING_FUNDS,
    "FundsLocked": PaymentState.LOCKED,
    "ResultSubmitted": PaymentState.RESULT_CONFIRMED,
    "WithdrawAuthorized": PaymentState.RESULT_CONFIRMED,
    "RefundRequested": PaymentState.REFUND_REQUESTED,
    "RefundAuthorized": PaymentState.REFUND_REQUESTED,
    "Disputed": PaymentState.DISPUTED,
    "Withdrawn": PaymentState.WITHDRAWN,
    "RefundWithdrawn": PaymentState.REFUNDED,
    "DisputedWithdrawn": PaymentState.SETTLED,
    "FundsOrDatumInvalid": PaymentState.INVALID,
}

_TAKES_RESULT = ("FundsLocked", "RefundRequested", "Disputed")


def lost_to_seller(state: PaymentState) -> bool:
    """A job that has not begun does not begin with its payment in such a state."""
    return state.ended or state is PaymentState.REFUND_REQUESTED


def funded(view: PaymentView) -> bool:
    """The one condition under which a paid job may run."""
    return (
        view.on_chain_state == "FundsLocked"
        and view.action == "WaitingForExternalAction"
        and view.error_type is None
        and not view.error_note
        and not view.is_detached
    )


def was_never_paid(job: Job) -> bool:
    """Tell whether a job ended without a runner, and its payment can be neither made nor refunded.

    Of a payment that nobody made in time, the node says so with an error type. Without one,
    somebody paid wrongly, and the funds may still lie at the contract.
    """
    payment = job.payment
    if payment is None or job.state is not JobState.FAILED or job.attempts:
        return False
    if payment.state is PaymentState.INVALID:
        return payment.view is not None and payment.view.error_type is not None
    return payment.state is PaymentState.ABANDONED


def is_in_doubt(payment: Payment | None) -> bool:
    """Whether funds that were seen locked may be gone, or out of the node's reach.

    After a rollback of the chain the node keeps their state, and waits for its operator. A job
    that has not begun waits with it.
    """
    view = payment.view if payment else None
    return view is not None and view.on_chain_state == "FundsLocked" and not funded(view)


def same_hash(one: str | None, other: str | None) -> bool:
    return bool(one) and bool(other) and str(one).lower() == str(other).lower()


def holds_result(view: PaymentView, result_hash: str) -> bool:
    """Whether the node has our hash, on chain or about to send it."""
    return same_hash(view.result_hash, result_hash) or same_hash(
        view.action_result_hash, result_hash
    )


def gave_up_sending(payment: Payment) -> bool:
    """Whether the node took our hash, could not bring it on chain, and waits to be told."""
    view = payment.view
    return (
        view is not None
        and view.on_chain_state in _TAKES_RESULT
        and view.action == "WaitingForManualAction"
        and view.error_type is not None
        and same_hash(view.action_result_hash, payment.sent_hash)
        and not same_hash(view.result_hash, payment.sent_hash)
    )


def lost_hash(payment: Payment) -> bool:
    """Whether the node took our hash and waits without it: its operator cleared an error."""
    view = payment.view
    return (
        view is not None
        and bool(payment.sent_hash)
        and funded(view)
        and not holds_result(view, payment.sent_hash)
    )


def seen(payment: Payment, view: PaymentView) -> Payment:
    """The payment after a look. Looks that are older than the last one change nothing."""
    if payment.view is not None and _older(view, payment.view):
        return payment
    state = _CHAIN.get(view.on_chain_state, payment.state)
    if state is PaymentState.LOCKED and holds_result(view, payment.sent_hash):
        state = PaymentState.RESULT_SENT
    is_told = bool(payment.told_for) and payment.told_for == view.changed_at
    attention = payment.attention if is_told else _attention(view, payment.sent_hash)
    return replace(payment, view=view, state=state, attention=attention)


def _older(view: PaymentView, last: PaymentView) -> bool:
    """By time of change. A row bears the start of the transaction that wrote it, which may be
    before the payment was made; but the chain knows a payment only after it knew nothing of it.
    """
    if last.on_chain_state is None and view.on_chain_state is not None:
        return False
    return view.changed_at < last.changed_at


def _attention(view: PaymentView, sent_hash: str) -> str:
    if view.on_chain_state not in _CHAIN:
        return f"unknown state {view.on_chain_state}"
    if view.is_detached and view.on_chain_state in _TAKES_RESULT:
        return "its node has lost its transaction and takes no result: restore it in its database"
    if sent_hash and view.action == "SubmitResultRequested" and not view.action_result_hash:
        return "its node dropped the result's hash and sends none: restore it in its database"
    if view.action == "WaitingForManualAction" or view.error_type is not None:
        return view.error_note or view.error_type or view.action
    return ""
