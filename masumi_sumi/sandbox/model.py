"""The node's rows as frozen values. All moments are epoch milliseconds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from masumi_sumi.sandbox.cuid import new_id

Side = Literal["payment", "purchase"]

FUNDS_LOCKED = "FundsLocked"
FUNDS_INVALID = "FundsOrDatumInvalid"
RESULT_SUBMITTED = "ResultSubmitted"
REFUND_REQUESTED = "RefundRequested"
DISPUTED = "Disputed"
WITHDRAWN = "Withdrawn"
REFUND_WITHDRAWN = "RefundWithdrawn"
DISPUTED_WITHDRAWN = "DisputedWithdrawn"
WITHDRAW_AUTHORIZED = "WithdrawAuthorized"
REFUND_AUTHORIZED = "RefundAuthorized"
STATES = (
    FUNDS_LOCKED,
    FUNDS_INVALID,
    RESULT_SUBMITTED,
    REFUND_REQUESTED,
    DISPUTED,
    WITHDRAWN,
    REFUND_WITHDRAWN,
    DISPUTED_WITHDRAWN,
    WITHDRAW_AUTHORIZED,
    REFUND_AUTHORIZED,
)
END_STATES = (WITHDRAWN, REFUND_WITHDRAWN, DISPUTED_WITHDRAWN)

WAITING = "WaitingForExternalAction"
MANUAL = "WaitingForManualAction"
DONE = "None"


@dataclass(frozen=True, slots=True)
class Fund:
    """``unit`` is "" for ADA (lovelace)."""

    amount: str
    unit: str

    @classmethod
    def of(cls, amount: str | int, unit: str) -> Fund:
        return cls(str(amount), "" if unit.lower() == "lovelace" else unit)


@dataclass(frozen=True, slots=True)
class Deadlines:
    pay_by: int
    submit_result: int
    unlock: int
    dispute_unlock: int


@dataclass(frozen=True, slots=True)
class Action:
    """What the node is to do next; a change of mind is a new Action, never a changed one."""

    id: str
    created_at: int
    updated_at: int
    requested: str
    error_type: str | None = None
    error_note: str | None = None
    result_hash: str | None = None

    @classmethod
    def new(cls, now: int, requested: str, **rest: str | None) -> Action:
        return cls(new_id(now), now, now, requested, **rest)


@dataclass(frozen=True, slots=True)
class Transaction:
    """One side's record of a transaction. ``block_time`` is epoch seconds, as on the wire."""

    id: str
    created_at: int
    updated_at: int
    tx_hash: str
    status: str = "Pending"
    fees: str | None = None
    block_height: int | None = None
    block_time: int | None = None
    previous: str | None = None
    new: str | None = None
    confirmations: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A payment (the seller's record) or a purchase (the buyer's) of one identifier.

    ``result_hash`` of a payment is "" until its lock is seen, then None, then the hash.
    ``fees`` are lovelace. The three ``*_changed_at`` are what the diffs are ordered by.
    """

    side: Side
    id: str
    created_at: int
    updated_at: int
    network: str
    source_type: str
    identifier: str
    agent_identifier: str
    agent_name: str | None
    pricing_type: str
    deadlines: Deadlines
    owner: str
    input_hash: str
    funds: tuple[Fund, ...]
    seller_vkey: str
    action: Action
    changed_at: int
    action_changed_at: int
    state_changed_at: int
    result_hash: str | None = None
    state: str | None = None
    metadata: str | None = None
    seller_return: str | None = None
    buyer_return: str | None = None
    buyer_vkey: str | None = None
    collateral: str | None = None
    seller_cooldown: int = 0
    buyer_cooldown: int = 0
    seller_fees: int = 0
    buyer_fees: int = 0
    actions: tuple[Action, ...] = ()
    transaction: Transaction | None = None
    transactions: tuple[Transaction, ...] = ()
    withdrawn_seller: tuple[Fund, ...] = ()
    withdrawn_buyer: tuple[Fund, ...] = ()

    def changed(self, now: int, **changes: Any) -> Row:
        """The row after a write at ``now``.

        The stamps move as the real node's database triggers move them: a new Action moves the
        action's and the combined one; a new state or result moves its own stamp only.
        """
        if changes.get("action", self.action) is not self.action:
            changes["actions"] = (replace(self.action, updated_at=now), *self.actions)
            changes["action_changed_at"] = changes["changed_at"] = now
        state = changes.get("state", self.state)
        result = changes.get("result_hash", self.result_hash)
        if (state, result) != (self.state, self.result_hash):
            changes["state_changed_at"] = now
        return replace(self, updated_at=now, **changes)


@dataclass(frozen=True, slots=True)
class Escrow:
    """What the contract itself holds for an identifier: the chain's truth, whoever looks.

    ``tx_hash`` names the output: who built on another one comes too late.
    """

    identifier: str
    state: str
    tx_hash: str
    is_v2: bool
    result_hash: str | None = None
    seller_cooldown: int = 0
    buyer_cooldown: int = 0


@dataclass(frozen=True, slots=True)
class Sent:
    """A transaction on its way to the contract; ``spends`` is the output it builds on."""

    tx_hash: str
    identifier: str
    step: str
    spends: str | None
    is_v2: bool
    pay_by: int
    result_hash: str | None = None


@dataclass(frozen=True, slots=True)
class Mined:
    """A transaction in a block: what the contract held before and holds after it."""

    tx_hash: str
    step: str
    height: int
    block_time: int
    before: str | None
    after: Escrow
