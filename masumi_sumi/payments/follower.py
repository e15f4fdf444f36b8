"""All payments of one (network, source type), followed with one request per poll.

The node's diff is ordered by (time of change, id) and inclusive. A row can show up late: it bears
the start time of the transaction that wrote it, which may last 30 seconds. So every now and then
a poll reaches back behind the cursor ("a sweep"), and rows that were told already are left out.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection
from itertools import islice

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
PAGES = 20
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
        pages: int = PAGES,
        remembered: int = REMEMBERED,
    ) -> None:
        self._read, self._clock = read, clock
        self._overlap, self._sweep_every, self._first_reach = overlap, sweep_every, first_reach
        self._limit, self._pages, self._remembered = limit, pages, remembered
        self._told: dict[Cursor, None] = {}
        self._answered: Cursor | None = None
        self._answer: Collection[Cursor] = ()
        self._swept_at: float | None = None
        self._behind = False

    async def changes(self, cursor: Cursor | None) -> Changes:
        """What changed since the cursor, oldest first; at most ``pages`` pages at once."""
        self._settle(cursor)
        now = self._clock.now()
        start = cursor or Cursor(iso(now - self._first_reach), "")
        sweep = self._sweep_is_due(now)
        rows, end, behind = await self._walk(self._reach_back(start) if sweep else start)
        if not behind and epoch(end.changed_at) < epoch(start.changed_at):
            end = start
        if rows and end == start:
            end = Cursor(start.changed_at, "")  # differs, so that its return says: rows were told
        self._behind = behind
        self._swept_at = now if sweep else self._swept_at
        self._answered, self._answer = end, rows.keys()
        return Changes([view for row in rows.values() if (view := _view(row))], end)

    def _settle(self, cursor: Cursor | None) -> None:
        if cursor != self._answered:
            self._told.clear()
            self._swept_at, self._behind = None, False
        else:
            self._told.update(dict.fromkeys(self._answer))
        self._answer = ()
        self._forget(cursor)

    def _forget(self, cursor: Cursor | None) -> None:
        if cursor is None:
            return
        horizon = epoch(cursor.changed_at) - 2 * self._overlap
        recent = [mark for mark in self._told if epoch(mark.changed_at) >= horizon]
        self._told = dict.fromkeys(islice(recent, max(0, len(recent) - self._remembered), None))

    def _sweep_is_due(self, now: float) -> bool:
        if self._behind:
            return False
        return self._swept_at is None or not 0 <= now - self._swept_at < self._sweep_every

    def _reach_back(self, cursor: Cursor) -> Cursor:
        return Cursor(iso(epoch(cursor.changed_at) - self._overlap), "")

    async def _walk(self, position: Cursor) -> tuple[dict[Cursor, Changed], Cursor, bool]:
        """New rows from a position on, where the walk ended, and whether there is more."""
        rows: dict[Cursor, Changed] = {}
        for _ in range(self._pages):
            page = await self._read(position.changed_at, position.row_id, self._limit)
            rows.update((row.cursor, row) for row in page if row.cursor not in self._told)
            if len(page) < self._limit:
                return rows, page[-1].cursor if page else position, False
            if page[-1].cursor == position:
                raise NodeUnreadable("GET /payment/diff", "its pages do not move on")
            position = page[-1].cursor
        return rows, position, True


def _view(row: Changed) -> PaymentView | None:
    if row.view is None:
        log.warning(
            "a changed payment is unreadable: %s", row.fault, extra={"row": row.cursor.row_id}
        )
    return row.view
