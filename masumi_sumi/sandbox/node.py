"""The parts of a node together, one caller at a time, saved before anybody is answered."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from masumi_sumi.sandbox.chain import Chain, Pace
from masumi_sumi.sandbox.clock import SECOND, SandboxClock
from masumi_sumi.sandbox.errors import Invalid
from masumi_sumi.sandbox.keys import KeyRing, SandboxKey
from masumi_sumi.sandbox.ledger import Ledger
from masumi_sumi.sandbox.model import Fund, Row
from masumi_sumi.sandbox.registry import Registry
from masumi_sumi.sandbox.source import PaymentSource, sources_of
from masumi_sumi.sandbox.store import Store, Time


@dataclass(frozen=True)
class Settings:
    """``production`` hides the text of 5xx answers. ``refusal_delay``: most seconds of a 401.

    ``seed`` is what all wallets follow from: nodes of one seed have the same wallets.
    ``sync_seconds`` and ``send_seconds`` are the ticks in which the node gives unpaid rows up and
    looks at the chain, and in which it sends results; 0 is every block. ``safe_recovery`` is the
    development branch: recovery never detaches a payment from its transaction.
    """

    keys: tuple[SandboxKey, ...] = (SandboxKey("sandbox", can_admin=True),)
    strict: bool = False
    production: bool = False
    block_seconds: float = 2.0
    confirmations: int = 1
    results_per_block: int | None = None
    sync_seconds: float = 0.0
    send_seconds: float = 0.0
    safe_recovery: bool = False
    refusal_delay: float = 0.0
    seed: str = "sandbox"
    network: str = "Preprod"
    database: Path | str | None = None


class Node:
    def __init__(self, settings: Settings, clock: SandboxClock) -> None:
        self.settings = settings
        self.clock = clock
        self.sources: Sequence[PaymentSource] = sources_of(settings.network, settings.seed)
        self.keys = KeyRing(settings.keys)
        self._store = Store(settings.database) if settings.database is not None else None
        self._lock = threading.RLock()
        self._empty()
        if self._store is not None:
            self._load(self._store)

    @contextmanager
    def turn(self) -> Iterator[int]:
        """One caller's turn, at the moment it gives. The chain is up to date at its start.

        What was changed is committed at its end, also when the turn ends in a refusal.
        """
        with self._lock:
            now = self.clock.now()
            self.chain.catch_up(now)
            try:
                yield now
            finally:
                self._commit()

    def catch_up(self) -> None:
        """Make the blocks that are due."""
        with self.turn():
            pass

    def advance(self, seconds: float) -> None:
        """Let time pass: everything that falls due in it happens, in its order."""
        with self._lock:
            self.clock.advance(seconds)
            self.catch_up()

    def mine(self, blocks: int) -> None:
        """Blocks at once, without letting time pass."""
        with self.turn() as now:
            for _ in range(blocks):
                self.chain.block(now)
            self.chain.tip.next_block = now + self.chain.pace.block_ms

    def reset(self) -> None:
        """A new node with the same keys and wallets; time is the machine's again."""
        with self._lock:
            self.clock.offset = 0.0
            if self._store is not None:
                self._store.clear()
            self._empty()
            self._commit()

    def close(self) -> None:
        with self._lock:
            if self._store is not None:
                self._store.close()

    def source_of(self, row: Row) -> PaymentSource:
        return next(source for source in self.sources if source.type == row.source_type)

    def credit(self, key: SandboxKey) -> tuple[Fund, ...]:
        return self._credits.get(key.id, key.credits or ())

    def charge(self, key: SandboxKey, funds: Sequence[Fund]) -> None:
        """Take a purchase's price off a limited key. Raises Invalid if it is not enough."""
        if key.credits is None or key.can_admin:
            return
        left = {fund.unit: int(fund.amount) for fund in self.credit(key)}
        for fund in funds:
            left[fund.unit] = left.get(fund.unit, 0) - int(fund.amount)
        if min(left.values(), default=0) < 0:
            raise Invalid("Insufficient funds")
        self._credits[key.id] = tuple(Fund(str(sum_), unit) for unit, sum_ in left.items())

    def _empty(self) -> None:
        now = self.clock.now()
        settings = self.settings
        self.born = now
        self.ledger = Ledger()
        self.registry = Registry(strict=settings.strict)
        self._credits: dict[str, tuple[Fund, ...]] = {}
        self._written: object = None
        pace = Pace(
            max(1, round(settings.block_seconds * SECOND)),
            settings.confirmations,
            settings.results_per_block,
            round(settings.sync_seconds * SECOND),
            round(settings.send_seconds * SECOND),
        )
        self.chain = Chain(self.ledger, self.registry, tuple(self.sources), pace, now)

    def _load(self, store: Store) -> None:
        time = store.load("time").get("")
        if time is not None:
            self.clock.offset, self.born = time.offset, time.born
        for agent in store.load("agent").values():
            self.registry.add(agent)
        self._credits.update(store.load("credit"))
        self.chain.escrows.update(store.load("escrow"))
        self.chain.tip = store.load("tip").get("", self.chain.tip)
        for row in sorted(store.load("row").values(), key=lambda row: row.updated_at):
            self.ledger.save(row)

    def _commit(self) -> None:
        rows, self.ledger.dirty = self.ledger.dirty, {}
        escrows, self.chain.dirty = self.chain.dirty, {}
        agents, self.registry.dirty = self.registry.dirty, {}
        if self._store is None:
            return
        things: list[tuple[str, str, object]] = [("row", id_, row) for id_, row in rows.items()]
        things += [("escrow", id_, escrow) for id_, escrow in escrows.items()]
        things += [("agent", id_, agent) for id_, agent in agents.items()]
        tip, time = self.chain.tip, Time(self.clock.offset, self.born)
        moving = (tuple(tip.mempool), tuple(tip.unseen), time, tuple(self._credits.items()))
        if not things and moving == self._written:
            return
        things += [("credit", id_, credit) for id_, credit in self._credits.items()]
        things += [("tip", "", tip), ("time", "", time)]
        self._store.write(things)
        self._written = moving
