"""All payments of one (network, source type), followed with one request per poll.

The node's diff is ordered by (time of change, id) and inclusive. A row can show up late: it bears
the start time of the transaction that wrote it, which may last 30 seconds. So every now and then
a poll reaches back ("a sweep"), and rows that were told already are left out. What was swept when
it was young enough to be complete is not swept again, so payments that only wait cost one page.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection

from masumi_sumi.clock import Clock
from masumi_sumi.errors import NodeUnreadable
from masumi_sumi.jobs.model import PaymentView
from masumi_sumi.jobs.ports import Changes, Cursor
from masumi_sumi.payments.wire import Changed, epoch, iso

log = logging.getLogger(__name__)

OVERLAP = 60.0
"""Seconds that a sweep reaches back: a transaction's 30, a slow answer's 20, and some."""

SWEEP_EVERY = 10.0
"""Seconds between sweeps; slower polls sweep every time. With OVERLAP it leaves no gap."""

FIRST_REACH = 3600.0
"""Seconds that the very first call reaches back. A fresh store has no payments, so what matters
lies ahead; the hour is for a seller that opened one and died before its first poll, and for a
clock that differs from the node's. Whatever is older is found by looking at it directly."""

LIMIT = 100
AT_ONCE = 2000
"""New rows after which one call stops; the rest comes with the next."""

REMEMBERED = 20_000

ReadPage = Callable[[str, str, int], Awaitable[list[Changed]]]
"""(since, row id or "", limit) -> rows from there on, the row itself included."""


class Follower:
    """One caller at a time. Keeps nothing that is needed after a restart: the caller stores the
    cursor and gives it back. Rows count as told when their cursor comes back; another cursor
    means that the answer was lost, and its rows are told again.
    """

    def __init__(
        self,
        read: ReadPage,
        clock: Clock,
        *,
        overlap: float = OVERLAP,
        sweep_every: float = SWEEP_EVERY,
        first_reach: float = FIRST_REACH,
        limit: int = LIMIT,
        at_once: int = AT_ONCE,
        remembered: int = REMEMBERED,
    ) -> None:
        self._read, self._clock = read, clock
        self._overlap, self._sweep_every, self._first_reach = overlap, sweep_every, first_reach
        self._limit, self._at_once, self._remembered = limit, at_once, remembered
        self._told: dict[Cursor, None] = {}
        self._answered: Cursor | None = None
        self._answer: Collection[Cursor] = ()
        self._swept_at: float | None = None
        self._node_at: tuple[float, float] | None = None

    async def changes(self, cursor: Cursor | None) -> Changes:
        """What changed since the cursor, by time of change; late rows may come among them."""
        self._settle(cursor)
        now = self._clock.now()
        start = cursor or Cursor(iso(now - self._first_reach), "")
        sweep = self._sweep_is_due(now)
        rows, end = await self._walk(start, sweep)
        if rows and end == start:
            end = Cursor(start.changed_at, "")  # differs, so that its return says: rows were told
        self._see_node_time(end)
        if sweep:
            self._swept_at = now
        self._answered, self._answer = end, rows.keys()
        return Changes([view for row in rows.values() if (view := _view(row))], end)

    def _settle(self, cursor: Cursor | None) -> None:
        if cursor != self._answered:
            self._told.clear()
            self._swept_at = None
        else:
            self._told.update(dict.fromkeys(self._answer))
        self._answer = ()
        if cursor:
            self._forget(iso(epoch(cursor.changed_at) - 2 * self._overlap))

    def _forget(self, horizon: str) -> None:
        recent = [mark for mark in self._told if mark.changed_at >= horizon]
        self._told = dict.fromkeys(recent[-self._remembered :])

    def _sweep_is_due(self, now: float) -> bool:
        return self._swept_at is None or not 0 <= now - self._swept_at < self._sweep_every

    async def _walk(self, start: Cursor, sweep: bool) -> tuple[dict[Cursor, Changed], Cursor]:
        """New rows, and where the walk ended: never before its start, or sweeps would drift."""
        rows: dict[Cursor, Changed] = {}
        position = self._back_from(start) if sweep else start
        while True:
            page = await self._read(position.changed_at, position.row_id, self._limit)
            rows.update((row.cursor, row) for row in page if row.cursor not in self._told)
            last = page[-1].cursor if page else position
            full = len(page) >= self._limit
            if full and last == position:
                raise NodeUnreadable("GET /payment/diff", "its pages do not move on")
            position = last
            ahead = epoch(position.changed_at) >= epoch(start.changed_at)
            if not full or (ahead and len(rows) >= self._at_once):
                return rows, position if ahead else start

    def _back_from(self, cursor: Cursor) -> Cursor:
        """Behind the cursor, but not behind what the last sweep could be sure to have seen."""
        last = epoch(cursor.changed_at)
        sure = last if self._swept_at is None else max(last, self._node_time(self._swept_at))
        behind = sure - self._overlap
        return Cursor(iso(behind), "") if behind < last else cursor

    def _see_node_time(self, end: Cursor) -> None:
        """A change is never ahead of the node's clock, which may differ from ours."""
        now, changed_at = self._clock.now(), epoch(end.changed_at)
        if self._node_at is None or changed_at > self._node_time(now):
            self._node_at = changed_at, now

    def _node_time(self, ours: float) -> float:
        """What the node's clock showed at least, at a time of ours."""
        if self._node_at is None:
            return 0.0
        changed_at, seen_at = self._node_at
        return changed_at + (ours - seen_at)


def _view(row: Changed) -> PaymentView | None:
    if row.view is None:
        log.warning(
            "a changed payment is unreadable: %s", row.fault, extra={"row": row.cursor.row_id}
        )
    return row.view
