"""Where a payment stands after a look at it."""

from __future__ import annotations

from dataclasses import replace

from masumi_sumi.jobs.model import Payment, PaymentState, PaymentView

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
    )


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


def seen(payment: Payment, view: PaymentView) -> Payment:
    """The payment after a look. Looks that are older than the last one change nothing."""
    if payment.view is not None and _older(view, payment.view):
        return payment
    state = _CHAIN.get(view.on_chain_state, payment.state)
    if state is PaymentState.LOCKED and holds_result(view, payment.sent_hash):
        state = PaymentState.RESULT_SENT
    return replace(payment, view=view, state=state, attention=_attention(view))


def _older(view: PaymentView, last: PaymentView) -> bool:
    """By time of change. A row bears the start of the transaction that wrote it, which may be
    before the payment was made; but the chain knows a payment only after it knew nothing of it.
    """
    if last.on_chain_state is None and view.on_chain_state is not None:
        return False
    return view.changed_at < last.changed_at


def _attention(view: PaymentView) -> str:
    if view.on_chain_state not in _CHAIN:
        return f"unknown state {view.on_chain_state}"
    if view.action == "WaitingForManualAction" or view.error_type is not None:
        return view.error_note or view.error_type or view.action
    return ""
