"""The node's rows in memory, kept in every order in which they are asked for."""

from __future__ import annotations

import heapq
from bisect import bisect_left, insort
from collections.abc import Iterator
from itertools import islice
from typing import Literal

from masumi_sumi.sandbox.contract import JOBS
from masumi_sumi.sandbox.model import (
    FUNDS_LOCKED,
    REFUND_AUTHORIZED,
    REFUND_REQUESTED,
    RESULT_SUBMITTED,
    WAITING,
    WITHDRAW_AUTHORIZED,
    Row,
    Side,
)
from masumi_sumi.sandbox.rules import AUTOMATIC, GRACE

Order = Literal["created_at", "changed_at", "action_changed_at", "state_changed_at"]
ORDERS: tuple[Order, ...] = ("created_at", "changed_at", "action_changed_at", "state_changed_at")
Alarm = Literal["unpaid", "collect", "refund"]
Mark = tuple[int, str]


def alarms(row: Row) -> Iterator[tuple[int, Alarm]]:
    """When the node will do something about the row by itself, and what.

    That a purchase gives up as its payment does is an assumption; the real node was not seen at it.
    """
    times, state, action = row.deadlines, row.state, row.action.requested
    if state is None and action in (WAITING, "FundsLockingRequested"):
        yield times.pay_by + GRACE, "unpaid"
    if action != WAITING:
        return
    if row.side == "payment" and state == RESULT_SUBMITTED:
        yield times.unlock + AUTOMATIC, "collect"
    elif row.side == "payment" and state == WITHDRAW_AUTHORIZED:
        yield 0, "collect"
    elif row.side == "purchase" and state == REFUND_AUTHORIZED:
        yield 0, "refund"
    elif (
        row.side == "purchase"
        and state in (FUNDS_LOCKED, REFUND_REQUESTED)
        and row.result_hash is None
    ):
        yield times.submit_result + AUTOMATIC, "refund"


class Shelf:
    """The rows of one side and one payment source."""

    def __init__(self) -> None:
        self._marks: dict[Order, list[Mark]] = {order: [] for order in ORDERS}

    def __len__(self) -> int:
        return len(self._marks["created_at"])

    def place(self, row: Row, before: Row | None) -> None:
        for order in ORDERS:
            mark = (getattr(row, order), row.id)
            if before is not None:
                old = (getattr(before, order), row.id)
                if old == mark:
                    continue
                marks = self._marks[order]
                del marks[bisect_left(marks, old)]
            insort(self._marks[order], mark)

    def since(self, order: Order, mark: Mark) -> Iterator[Mark]:
        """Marks from ``mark`` on, itself included, ascending."""
        marks = self._marks[order]
        return islice(marks, bisect_left(marks, mark), None)

    def newest(self, until: Mark | None) -> Iterator[Mark]:
        """Marks by creation, newest first, from ``until`` on, itself included."""
        marks = self._marks["created_at"]
        end = len(marks) if until is None else bisect_left(marks, until) + 1
        return (marks[i] for i in range(end - 1, -1, -1))


class Ledger:
    def __init__(self) -> None:
        self._rows: dict[str, Row] = {}
        self._by_identifier: dict[tuple[Side, str], str] = {}
        self._shelves: dict[tuple[Side, str], Shelf] = {}
        self._alarms: dict[bool, list[tuple[int, str, Alarm]]] = {True: [], False: []}
        """Whether they are for unpaid rows, which only the start of a sync tick looks for."""
        self.work: dict[str, None] = {}
        """Ids of rows whose action waits to be carried out, oldest wish first."""
        self.dirty: dict[str, Row] = {}
        """Rows saved since the last commit."""

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows.values())

    def save(self, row: Row) -> Row:
        self._by_identifier[row.side, row.identifier] = row.id
        self.shelf(row.side, row.source_type).place(row, self._rows.get(row.id))
        self._rows[row.id] = row
        self.dirty[row.id] = row
        if row.action.requested in JOBS:
            self.work[row.id] = None
        else:
            self.work.pop(row.id, None)
        for at, alarm in alarms(row):
            heapq.heappush(self._alarms[alarm == "unpaid"], (at, row.id, alarm))
        return row

    def shelf(self, side: Side, source_type: str) -> Shelf:
        return self._shelves.setdefault((side, source_type), Shelf())

    def get(self, row_id: str) -> Row | None:
        return self._rows.get(row_id)

    def __getitem__(self, row_id: str) -> Row:
        return self._rows[row_id]

    def find(self, side: Side, identifier: str) -> Row | None:
        row_id = self._by_identifier.get((side, identifier))
        return self._rows[row_id] if row_id is not None else None

    def sides(self, identifier: str) -> list[Row]:
        found = (self.find("payment", identifier), self.find("purchase", identifier))
        return [row for row in found if row is not None]

    def next_alarm(self) -> int | None:
        return min((alarms[0][0] for alarms in self._alarms.values() if alarms), default=None)

    def due(self, now: int, *, unpaid: bool) -> Iterator[tuple[Row, Alarm]]:
        """Rows whose alarm has rung and still holds for the row as it is."""
        pending = self._alarms[unpaid]
        while pending and pending[0][0] <= now:
            _, row_id, alarm = heapq.heappop(pending)
            row = self._rows[row_id]
            if any(at <= now and kind == alarm for at, kind in alarms(row)):
                yield row, alarm
