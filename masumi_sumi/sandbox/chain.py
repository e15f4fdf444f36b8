"""A chain of one's own: blocks, transactions, and the jobs of the node that look at them.

A block does, in this order: take the waiting transactions in; give up what was not paid; let both
sides see what has enough confirmations; send what the rows ask for; let alarms ring. So every step
can be seen as ``...Requested``, ``...Initiated`` and confirmed. The real node gives up and looks in
ticks of one job, and sends results in ticks of another one: see ``Pace``.
"""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import dataclass, field, replace

from masumi_sumi.sandbox import contract
from masumi_sumi.sandbox.clock import SECOND
from masumi_sumi.sandbox.ledger import Ledger
from masumi_sumi.sandbox.model import (
    FUNDS_INVALID,
    Escrow,
    Mined,
    Row,
    Sent,
)
from masumi_sumi.sandbox.registry import Registry
from masumi_sumi.sandbox.row_changes import apply_alarm, initiate, park, roll_back, see
from masumi_sumi.sandbox.source import V1, V2, PaymentSource


@dataclass(frozen=True)
class Pace:
    """``results_per_block`` None sends every result at once; a real V1 selling wallet sends 1.

    ``sync_ms`` and ``send_ms`` are the ticks of the sync, and of sending results: the first block
    of each such stretch of time does it. 0 is every block.
    """

    block_ms: int
    confirmations: int = 1
    results_per_block: int | None = None
    sync_ms: int = 0
    send_ms: int = 0


@dataclass
class Tip:
    """Where the chain is. All of it is stored, so that a restart goes on from here."""

    height: int
    next_block: int
    mempool: list[Sent] = field(default_factory=list)
    unseen: list[Mined] = field(default_factory=list)
    """Mined, but not looked at: without enough confirmations, or behind what stops the sync."""
    synced: int = -1
    sent: int = -1
    """In which stretch of time the last sync was, and the last sending of results."""


@dataclass(frozen=True)
class Spoiled:
    """Sendings of a step that are to fail: how many, the note, and whether behind the broadcast."""

    times: int
    note: str
    is_broadcast: bool = False


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
        self.spoiled: dict[str, Spoiled] = {}
        """Steps whose next sendings fail."""
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
        if not self.pace.sync_ms or self.tip.synced != now // self.pace.sync_ms:
            self._tick(now, synced=True)
            self._ring(now, unpaid=True)
            self._look(now)
        self._send_all(now)
        self._ring(now, unpaid=False)
        self._registry.step(now)

    def _tick(self, now: int, *, synced: bool = False, sent: bool = False) -> None:
        if synced and self.pace.sync_ms:
            self.tip.synced = now // self.pace.sync_ms
        if sent and self.pace.send_ms:
            self.tip.sent = now // self.pace.send_ms

    def _ring(self, now: int, *, unpaid: bool) -> None:
        for row, alarm in self._ledger.due(now, unpaid=unpaid):
            self._ledger.save(apply_alarm(row, alarm, now - self.lag))

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

    def roll_back(self, identifier: str, now: int) -> None:
        """Undo the newest transaction in the eyes of both sides.

        What the contract holds stays: a chain that was rolled back mostly takes it in again.
        """
        for row in self._ledger.sides(identifier):
            if row.transaction is not None:
                self._ledger.save(roll_back(row, now - self.lag))

    def stopped(self) -> list[str]:
        """The source types whose sync a payment without its transaction stops."""
        found = {self._source_of(mined) for mined in self.tip.unseen if self._stops_sync(mined)}
        return sorted(found)

    def _skip(self, now: int) -> None:
        tip = self.tip
        if tip.mempool or tip.unseen or self._ledger.work or self._registry.is_moving:
            return
        alarm = self._ledger.next_alarm()
        until = now + 1 if alarm is None else min(alarm, now + 1)
        blocks = max(0, -(-(until - tip.next_block) // self.pace.block_ms))
        tip.height += blocks
        tip.next_block += blocks * self.pace.block_ms
        if blocks:
            self._tick(tip.next_block - self.pace.block_ms, synced=True, sent=True)

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
                self._ledger.save(park(row, "The contract did not take it", now - self.lag))

    def _look(self, now: int) -> None:
        ripe = self.tip.height - self.pace.confirmations + 1
        waiting, self.tip.unseen = self.tip.unseen, []
        stopped: set[str] = set()
        for mined in waiting:
            if self._stops_sync(mined):
                stopped.add(self._source_of(mined))
            if mined.height > ripe or self._source_of(mined) in stopped:
                self.tip.unseen.append(mined)
            else:
                self._see(mined, now)

    def _stops_sync(self, mined: Mined) -> bool:
        """The real node's sync throws at the next step of a payment that was locked and has lost
        its transaction, at every tick, and sees nothing that comes after it in this contract.
        """
        row = self._ledger.find("payment", mined.after.identifier)
        if row is None or row.state is None or _missed_its_lock(row):
            return False
        return mined.before is not None and row.transaction is None

    @staticmethod
    def _source_of(mined: Mined) -> str:
        return V2 if mined.after.is_v2 else V1

    def _see(self, mined: Mined, now: int) -> None:
        depth = self.tip.height - mined.height + 1
        buyer = self._sources[V2 if mined.after.is_v2 else V1].purchasing.vkey
        for row in self._ledger.sides(mined.after.identifier):
            if not _missed_its_lock(row):
                self._ledger.save(see(row, mined, depth, buyer, now - self.lag))

    def _send_all(self, now: int) -> None:
        in_flight = self._results_in_flight()
        sends_results = not self.pace.send_ms or self.tip.sent != now // self.pace.send_ms
        if sends_results:
            self._tick(now, sent=True)
        for row_id in list(self._ledger.work):
            row = self._ledger[row_id]
            step = contract.JOBS[row.action.requested].step
            if step == contract.SUBMIT:
                limit = self.pace.results_per_block
                is_full = limit is not None and in_flight[row.source_type] >= limit
                is_whole = row.action.result_hash and row.transaction is not None
                if not sends_results or is_full or not is_whole:
                    continue
                in_flight[row.source_type] += 1
            del self._ledger.work[row_id]
            if contract.may_send(row, step, now):
                self._send(row, step, now)

    def _send(self, row: Row, step: str, now: int) -> None:
        spoiled = self.spoiled.get(step)
        stamp = now - self.lag
        sent = self._sent(row, step, row.action.result_hash)
        if spoiled is not None and spoiled.times:
            self.spoiled[step] = replace(spoiled, times=spoiled.times - 1)
            if spoiled.is_broadcast:
                row = self._ledger.save(initiate(row, sent, stamp))
            self._ledger.save(park(row, spoiled.note, stamp))
            return
        self.tip.mempool.append(sent)
        buyer = row.buyer_vkey
        if step == contract.LOCK:
            buyer = self._sources[row.source_type].purchasing.vkey
        self._ledger.save(replace(initiate(row, sent, stamp), buyer_vkey=buyer))

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


def _new_hash() -> str:
    return secrets.token_hex(32)
