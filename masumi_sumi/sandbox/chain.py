"""A chain of one's own: blocks, transactions, and the jobs of the node that look at them.

A block does, in this order: take the waiting transactions in; let both sides see what has enough
confirmations; send what the rows ask for; let alarms ring. So every step can be seen as
``...Requested``, ``...Initiated`` and confirmed.
"""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import dataclass, field, replace

from masumi_sumi.sandbox import contract
from masumi_sumi.sandbox.clock import SECOND
from masumi_sumi.sandbox.cuid import new_id
from masumi_sumi.sandbox.ledger import Alarm, Ledger
from masumi_sumi.sandbox.model import (
    DISPUTED_WITHDRAWN,
    FUNDS_INVALID,
    MANUAL,
    Action,
    Escrow,
    Mined,
    Row,
    Sent,
    Transaction,
)
from masumi_sumi.sandbox.registry import Registry
from masumi_sumi.sandbox.source import V1, V2, PaymentSource
from masumi_sumi.sandbox.transitions import error_type, react

_KEEPS_HASH = ("SubmitResultRequested", "SubmitResultInitiated", MANUAL)


@dataclass(frozen=True)
class Pace:
    """``results_per_block`` None sends every result at once; a real V1 selling wallet sends 1."""

    block_ms: int
    confirmations: int = 1
    results_per_block: int | None = None


@dataclass
class Tip:
    """Where the chain is. All of it is stored, so that a restart goes on from here."""

    height: int
    next_block: int
    mempool: list[Sent] = field(default_factory=list)
    unseen: list[Mined] = field(default_factory=list)
    """Mined, but without enough confirmations to be looked at."""


