"""Whether a payment node may be asked to recover a payment that it has parked with an error.

The released node chooses the current transaction anew when it recovers a payment, and looks for it
among the past ones alone. Where the failure came before the broadcast, the confirmed lock is still
the current transaction: recovery then leaves none, or an older one that is spent. No hash of this
payment can be submitted any more, and the node's sync of the whole contract stops at its next step.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from masumi_sumi.payments.wire import Answer, StateRow

ROLLED_BACK = "rolled back transaction"
"""How the node's note begins after the chain dropped a transaction that it had seen."""

_LEFT_BEHIND = ("Pending", "FailedViaTimeout", "FailedViaManualReset")
"""How the current transaction stands after a failure behind the broadcast."""

_CANDIDATES = ("Confirmed", "Pending")


def _text_or_none(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


class Transaction(Answer):
    status: str
    tx_hash: Annotated[str | None, BeforeValidator(_text_or_none)] = Field(None, alias="txHash")
    new_state: str | None = Field(None, alias="newOnChainState")


class RecoveryRow(StateRow):
    """A payment with its history, newest first, as resolve gives it with ``includeHistory``."""

    transaction: Transaction | None = Field(alias="CurrentTransaction")
    past: list[Transaction] = Field(alias="TransactionHistory")


def refuse_recovery(row: RecoveryRow, *, keeps_transaction: bool = False) -> str:
    """Return what speaks against recovery of a parked payment; empty where nothing does.

    ``keeps_transaction`` is for a node that leaves the current transaction in place where it finds
    no past one to choose.
    """
    current = row.transaction
    if (row.action.error_note or "").lower().startswith(ROLLED_BACK):
        return "the chain dropped a transaction of it"
    if current is None:
        return "it has lost its transaction"
    if current.status == "Confirmed":
        has_candidate = any(past.status in _CANDIDATES for past in row.past)
        if keeps_transaction and current.tx_hash and not has_candidate:
            return ""
        return "nothing was broadcast, so recovery would take its confirmed transaction away"
    if current.status not in _LEFT_BEHIND:
        return f"its current transaction is {current.status}"
    newest = next((past for past in row.past if past.status == "Confirmed"), None)
    if newest is None or newest.tx_hash is None:
        return "its history holds no confirmed transaction that recovery could go back to"
    if newest.new_state not in (None, row.on_chain_state):
        return "the newest confirmed transaction in its history belongs to another state"
    return ""
