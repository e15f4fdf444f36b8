"""What a side's next action becomes when the chain shows it a new state.

The real node's table: by side, the action the side was in, and the state it sees (``ANY`` is every
state not named). An entry is the next action and the note that is left for people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from masumi_sumi.sandbox.model import FUNDS_INVALID, MANUAL, Side

ANY = "*"

_LATE = "Unexpected state change detected. Possible a action could not be executed in time"
_BUG = "Unexpected state change detected. This indicates a database error or a bug"
_EXTERNAL = "Unexpected state change detected. Possible a action was executed externally"
_MISMATCH = "Amount mismatch detected. State change detected after manual action was required"
_MISMATCH_AT_END = (
    "Amount mismatch detected. Invalid state detected. Purchase request was in end "
    "state before. This indicates a database error or a bug"
)
_AT_END = (
    "Invalid state detected. Purchase request was in end state before. This indicates "
    "a database error or a bug"
)
_WHILE_MANUAL = "State change detected after manual action was required"
_STRANGER = (
    "Invalid state detected. Someone else likely initiated a purchase request or this "
    "is a bug. Waiting for manual resolution"
)


@dataclass(frozen=True)
class Reaction:
    action: str
    note: str | None = None


def _manual(note: str) -> Reaction:
    return Reaction(MANUAL, note)


Reactions = Mapping[str, Mapping[str, Reaction]]

_PAYMENT: Reactions = {
    "AuthorizeRefundInitiated": {
        ANY: _manual(_LATE),
        "Disputed": Reaction("AuthorizeRefundRequested"),
        "FundsLocked": _manual(_BUG),
        "FundsOrDatumInvalid": _manual(_MISMATCH),
        "RefundAuthorized": Reaction("WaitingForExternalAction"),
        "RefundRequested": Reaction("WaitingForExternalAction"),
        "ResultSubmitted": Reaction("AuthorizeRefundRequested", _LATE),
        "WithdrawAuthorized": _manual(_EXTERNAL),
    },
    "AuthorizeRefundRequested": {
        ANY: _manual(_LATE),
        "Disputed": Reaction("AuthorizeRefundRequested"),
        "FundsLocked": _manual(_BUG),
        "FundsOrDatumInvalid": _manual(_MISMATCH),
        "RefundAuthorized": Reaction("WaitingForExternalAction"),
        "ResultSubmitted": Reaction("AuthorizeRefundRequested"),
        "WithdrawAuthorized": _manual(_EXTERNAL),
    },
    "Ignore": {
        ANY: Reaction("Ignore"),
        "RefundAuthorized": _manual(_EXTERNAL),
        "WithdrawAuthorized": _manual(_EXTERNAL),
    },
    "None": {
        ANY: _manual(_AT_END),
        "FundsOrDatumInvalid": _manual(_MISMATCH_AT_END),
        "RefundAuthorized": _manual(_EXTERNAL),
        "WithdrawAuthorized": _manual(_EXTERNAL),
    },
    "SubmitResultInitiated": {
        ANY: _manual(_LATE),
        "Disputed": Reaction("WaitingForExternalAction"),
        "FundsLocked": Reaction("SubmitResultRequested"),
        "FundsOrDatumInvalid": _manual(_MISMATCH),
        "RefundAuthorized": _manual(_EXTERNAL),
        "RefundRequested": Reaction("SubmitResultRequested"),
        "ResultSubmitted": Reaction("WaitingForExternalAction"),
        "WithdrawAuthorized": _manual(_EXTERNAL),
    },
    "SubmitResultRequested": {
        ANY: Reaction("SubmitResultRequested"),
        "DisputedWithdrawn": _manual(_LATE),
        "FundsOrDatumInvalid": _manual(_MISMATCH),
        "RefundAuthorized": _manual(_EXTERNAL),
        "RefundWithdrawn": _manual(_LATE),
        "WithdrawAuthorized": _manual(_EXTERNAL),
        "Withdrawn": _manual(_LATE),
    },
    "WaitingForExternalAction": {
        ANY: Reaction("WaitingForExternalAction"),
        "DisputedWithdrawn": Reaction("None"),
        "FundsOrDatumInvalid": _manual(_MISMATCH),
        "RefundWithdrawn": Reaction("None"),
        "Withdrawn": Reaction("None"),
    },
    "WaitingForManualAction": {
        ANY: _manual(_WHILE_MANUAL),
        "FundsOrDatumInvalid": _manual(_MISMATCH),
    },
    "WithdrawInitiated": {
        ANY: _manual(_LATE),
        "Disputed": Reaction("WithdrawRequested"),
        "FundsLocked": _manual(_BUG),
        "FundsOrDatumInvalid": _manual(_MISMATCH),
        "RefundAuthorized": _manual(_EXTERNAL),
        "WithdrawAuthorized": Reaction("WithdrawRequested"),
        "Withdrawn": Reaction("None"),
    },
    "WithdrawRequested": {
        ANY: _manual(_LATE),
        "Disputed": Reaction("WithdrawRequested"),
        "FundsLocked": _manual(_BUG),
        "FundsOrDatumInvalid": _manual(_MISMATCH),
        "RefundAuthorized": _manual(_EXTERNAL),
        "WithdrawAuthorized": Reaction("WithdrawRequested"),
        "Withdrawn": _manual(_EXTERNAL),
    },
}
_PURCHASE: Reactions = {
    "AuthorizeWithdrawalInitiated": {
        ANY: _manual(_BUG),
        "Disputed": Reaction("AuthorizeWithdrawalRequested"),
        "DisputedWithdrawn": _manual(_LATE),
        "FundsOrDatumInvalid": _manual(_MISMATCH),
        "RefundAuthorized": _manual(_EXTERNAL),
        "RefundWithdrawn": _manual(_LATE),
        "WithdrawAuthorized": Reaction("WaitingForExternalAction"),
        "Withdrawn": _manual(_LATE),
    },
    "AuthorizeWithdrawalRequested": {
        ANY: _manual(_BUG),
        "Disputed": Reaction("AuthorizeWithdrawalRequested"),
        "DisputedWithdrawn": _manual(_LATE),
        "FundsOrDatumInvalid": _manual(_MISMATCH),
        "RefundAuthorized": _manual(_EXTERNAL),
        "RefundWithdrawn": _manual(_LATE),
        "WithdrawAuthorized": Reaction("WaitingForExternalAction"),
        "Withdrawn": _manual(_LATE),
    },
    "FundsLockingInitiated": {
        ANY: _manual(_STRANGER),
        "FundsLocked": Reaction("WaitingForExternalAction"),
        "FundsOrDatumInvalid": _manual(_MISMATCH_AT_END),
        "RefundAuthorized": _manual(_EXTERNAL),
        "WithdrawAuthorized": _manual(_EXTERNAL),
    },
    "FundsLockingRequested": {
        ANY: _manual(_STRANGER),
        "FundsOrDatumInvalid": _manual(_MISMATCH_AT_END),
        "RefundAuthorized": _manual(_EXTERNAL),
        "WithdrawAuthorized": _manual(_EXTERNAL),
    },
    "Ignore": {
        ANY: Reaction("Ignore"),
        "RefundAuthorized": _manual(_EXTERNAL),
        "WithdrawAuthorized": _manual(_EXTERNAL),
    },
    "None": {
        ANY: _manual(_AT_END),
        "FundsOrDatumInvalid": _manual(_MISMATCH_AT_END),
        "RefundAuthorized": _manual(_EXTERNAL),
        "WithdrawAuthorized": _manual(_EXTERNAL),
    },
    "SetRefundRequestedInitiated": {
        ANY: _manual(_LATE),
        "Disputed": Reaction("WaitingForExternalAction"),
        "FundsLocked": Reaction("SetRefundRequestedRequested"),
        "FundsOrDatumInvalid": _manual(_MISMATCH),
        "RefundAuthorized": _manual(_EXTERNAL),
        "RefundRequested": Reaction("WaitingForExternalAction"),
        "ResultSubmitted": Reaction("SetRefundRequestedRequested"),
        "WithdrawAuthorized": _manual(_EXTERNAL),
    },
    "SetRefundRequestedRequested": {
        ANY: Reaction("SetRefundRequestedRequested"),
        "Disputed": Reaction("WaitingForExternalAction"),
        "DisputedWithdrawn": _manual(_LATE),
        "FundsOrDatumInvalid": _manual(_MISMATCH),
        "RefundAuthorized": _manual(_EXTERNAL),
        "RefundWithdrawn": _manual(_LATE),
        "WithdrawAuthorized": _manual(_EXTERNAL),
        "Withdrawn": _manual(_LATE),
    },
    "UnSetRefundRequestedInitiated": {
        ANY: _manual(_LATE),
        "Disputed": Reaction("UnSetRefundRequestedRequested"),
        "FundsLocked": Reaction("WaitingForExternalAction"),
        "FundsOrDatumInvalid": _manual(_MISMATCH),
        "RefundAuthorized": _manual(_EXTERNAL),
        "RefundRequested": Reaction("UnSetRefundRequestedRequested"),
        "ResultSubmitted": Reaction("WaitingForExternalAction"),
        "WithdrawAuthorized": _manual(_EXTERNAL),
    },
    "UnSetRefundRequestedRequested": {
        ANY: _manual(_LATE),
        "Disputed": Reaction("UnSetRefundRequestedRequested"),
        "FundsLocked": Reaction("WaitingForExternalAction"),
        "FundsOrDatumInvalid": _manual(_MISMATCH),
        "RefundAuthorized": _manual(_EXTERNAL),
        "RefundRequested": Reaction("UnSetRefundRequestedRequested"),
        "ResultSubmitted": Reaction("WaitingForExternalAction"),
        "WithdrawAuthorized": _manual(_EXTERNAL),
    },
    "WaitingForExternalAction": {
        ANY: Reaction("WaitingForExternalAction"),
        "DisputedWithdrawn": Reaction("None"),
        "FundsOrDatumInvalid": _manual(_MISMATCH),
        "RefundWithdrawn": Reaction("None"),
        "Withdrawn": Reaction("None"),
    },
    "WaitingForManualAction": {
        ANY: _manual(_WHILE_MANUAL),
        "FundsOrDatumInvalid": _manual(_MISMATCH),
    },
    "WithdrawRefundInitiated": {
        ANY: Reaction("WithdrawRefundRequested"),
        "DisputedWithdrawn": _manual(_BUG),
        "FundsOrDatumInvalid": _manual(_MISMATCH),
        "RefundWithdrawn": Reaction("None"),
        "ResultSubmitted": _manual(_BUG),
        "WithdrawAuthorized": Reaction("WaitingForExternalAction"),
        "Withdrawn": _manual(_BUG),
    },
    "WithdrawRefundRequested": {
        ANY: Reaction("WithdrawRefundRequested"),
        "DisputedWithdrawn": _manual(_BUG),
        "FundsOrDatumInvalid": _manual(_MISMATCH),
        "RefundWithdrawn": Reaction("None"),
        "ResultSubmitted": _manual(_BUG),
        "WithdrawAuthorized": Reaction("WaitingForExternalAction"),
        "Withdrawn": _manual(_EXTERNAL),
    },
}

REACTIONS: Mapping[Side, Reactions] = {"payment": _PAYMENT, "purchase": _PURCHASE}


def react(side: Side, action: str, state: str) -> Reaction:
    """What a side in ``action`` does about the chain's new ``state``."""
    row = REACTIONS[side][action]
    return row.get(state, row[ANY])


def error_type(side: Side, state: str, reaction: Reaction) -> str | None:
    """``Unknown`` where people must act, except for a seller whose buyer locked wrongly."""
    if reaction.action != MANUAL or (side == "payment" and state == FUNDS_INVALID):
        return None
    return "Unknown"