class Chain:
    def __init__(
        self,
        ledger: Ledger,
        registry: Registry,
        sources: tuple[PaymentSource, ...],
        pace: Pace,
        now: int,
    ) -> None:
        self._ledger = ledger
        self._registry = registry
        self._sources = {source.type: source for source in sources}
        self.pace = pace
        self.tip = Tip(height=1_000_000, next_block=now + pace.block_ms)
        self.escrows: dict[str, Escrow] = {}
        self.dirty: dict[str, Escrow] = {}
        self.spoiled: dict[str, tuple[int, str]] = {}
        """Steps whose next sendings fail: how many, and the note that they leave."""
        self.lag = 0
        """Milliseconds by which the next writes of blocks are stamped too early."""

    def catch_up(self, now: int) -> None:
        """All blocks up to ``now``; stretches in which nothing can happen are skipped."""
        while self.tip.next_block <= now:
            self._skip(now)
            if self.tip.next_block > now:
                return
            self.block(self.tip.next_block)
            self.tip.next_block += self.pace.block_ms

    def block(self, now: int) -> None:
        self.tip.height += 1
        self._include(now)
        self._look(now)
        self._send_all(now)
        for row, alarm in self._ledger.due(now):
            self._ledger.save(_rung(row, alarm, now - self.lag))
        self._registry.step(now)

    def pay(self, row: Row, *, bad: bool = False) -> None:
        """Let a buyer of another node lock the funds of a payment."""
        step = contract.BAD_LOCK if bad else contract.LOCK
        self.tip.mempool.append(self._sent(row, step))

    def act(self, row: Row, step: str, result_hash: str | None = None) -> None:
        """Let a step be taken from outside the node, in the next block."""
        self.tip.mempool.append(self._sent(row, step, result_hash))

    def force(self, row: Row, state: str, result_hash: str | None, now: int) -> None:
        """Put the contract into a state now, whatever the rules say, and let both sides see it."""
        before = self.escrows.get(row.identifier)
        kept = before.result_hash if before is not None else None
        after = Escrow(
            row.identifier, state, _new_hash(), row.source_type == V2, result_hash or kept
        )
        self._put(after)
        was = before.state if before is not None else None
        height, time = self.tip.height, now // SECOND
        self._see(Mined(after.tx_hash, contract.ARBITRATE, height, time, was, after), now)

    def _skip(self, now: int) -> None:
        tip = self.tip
        if tip.mempool or tip.unseen or self._ledger.work or self._registry.is_moving:
            return
        alarm = self._ledger.next_alarm()
        until = now + 1 if alarm is None else min(alarm, now + 1)
        blocks = max(0, -(-(until - tip.next_block) // self.pace.block_ms))
        tip.height += blocks
        tip.next_block += blocks * self.pace.block_ms

    def _include(self, now: int) -> None:
        waiting, self.tip.mempool = self.tip.mempool, []
        for sent in waiting:
            escrow = self.escrows.get(sent.identifier)
            mined = contract.mine(sent, escrow, self.tip.height, now)
            if mined is not None:
                self._put(mined.after)
                self.tip.unseen.append(mined)
            else:
                self._refuse(sent, now)

    def _refuse(self, sent: Sent, now: int) -> None:
        """Park the row whose transaction failed, unless it is about to see what came before it."""
        if any(mined.after.identifier == sent.identifier for mined in self.tip.unseen):
            return
        for row in self._ledger.sides(sent.identifier):
            if row.transaction is not None and row.transaction.tx_hash == sent.tx_hash:
                self._ledger.save(_failed(row, "The contract did not take it", now - self.lag))

    def _look(self, now: int) -> None:
        ripe = self.tip.height - self.pace.confirmations + 1
        seen = [mined for mined in self.tip.unseen if mined.height <= ripe]
        self.tip.unseen = [mined for mined in self.tip.unseen if mined.height > ripe]
        for mined in seen:
            self._see(mined, now)

    def _see(self, mined: Mined, now: int) -> None:
        depth = self.tip.height - mined.height + 1
        buyer = self._sources[V2 if mined.after.is_v2 else V1].purchasing.vkey
        for row in self._ledger.sides(mined.after.identifier):
            if not _missed_its_lock(row):
                self._ledger.save(_seen(row, mined, depth, buyer, now - self.lag))

    def _send_all(self, now: int) -> None:
        in_flight = self._results_in_flight()
        for row_id in list(self._ledger.work):
            row = self._ledger[row_id]
            step = contract.JOBS[row.action.requested].step
            limit = self.pace.results_per_block
            if step == contract.SUBMIT:
                if limit is not None and in_flight[row.source_type] >= limit:
                    continue
                in_flight[row.source_type] += 1
            del self._ledger.work[row_id]
            if contract.may_send(row, step, now):
                self._send(row, step, now)

    def _send(self, row: Row, step: str, now: int) -> None:
        failures, note = self.spoiled.get(step, (0, ""))
        stamp = now - self.lag
        if failures:
            self.spoiled[step] = (failures - 1, note)
            self._ledger.save(_failed(row, note, stamp))
            return
        sent = self._sent(row, step, row.action.result_hash)
        self.tip.mempool.append(sent)
        buyer = row.buyer_vkey
        if step == contract.LOCK:
            buyer = self._sources[row.source_type].purchasing.vkey
        self._ledger.save(replace(_initiated(row, sent, stamp), buyer_vkey=buyer))

    def _results_in_flight(self) -> Counter[str]:
        steps = [(sent.step, sent.is_v2) for sent in self.tip.mempool]
        steps += [(mined.step, mined.after.is_v2) for mined in self.tip.unseen]
        return Counter(V2 if v2 else V1 for step, v2 in steps if step == contract.SUBMIT)

    def _sent(self, row: Row, step: str, result_hash: str | None = None) -> Sent:
        escrow = self.escrows.get(row.identifier)
        return Sent(
            _new_hash(),
            row.identifier,
            step,
            spends=escrow.tx_hash if escrow is not None else None,
            is_v2=row.source_type == V2,
            pay_by=row.deadlines.pay_by,
            result_hash=result_hash,
        )

    def _put(self, escrow: Escrow) -> None:
        self.escrows[escrow.identifier] = escrow
        self.dirty[escrow.identifier] = escrow


def _missed_its_lock(row: Row) -> bool:
    """A payment given up as unpaid takes no notice of its lock any more."""
    return row.side == "payment" and row.state == FUNDS_INVALID and row.buyer_vkey is None


def _rung(row: Row, alarm: Alarm, now: int) -> Row:
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


def _initiated(row: Row, sent: Sent, now: int) -> Row:
    initiated = contract.JOBS[row.action.requested].initiated
    action = Action.new(now, initiated, result_hash=row.action.result_hash)
    pending = Transaction(new_id(now), now, now, sent.tx_hash)
    return row.changed(
        now, action=action, transaction=pending, transactions=_past_transactions(row, now)
    )


def _failed(row: Row, note: str, now: int) -> Row:
    action = Action.new(
        now,
        MANUAL,
        error_type="Unknown",
        error_note=note,
        result_hash=row.action.result_hash,
    )
    return row.changed(now, action=action)


def _seen(row: Row, mined: Mined, depth: int, buyer_vkey: str, now: int) -> Row:
    """The row after its side saw a mined transaction."""
    after = mined.after
    reaction = react(row.side, row.action.requested, after.state)
    kept = row.action.result_hash if reaction.action in _KEEPS_HASH else None
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
    if current.status == "Pending":
        current = replace(current, status="FailedViaTimeout", updated_at=now)
    return (current, *row.transactions)


def _new_hash() -> str:
    return secrets.token_hex(32)
